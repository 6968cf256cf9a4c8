# SPDX-License-Identifier: GPL-2.0-or-later
"""The built package, and commands with a deadline."""

import glob
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("SEKISHO_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(SOURCE, "build"))
EXIT_SKIPPED = 77  # ctest's SKIP_RETURN_CODE, set in CMakeLists.txt


def run(*argv, check=True, deadline=60, **options):
    """Runs a command to its end and returns it with its output: text, C locale, no input."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive", **options.pop("environment", {}))
    options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="replace", timeout=deadline, env=environment, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def source(*path):
    return os.path.join(SOURCE, *path)


def newest(pattern):
    found = sorted(glob.glob(os.path.join(BUILD, "packages", pattern)), key=os.path.getmtime)
    assert found, f"no {pattern} in {BUILD}/packages: build the target `package`"
    return found[-1]


def deb():
    return newest("sekisho_*.deb")


def has(program):
    return shutil.which(program) is not None

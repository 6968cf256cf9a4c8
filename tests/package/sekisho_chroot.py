# SPDX-License-Identifier: GPL-2.0-or-later
"""A throw-away Debian with everything that the package depends on, but without the package."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile

from sekisho_package import has, run

CACHE = os.environ.get("SEKISHO_CACHE", "/var/cache/sekisho-tests")
MIRROR = os.environ.get("SEKISHO_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SUITE = "bookworm"
# What makes it a machine that boots.
MACHINE = ["systemd-sysv", "dbus"]


class Unavailable(Exception):
    """This machine cannot make one."""


def dependencies(deb):
    """The names of the packages that DEB depends on: of alternatives the first."""
    field = run("dpkg-deb", "--field", deb, "Depends").stdout
    return sorted({re.split(r"[\s(|:]", one.strip())[0] for one in field.split(",") if one.strip()})


def cached_tar(deb):
    """The Debian as a tar file. Made if need be, under a lock, so that tests that run side by side make one."""
    packages = sorted({*MACHINE, *dependencies(deb)})
    key = hashlib.sha256(" ".join([SUITE, MIRROR, *packages]).encode()).hexdigest()[:16]
    tar = os.path.join(CACHE, f"{SUITE}-{key}.tar")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(tar):
            if not has("mmdebstrap"):
                raise Unavailable("there is no mmdebstrap to make a Debian with")
            made = run("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE, tar + ".new.tar",
                       MIRROR, check=False, deadline=380)
            if made.returncode != 0:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(tar + ".new.tar")
                raise Unavailable(f"cannot make a Debian: {made.stderr.strip().splitlines()[-1]}")
            os.rename(tar + ".new.tar", tar)
    return tar


class Chroot:
    def __init__(self, deb):
        self._undo = contextlib.ExitStack()
        tar = cached_tar(deb)
        self.root = tempfile.mkdtemp(prefix="sekisho-package.")
        self._undo.callback(shutil.rmtree, self.root, True)
        run("tar", "--extract", "--file", tar, "--directory", self.root, "--xattrs", "--numeric-owner", deadline=300)

    def close(self):
        self._undo.close()

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def bind(self, path):
        """Have PATH of this machine in it as well."""
        os.makedirs(self.path(path), exist_ok=True)
        run("mount", "--rbind", "--make-rprivate", path, self.path(path))
        self._undo.callback(run, "umount", "--recursive", "--lazy", self.path(path), check=False)

    def run(self, *argv, **options):
        return run("chroot", self.root, *argv, **options)

    def copy_in(self, path):
        """Put a file in its /root; returns its path there."""
        shutil.copy(path, self.path("/root"))
        return os.path.join("/root", os.path.basename(path))

    def files(self):
        """Every path below it with its kind, mode, owner and content."""
        found = {}
        for directory, directories, names in os.walk(self.root):
            for name in directories + names:
                path = os.path.join(directory, name)
                status = os.lstat(path)
                content = ""
                if os.path.islink(path):
                    content = os.readlink(path)
                elif os.path.isfile(path):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                found[path[len(self.root):]] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
        return found

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


def cached_debian(deb):
    """The directory it is in. Made if need be, under a lock, so that tests that run side by side make one."""
    packages = sorted({*MACHINE, *dependencies(deb)})
    key = hashlib.sha256(" ".join([SUITE, MIRROR, *packages]).encode()).hexdigest()[:16]
    made = os.path.join(CACHE, f"{SUITE}-{key}")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "package.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(made):
            make_debian(packages, made)
    return made


def make_debian(packages, where):
    if not has("mmdebstrap"):
        raise Unavailable("there is no mmdebstrap to make a Debian with")
    new = tempfile.mkdtemp(prefix="new.", dir=CACHE)
    result = run("mmdebstrap", "--variant=minbase", "--format=directory", f"--include={','.join(packages)}", SUITE,
                 new, MIRROR, check=False, deadline=380)
    if result.returncode != 0:
        shutil.rmtree(new)
        raise Unavailable(f"cannot make a Debian: {(result.stderr.strip() or '?').splitlines()[-1]}")
    os.rename(new, where)


class Chroot:
    """In memory: a layer over the cached one, or where that would not do a COPY of it."""

    def __init__(self, deb, copy=False):
        self._undo = contextlib.ExitStack()
        try:
            self._make(cached_debian(deb), copy)
        except BaseException:
            self.close()
            raise

    def _make(self, debian, copy):
        layers = tempfile.mkdtemp(prefix="sekisho-package.")
        self._undo.callback(os.rmdir, layers)
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "sekisho-package", layers)
        self._undo.callback(run, "umount", "--lazy", layers, check=False)
        self.root = os.path.join(layers, "root")
        if copy:
            run("cp", "--archive", debian, self.root)
            return
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(layers, name), 0o755)
        run("mount", "-t", "overlay", "-o", f"lowerdir={debian},upperdir={layers}/upper,workdir={layers}/work",
            "sekisho-package", self.root)
        self._undo.callback(run, "umount", "--lazy", self.root, check=False)

    def close(self):
        self._undo.close()

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def bind(self, path):
        """Have PATH of this machine in it as well, without what is mounted below it (control groups)."""
        os.makedirs(self.path(path), exist_ok=True)
        run("mount", "--bind", "--make-private", path, self.path(path))
        self._undo.callback(run, "umount", "--lazy", self.path(path), check=False)

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

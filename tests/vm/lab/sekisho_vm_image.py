# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk that a guest starts from: a Debian root built once and kept by its content's hash, the package under
test installed over it, and an ext4 file system of both. Kernel and initial ramdisk are taken out of it."""

import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess

CACHE = os.environ.get("SEKISHO_CACHE", "/var/cache/sekisho-tests")
FILES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guest")
VERSION = "1"  # of what is done here
DISK_SIZE = "3G"
KEEP = {"vm-root-*": 2, "vm-disk-*.ext4": 4}  # of each the last ones used

# The initial ramdisk has to find one virtio disk. Its own /init would start udev for that, look the file system over and
# wait, which takes a third of a boot under emulation.
INITRAMFS = r"""mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/initramfs-tools/hooks" &&
echo MODULES=list >"$1/etc/initramfs-tools/conf.d/lab" &&
printf 'virtio_pci\nvirtio_blk\next4\n' >"$1/etc/initramfs-tools/modules" &&
install -m 755 "$FILES/initramfs-hook" "$1/etc/initramfs-tools/hooks/lab"
"""

# In a mount namespace of its own, so that nothing stays mounted however this ends.
INSTALL = r"""set -eu
base=$1 work=$2 disk=$3; shift 3
mount -t tmpfs -o size=2G none "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" none "$work/root"
mount -t proc proc "$work/root/proc"
printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
chmod 755 "$work/root/usr/sbin/policy-rc.d"
mkdir "$work/root/var/cache/sekisho"
cp "$@" "$work/root/var/cache/sekisho/"
chroot "$work/root" sh -c 'dpkg --install /var/cache/sekisho/*.deb' >&2
rm "$work/root/usr/sbin/policy-rc.d"
umount "$work/root/proc"
mke2fs -q -F -t ext4 -L root -d "$work/root" "$disk" "$SIZE"
"""


class Unavailable(Exception):
    """There can be no guest on this machine, and why."""


def packages(debs):
    """Names: what a guest consists of, and what the packages under test depend on."""
    with open(os.path.join(FILES, "packages")) as lines:
        names = [word for line in lines if not line.startswith("#") for word in line.split()]
    ours = [_control(deb, "Package") for deb in debs]
    depends = [_control(deb, field) for deb in debs for field in ("Pre-Depends", "Depends")]
    for name in re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9.+-]*)", ",".join(depends)):
        if name not in names and name not in ours:
            names.append(name)
    return names


def _control(deb, field):
    return subprocess.run(["dpkg-deb", "--field", deb, field], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def _codename():
    with open("/etc/os-release") as release:
        return re.search(r"^VERSION_CODENAME=(\S+)$", release.read(), re.M).group(1)


def _stanzas(path):
    """The (uri, suites, components, keyring) of a file of apt's, in either of its formats."""
    with open(path) as text:
        text = re.sub(r"^#.*\n", "", text.read(), flags=re.M)
    if path.endswith(".sources"):
        for stanza in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M))
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
                for uri in fields["URIs"].split():
                    yield uri, fields["Suites"].split(), fields.get("Components", "").split(), fields.get("Signed-By")
    else:
        for options, uri, suite, components in re.findall(
                r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)[ \t]*(.*)$", text, re.M):
            keyring = re.search(r"signed-by=(\S+)", options)
            yield uri, [suite], components.split(), keyring and keyring.group(1)


def apt_sources():
    """The Debian archives that this machine itself is installed from, for mmdebstrap."""
    codename = _codename()
    wanted = (codename, codename + "-updates", codename + "-security", codename + "/updates")
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list")),
                 *sorted(glob.glob("/etc/apt/sources.list.d/*.sources"))]:
        if not os.path.exists(path):
            continue
        for uri, suites, components, keyring in _stanzas(path):
            for suite in suites:
                if suite in wanted and "main" in components:
                    option = f"[signed-by={keyring}] " if keyring and keyring.startswith("/") else ""
                    found.append(f"deb {option}{uri} {suite} main")
    if not found:
        raise Unavailable(f"apt on this machine names no archive of {codename}")
    return "\n".join(found) + "\n"


def _apt_options():
    """How this machine gets at its archives."""
    shown = subprocess.run(["apt-config", "dump", "--no-empty", "Acquire"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    return [f"--aptopt={line}" for line in shown.splitlines() if re.match(r"Acquire::(https?::Proxy|Check-)", line)]


def hashed(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _content(path):
    with open(path, "rb") as file:
        return file.read()


@contextlib.contextmanager
def locked():
    """The cache is ours alone."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "vm.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _base(names):
    """The directory of a Debian root; about two minutes if it is not there yet."""
    files = [os.path.join(FILES, name) for name in sorted(os.listdir(FILES))]
    key = hashed(VERSION.encode(), _codename().encode(), " ".join(names).encode(), INITRAMFS.encode(),
                *map(_content, files))
    path = os.path.join(CACHE, f"vm-root-{key}")
    if os.path.exists(path):
        os.utime(path)
        return path, key
    made = path + ".new"
    shutil.rmtree(made, ignore_errors=True)  # of a build that was broken off
    try:
        with open(os.path.join(CACHE, "vm-root.log"), "w") as log:
            subprocess.run(
                ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
                 f"--include={','.join(names)}", *_apt_options(),
                 "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
                 "--dpkgopt=path-exclude=/usr/share/locale/*",
                 f"--essential-hook={INITRAMFS}",
                 f"--customize-hook={FILES}/customize \"$1\" {FILES}",
                 "--customize-hook=rm -f \"$1\"/var/cache/apt/archives/*.deb",
                 _codename(), made, "-"],
                input=apt_sources(), env={**os.environ, "FILES": FILES}, text=True, stdout=log, stderr=log, check=True)
    except subprocess.CalledProcessError as error:
        with open(os.path.join(CACHE, "vm-root.log")) as log:
            tail = log.read().strip().splitlines()[-3:]
        raise Unavailable("the Debian root of the guest cannot be built: " + " | ".join(tail)) from error
    os.rename(made, path)
    forget_old(KEEP)
    return path, key


class Image:
    """What a guest boots: the disk is never written to, each guest has an overlay of its own."""

    def __init__(self, disk, kernel, initrd):
        self.disk, self.kernel, self.initrd = disk, kernel, initrd

    def identity(self):
        """No two disks have it in common, made from the same packages or not: the superblock, with UUID and time."""
        with open(self.disk, "rb") as disk:
            return disk.read(2048)[1024:]


def build(debs):
    """The image with these packages installed; seconds if the root is in the cache."""
    with locked():
        base, base_key = _base(packages(debs))
        key = hashed(base_key.encode(), INSTALL.encode(), DISK_SIZE.encode(), *map(_content, debs))
        disk = os.path.join(CACHE, f"vm-disk-{key}.ext4")
        if not os.path.exists(disk):
            work = os.path.join(CACHE, "vm-work")
            os.makedirs(work, exist_ok=True)
            log = os.path.join(CACHE, "vm-disk.log")
            with open(log, "w") as to:
                status = subprocess.run(["unshare", "--mount", "sh", "-c", INSTALL, "sh", base, work, disk + ".new",
                                         *debs], env={**os.environ, "SIZE": DISK_SIZE},
                                        stdin=subprocess.DEVNULL, stdout=to, stderr=to).returncode
            if status != 0:
                raise AssertionError(f"the package cannot be installed in the guest:\n{_content(log).decode()}")
            os.rename(disk + ".new", disk)
            forget_old(KEEP)
        os.utime(disk)
        boot = sorted(glob.glob(os.path.join(base, "boot", "vmlinuz-*")))[-1]
        return Image(disk, boot, boot.replace("vmlinuz-", "initrd.img-"))


def forget_old(kept):
    """All but the last used ones of each pattern."""
    for pattern, keep in kept.items():
        for old in sorted(glob.glob(os.path.join(CACHE, pattern)), key=os.path.getmtime)[:-keep]:
            shutil.rmtree(old) if os.path.isdir(old) else os.unlink(old)

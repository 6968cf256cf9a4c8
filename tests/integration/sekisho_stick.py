# SPDX-License-Identifier: GPL-2.0-or-later
"""Sticks: images on loop devices. Image first, file system in it, then plugged in: nothing is written to a
stick from this side once it is attached."""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import itertools
import os
import shutil
import struct

from sekisho_wait import run, wait_until

LOOP_CONFIGURE, LOOP_CTL_ADD, LOOP_CTL_REMOVE = 0x4C0A, 0x4C80, 0x4C81
LO_FLAGS_PARTSCAN = 8
BLKROSET, BLKPG = 0x125D, 0x1269
BLKPG_ADD, BLKPG_DELETE = 1, 2
_attached = itertools.count()
MIB = 1 << 20
SIZES = {"ext4": 16 * MIB, "xfs": 320 * MIB, "btrfs": 128 * MIB}
PARTITION_START = MIB

# What lies on every stick. Everybody may write to it as far as file modes go: what refuses is the guard.
CONTENT = {"file": "what was there before\n", "directory/inner": "inner\n", "empty/": None}


def make_content(directory, content=None):
    for name, text in (CONTENT if content is None else content).items():
        path = os.path.join(directory, name)
        os.makedirs(path if text is None else os.path.dirname(path), exist_ok=True)
        if text is not None:
            with open(path, "w") as to:
                to.write(text)
            os.chmod(path, 0o666)
    for base, _, _ in os.walk(directory):
        os.chmod(base, 0o777)


def make_file_system(target, fstype, source, offset=0):
    if fstype == "ext4":
        extended = f"root_owner=0:0,offset={offset}" if offset else "root_owner=0:0"
        blocks = [str((os.path.getsize(target) - offset) // 1024) + "k"] if offset else []
        run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", extended, "-d", source, target, *blocks])
        # -d leaves these two as mke2fs likes them: to others they would be closed by their modes already
        for directory in ("/", "/lost+found"):
            run(["debugfs", "-w", "-R", f"set_inode_field {directory} mode 040777",
                 f"{target}?offset={offset}" if offset else target])
    elif fstype == "xfs":
        run(["mkfs.xfs", "-q", "-f", target])
    elif fstype == "btrfs":
        run(["mkfs.btrfs", "-q", "-f", "--rootdir", source, target])
    else:
        raise ValueError(fstype)


def make_image(path, fstype="ext4", partitioned=False, content=None, size=None):
    source = path + ".content"
    make_content(source, content)
    with open(path, "wb") as to:
        to.truncate(size or SIZES[fstype])
    try:
        if partitioned:
            run(["sh", "-c", f"echo 'start={PARTITION_START // 512}, type=83' | sfdisk --quiet --label dos \"$0\"", path])
        make_file_system(path, fstype, source, PARTITION_START if partitioned else 0)
        if fstype == "xfs":
            fill_xfs(path, source)
    finally:
        shutil.rmtree(source)


def fill_xfs(image, source):
    """mkfs.xfs takes no directory; it is filled by a mount of its own, before it is a stick."""
    point = image + ".fill"
    os.mkdir(point)
    run(["mount", "-o", "loop", image, point])
    try:
        os.chmod(point, 0o777)
        run(["cp", "-a", source + "/.", point])
    finally:
        run(["umount", point])
        os.rmdir(point)


class Stick:
    def __init__(self, world, image, fstype, loops, partitioned):
        self.world, self.image, self.fstype, self.partitioned = world, image, fstype, partitioned
        self._loops, self.number, self._mounts = loops, None, []

    @property
    def name(self):
        return f"loop{self.number}"

    @property
    def disk(self):
        return f"/dev/{self.name}"

    @property
    def node(self):
        """What carries the file system."""
        return self.disk + "p1" if self.partitioned else self.disk

    @property
    def serial(self):
        """A loop device goes by its backing file."""
        return self.image

    def attach(self, number=None):
        """Plug it in: a new loop device each time, and udev is done with it. It has another number than those before,
        unless one is named: what an agent knew of a number goes when it hears that the device is gone, which may be
        later."""
        assert self.number is None
        first = next(_attached) % len(self._loops)
        numbers = [*self._loops[first:], *self._loops[:first]] if number is None else [number]
        with open("/dev/loop-control", "r+b", buffering=0) as control:
            for free in numbers:
                try:
                    self.number = fcntl.ioctl(control, LOOP_CTL_ADD, free)
                except FileExistsError:
                    continue
                break
        wait_until(lambda: os.path.exists(self.disk), f"{self.disk} has a node")
        self._early = os.open(self.disk, os.O_RDONLY | os.O_CLOEXEC) if self.partitioned else None
        try:
            self._configure()
        except OSError as error:  # over a node, or on a file system, that may not be written
            if error.errno not in (errno.EPERM, errno.EACCES, errno.EROFS):
                raise
            run(["losetup", "--read-only", *(["--partscan"] if self.partitioned else []), self.disk, self.image])
        self.settle()
        self._see_told()
        self.find_partition()
        return self

    def _configure(self):
        """In one call, as losetup(8) does, which afterwards opens the device once more: by then a guard may have it."""
        with contextlib.ExitStack() as stack:
            def opened(path):
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                stack.callback(os.close, fd)
                return fd

            device = opened(self.disk)
            # struct loop_config, linux/loop.h
            fcntl.ioctl(device, LOOP_CONFIGURE, struct.pack("=II40x12xI64s112x64x", opened(self.image), 0,
                                                            LO_FLAGS_PARTSCAN if self.partitioned else 0,
                                                            self.image.encode()[:63]))

    def _see_told(self):
        """Of a few hundred loop devices that are set up on a busy machine the kernel's word of one does not reach
        udev, and so nobody: then it is said once more. A real disk is told of as it is added."""
        with open(f"/sys/class/block/{os.path.basename(self.disk)}/diskseq") as file:
            medium = file.read().strip()
        told = run(["udevadm", "info", "--query=property", f"--name={self.disk}"], check=False).stdout
        if f"DISKSEQ={medium}" not in told.splitlines():
            run(["udevadm", "trigger", "--settle", "--action=change", f"--name-match={self.disk}"])

    def find_partition(self):
        """See to it that the partition has its node. A kernel that reads no partition tables by itself is told
        of it, and loses it again whenever somebody (udev, sfdisk, wipefs) has it read the table anew: that may
        come late, so it is told as often as it takes."""
        def is_there():
            if not os.path.exists(f"/sys/class/block/{os.path.basename(self.node)}"):
                with contextlib.suppress(OSError):
                    self.tell_partition(1, PARTITION_START, os.path.getsize(self.image) - PARTITION_START)
            self.settle()
            return os.path.exists(self.node)

        if self.partitioned:
            wait_until(is_there, f"{self.node} has a node")
        else:
            wait_until(lambda: os.path.exists(self.node), f"{self.node} has a node")

    def tell_partition(self, number, start, length):
        """Tell the kernel of a partition, in bytes; of LENGTH None, that it is gone. By a descriptor from before the
        disk was anybody's: a guard may let nobody open it any more."""
        partition = ctypes.create_string_buffer(struct.pack("=qqi128x4x", start, length or 0, number))
        request = struct.pack("=iii4xQ", BLKPG_ADD if length else BLKPG_DELETE, 0, len(partition.raw) - 1,
                              ctypes.addressof(partition))
        fcntl.ioctl(self._early, BLKPG, request)

    @contextlib.contextmanager
    def early_reader(self):
        """A descriptor of its node, by which root takes the read-only flag away later: for a guard may have closed
        the node by then to whoever would want one."""
        fd = os.open(self.node, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield lambda: fcntl.ioctl(fd, BLKROSET, struct.pack("i", 0))
        finally:
            os.close(fd)

    @staticmethod
    def settle():
        run(["udevadm", "settle", "--timeout=30"])

    def detach(self):
        if self.number is None:
            return
        while self._mounts:
            self.umount(self._mounts[-1])
        if self._early is not None:
            os.close(self._early)
        with contextlib.suppress(AssertionError):
            run(["losetup", "--detach", self.disk])
        with open("/dev/loop-control", "r+b", buffering=0) as control:
            wait_until(lambda: self._remove(control), f"{self.name} is let go by everybody")
        self.number = None

    def _remove(self, control):
        """Away with the number too: the kernel keeps a loop device's read-only flag for its next user."""
        try:
            fcntl.ioctl(control, LOOP_CTL_REMOVE, self.number)
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            if error.errno != errno.ENODEV:
                raise
        return True

    def mount(self, options="ro", node=None, check=True):
        """Mounts it below the world; returns where, or None if that failed and CHECK is false."""
        point = self.world.new_path("mnt")
        os.mkdir(point)
        result = run(["mount", "-t", self.fstype, "-o", options, node or self.node, point], check=check)
        if result.returncode != 0:
            os.rmdir(point)
            return None
        self._mounts.append(point)
        return point

    def umount(self, point):
        self._mounts.remove(point)
        # Somebody may still look at it for a moment (udev, a scan for open files).
        wait_until(lambda: run(["umount", point], check=False).returncode == 0 or not os.path.ismount(point),
                   f"{point} can be unmounted")
        os.rmdir(point)

    @property
    def held(self):
        """Whether the kernel has the disk, or the partition that carries the file system, read-only."""
        with open(f"/sys/class/block/{os.path.basename(self.node)}/ro") as ro:
            return ro.read().strip() == "1"

    def wait_held(self, held):
        wait_until(lambda: self.held == held, f"{self.node} is {'held' if held else 'let go'}\n{self.world.tell()}")

    def sha256(self):
        digest = hashlib.sha256()
        with open(self.image, "rb") as image:
            for chunk in iter(lambda: image.read(MIB), b""):
                digest.update(chunk)
        return digest.hexdigest()

    def contains(self, text):
        """Whether these bytes are anywhere in the image as it is on the disk below."""
        data = text.encode()
        with open(self.image, "rb") as image:
            before = b""
            for chunk in iter(lambda: image.read(MIB), b""):
                if data in before + chunk:
                    return True
                before = chunk[-len(data):]
        return False

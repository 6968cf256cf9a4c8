# SPDX-License-Identifier: GPL-2.0-or-later
"""What is plugged into a guest from outside: media with an image on this side, and other USB devices. An image is a
file of this machine, so that what reached it is seen here and not by the guest's word."""

import hashlib
import itertools
import os
import shutil

from sekisho_stick import make_content, make_image
from sekisho_wait import run, wait_until

MIB = 1 << 20
_numbers = itertools.count(1)
# In the guest, with KIND and SERIAL: the name of the disk, once udev is done with it. Each process costs there.
FIND_DISK = r'''
kind=$1 serial=$2
for d in /sys/block/*; do
        case ${d##*/} in mmcblk*) [ "$kind" = sd ] || continue ;; s[dr]*) [ "$kind" != sd ] || continue ;; *) continue ;; esac
        found=
        if [ "$kind" != sd ]; then
                cd -P "$d/device" || continue
                while [ "$PWD" != / ] && [ ! -e idVendor ]; do cd ..; done
                read -r found <serial 2>/dev/null
        fi
        [ "$kind" = sd ] || [ "$found" = "$serial" ] || continue
        read -r number <"$d/dev"
        while read -r line; do
                case $line in I:*) udevadm settle && echo "${d##*/}" && exit 0 ;; esac
        done <"/run/udev/data/b$number"
done
exit 1
'''


def make_medium(path, fstype, size=32 * MIB):
    """An image with something on it, without mounting it here; exfat stays empty, no program fills it so."""
    if fstype == "ext4":
        make_image(path, "ext4", size=size)
        return
    source = path + ".content"
    make_content(source)
    try:
        with open(path, "wb") as to:
            to.truncate(size)
        if fstype == "vfat":
            run(["mkfs.vfat", "-n", "LAB", path])
            run(["mcopy", "-s", "-i", path, *(os.path.join(source, name) for name in os.listdir(source)), "::"])
        elif fstype == "exfat":
            run(["mkfs.exfat", "-L", "LAB", path])
        elif fstype == "iso9660":
            run(["genisoimage", "-quiet", "-R", "-V", "LAB", "-o", path, source])
        else:
            raise ValueError(fstype)
    finally:
        shutil.rmtree(source)


def sha256(path):
    with open(path, "rb") as image:
        return hashlib.file_digest(image, "sha256").hexdigest()


class Medium:
    """An image that may be in the guest. KIND says what carries it."""

    KINDS = ("usb-storage", "usb-uas", "usb-cdrom", "sd")

    def __init__(self, machine, kind="usb-storage", fstype="vfat", serial=None, size=32 * MIB):
        assert kind in self.KINDS
        self.machine, self.kind, self.fstype = machine, kind, fstype
        self.id = f"medium{next(_numbers)}"
        # an SD card of QEMU's has one of its own
        self.serial = "0xdeadbeef" if kind == "sd" else serial or f"LAB{self.id.upper()}"
        self.image = machine.path(self.id + ".img")
        make_medium(self.image, "iso9660" if kind == "usb-cdrom" else fstype, size)
        self.made = sha256(self.image)
        self.plugged = False
        self._name = None

    @property
    def changed(self):
        """Whether the image is another than it was made."""
        return sha256(self.image) != self.made

    def contains(self, text):
        with open(self.image, "rb") as image:
            return text.encode() in image.read()

    def plug(self):
        qmp = self.machine.qmp
        self.plugged, self._name = True, None
        if self.kind == "sd":
            qmp.run("blockdev-change-medium", device="sdslot", filename=self.image, format="raw")
            return self
        qmp.run("blockdev-add", **{
            "driver": "raw", "node-name": self.id, "read-only": self.kind == "usb-cdrom",
            "file": {"driver": "file", "filename": self.image, "locking": "off"}})
        device = {"usb-storage": self._storage, "usb-uas": self._uas, "usb-cdrom": self._cdrom}
        device[self.kind](qmp)
        return self

    def _storage(self, qmp):
        qmp.run("device_add", driver="usb-storage", id=self.id + "-dev", bus="usb.0", drive=self.id,
                serial=self.serial, removable=True)

    def _assembled(self, qmp, bridge, lun):
        qmp.run("device_add", driver=bridge, id=self.id + "-dev", bus="usb.0", serial=self.serial)
        qmp.run("device_add", driver=lun, id=self.id + "-lun", bus=self.id + "-dev.0", drive=self.id)
        qmp.run("qom-set", path=f"/machine/peripheral/{self.id}-dev", property="attached", value=True)

    def _uas(self, qmp):
        self._assembled(qmp, "usb-uas", "scsi-hd")

    def _cdrom(self, qmp):
        self._assembled(qmp, "usb-bot", "scsi-cd")

    def pull(self):
        """Out with it, whatever the guest is doing."""
        qmp = self.machine.qmp
        self.plugged = False
        if self.kind == "sd":
            qmp.run("eject", device="sdslot", force=True)
            return
        qmp.run("device_del", id=self.id + "-dev")
        qmp.wait_event("DEVICE_DELETED", device=self.id + "-dev")
        qmp.run("blockdev-del", **{"node-name": self.id})

    # What the guest makes of it.

    @property
    def kernel_name(self):
        """The name of its disk in the guest, as it was when it was waited for; None before."""
        return self._name

    @property
    def node(self):
        return "/dev/" + self.kernel_name

    def wait_node(self):
        """Until udev has said to everybody that it is there."""
        self._name = self.machine.guest.until(FIND_DISK, f"the guest has a node for {self.serial}", 60,
                                              arguments=[self.kind, self.serial])
        return self.node

    @property
    def held(self):
        return self.machine.guest.read(f"/sys/block/{self.kernel_name}/ro") == "1\n"

    def wait_held(self, held):
        wait_until(lambda: self.held == held, f"{self.serial} is {'held' if held else 'let go'}", 60)


class UsbDevice:
    """Any other device that QEMU knows."""

    def __init__(self, machine, driver, **properties):
        self.machine, self.driver, self.properties = machine, driver, properties
        self.id = f"usb{next(_numbers)}"
        self.plugged = False

    def plug(self):
        self.machine.qmp.run("device_add", driver=self.driver, id=self.id, bus="usb.0", **self.properties)
        self.plugged = True
        return self

    def pull(self):
        self.machine.qmp.run("device_del", id=self.id)
        self.machine.qmp.wait_event("DEVICE_DELETED", device=self.id)
        self.plugged = False

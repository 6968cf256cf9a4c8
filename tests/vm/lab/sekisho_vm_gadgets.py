# SPDX-License-Identifier: GPL-2.0-or-later
"""USB devices that QEMU does not know, made by the guest's own kernel: configfs describes a gadget, dummy_hcd plugs it
into the guest itself. So a device can be several things at once, say anything of itself, and change its mind."""

import itertools

HERE = "/sys/kernel/config/usb_gadget"
# A keyboard as the HID specification has it (boot interface, appendix B.1).
KEYBOARD = ("05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508"
            "150025650507190029658100c0")
_numbers = itertools.count(1)

FUNCTIONS = {
    "storage": ("mass_storage.0", 'echo 1 >"$f/stall"; echo "$image" >"$f/lun.0/file"'),
    "keyboard": ("hid.0", f'echo 1 >"$f/protocol"; echo 1 >"$f/subclass"; echo 8 >"$f/report_length"; '
                          f'printf "{"".join(chr(92) + format(byte, "03o") for byte in bytes.fromhex(KEYBOARD))}" '
                          '>"$f/report_desc"'),
    "network": ("ecm.0", ""),
    "tethering": ("rndis.0", ""),
    "serial": ("acm.0", ""),
}


class Gadget:
    """Functions by name, in this order its interfaces. What `storage` shows is a file of the guest."""

    def __init__(self, guest, *functions, vendor="1d6b", product="0104", serial=None):
        self.guest, self.functions = guest, functions
        self.id = f"gadget{next(_numbers)}"
        self.vendor, self.product, self.serial = vendor, product, serial or self.id.upper()
        self.image = f"/var/tmp/{self.id}.img"
        self.plugged = False
        if "storage" in functions:
            guest.sh('truncate -s 16M "$1" && mkfs.vfat "$1"', self.image)
            self.made = self._sum()

    def _sum(self):
        return self.guest.run("sha256sum", self.image).stdout.split()[0]

    @property
    def changed(self):
        return self._sum() != self.made

    def plug(self):
        lines = ["set -e; modprobe dummy_hcd is_super_speed=0; modprobe libcomposite",
                 f"image={self.image} g={HERE}/{self.id}",
                 "mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config",
                 'mkdir "$g"; cd "$g"', f"echo 0x{self.vendor} >idVendor; echo 0x{self.product} >idProduct",
                 f"mkdir strings/0x409; echo {self.serial} >strings/0x409/serialnumber",
                 "echo Lab >strings/0x409/manufacturer; echo Gadget >strings/0x409/product", "mkdir configs/c.1"]
        for name in self.functions:
            function, setup = FUNCTIONS[name]
            lines += [f'f="$g/functions/{function}"; mkdir "$f"; {setup}', 'ln -s "$f" configs/c.1/']
        lines.append("ls /sys/class/udc >UDC")
        self.guest.sh("\n".join(lines))
        self.plugged = True
        return self

    def pull(self):
        self.guest.sh(f'set -e; cd {HERE}/{self.id}; echo >UDC; rm configs/c.1/*.*; rmdir configs/c.1 functions/* '
                      f'strings/0x409; cd ..; rmdir {self.id}')
        self.plugged = False

    def wait_disk(self):
        """The name of the disk that `storage` makes, once udev has told everybody of it."""
        disk = self.guest.until(
            'for d in /sys/bus/usb/devices/*; do [ "$(cat "$d/serial" 2>/dev/null)" != ' + self.serial +
            ' ] || ls "$d"/*/host*/target*/*/block; done | grep .', f"{self.serial} has a disk")
        self.guest.run("udevadm", "settle")
        return disk

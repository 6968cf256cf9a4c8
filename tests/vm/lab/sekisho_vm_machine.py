# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest: a QEMU process with an overlay of its own over the image. It may be booted, powered off, cut off from
power, and booted again; what is plugged in is in sekisho_vm_devices.py."""

import contextlib
import os
import shutil
import subprocess
import tempfile

from sekisho_vm_guest import BOOT_DEADLINE, Guest
from sekisho_vm_journal import VmJournal
from sekisho_vm_qmp import Qmp
from sekisho_wait import run, start, wait_until

QEMU = "qemu-system-x86_64"
# Emulated always: what a scenario shows shall not depend on whether the machine lends its virtualisation.
ARGUMENTS = ["-accel", "tcg,thread=multi,tb-size=512", "-machine", "pc", "-cpu", "max,la57=off,svm=off", "-smp", "2", "-m", "1024",
             "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std", "-nic", "none",
             "-device", "virtio-serial", "-device", "virtio-rng-pci",
             "-device", "qemu-xhci,id=usb,p2=8,p3=8",
             # a reader without a card: the slot itself cannot be plugged in later
             "-device", "sdhci-pci", "-drive", "if=none,id=sdslot", "-device", "sd-card,drive=sdslot"]
KERNEL_OPTIONS = "rdinit=/lab-init root=/dev/vda rw quiet console=tty0 console=ttyS0"


class Machine:
    def __init__(self, image, serial=None, arguments=()):
        self.image, self._serial, self.arguments = image, serial, list(arguments)
        self.media = []  # that know this machine
        self.kernel_options = ""  # at the next boot
        self.directory = tempfile.mkdtemp(prefix="sekisho-vm-")
        self.process = self.qmp = self.guest = self.journal = None
        self.disk = self.path("root.qcow2")
        self.over(image.disk, "raw")

    def path(self, name):
        return os.path.join(self.directory, name)

    def over(self, disk, form):
        """A disk anew, of which DISK is what it is at first."""
        run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", disk, self.disk])

    def close(self):
        self.cut_power()
        shutil.rmtree(self.directory)

    def command(self):
        def port(name):
            return ["-chardev", f"socket,id={name},path={self.path(name)},server=on,wait=off",
                    "-device", f"virtserialport,chardev={name},name=sekisho.{name}"]

        return [QEMU, *ARGUMENTS, "-kernel", self.image.kernel, "-initrd", self.image.initrd,
                "-append", f"{KERNEL_OPTIONS} {self.kernel_options}",
                "-drive", f"if=none,id=root,file={self.disk},format=qcow2,cache=unsafe", "-device", "virtio-blk-pci,drive=root",
                *port("exec"), *port("journal"), "-serial", self._serial or f"file:{self.path('console')}",
                "-qmp", f"unix:{self.path('qmp')},server=on,wait=off", "-S", *self.arguments]

    def power_on(self, *more):
        """There is power, but the processor does not run yet: what is plugged in now is there at boot. MORE is QEMU's."""
        assert not self.process
        for name in ("exec", "journal", "qmp"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(name))
        with open(self.path("qemu.log"), "ab") as log:
            self.process = start([*self.command(), *more], stdin=None if self._serial else subprocess.DEVNULL,
                                 stdout=None if self._serial else log, stderr=log)
        self.qmp = Qmp(self.path("qmp"), lambda: self.process.poll() is None)
        self.guest = Guest(self.path("exec"))
        self.journal = VmJournal(self.path("journal"), self.guest)
        return self

    def boot(self):
        """Lets the processor run; returns once the guest takes commands."""
        self.qmp.run("cont")
        self.guest.wait_boot(after=0)
        self.settled()
        return self

    def settled(self):
        """Until everything that starts at boot has started, or failed."""
        self.guest.run("systemctl", "is-system-running", "--wait", check=False, deadline=BOOT_DEADLINE)

    def reboot(self):
        """As a person does it, through the service manager."""
        boots = self.guest.boots
        self.guest.start(["systemctl", "reboot"])
        self.guest.wait_boot(after=boots)
        self.settled()

    def power_off(self):
        """As a person does it; returns once the machine is off."""
        self.guest.start(["systemctl", "poweroff"])
        wait_until(lambda: self.process.poll() is not None, "the guest is powered off", BOOT_DEADLINE)
        self.cut_power()

    def cut_power(self):
        """From one instruction to the next, without a word to the guest."""
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        for medium in self.media:
            medium.plugged = False
        for channel in (self.journal, self.guest, self.qmp):
            if channel:
                channel.close()
        self.process = self.qmp = self.guest = self.journal = None

    def tell(self):
        """What there is to read when something went wrong."""
        with open(self.path("qemu.log"), errors="replace") as log:
            told = "QEMU:\n" + log.read()
        if self.journal:
            told += "\n".join(self.journal.tell().splitlines()[-40:]) + "\nlast messages:\n"
            told += "\n".join(f"  {unit}: {text}" for unit, text in self.journal.all[-400:]
                              if unit != "audit" and "audit:" not in str(text))
        with contextlib.suppress(FileNotFoundError), open(self.path("console"), errors="replace") as console:
            told += "\nconsole:\n" + console.read()[-2000:]
        return told

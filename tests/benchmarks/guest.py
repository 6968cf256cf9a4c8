# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with Debian's kernel, in which the guard's programs are in the kernel; and the guest without the guard."""

import base64
import contextlib
import glob
import json
import os
import subprocess
import tempfile

from figures import complain
from processes import __file__ as PROCESSES
from sekisho_vm_lab import UNIT, Lab
from sekisho_wait import wait_until
from tools import LONG, MEASURE

TOOL = "/usr/local/bin/sekisho-measure"
PINS = "/sys/fs/bpf/sekisho"
PROTECTED = 1  # exit status of `sekishoctl maintenance`
MEMORY = "/dev/shm"
USBGUARD = "usbguard.service usbguard-dbus.service"


class Guest:
    """Switched on, with the measuring program in it; usbguard is there, but does not run."""

    def __init__(self):
        self._undo = contextlib.ExitStack()
        self._before = tempfile.tempdir
        if os.path.isdir(MEMORY):
            tempfile.tempdir = MEMORY  # so that it is not the disk of this machine that is measured
        try:
            debs = self._usbguard()
            self.lab = Lab(*debs)
            self._undo.callback(self.lab.close)
            self.has_usbguard = bool(debs)
            self.lab.machine.power_on().boot()
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self):
        self._undo.close()
        tempfile.tempdir = self._before

    def _usbguard(self):
        """Debian's package of it, if the archive can be reached."""
        directory = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="sekisho-bench-"))
        done = subprocess.run(["apt-get", "download", "usbguard"], cwd=directory, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        found = glob.glob(os.path.join(directory, "usbguard_*.deb"))
        if not found:
            complain(f"no figure of usbguard: {done.stdout.strip()[-200:]}")
        return found

    def _prepare(self):
        guest = self.lab.guest
        if self.has_usbguard:
            guest.sh(f"systemctl disable --now {USBGUARD}")
            self.let_in_usb()
        with open(MEASURE, "rb") as program:
            guest.sh('base64 -d >"$1" && chmod 755 "$1"', TOOL, input=base64.b64encode(program.read()).decode())
        guest.sh("udevadm settle")

    def let_in_usb(self):
        """As the kernel does it by itself."""
        self.lab.guest.sh('for hub in /sys/bus/usb/devices/usb*; do echo 1 >"$hub/authorized_default"; done')

    # The guard.

    def guard_on(self):
        """Starts it; the ms until it was in force."""
        self.lab.guest.run("systemctl", "start", UNIT, deadline=LONG)
        begun, ready = (int(self.lab.guard(name)) for name in
                        ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
        return (ready - begun) / 1000

    def guard_off(self):
        """Not even its programs in the kernel are left. Where it protects them, the laboratory's policy, which asks
        for no protection, comes first."""
        if self.lab.guest.run("sekishoctl", "maintenance", check=False).status == PROTECTED:
            self.lab.policy()
        self.lab.guest.run("systemctl", "stop", UNIT, deadline=LONG)
        self.lab.guest.run("rm", "-r", PINS)

    # Measuring.

    def measure(self, *arguments, tool=TOOL, deadline=LONG):
        """Runs the measuring program; the numbers that it prints."""
        return [float(word) for word in
                self.lab.guest.run(tool, *arguments, deadline=deadline).stdout.split()]

    def measure_plug(self, medium, *arguments):
        """The ms that the measuring program, so called, prints about a device that is plugged in once it listens."""
        guest, told = self.lab.guest, "/run/sekisho-bench-uevent"
        running = guest.start(["sh", "-c", f'rm -f {told}; exec {TOOL} "$@" >{told}', "sh", *arguments],
                              deadline=LONG)
        guest.until(f"grep -q listening {told}", "the measuring program listens")
        medium.plug()
        done = guest.wait(running, LONG)
        assert done.status == 0, done.stderr
        took = float(guest.run("tail", "-n", "1", told).stdout) / 1e6
        medium.wait_node()
        medium.pull()
        wait_until(lambda: medium.kernel_name is None, f"{medium.serial} is gone")
        return took

    def footprint(self, seconds):
        with open(PROCESSES) as text:
            script = text.read()
        return json.loads(self.lab.guest.run("python3", "-", self.lab.wait_guard(), str(seconds), input=script,
                                             deadline=seconds + LONG).stdout)

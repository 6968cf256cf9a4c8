# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with the package under test in it, and what the scenarios do there: set a policy, log somebody in, plug
something in, try to write, and read what was recorded."""

import base64
import glob
import itertools
import json
import os
import shutil

import sekisho_vm_image
import sekisho_vm_saved
from sekisho_vm_devices import Medium
from sekisho_vm_journal import time_of
from sekisho_vm_machine import QEMU, Machine
from sekisho_wait import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "..", "..", "..", "build"))
UNIT = "sekishod.service"
POLICY = "/etc/sekisho/policy.d/lab.yaml"
TEXT = "taken-out-of-the-terminal"
ROOT, STAFF, OTHER = "root", "tanaka", "suzuki"  # STAFF is in the group zeimu
GROUP = "zeimu"
# In the guest: tries to write a text to a file and have it on the medium, and says how that went and when it began.
ATTEMPT = r"""
import errno, json, os, sys, time
at, error = time.time(), None
try:
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    os.write(fd, sys.argv[2].encode())
    os.fsync(fd)
except OSError as failure:
    error = errno.errorcode[failure.errno]
print(json.dumps({"error": error, "at": at}))
"""


def missing(deb=None):
    """Why there can be no guest here, or None."""
    if os.geteuid() != 0:
        return "needs root (to build a Debian root)"
    for program in (QEMU, "qemu-img", "mmdebstrap", "mkfs.vfat", "mkfs.exfat", "mcopy", "genisoimage"):
        if not shutil.which(program):
            return f"there is no {program}"
    if not (deb or package()):
        return f"there is no package in {BUILD}/packages"
    return None


def package():
    return max(glob.glob(os.path.join(BUILD, "packages", "sekisho_*.deb")), key=os.path.getmtime, default=None)


class Lab:
    def __init__(self, *debs, arguments=()):
        """DEBS are installed beside the package under test; ARGUMENTS are QEMU's."""
        self.machine = Machine(sekisho_vm_image.build([package(), *debs]), arguments=arguments)
        self._serials = itertools.count(1)
        self._uids = {}

    def close(self):
        self.machine.close()

    def wake(self):
        """The guest as it is after a boot like any other, without one."""
        sekisho_vm_saved.wake(self.machine)
        return self

    @property
    def guest(self):
        return self.machine.guest

    @property
    def journal(self):
        return self.machine.journal

    def install(self, program):
        """One of the build's test programs into the guest; returns its path there."""
        path = f"/usr/local/bin/{program}"
        with open(os.path.join(BUILD, "tests", program), "rb") as file:
            self.guest.sh('base64 -d >"$1" && chmod 755 "$1"', path, input=base64.b64encode(file.read()).decode())
        return path

    # People.

    def uid(self, person):
        if person not in self._uids:
            self._uids[person] = int(self.guest.run("id", "-u", person).stdout)
        return self._uids[person]

    def session(self, person, *argv, **more):
        """A command of somebody who has logged in at the second console and sits in front of it."""
        self.guest.run("chvt", "2")
        return self.guest.run("systemd-run", "--quiet", "--wait", "--pipe", f"--uid={person}", "-pPAMName=login",
                              "-pTTYPath=/dev/tty2", "-EXDG_SEAT=seat0", "-EXDG_VTNR=2", "--", *argv, **more)

    def write(self, path, person=ROOT, text=TEXT):
        """What became of an attempt to write: {"error": None or a name, "at": when}."""
        argv = ["python3", "-IS", "-c", ATTEMPT, path, text]
        if person != ROOT:
            argv = ["runuser", "-u", person, "--", *argv]
        return json.loads(self.guest.run(*argv).stdout)

    # The guard.

    def policy(self, removable=(), default="read-only", **sections):
        """A policy with these device rules comes into force; the next edition each time."""
        text = self.policy_text(removable, default, **sections)
        self.guest.write(POLICY, text, "600", f"systemctl reload {UNIT}")
        self.journal.wait("policy-loaded", policy_serial=json.loads(text)["serial"])

    def policy_text(self, removable=(), default="read-only", **sections):
        """The next edition of a policy with these device rules."""
        sections.setdefault("self-protection", {"process": False, "state": False})  # tests do to it what they like
        return json.dumps({"version": 1, "serial": next(self._serials),
                           "removable": {"default": default, "devices": list(removable)}, **sections}, indent=1)

    def guard(self, question):
        """What systemd says of the unit."""
        return self.guest.ask(f"systemctl show --value --property={question} {UNIT}")

    def wait_guard(self, other_than=None):
        """Until it runs and is ready, in another process than this one; returns its number."""
        def runs():
            shown = self.guest.run("systemctl", "show", "--property=MainPID,ActiveState", UNIT).stdout.split()
            pid = next(line for line in shown if line.startswith("MainPID=")).partition("=")[2]
            return pid if "ActiveState=active" in shown and pid not in ("0", str(other_than)) else None

        return wait_until(runs, f"{UNIT} runs", 60)

    # Media.

    def medium(self, *arguments, plug=True, **more):
        medium = Medium(self.machine, *arguments, **more)
        self.machine.media.append(medium)
        if plug:
            medium.plug()
            medium.wait_node()
        return medium

    def clear(self):
        """After a scenario: nothing is plugged in or mounted any more."""
        if not self.machine.process:
            return
        for medium in self.machine.media:
            if medium.plugged:
                medium.pull()
        self.machine.media.clear()
        self.guest.sh('while read -r _ m _; do case $m in /media/*|/mnt/*) umount -l "$m" 2>/dev/null ;; esac; '
                      "done </proc/mounts; true")

    def mount(self, medium, options="rw", check=False):
        """By root below /mnt; returns where, or None if it was refused."""
        point = f"/mnt/{medium.id}"
        done = self.guest.sh('mkdir -p "$3" && mount -t "$4" -o "$1" "$2" "$3"', options, medium.node, point,
                             medium.fstype, check=check)
        return point if done.status == 0 else None

    def unmount(self, point):
        """Somebody may still look at it for a moment (udev, udisks, the agent itself)."""
        wait_until(lambda: self.guest.run("umount", point, check=False).status == 0, f"{point} can be unmounted")

    def sync(self):
        self.guest.run("sync")

    # Evidence.

    def recorded(self, event, attempt=None, medium=None, **fields):
        """Waits for the record, and for one that is not older than the attempt."""
        if medium:
            fields["device_serial"] = medium.serial

        def fresh(records):
            return [record for record in records if not attempt or time_of(record) >= attempt["at"]]

        return fresh(self.journal.wait_all(event, fresh, **fields))[0]

# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that has booted, with nothing plugged in, kept as it was at that moment: memory, disk, and what it had said until
then. It is made once for an image; whoever needs nothing of their own at boot goes on from there, within seconds."""

import json
import os
import shutil
import subprocess
import time

from sekisho_vm_guest import BOOT_DEADLINE
from sekisho_vm_image import CACHE, forget_old, hashed, locked
from sekisho_vm_machine import ARGUMENTS, KERNEL_OPTIONS, QEMU, Machine
from sekisho_wait import wait_until

VERSION = "1"  # of what is done here
KEEP = {"vm-saved-*": 3}
MEMORY, DISK, SAID, CONSOLE = "memory", "root.qcow2", "said.json", "console"


def _key(image):
    version = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, check=True).stdout
    return hashed(VERSION.encode(), version, " ".join([*ARGUMENTS, KERNEL_OPTIONS]).encode(), image.identity())


def _memory_to(machine, path):
    """The processors stand still from here on, and the disk is written out."""
    qmp = machine.qmp
    qmp.run("stop")
    qmp.run("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
    qmp.run("migrate", uri=f"exec:cat >'{path}'")

    def saved():
        answer = qmp.run("query-migrate")
        assert answer.get("status") not in ("failed", "cancelled"), f"QEMU does not save the guest: {answer}"
        return answer.get("status") == "completed"

    wait_until(saved, "the guest is saved", BOOT_DEADLINE)


def _make(image, directory):
    machine = Machine(image)
    try:
        machine.power_on().boot()
        # what came up badly once would come up so for everybody
        state = machine.guest.ask("systemctl is-system-running; systemctl --failed --no-legend")
        assert state == "running", f"the guest does not come up well: {state}\n{machine.tell()}"
        machine.guest.run("sync")
        machine.journal.barrier()
        _memory_to(machine, os.path.join(directory, MEMORY))
        with open(os.path.join(directory, SAID), "w", encoding="utf-8") as said:
            json.dump(machine.journal.said(), said)
        shutil.copy(machine.path(CONSOLE), os.path.join(directory, CONSOLE))
        machine.cut_power()
        shutil.copy(machine.disk, os.path.join(directory, DISK))
    finally:
        machine.close()


def saved(image):
    """The directory of the saved guest; a boot's time if there is none yet."""
    path = os.path.join(CACHE, f"vm-saved-{_key(image)}")
    with locked():
        if not os.path.exists(path):
            made = path + ".new"
            shutil.rmtree(made, ignore_errors=True)  # of a run that was broken off
            os.mkdir(made)
            _make(image, made)
            os.rename(made, path)
            forget_old(KEEP)
        os.utime(path)
    return path


def wake(machine):
    """MACHINE, which has not run yet, goes on from there. Its clock is right, as after any sleep."""
    assert not machine.arguments and not machine.kernel_options, "such a guest is not kept"
    kept = saved(machine.image)
    machine.over(os.path.join(kept, DISK), "qcow2")
    shutil.copy(os.path.join(kept, CONSOLE), machine.path(CONSOLE))
    machine.power_on("-incoming", "defer")
    machine.qmp.run("migrate-incoming", uri=f"exec:cat '{os.path.join(kept, MEMORY)}'")
    wait_until(lambda: machine.qmp.run("query-status")["status"] != "inmigrate", "the guest is as it was", BOOT_DEADLINE)
    with open(os.path.join(kept, SAID), encoding="utf-8") as said:
        machine.journal.told(**json.load(said))
    machine.qmp.run("cont")
    machine.guest.run("date", f"--set=@{time.time():.3f}")

# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal whose kernel has no BPF among its security modules: what is read-only underneath, and the control group
that is asked about devices, hold against people and against root."""

import pytest

from sekisho_vm_attacks import Attacks
from sekisho_vm_lab import OTHER, ROOT


@pytest.fixture(scope="session")
def booted(guest_lab):
    guest_lab.machine.kernel_options = "lsm=lockdown,capability,landlock,yama,apparmor"
    guest_lab.machine.power_on().boot()
    return guest_lab


@pytest.fixture(scope="session")
def attacks(booted):
    return Attacks(booted)


def test_it_says_that_the_kernel_cannot_and_keeps_to_read_only_disks(lab):
    assert "bpf is not among the kernel's security modules" in lab.guest.ask("sekishoctl status | grep ^lsm")
    lab.policy()
    medium = lab.medium("usb-storage", "ext4")
    point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
    lab.recorded("superblock-guarded", None, medium, mount=point)
    attempt = lab.write(f"{point}/file", OTHER)
    assert attempt["error"] == "EROFS"
    lab.recorded("write-denied", attempt, medium, uid=lab.uid(OTHER), path=f"{point}/file")


@pytest.mark.parametrize("person", [ROOT, OTHER])
def test_over_the_whole_catalogue_nothing_leaks(lab, attacks, person):
    uid = lab.uid(person)
    medium = attacks.stick(uid)
    lab.policy()
    medium.plug()
    medium.wait_node()
    point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
    outcomes = attacks.run_as_it_starts(medium, point, uid, *(["--unmount"] if person == ROOT else []))
    assert "leaked" not in outcomes, outcomes
    assert "hung" not in outcomes and "failed" not in outcomes, outcomes

# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard fails, is taken away or is replaced while media are in: nothing is written all the same."""

import signal

import pytest

from sekisho_vm_lab import GROUP, OTHER, STAFF, TEXT, UNIT
from sekisho_wait import wait_until


@pytest.fixture(scope="session")
def booted(guest_lab):
    return guest_lab.wake()


class Sticks:
    """One that nobody may write to, and one for a group; both mounted."""

    def __init__(self, lab):
        self.lab = lab
        self.held = lab.medium("usb-storage", "ext4", plug=False)
        self.shared = lab.medium("usb-uas", "ext4", plug=False)
        lab.policy([{"name": "shared", "match": {"serial": self.shared.serial}, "access": "write",
                     "groups": [GROUP]}])
        for medium in (self.held, self.shared):
            medium.plug()
            medium.wait_node()
        self.shared.wait_held(False)
        self.held_point = lab.mount(self.held, "rw") or lab.mount(self.held, "ro", check=True)
        self.point = lab.mount(self.shared, check=True)
        for point in (self.held_point, self.point):
            lab.recorded("superblock-guarded", mount=point)

    def nothing_gets_out(self):
        """Whoever is not in the group is refused on both, now."""
        assert self.lab.write(f"{self.held_point}/file", OTHER)["error"] in ("EPERM", "EROFS")
        assert self.lab.write(f"{self.point}/file", OTHER)["error"] in ("EPERM", "EROFS")
        assert self.lab.write(self.held.node)["error"] in ("EPERM", "EACCES", "EROFS")

    def nothing_got_out(self):
        self.lab.sync()
        assert not self.held.changed
        assert not self.shared.contains(TEXT)


@pytest.fixture
def sticks(lab):
    return Sticks(lab)


def trying(lab, *paths):
    """Somebody who tries without pause, until ended; answers how often it went through."""
    script = ('n=0; while [ ! -e /run/sekisho-lab-stop ]; do for p in "$@"; do '
              f'(echo {TEXT} >>"$p") 2>/dev/null && n=$((n + 1)); done; done; echo "$n"')
    lab.guest.run("rm", "-f", "/run/sekisho-lab-stop")
    return lab.guest.start(["runuser", "-u", OTHER, "--", "sh", "-c", script, "sh", *paths], deadline=300)


def times_through(lab, number):
    lab.guest.run("touch", "/run/sekisho-lab-stop")
    return int(lab.guest.wait(number, 60).stdout)


def test_killed_it_leaves_everything_refused_and_comes_back(lab, sticks):
    attempts = trying(lab, f"{sticks.held_point}/file", f"{sticks.point}/file")
    pid = lab.wait_guard()
    lab.guest.run("kill", f"-{signal.SIGKILL.value}", pid)
    lab.recorded("agent-lost")
    lab.wait_guard(other_than=pid)
    sticks.nothing_gets_out()
    assert times_through(lab, attempts) == 0
    sticks.nothing_got_out()


def test_killed_again_and_again_it_leaves_everything_refused(lab, sticks):
    attempts = trying(lab, f"{sticks.held_point}/file", f"{sticks.point}/file")
    for _ in range(3):
        pid = lab.wait_guard()
        lab.guest.run("kill", f"-{signal.SIGKILL.value}", pid)
        lab.wait_guard(other_than=pid)
    assert times_through(lab, attempts) == 0
    sticks.nothing_got_out()


def test_stopped_it_is_replaced_by_the_watchdog_and_nobody_is_let_through(lab, sticks):
    pid = lab.wait_guard()
    lab.guest.run("kill", f"-{signal.SIGSTOP.value}", pid)
    waiting = lab.guest.start_write(f"{sticks.point}/file", OTHER, TEXT, deadline=120)
    assert lab.write(f"{sticks.held_point}/file", OTHER)["error"] in ("EPERM", "EROFS")
    lab.wait_guard(other_than=pid)
    assert lab.guest.written(waiting, 120)["error"].startswith("E")
    sticks.nothing_gets_out()
    sticks.nothing_got_out()


def test_installed_anew_it_guards_all_the_while(lab, sticks):
    attempts = trying(lab, f"{sticks.held_point}/file", f"{sticks.point}/file")
    pid = lab.wait_guard()
    lab.guest.sh("dpkg --install /var/cache/sekisho/*.deb", deadline=120)
    lab.wait_guard(other_than=pid)
    assert sticks.held.held
    sticks.nothing_gets_out()
    assert times_through(lab, attempts) == 0
    sticks.nothing_got_out()
    assert lab.write(f"{sticks.point}/file", STAFF, "by-its-holder")["error"] is None


def test_a_clock_set_back_makes_no_expired_rule_good(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    try:
        lab.guest.run("date", "--set=2027-04-01 12:00:00")
        lab.guest.run("systemctl", "restart", UNIT)
        lab.policy([{"name": "expired", "match": {"serial": medium.serial}, "access": "write",
                     "expires": "2027-03-31"}])
        lab.guest.run("date", "--set=2027-03-30 12:00:00")
        medium.plug()
        medium.wait_node()
        record = lab.recorded("device-verdict", None, medium, verdict="read-only")
        assert record["SEKISHO_REASON"] == "rule-expired"
        assert medium.held
        assert lab.write(medium.node)["error"]
    finally:
        lab.guest.run("hwclock", "--hctosys")
        lab.guest.run("systemctl", "restart", UNIT)
    assert not medium.changed


def test_a_power_cut_leaves_the_stick_as_it_was_and_the_record_in_the_journal(lab, sticks):
    attempt = lab.write(f"{sticks.held_point}/file", OTHER)
    lab.recorded("write-denied", attempt, sticks.held, uid=lab.uid(OTHER))
    lab.guest.run("journalctl", "--sync")
    lab.machine.cut_power()
    assert not sticks.held.changed

    lab.machine.power_on()
    for medium in (sticks.held, sticks.shared):
        medium.plug()
    lab.machine.boot()
    for medium in (sticks.held, sticks.shared):
        medium.wait_node()
    lab.wait_guard()
    assert sticks.held.held
    assert lab.write(sticks.held.node)["error"]
    sticks.shared.wait_held(False)  # the policy is as it was
    # by the stick, not by the boot: going through a whole boot journalctl may lose its place where the clock was set
    before = lab.guest.run("journalctl", "--output=cat", "SEKISHO_EVENT=write-denied",
                           f"SEKISHO_DEVICE_SERIAL={sticks.held.serial}").stdout
    assert f"{sticks.held_point}/file" in before
    sticks.nothing_got_out()


def test_switched_off_for_good_it_leaves_media_read_only(lab):
    """An administrator's slip, or somebody's intent: the unit is disabled, the machine is started anew."""
    early, late = lab.medium("usb-storage", "vfat", plug=False), lab.medium("usb-uas", "ext4", plug=False)
    early.plug()
    early.wait_node()
    lab.guest.run("systemctl", "disable", UNIT)
    try:
        lab.machine.reboot()
        assert lab.guard("ActiveState") == "inactive"
        late.plug()
        for medium in (early, late):
            medium.wait_node()
            assert medium.held
            assert lab.write(medium.node)["error"]
            point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
            assert lab.write(f"{point}/new")["error"] == "EROFS"
            lab.unmount(point)
        lab.sync()
        assert not early.changed
        assert not late.changed
    finally:
        lab.guest.run("systemctl", "enable", "--now", UNIT)
    wait_until(lambda: lab.guard("ActiveState") == "active", "it guards again", 60)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Media on emulated hardware: sticks, disks, cards and discs. Whether something was written is read off the image on
this side."""

import os

import pytest

from sekisho_vm_lab import GROUP, OTHER, ROOT, STAFF, TEXT
from sekisho_wait import wait_until

UDISKS_POINT = "/media/tanaka"


@pytest.fixture(scope="session")
def booted(guest_lab):
    """Comes up with a stick and a card in."""
    guest_lab.machine.power_on()
    guest_lab.at_boot = [guest_lab.medium("usb-storage", "ext4", plug=False).plug(),
                         guest_lab.medium("sd", "vfat", plug=False).plug()]
    guest_lab.machine.boot()
    return guest_lab


def rule(medium, **more):
    return {"name": "approved", "match": {"serial": medium.serial}, "access": "write", **more}


def refused(lab, medium, path, person):
    attempt = lab.write(path, person)
    assert attempt["error"] in ("EPERM", "EROFS")
    # of a file that would have been made the kernel tells only where
    places = (path, os.path.dirname(path) + "/")
    record = lab.recorded("write-denied", attempt, medium, uid=lab.uid(person), path=lambda path: path in places)
    assert record["SEKISHO_FSTYPE"] == medium.fstype
    assert record["SEKISHO_RULE"] == "removable.default"


def refused_everywhere(lab, medium):
    """Nobody writes to it: not to the node, not to a mount, each attempt is recorded, and nothing has changed."""
    assert medium.held
    attempt = lab.write(medium.node)
    assert attempt["error"] in ("EPERM", "EACCES", "EROFS")
    lab.recorded("raw-write-denied", attempt, medium, uid=0)

    point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
    lab.recorded("superblock-guarded", None, medium, mount=point)  # who is refused before that is not named
    for person in (ROOT, OTHER):
        for name in ("file", "new"):
            refused(lab, medium, f"{point}/{name}", person)
    lab.unmount(point)
    lab.sync()
    assert not medium.changed


def test_what_is_in_at_boot_is_held(lab):
    for medium in lab.at_boot:
        assert medium.wait_node()
        refused_everywhere(lab, medium)


@pytest.mark.parametrize("fstype", ["vfat", "exfat", "ext4"])
@pytest.mark.parametrize("kind", ["usb-storage", "usb-uas"])
def test_a_stick_plugged_in_later_is_held(lab, kind, fstype):
    medium = lab.medium(kind, fstype)
    lab.recorded("device-verdict", None, medium, verdict="read-only", device=medium.kernel_name)
    refused_everywhere(lab, medium)


@pytest.mark.parametrize("fstype", ["vfat", "exfat", "ext4"])
def test_what_the_desktop_mounts_for_its_user_is_read_only(lab, fstype):
    medium = lab.medium("usb-storage", fstype)
    lab.session(STAFF, "udisksctl", "mount", "--no-user-interaction", "--block-device", medium.node)
    point = lab.guest.ask(f"findmnt --noheadings --output TARGET {medium.node}")
    assert point.startswith(UDISKS_POINT)
    lab.recorded("superblock-guarded", None, medium, mount=point)
    refused(lab, medium, f"{point}/copied.txt", STAFF)
    lab.session(STAFF, "udisksctl", "unmount", "--no-user-interaction", "--block-device", medium.node)
    lab.sync()
    assert not medium.changed


def test_an_sd_card_put_in_later_is_held(lab):
    medium = lab.medium("sd", "vfat")
    refused_everywhere(lab, medium)


def test_a_disc_is_held(lab):
    medium = lab.medium("usb-cdrom", "iso9660")
    lab.recorded("device-verdict", None, medium, verdict="read-only", device=medium.kernel_name)
    assert lab.write(medium.node)["error"]
    point = lab.mount(medium, "ro", check=True)
    assert lab.write(f"{point}/new.txt")["error"] == "EROFS"
    assert not medium.changed


@pytest.mark.parametrize("kind", ["usb-storage", "usb-uas"])
def test_a_stick_approved_by_its_serial_is_written_to(lab, kind):
    medium = lab.medium(kind, "vfat", plug=False)
    lab.policy([rule(medium)])
    medium.plug()
    medium.wait_node()
    medium.wait_held(False)
    point = lab.mount(medium, check=True)
    assert lab.write(f"{point}/file.txt")["error"] is None
    lab.unmount(point)
    assert medium.contains(TEXT)


def test_its_approval_is_for_a_group(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])])
    medium.plug()
    medium.wait_node()
    medium.wait_held(False)
    point = lab.mount(medium, check=True)
    lab.recorded("superblock-guarded", mount=point)
    attempt = lab.write(f"{point}/file", OTHER, "by-somebody-else")
    assert attempt["error"] == "EPERM"
    record = lab.recorded("write-denied", attempt, medium, uid=lab.uid(OTHER), path=f"{point}/file")
    assert record["SEKISHO_RULE"] == "approved"
    assert lab.write(f"{point}/file", STAFF)["error"] is None
    lab.unmount(point)
    assert medium.contains(TEXT)
    assert not medium.contains("by-somebody-else")


def test_its_approval_is_for_hours(lab):
    """Inside them by the guest's clock; then the clock is past them."""
    medium = lab.medium("usb-storage", "vfat", plug=False)
    lab.guest.run("date", "--set=2027-03-03 12:00:00")  # a Wednesday
    try:
        lab.policy([rule(medium, hours="Wed 08:30-17:15")])
        medium.plug()
        medium.wait_node()
        medium.wait_held(False)
        point = lab.mount(medium, check=True)
        lab.recorded("superblock-guarded", mount=point)
        assert lab.write(f"{point}/inside")["error"] is None
        lab.guest.run("date", "--set=2027-03-03 18:00:00")
        attempt = lab.write(f"{point}/outside", text="after-hours")
        assert attempt["error"] == "EPERM"
        lab.recorded("write-denied", attempt, medium, uid=0, path=f"{point}/outside")
        lab.unmount(point)
    finally:
        lab.guest.run("hwclock", "--hctosys")
    assert medium.contains(TEXT)
    assert not medium.contains("after-hours")


def test_pulling_it_out_while_it_is_written_to_leaves_nothing_behind(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])])
    medium.plug()
    medium.wait_node()
    medium.wait_held(False)
    point = lab.mount(medium, check=True)
    lab.recorded("superblock-guarded", mount=point)
    writer = lab.guest.start_write(f"{point}/file", STAFF, None)
    wait_until(lambda: medium.contains("forever"), "something is written")
    medium.pull()
    assert lab.guest.written(writer)["error"].startswith("E")
    lab.recorded("device-detached", None, medium)
    lab.guest.sh("umount -l \"$1\"", point)

    # the next one in its place is judged by itself
    other = lab.medium("usb-storage", "ext4")
    refused_everywhere(lab, other)

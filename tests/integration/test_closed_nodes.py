# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the kernel has no BPF LSM nobody reads the node of what may not be written, for a reader could make it
writable; but for the programs of the system that find out what a medium is, and mount it."""

import grp
import os
import shutil

import pytest
from sekisho_stick import PARTITION_START
from sekisho_wait import run
from sekisho_world import rule_for
from test_approved_stick import GROUP

READ = "head --bytes=512 \"$1\" >/dev/null"


@pytest.fixture
def closing(world):
    """Starts the agent; skips where it need not close nodes."""
    def start(**sections):
        world.start_agent(**sections)
        if world.journal.wait("agent-started").get("SEKISHO_ERROR") is None:
            pytest.skip("this kernel has BPF LSM, and asks about what a reader does")
    return start


def reads(world, person, node, groups=()):
    return world.run_as(person, ["sh", "-c", READ, "sh", node], groups=groups).returncode == 0


def disk_group():
    return (grp.getgrnam("disk").gr_gid,)


def held_stick(world, **options):
    stick = world.stick(**options)
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="read-only")
    return stick


def test_neither_root_nor_who_has_the_devices_group_reads_it_and_both_are_recorded(world, closing):
    closing()
    stick = held_stick(world)
    for person, groups in ((world.machine.root, ()), (world.machine.stranger, disk_group())):
        assert not reads(world, person, stick.node, groups)
        record = world.journal.wait("raw-write-denied", operation="open-read", uid=person.uid, path=stick.node)
        assert (record["SEKISHO_REASON"], record["SEKISHO_RULE"]) == ("node-closed", "removable.default")
        assert (record["SEKISHO_VERDICT"], record["SEKISHO_DEVICE_SERIAL"]) == ("deny", stick.serial)
        assert record["SEKISHO_EXE"] == os.path.realpath("/usr/bin/head")
        assert record["MESSAGE"].startswith(f"Raw read denied: {stick.node}")


def test_a_partition_and_its_disk_are_closed_alike(world, closing):
    closing()
    stick = held_stick(world, partitioned=True)
    assert not reads(world, world.machine.root, stick.node)
    assert not reads(world, world.machine.root, stick.disk)
    assert PARTITION_START == int(open(f"/sys/class/block/{os.path.basename(stick.node)}/start").read()) * 512
    stick.umount(stick.mount("ro"))


def test_its_number_is_closed_whatever_the_node_is_called(world, closing):
    closing()
    stick = held_stick(world)
    number = os.stat(stick.node).st_rdev
    node = world.new_path("node")
    run(["mknod", node, "b", str(os.major(number)), str(os.minor(number))])
    assert not reads(world, world.machine.root, node)


@pytest.mark.parametrize("command", [
    ["blkid", "--probe"], ["lsblk"], ["fdisk", "--list"], ["e2fsck", "-n"], ["fsck.ext4", "-n"],
    ["udevadm", "test-builtin", "blkid"],
], ids=lambda command: command[0])
def test_programs_of_the_system_read_it(world, closing, command):
    closing()
    stick = held_stick(world)
    if command[0] == "udevadm":
        result = run([*command, f"/sys/class/block/{stick.name}"])
        assert "ID_FS_TYPE=ext4" in result.stdout
    else:
        run([*command, stick.node])
    world.journal.barrier()
    assert not world.journal.select("raw-write-denied", device=stick.name)


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_it_is_mounted_and_read_as_ever(world, closing, fstype):
    closing()
    stick = held_stick(world, fstype=fstype)
    point = stick.mount("ro")
    assert world.run_as(world.machine.stranger, ["cat", f"{point}/file"]).stdout == "what was there before\n"
    world.journal.barrier()
    assert not world.journal.select("raw-write-denied", device=stick.name)


def test_a_copy_of_such_a_program_is_none(world, closing):
    closing()
    stick = held_stick(world)
    copy = os.path.join(os.path.dirname(world.new_path("copy")), "blkid")
    shutil.copy(shutil.which("blkid"), copy)
    assert run([copy, "--probe", stick.node], check=False).returncode != 0
    world.journal.wait("raw-write-denied", operation="open-read", exe=copy, path=stick.node)


def test_what_udevadm_starts_is_no_program_of_the_system(world, closing):
    """It is the daemon's file as well, and starts whatever it is told to, in a login or not."""
    closing()
    stick = held_stick(world)
    result = run(["udevadm", "lock", f"--device={stick.node}", "sh", "-c", READ, "sh", stick.node], check=False)
    assert "Operation not permitted" in result.stderr  # udevadm itself says nothing of what it has started
    world.journal.wait("raw-write-denied", operation="open-read", path=stick.node, exe=os.path.realpath("/usr/bin/head"))


def test_what_is_approved_is_read_by_whom_it_is_approved_for(world, closing):
    stick = world.stick(attach=False)
    closing(**world.approving(stick, groups=[GROUP]), **{"without-lsm": "gate"})
    stick.attach()
    stick.wait_held(False)
    member, stranger = world.machine.member, world.machine.stranger
    os.chmod(stick.node, 0o666)
    assert reads(world, member, stick.node)
    assert not reads(world, stranger, stick.node)
    assert not reads(world, world.machine.root, stick.node)


def test_who_only_watches_lets_it_be_read_and_says_so(world, closing):
    stick = world.stick(attach=False)
    closing(removable={"default": "read-only", "devices": [
        rule_for(stick, access="read-only", mode="monitor", **{"monitor-until": "2099-01-01"})]})
    stick.attach()
    stick.wait_held(False)
    assert reads(world, world.machine.root, stick.node)
    record = world.journal.wait("raw-write-denied", operation="open-read", path=stick.node)
    assert record["SEKISHO_MODE"] == "monitor" and record["MESSAGE"].startswith("Raw read would be denied")


def test_the_terminals_own_disks_are_anybodys_as_before(world, closing):
    closing()
    stick = world.stick(plain=True)
    assert reads(world, world.machine.root, stick.node)

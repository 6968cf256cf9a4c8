# SPDX-License-Identifier: GPL-2.0-or-later
"""What was mounted and open before the guard came: found, told, and cut off."""

import subprocess

import pytest
from sekisho_machine import GROUP
from sekisho_wait import stop
from sekisho_world import OPENERS, rule_for

LOOPS_EXTERNAL = {"also-external": ["loop"], "default": "read-only"}


class Writer:
    """A process that has a file of the stick open for writing, or mapped."""

    def __init__(self, world, person, path, way="write-on-lines"):
        self.process = world.start_as(person, [OPENERS, way, path], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "opened\n"

    def write(self, text):
        """What came of writing TEXT: "written", an errno's name, or "gone" if the process is no more."""
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return "gone"
        return self.process.stdout.readline().strip() or "gone"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_a_writer_from_before_the_agent_is_told_of_and_cut_off(world, fstype):
    stick = world.stick(fstype=fstype, plain=True)
    assert not stick.held, "the udev rule does not know this one"
    point = stick.mount("rw")
    with Writer(world, world.machine.stranger, f"{point}/file") as writer:
        assert writer.write("before the guard came 1c9e") == "written"
        world.start_agent(removable=LOOPS_EXTERNAL)
        record = world.journal.wait("late-writer", path=f"{point}/file")
        assert record["SEKISHO_UID"] == str(world.machine.stranger.uid)
        assert record["SEKISHO_EXE"] == OPENERS
        assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial
        assert record["SEKISHO_OPERATION"] == "opened-before-guard"
        world.journal.wait("superblock-guarded", mount=point)
        assert writer.write("after the guard came 51d0") != "written"
    stick.wait_held(True)
    stick.detach()
    assert stick.contains("before the guard came 1c9e")
    assert not stick.contains("after the guard came 51d0")


def test_a_mapping_from_before_the_agent_is_told_of_and_cut_off(world):
    stick = world.stick(plain=True)
    point = stick.mount("rw")
    with Writer(world, world.machine.stranger, f"{point}/file", "map-on-lines") as writer:
        world.start_agent(removable=LOOPS_EXTERNAL)
        record = world.journal.wait("late-writer", path=f"{point}/file")
        assert record["SEKISHO_OPERATION"] == "mapped-before-guard"
        assert record["SEKISHO_UID"] == str(world.machine.stranger.uid)
        world.journal.wait("superblock-guarded", mount=point)
        writer.write("mapped leak 77aa")
    stick.detach()
    assert not stick.contains("mapped leak 77aa")


def test_a_mount_without_writers_from_before_the_agent_becomes_read_only(world):
    stick = world.stick(plain=True)
    point = stick.mount("rw")
    world.start_agent(removable=LOOPS_EXTERNAL)
    world.journal.wait("superblock-guarded", mount=point)
    assert not world.journal.select("late-writer")
    assert world.run_as(world.machine.root, ["cp", "/etc/os-release", f"{point}/file"]).returncode != 0
    assert world.run_as(world.machine.stranger, ["cat", f"{point}/file"]).stdout == "what was there before\n"


def test_a_writer_who_may_write_goes_on_and_one_who_may_not_is_told_of(world):
    stick = world.stick(plain=True)
    point = stick.mount("rw")
    with Writer(world, world.machine.member, f"{point}/file") as member:
        world.start_agent(removable={**LOOPS_EXTERNAL, "devices": [rule_for(stick, groups=[GROUP])]})
        world.journal.wait("superblock-guarded", mount=point)
        assert member.write("by a member 90ab") == "written"
        assert not world.journal.select("late-writer", uid=world.machine.member.uid)
    assert world.run_as(world.machine.stranger, [OPENERS, "open", "write", f"{point}/file"]).stdout == "EPERM\n"
    stick.detach()
    assert stick.contains("by a member 90ab")


def test_of_two_writers_only_the_one_who_may_not_is_cut_off(world):
    stick = world.stick(plain=True)
    point = stick.mount("rw")
    with Writer(world, world.machine.member, f"{point}/file") as member, \
            Writer(world, world.machine.stranger, f"{point}/directory/inner") as stranger:
        world.start_agent(removable={**LOOPS_EXTERNAL, "devices": [rule_for(stick, groups=[GROUP])]})
        world.journal.wait("late-writer", uid=world.machine.stranger.uid)
        world.journal.wait("superblock-guarded", mount=point)
        assert stranger.write("by a stranger 41cd") != "written"
        member.write("by a member 90ab")
    stick.detach()
    assert not stick.contains("by a stranger 41cd")


def test_a_writer_who_loses_the_permission_is_told_of_and_cut_off(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    with Writer(world, world.machine.member, f"{point}/file") as member:
        assert member.write("while it was allowed 7be2") == "written"
        world.reload_policy(**world.approving(stick, groups=[GROUP]))
        assert member.write("and after a reload 2a6f") == "written"
        assert not world.journal.select("late-writer")
        world.reload_policy(**world.approving(stick, users=[world.machine.stranger.name]))
        record = world.journal.wait("late-writer", path=f"{point}/file")
        assert record["SEKISHO_UID"] == str(world.machine.member.uid)
        assert member.write("when it was so no more c05d") != "written"
    stick.detach()
    assert not stick.contains("when it was so no more c05d")


def test_who_has_the_node_open_and_loses_the_permission_is_ended(world):
    stick = world.stick(attach=False)
    person = world.machine.root
    world.start_agent(**world.approving(stick, users=[person.name]))
    stick.attach()
    stick.wait_held(False)
    with Writer(world, person, stick.node) as writer:
        world.reload_policy(**world.approving(stick, users=[person.name]))
        assert writer.write("while it was allowed 7be2") == "written"
        world.reload_policy(**world.approving(stick, users=[world.machine.stranger.name]))
        record = world.journal.wait("late-writer", path=stick.node)
        assert record["SEKISHO_UID"] == str(person.uid)
        assert writer.write("when it was so no more c05d") == "gone"
    stick.detach()
    assert not stick.contains("when it was so no more c05d")

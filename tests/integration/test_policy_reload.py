# SPDX-License-Identifier: GPL-2.0-or-later
"""A policy is refused whole with all its faults, or taken whole; and what it says holds at once."""

import os
import re

import pytest
from sekisho_machine import GROUP
from sekisho_world import OPENERS

# Ten faults, each on a line of its own: line number, and a word that its message must have.
FAULTY = """\
version: 1
serial: 20
zone: city-hall
mode: perhaps
colour: blue
removable:
  default: sometimes
  devices:
    - name: one
      match: {serial: "A"}
      access: wrlte
    - name: two
      match: {serial: "B", colour: "green"}
      access: write
      hours: Mon-Fry 08:30-17:15
    - name: three
      match: {serial: "C"}
      access: write
      expires: 2027-02-30
filesystems:
  default: never
  allow:
    - {name: four, type: cifs, access: write, since: yesterday}
"""
FAULTY_LINES = [3, 4, 5, 7, 11, 13, 15, 19, 21, 23]


def opens(world, person, path, way="write", *text):
    return world.run_as(person, [OPENERS, "open", way, path, *text]).stdout.strip()


def writes(world, person, node):
    """A node that is held can still be opened for writing where no gate is asked: the write fails."""
    return opens(world, person, node, "write", "a leak 8d3e") == "opened"


def test_a_policy_with_ten_faults_is_told_of_with_each_of_them(world):
    path = world.write_policy_text(FAULTY)
    result = world.ctl("policy", "check", path, check=False)
    assert result.returncode == 1
    places = re.findall(rf"^{re.escape(path)}:(\d+):\d+: \S", result.stdout + result.stderr, re.MULTILINE)
    assert [int(line) for line in places] == FAULTY_LINES


def test_a_good_policy_has_nothing_to_be_told(world):
    path = world.write_policy(removable={"default": "deny"})
    assert world.ctl("policy", "check", path).returncode == 0


def test_a_policy_that_is_not_there_is_a_failure_and_not_a_finding(world):
    assert world.ctl("policy", "check", world.new_path("nothing.yaml"), check=False).returncode == 2


def test_the_agent_refuses_it_and_keeps_the_old_one(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    world.write_policy_text(FAULTY)

    record = world.agent.reload()
    assert record["SEKISHO_EVENT"] == "policy-refused"
    for line in FAULTY_LINES:
        assert f"10-test.yaml:{line}:" in record["SEKISHO_ERROR"], line
    assert record["SEKISHO_POLICY_SERIAL"] == "1"
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"
    assert not stick.held

    world.reload_policy(**world.approving(stick, groups=["nogroup"]))
    assert opens(world, world.machine.member, f"{point}/file") == "opened", "nogroup is a member's first group"


def test_an_older_policy_is_refused(world):
    world.start_agent(removable={"default": "read-only"})
    world.write_policy_text("version: 1\nserial: 5\n")
    assert world.agent.reload()["SEKISHO_EVENT"] == "policy-loaded"
    world.write_policy_text("version: 1\nserial: 4\n")
    record = world.agent.reload()
    assert record["SEKISHO_EVENT"] == "policy-refused"
    assert record["SEKISHO_POLICY_SERIAL"] == "5"


def test_withdrawn_approval_makes_a_mounted_stick_read_only(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    assert opens(world, world.machine.stranger, f"{point}/file") == "opened"

    world.reload_policy(removable={"default": "read-only"})
    world.journal.wait("superblock-guarded", mount=point)
    stick.wait_held(True)
    before = stick.sha256()
    for person in (world.machine.root, world.machine.stranger, world.machine.member):
        assert opens(world, person, f"{point}/file") != "opened", person.name
        assert world.run_as(person, ["mkdir", f"{point}/made"]).returncode != 0, person.name
        assert opens(world, person, f"{point}/file", "read") == "opened", person.name
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("limits", [{}, {"groups": [GROUP]}], ids=["for everybody", "for a group"])
def test_new_approval_lets_a_held_stick_go(world, limits):
    world.start_agent(removable={"default": "read-only"})
    stick = world.stick()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="read-only")
    world.reload_policy(**world.approving(stick, **limits))
    stick.wait_held(False)
    point = stick.mount("rw")
    if limits:
        world.journal.wait("superblock-guarded", mount=point)
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    assert opens(world, world.machine.stranger, f"{point}/file") == ("EPERM" if limits else "opened")


def test_approval_that_comes_back_opens_what_its_withdrawal_had_closed(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.reload_policy(removable={"default": "read-only"})
    assert opens(world, world.machine.member, f"{point}/file") == "EROFS"
    world.reload_policy(**world.approving(stick, groups=[GROUP]))
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"


def test_from_everybody_to_a_group_and_back(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    for limits, expected in (({"groups": [GROUP]}, "EPERM"), ({}, "opened"), ({"groups": [GROUP]}, "EPERM")):
        world.reload_policy(**world.approving(stick, **limits))
        assert opens(world, world.machine.stranger, f"{point}/file") == expected
        assert opens(world, world.machine.member, f"{point}/file") == "opened"


def test_an_agent_that_starts_with_a_faulty_policy_guards_by_the_built_in_one(world):
    stick = world.stick()
    world.write_policy_text(FAULTY)
    world.start_agent()
    world.journal.wait("policy-refused")
    assert stick.held
    assert not writes(world, world.machine.root, stick.node)


def test_a_note_of_the_highest_serial_that_cannot_be_written_is_told(world):
    """Else an older policy would come into force at the next start, and nobody would know why."""
    world.start_agent(removable={"default": "read-only"})
    floor = os.path.join(world.state, "floor")
    os.unlink(floor)
    os.mkdir(floor)
    world.reload_policy(removable={"default": "read-only"})
    failed = world.journal.wait("enforcement-failed", verdict="the note of the highest serial")
    assert failed["SEKISHO_ERROR"] and failed["PRIORITY"] == "2"
    os.rmdir(floor)
    before = len(world.journal.select("enforcement-failed"))
    world.reload_policy(removable={"default": "read-only"})
    assert os.path.isfile(floor), "it is tried again"
    world.journal.barrier()
    assert len(world.journal.select("enforcement-failed")) == before

# SPDX-License-Identifier: GPL-2.0-or-later
"""Absence of the agent means no: killed, stopped or starting anew, nothing becomes writable that was not, and
nobody is left hanging."""

import re
import subprocess

import pytest
from sekisho_machine import GROUP
from sekisho_wait import stop, wait_until
from sekisho_world import OPENERS

HAMMERS = 8


def conditional(world):
    """An agent, and a stick on which the members of a group may write."""
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    return stick, point


def opens(world, person, path, way="write", *text):
    return world.run_as(person, [OPENERS, "open", way, path, *text]).stdout.strip()


def writes(world, person, node):
    """A node that is held can still be opened for writing where no gate is asked: the write fails."""
    return opens(world, person, node, "write", "a leak 8d3e") == "opened"


def hammer(world, path, count=HAMMERS):
    """Processes that open in a hurry, strangers and members by turns; returned when all are at it."""
    processes = [world.start_as(world.machine.member if i & 1 else world.machine.stranger, [OPENERS, "hammer", path],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for i in range(count)]
    for process in processes:
        assert process.stdout.readline() == "started\n"
    return processes


def finish(processes):
    """Tells the hammers to stop; each must, and says how its opens went. Returns the sums."""
    totals = {"opened": 0, "EPERM": 0, "other": 0}
    for process in processes:
        try:
            output, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            with open(f"/proc/{process.pid}/wchan") as where:
                raise AssertionError(f"hangs in {where.read()}") from None
        for name, number in re.findall(r"(\w+)=(\d+)", output):
            totals[name] += int(number)
    return totals


def test_a_killed_agent_leaves_an_unapproved_stick_held(world):
    agent = world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    point = stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=point)
    agent.kill()
    world.journal.wait("agent-lost")
    assert stick.held
    assert opens(world, world.machine.root, f"{point}/file") != "opened"
    assert not writes(world, world.machine.root, stick.node)
    assert opens(world, world.machine.root, f"{point}/file", "read") == "opened"
    other = world.stick(name="later")
    assert other.held
    stick.detach()
    assert stick.sha256() == before


def test_a_killed_agent_leaves_a_conditional_stick_writable_for_nobody(world):
    stick, point = conditional(world)
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    world.agent.kill()
    for person in (world.machine.stranger, world.machine.root, world.machine.member):
        assert opens(world, person, f"{point}/file") != "opened", person.name
        assert opens(world, person, f"{point}/file", "create-exclusively") != "opened", person.name
    world.journal.wait("agent-lost")
    stick.wait_held(True)
    for person in (world.machine.stranger, world.machine.root, world.machine.member):
        assert opens(world, person, f"{point}/file") != "opened", person.name
        assert opens(world, person, f"{point}/file", "read") == "opened", person.name
    # until then it may still write what was under way: a refused create leaves a name
    wait_until(lambda: opens(world, world.machine.root, f"{point}/file") == "EROFS", "the volume is sealed")
    before = stick.sha256()
    assert not writes(world, world.machine.root, stick.node)
    stick.detach()
    assert stick.sha256() == before


def test_a_killed_agent_leaves_a_stick_held_that_nobody_has_mounted(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    world.agent.kill()
    stick.wait_held(True)
    world.journal.wait("agent-lost")


def test_a_killed_agent_leaves_nobody_hanging(world):
    _, point = conditional(world)
    processes = hammer(world, f"{point}/file")
    world.agent.kill()
    world.journal.wait("agent-lost")
    totals = finish(processes)
    assert totals["opened"] > 0 and totals["EPERM"] > 0, totals
    assert opens(world, world.machine.stranger, f"{point}/file") != "opened"


@pytest.mark.parametrize("clean", [True, False], ids=["stopped", "killed"])
def test_who_may_write_goes_on_where_it_is_mounted_once_the_agent_is_back(world, clean):
    stick, point = conditional(world)
    if clean:
        world.agent.stop()
    else:
        world.agent.kill()
        world.journal.wait("agent-lost")
    stick.wait_held(True)
    wait_until(lambda: opens(world, world.machine.member, f"{point}/file") == "EROFS", "the volume is sealed")
    world.start_agent()
    stick.wait_held(False)
    wait_until(lambda: opens(world, world.machine.member, f"{point}/file") == "opened", "the seal is lifted")
    assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"


def test_what_its_owner_mounted_read_only_stays_so(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=point)
    world.agent.kill()
    world.start_agent()
    stick.wait_held(False)
    assert opens(world, world.machine.member, f"{point}/file") == "EROFS"


def test_killed_again_and_again_it_comes_back_and_guards(world):
    stick, point = conditional(world)
    for _ in range(3):
        world.agent.kill()
        world.start_agent()
        stick.wait_held(False)
        assert opens(world, world.machine.stranger, f"{point}/file") != "opened"
        assert not world.asks_about_nodes() or not writes(world, world.machine.root, stick.node)
    stick.detach()
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"


def test_stopped_cleanly_while_processes_hammer_everybody_gets_an_answer(world):
    stick, point = conditional(world)
    processes = hammer(world, f"{point}/file")
    world.agent.stop()
    world.journal.wait("agent-stopped")
    totals = finish(processes)
    assert totals["EPERM"] > 0, totals
    stick.wait_held(True)
    for person in (world.machine.stranger, world.machine.root, world.machine.member):
        assert opens(world, person, f"{point}/file") != "opened", person.name


def test_reloaded_while_processes_hammer_everybody_gets_an_answer(world):
    stick, point = conditional(world)
    processes = hammer(world, f"{point}/file")
    for _ in range(5):
        world.reload_policy(**world.approving(stick, groups=[GROUP]))
        assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"
    totals = finish(processes)
    assert totals["opened"] > 0 and totals["EPERM"] > 0 and totals["other"] == 0, totals


def test_a_stopped_journal_keeps_nobody_waiting_and_loses_no_denial(world):
    journald = world.machine.journald
    if journald is None:
        pytest.skip("the journal here is not ours to stop")
    stick, point = conditional(world)
    attempts = 500
    argv = [OPENERS, "hammer", f"{point}/file", str(2 * attempts)]  # every second open is for writing
    world.suspend(journald)
    processes = [world.start_as(world.machine.stranger, argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                text=True) for _ in range(HAMMERS)]
    totals = finish(processes)  # while the journal sleeps
    world.resume(journald)
    assert totals == {"opened": attempts * HAMMERS, "EPERM": attempts * HAMMERS, "other": 0}

    def counted(records):
        return sum(int(record.get("SEKISHO_COUNT", "1")) for record in records)

    records = world.journal.wait_all("write-denied", lambda found: counted(found) >= attempts * HAMMERS, deadline=90,
                                     device_serial=stick.serial, uid=world.machine.stranger.uid)
    assert counted(records) == attempts * HAMMERS
    assert len(records) < 100, "repeats fold"


def test_it_ends_with_zero_when_it_is_told_to(world):
    agent = world.start_agent()
    assert stop(agent.process) == 0
    world.journal.wait("agent-stopped")


def test_a_second_agent_for_the_same_runtime_directory_does_not_start(world):
    world.start_agent()
    with pytest.raises(AssertionError, match="sekishod ended with"):
        world.start_agent()

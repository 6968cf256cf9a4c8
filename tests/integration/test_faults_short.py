# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard runs short of something (memory, descriptors, disk): it refuses all the same, counts what it refuses,
and goes on when there is enough again."""

import os
import resource

import pytest
from sekisho_faults import (Attack, MemoryGroup, Supervisor, assert_refused, assert_unwritten, conditional, counted,
                            is_sanitized, mounted, open_files, wait_counted, wait_keeper)
from sekisho_machine import GROUP
from sekisho_wait import run, wait_until
from sekisho_world import OPENERS, program

ATTEMPTS = 500


def attack(world, point, count=ATTEMPTS, processes=4):
    totals = Attack(world, world.machine.stranger, f"{point}/file", processes, count).finish()
    assert totals["attempts"] == processes * count
    assert_refused(totals)
    return totals["attempts"]


def assert_counted_once(world, attempts):
    assert counted(wait_counted(world, attempts)) == attempts


def reads(world, point):
    return world.run_as(world.machine.stranger, [OPENERS, "open", "read", f"{point}/file"]).stdout.strip()


def test_without_descriptors_every_attempt_is_refused_and_counted(world):
    stick, point = conditional(world)
    pid = world.agent.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    attempts = attack(world, point)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert_counted_once(world, attempts)
    attempts += attack(world, point)
    assert_counted_once(world, attempts)
    assert reads(world, point) == "opened"
    assert_unwritten(stick)


@pytest.mark.parametrize("spare", [0, 1, 2, 3])
def test_with_few_descriptors_every_attempt_is_refused_and_counted(world, spare):
    """So that it fails further on, at what is read of the caller."""
    stick, point = conditional(world)
    pid = world.agent.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    numbers = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    free = [number for number in range(max(numbers) + 10) if number not in numbers]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[spare], before[1]))
    attempts = attack(world, point)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert_counted_once(world, attempts)
    assert_unwritten(stick)


def test_without_descriptors_a_new_stick_is_held_and_nothing_leaks(world):
    """Where no gate can be made, the medium's own read-only flag and the file system's hold."""
    stick = world.stick(attach=False)
    agent = world.start_agent(**world.approving(stick, groups=[GROUP]))
    before = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (open_files(agent.pid), before[1]))
    other = world.stick(name="unapproved")
    stick.attach()
    points = [point for point in (stick.mount("rw", check=False), other.mount("ro")) if point]
    for point in points:
        world.run_as(world.machine.root, ["sync", "-f", point])
        Attack(world, world.machine.stranger, f"{point}/file", count=20).finish()
    assert other.held
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, before)
    assert agent.process.poll() is None
    assert_unwritten(other)


def test_short_of_memory_nothing_leaks_and_an_agent_that_is_ended_for_it_comes_back(world):
    group = MemoryGroup(world)
    stick, point = conditional(world)
    unapproved = world.stick(name="unapproved")
    read_only = mounted(world, unapproved, "ro")
    attacks = [Attack(world, world.machine.stranger, f"{where}/file") for where in (point, read_only)]
    supervisor = Supervisor(world)
    for spare in (256 << 10, 64 << 10, 0):
        supervisor.wait_in_force()
        before = group.failures()
        group.squeeze(spare)
        many = Attack(world, world.machine.root, f"{point}/file", 32)
        later = world.stick(name=f"later-{spare}")
        wait_until(lambda: group.failures() > before or world.agent.process.poll() is not None, "memory is short")
        assert later.held
        assert_refused(many.finish())
        group.relax()
    supervisor.wait_in_force()
    for attack_ in attacks:
        assert_refused(attack_.finish())
    stick.wait_held(False)
    attack(world, point, count=10)
    assert_unwritten(stick, unapproved)


def test_its_address_space_limited_it_refuses_and_counts(world):
    """Allocations fail, and nothing is ended for it."""
    if is_sanitized(program("sekishod")):
        pytest.skip("AddressSanitizer ends a program whose allocation fails; the release build is tested")
    stick, point = conditional(world)
    pid = world.agent.pid
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (4096, before[1]))
    attempts = attack(world, point)
    other = world.stick(name="later")
    assert other.held
    resource.prlimit(pid, resource.RLIMIT_AS, before)
    assert world.agent.process.poll() is None, world.tell()
    assert_counted_once(world, attempts)
    assert_unwritten(stick, other)


@pytest.mark.parametrize("directory", ["state", "runtime"])
def test_on_a_full_disk_it_starts_refuses_and_is_stopped_cleanly(world, directory):
    path = getattr(world, directory)
    run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "none", path])
    world.undo(run, ["umount", "--lazy", path])
    fill(path)
    stick = world.stick()
    try:
        world.start_agent(removable={"default": "read-only"})
    except AssertionError as refused_to_start:
        assert "cannot start" in str(refused_to_start)
    assert stick.held
    point = stick.mount("ro")
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=50).finish())
    assert_unwritten(stick)


@pytest.mark.parametrize("directory", ["state", "runtime"])
def test_its_disk_full_meanwhile_it_goes_on(world, directory):
    path = getattr(world, directory)
    run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=0700", "none", path])
    world.undo(run, ["umount", "--lazy", path])
    stick, point = conditional(world)
    unapproved = world.stick(name="unapproved")
    read_only = mounted(world, unapproved, "ro")
    full = fill(path)
    attempts = attack(world, point)
    assert_refused(Attack(world, world.machine.stranger, f"{read_only}/file", count=50).finish())
    later = world.stick(name="later")
    assert later.held
    world.reload_policy(**world.approving(stick, groups=[GROUP], name="another name"))
    attempts += attack(world, point)
    keeper = wait_keeper(world.agent.pid)
    world.agent.kill()
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=50).finish())
    world.journal.wait("agent-lost")
    assert os.path.exists(f"/proc/{keeper}")
    os.unlink(full)
    Supervisor(world).wait_in_force()
    attack(world, point, count=10)
    assert_unwritten(stick, unapproved, later)


def fill(path):
    full = os.path.join(path, "full")
    with open(full, "wb", buffering=0) as to:
        try:
            while True:
                to.write(b"x" * 512)
        except OSError:
            pass
    return full

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guard stands on goes away or has very much to do: the journal, udev, a flood of attempts, a machine full of
mounts. Everybody is refused who is to be, each refusal is counted, memory and the journal stay bounded."""

import ctypes
import os

import pytest
from sekisho_faults import (Attack, assert_refused, assert_unwritten, conditional, counted, keepers, mounted,
                            open_files, rss_kib, wait_counted)
from sekisho_machine import GROUP
from sekisho_wait import run
from sekisho_world import OPENERS

PROCESSES = 8
FLOOD = 100_000
GROWTH_KIB = 8 << 10  # the most that the agent and its keeper may grow by
MOUNTS = 10_000
MS_BIND = 4096


def guard_rss(world):
    return rss_kib(world.agent.pid, *keepers(world.agent.pid))


def test_a_flood_is_refused_and_counted_to_the_last_attempt(world):
    stick, point = conditional(world)
    before, files = guard_rss(world), open_files(world.agent.pid)
    attack = Attack(world, world.machine.stranger, f"{point}/file", PROCESSES, FLOOD // PROCESSES)
    totals = attack.finish(deadline=120)
    assert totals["attempts"] == FLOOD
    assert_refused(totals)
    records = wait_counted(world, FLOOD)
    assert counted(records) == FLOOD
    assert len(records) < 100, "repeats fold"
    print(f"flood: {FLOOD} refused in {attack.seconds:.1f} s, {FLOOD / attack.seconds:.0f}/s, {len(records)} records, "
          f"{before} KiB before, {guard_rss(world)} KiB after")
    assert guard_rss(world) < before + GROWTH_KIB
    assert open_files(world.agent.pid) <= files + 2 * 16, "the files of the threads that asked last are kept open"
    assert_unwritten(stick)


def test_a_flood_of_names_and_programs_folds_as_well(world):
    """As many paths as fit, so that each is a record of its own for as long as that is bearable."""
    stick = world.stick(attach=False, content={f"file-{i}": "x" for i in range(500)})
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = mounted(world, stick, "rw")
    script = f'for turn in 1 2 3; do for file in {point}/file-*; do true >>"$file"; done; done'
    world.run_as(world.machine.stranger, ["sh", "-c", script])
    attempts = 3 * 500
    records = wait_counted(world, attempts)
    assert counted(records) == attempts
    assert len(records) < 300, len(records)
    assert_unwritten(stick)


def test_without_a_journal_callers_are_answered_and_nothing_is_lost(world):
    machine = world.machine
    if machine.journald is None:
        pytest.skip("the journal here is not ours to stop")
    stick, point = conditional(world)
    before = guard_rss(world)
    world.journal.barrier()
    with machine.without_journal():
        totals = [Attack(world, person, f"{point}/file", PROCESSES, 500).finish()
                  for person in (machine.stranger, machine.root)]
        for each in totals:
            assert_refused(each)
        assert guard_rss(world) < before + GROWTH_KIB
    totals.append(Attack(world, machine.stranger, f"{point}/file", PROCESSES, 100).finish())
    assert_refused(totals[-1])
    attempts = sum(each["attempts"] for each in totals)
    assert counted(wait_counted(world, attempts)) == attempts
    assert_unwritten(stick)


def test_udev_restarted_while_sticks_come_and_go_holds_and_lets_go_as_before(world):
    machine = world.machine
    if machine.udevd is None:
        pytest.skip("the udev daemon here is not ours to stop")
    approved, unapproved = world.stick(attach=False), world.stick(name="unapproved", attach=False)
    world.start_agent(**world.approving(approved, groups=[GROUP]))
    for _ in range(3):
        with machine.without_udev():
            pass
        approved.attach()
        unapproved.attach()
        unapproved.wait_held(True)
        approved.wait_held(False)
        points = [mounted(world, unapproved, "ro"), mounted(world, approved, "rw")]
        with machine.without_udev():  # what is there stays as it is
            for point in points:
                assert_refused(Attack(world, machine.stranger, f"{point}/file", count=20).finish())
        assert unapproved.held and not approved.held
        approved.detach()
        unapproved.detach()
    assert_unwritten(approved, unapproved)


def test_what_comes_while_udev_is_away_is_held_once_it_is_back(world):
    machine = world.machine
    if machine.udevd is None:
        pytest.skip("the udev daemon here is not ours to stop")
    stick = world.stick()  # what is plugged in meanwhile udev sees when it starts, as at boot
    with stick.early_reader() as let_go:
        world.start_agent()
        with machine.without_udev():
            let_go()
    run(["udevadm", "trigger", "--action=add", stick.disk])
    stick.wait_held(True)
    point = mounted(world, stick, "ro")
    assert_refused(Attack(world, machine.stranger, f"{point}/file", count=20).finish())
    assert_unwritten(stick)


def bind_many(top, number):
    """NUMBER mounts below TOP; a process for each would take minutes."""
    libc = ctypes.CDLL(None, use_errno=True)
    for i in range(number):
        name = f"{top}/{i}"
        os.mkdir(name)
        if libc.mount(name.encode(), name.encode(), None, MS_BIND, None) < 0:
            raise OSError(ctypes.get_errno(), name)


def test_among_ten_thousand_mounts_a_new_one_is_guarded(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    before = guard_rss(world)
    top = world.new_path("many")
    os.mkdir(top)
    run(["mount", "-t", "tmpfs", "none", top])
    world.undo(run, ["umount", "--lazy", top], deadline=120)
    run(["mount", "--make-private", top])
    bind_many(top, MOUNTS)
    with open("/proc/self/mountinfo") as table:
        assert sum(1 for _ in table) >= MOUNTS
    stick.attach()
    stick.wait_held(False)
    point = mounted(world, stick, "rw")
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=50).finish())
    assert world.run_as(world.machine.member, [OPENERS, "open", "write", f"{point}/file"]).stdout == "opened\n"
    after = guard_rss(world)
    print(f"{MOUNTS} mounts: {before} KiB before, {after} KiB after")
    assert after < before + 4 * GROWTH_KIB
    world.agent.kill()
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=50).finish())
    world.journal.wait("agent-lost")
    stick.wait_held(True)
    assert_unwritten(stick)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard's processes are killed, stopped and replaced while people attack: nothing gets onto a medium, and
nobody waits for longer than a second."""

import os
import signal

from sekisho_faults import (Attack, Supervisor, assert_refused, assert_unwritten, conditional, counted, keepers, kill,
                            mounted, sleeps_for_good, wait_counted, wait_keeper)
from sekisho_wait import wait_until

TIMES, INTERVAL = 60, 0.05


def kill_agent(agent):
    agent.process.kill()


def kill_keeper(agent):
    for keeper in keepers(agent.pid):
        kill(keeper)


def two_sticks(world):
    """One that nobody may write to, one that a group may; each mounted. Returns (stick, where) of both."""
    stick, point = conditional(world)
    unapproved = world.stick(name="unapproved")
    return (unapproved, mounted(world, unapproved, "ro")), (stick, point)


def test_killed_every_50_ms_nothing_leaks_and_nobody_hangs(world):
    (unapproved, read_only), (stick, point) = two_sticks(world)
    attacks = [Attack(world, person, f"{where}/file") for person, where in
               ((world.machine.stranger, point), (world.machine.root, point), (world.machine.stranger, read_only))]
    Supervisor(world).kill_again_and_again(TIMES, INTERVAL, kill_agent)
    for attack in attacks:
        assert_refused(attack.finish())
    stick.wait_held(False)
    assert unapproved.held
    assert_unwritten(stick, unapproved)


def test_killed_again_and_again_no_refusal_of_a_gate_is_uncounted(world):
    """What it has counted and not written yet is told by its keeper. The agent is killed while it writes, too, so that
    a few are told twice; who was refused by a file system that is read-only underneath is told by audit."""
    _, point = conditional(world)
    attack = Attack(world, world.machine.stranger, f"{point}/file")
    Supervisor(world).kill_again_and_again(20, 5 * INTERVAL, kill_agent)
    totals = attack.finish()
    assert_refused(totals)
    world.agent.stop()
    assert counted(wait_counted(world, totals["EPERM"], deadline=10)) <= totals["attempts"] * 1.1
    assert world.journal.select("write-denied", error=lambda text: "that was ended" in text)


def test_its_keeper_killed_every_50_ms_nothing_leaks_and_nobody_hangs(world):
    (unapproved, read_only), (stick, point) = two_sticks(world)
    attacks = [Attack(world, world.machine.stranger, f"{where}/file") for where in (point, read_only)]
    for _ in range(TIMES):
        kill(wait_keeper(world.agent.pid))
    wait_keeper(world.agent.pid)
    world.agent.kill()  # and the last one does its duty
    world.journal.wait("agent-lost")
    stick.wait_held(True)
    for attack in attacks:
        assert_refused(attack.finish())
    assert_unwritten(stick, unapproved)


def test_both_killed_at_once_an_unapproved_stick_stays_held_and_nobody_hangs(world):
    """A stick that some may write to is open then, until the next agent is there: docs/architecture.md."""
    (unapproved, read_only), (stick, point) = two_sticks(world)
    attack = Attack(world, world.machine.stranger, f"{read_only}/file")
    reader = Attack(world, world.machine.stranger, f"{point}/file", marker="known to be open")

    def kill_both(agent):
        if agent.process.poll() is not None:
            return  # its predecessor's keeper, about to begin, still had the lock
        assert agent.process.poll() is None, agent.tell()
        os.kill(agent.pid, signal.SIGSTOP)  # so that it starts no other keeper
        kill_keeper(agent)
        agent.process.kill()

    Supervisor(world).kill_again_and_again(TIMES, INTERVAL, kill_both)
    assert_refused(attack.finish())
    totals = reader.finish()
    assert totals["slowest_msec"] < 1000, totals
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=10).finish())
    assert unapproved.held
    assert_unwritten(unapproved, stick)


def test_stopped_it_lets_nothing_through_and_keeps_nobody_waiting(world):
    (unapproved, read_only), (stick, point) = two_sticks(world)
    attacks = [Attack(world, world.machine.stranger, f"{where}/file") for where in (point, read_only)]
    agent = world.agent
    world.suspend(agent.process)
    agent.process.wait(30)  # its keeper takes over from it
    world.journal.wait("agent-lost")
    stick.wait_held(True)
    for attack in attacks:
        assert_refused(attack.finish())
    Supervisor(world).wait_in_force()
    stick.wait_held(False)
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", count=10).finish())
    assert_unwritten(stick, unapproved)


def test_stopped_while_nobody_asked_anything_it_keeps_the_next_one_not_waiting(world):
    """The keeper sleeps then, and is woken by what the agent does not come to read."""
    stick, point = conditional(world)
    keeper = wait_keeper(world.agent.pid)
    wait_until(lambda: sleeps_for_good(keeper), "the keeper sleeps")
    agent = world.agent
    world.suspend(agent.process)
    assert_refused(Attack(world, world.machine.stranger, f"{point}/file", processes=1, count=1).finish())
    agent.process.wait(30)
    world.journal.wait("agent-lost")
    stick.wait_held(True)
    assert_unwritten(stick)


def test_replaced_again_and_again_nothing_leaks_and_nobody_hangs(world):
    """As an upgrade does it: the old one stops, the new one starts meanwhile."""
    (unapproved, read_only), (stick, point) = two_sticks(world)
    attacks = [Attack(world, world.machine.stranger, f"{where}/file") for where in (point, read_only)]
    supervisor = Supervisor(world)
    for _ in range(5):
        old = world.agent
        old.process.send_signal(signal.SIGTERM)
        world.agent = None
        supervisor.wait_in_force()  # tried until the old one has let go
        assert old.process.wait(30) == 0
        old.close()
        wait_until(lambda: not stick.held, "the new one lets go what is approved")
    for attack in attacks:
        assert_refused(attack.finish())
    assert_unwritten(stick, unapproved)


def test_reloaded_again_and_again_every_attempt_is_refused_and_counted(world):
    stick, point = conditional(world)
    attack = Attack(world, world.machine.stranger, f"{point}/file")
    for turn in range(20):
        world.reload_policy(**world.approving(stick, groups=["sekisho-test-zeimu"], name=f"rule {turn}"))
    totals = attack.finish()
    assert_refused(totals)
    records = wait_counted(world, totals["attempts"], uid=world.machine.stranger.uid)
    assert sum(int(record["SEKISHO_COUNT"]) for record in records) == totals["attempts"]
    assert_unwritten(stick)

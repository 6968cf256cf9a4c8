# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes until something holds, and until it can be read."""

import time

from sekisho_machine import STICK_LOOPS
from tools import attach_and_guard, for_others, measure, world_of

HOLD_ROUNDS, HOLD_COUNT = 3, 100
# Fewer in a round than the agent reports path by path before it folds; each round has a stick of its own.
DENIED_ROUNDS, DENIED_COUNT = 5, 30
REFUSED_COUNT, START_ROUNDS = 500, 15


def milliseconds(nanoseconds):
    return [value / 1e6 for value in nanoseconds]


def hold(machine, figures):
    """A stick is there until it is read-only, by the udev rule, with the agent running."""
    rounds = []
    with world_of(machine) as world:
        stick = world.stick(attach=False)
        world.start_agent(removable={"default": "read-only"})
        for _ in range(HOLD_ROUNDS):
            rounds.append(milliseconds(measure("hold", STICK_LOOPS[0], stick.image, HOLD_COUNT)))
            stick.settle()
    figures.put_p99("uevent_to_enforced_p99_ms", rounds)


def many_files(world):
    return world.stick(attach=False, content={str(i): "nothing\n" for i in range(DENIED_COUNT)})


def denied_by_gate(machine, figures):
    rounds, refusals = [], []
    with world_of(machine) as world:
        sticks = [many_files(world) for _ in range(DENIED_ROUNDS)]
        rules = [dict(for_others(stick), name=f"bench stick {i}") for i, stick in enumerate(sticks)]
        world.start_agent(removable={"devices": rules})
        for stick in sticks:
            point = attach_and_guard(world, stick)
            rounds.append(milliseconds(measure("denied", DENIED_COUNT, point)))
            refusals.append(measure("refused", f"{point}/0", REFUSED_COUNT)[0] / 1000)
            stick.detach()
    figures.put_p99("denial_to_journal_p99_ms", rounds)
    figures.put_rounds("deny_us", refusals)


def start(machine, figures):
    """The agent is started until it says that it is in force, with nothing external attached."""
    rounds = []
    with world_of(machine) as world:
        world.write_policy(removable={"default": "read-only"})
        for _ in range(START_ROUNDS):
            begin = time.monotonic()
            agent = world.start_agent()
            rounds.append((time.monotonic() - begin) * 1000)
            agent.stop()
    figures.put_rounds("start_to_ready_ms", rounds)


def denied_by_read_only(machine, figures):
    rounds = []
    with world_of(machine) as world:
        sticks = [many_files(world) for _ in range(DENIED_ROUNDS)]
        world.write_policy(removable={"default": "read-only"})
        for stick in sticks:
            agent = world.start_agent()
            stick.attach()
            stick.wait_held(True)
            point = stick.mount("ro")
            # Told once audit is set as well, which comes after the mark.
            world.journal.wait("superblock-guarded", mount=point)
            rounds.append(milliseconds(measure("denied", DENIED_COUNT, point)))
            stick.detach()
            agent.stop()
    figures.put_p99("denial_read_only_to_journal_p99_ms", rounds)

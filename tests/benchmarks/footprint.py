# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent takes while it does nothing, and what is left of many sticks."""

from processes import footprint, rss_kib
from tools import attach_and_guard, conditional, wait_marked, world_of

ROUNDS, IDLE_SECONDS = 3, 60.0
WARM_UP, STICKS = 200, 200


def idle(machine, figures):
    """Memory and wakeups with one stick mounted for which each open is asked: agent, gate and keeper."""
    rounds = []
    with world_of(machine) as world:
        stick = world.stick(attach=False)
        world.write_policy(removable={"devices": [conditional(stick)]})
        for _ in range(ROUNDS):
            agent = world.start_agent()
            attach_and_guard(world, stick)
            stick.settle()
            world.journal.barrier()
            rounds.append(footprint(agent.pid, IDLE_SECONDS))
            stick.detach()
            agent.stop()
    put_footprint(figures, rounds, "")


def put_footprint(figures, rounds, kind):
    """KIND is in the middle of the names."""
    def put(name, field):
        figures.put_rounds(name, [found[field] for found in rounds])

    put(f"agent_rss{kind}_mib", "rss_mib")
    if all(found["keeper_rss_mib"] for found in rounds):
        put(f"keeper_rss{kind}_mib", "keeper_rss_mib")
    put(f"agent_idle_wakeups{kind}_per_min", "wakeups")
    put(f"agent_idle_cpu{kind}_ms_per_min", "cpu_ms")


def sticks(machine, figures):
    """Each is plugged in, held, mounted, guarded, unmounted and pulled out; a last one shows that the agent is
    through with all before it."""
    with world_of(machine) as world:
        stick, last = world.stick(attach=False), world.stick("last", attach=False)
        agent = world.start_agent(removable={"default": "read-only"})
        _plug(world, stick, WARM_UP)
        before = _rss_when_done(world, agent, last)
        _plug(world, stick, STICKS)
        after = _rss_when_done(world, agent, last)
    figures.put_once("attach_200_rss_growth_kib", after - before)


def _plug(world, stick, count):
    for _ in range(count):
        stick.attach()
        stick.wait_held(True)
        stick.mount("ro")
        wait_marked(world, stick)
        stick.detach()


def _rss_when_done(world, agent, last):
    _plug(world, last, 1)
    last.settle()
    world.journal.barrier()
    return rss_kib(agent.pid)

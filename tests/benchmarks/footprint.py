# SPDX-License-Identifier: GPL-2.0-or-later
"""What the agent takes while it does nothing, and what is left of many sticks."""

import time

from tools import attach_and_guard, by_thread, children, conditional, rss_kib, wait_marked, world_of

ROUNDS, IDLE_SECONDS = 3, 60.0
WARM_UP, STICKS = 200, 200


def idle(machine, figures):
    """Memory and wakeups with one stick mounted for which each open is asked: agent, gate and keeper."""
    agent_rss, keeper_rss, wakeups, busy = [], [], [], []
    with world_of(machine) as world:
        stick = world.stick(attach=False)
        world.write_policy(removable={"devices": [conditional(stick)]})
        for _ in range(ROUNDS):
            agent = world.start_agent()
            attach_and_guard(world, stick)
            stick.settle()
            world.journal.barrier()
            keepers = children(agent.pid)
            agent_rss.append(rss_kib(agent.pid) / 1024)
            keeper_rss.append(sum(rss_kib(pid) for pid in keepers) / 1024)
            woken, took = _over_a_minute([agent.pid, *keepers])
            wakeups.append(woken)
            busy.append(took)
            stick.detach()
            agent.stop()
    figures.put_rounds("agent_rss_mib", agent_rss)
    if all(keeper_rss):
        figures.put_rounds("keeper_rss_mib", keeper_rss)
    figures.put_rounds("agent_idle_wakeups_per_min", wakeups)
    figures.put_rounds("agent_idle_cpu_ms_per_min", busy)


def _over_a_minute(pids):
    """How often their threads went to sleep, and the ms they had a processor; here the time itself is waited for."""
    before, after = {}, {}
    for pid in pids:
        before.update(by_thread(pid))
    time.sleep(IDLE_SECONDS)
    for pid in pids:
        after.update(by_thread(pid))
    pairs = [(count, before.get(thread, (0, 0))) for thread, count in after.items()]
    return sum(now[0] - then[0] for now, then in pairs), sum(now[1] - then[1] for now, then in pairs) / 1e6


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""What an open costs: with and without the guard by turns, so that a machine that changes its speed meanwhile
changes both."""

from fapolicyd import Fapolicyd, Unavailable
from figures import complain
from tools import attach_and_guard, conditional, open_us, wait_marked, world_of

INTERNAL_ROUNDS, INTERNAL_COUNT = 7, 200_000
GUARDED_ROUNDS, GUARDED_COUNT = 5, 20_000


def internal(machine, figures):
    """A B C by turns: without the guard, with it, with it and a read-only stick."""
    without, ratios, with_stick = [], [], []
    with world_of(machine) as world:
        path = world.new_path("internal-file")
        with open(path, "w") as file:
            file.write("internal\n")
        world.write_policy(removable={"default": "read-only"})
        stick = world.stick(attach=False)
        for _ in range(INTERNAL_ROUNDS):
            plain = open_us(path, INTERNAL_COUNT)
            agent = world.start_agent()
            guarded = open_us(path, INTERNAL_COUNT)
            stick.attach()
            stick.wait_held(True)
            point = stick.mount("ro")
            wait_marked(world, stick)
            filtered = open_us(path, INTERNAL_COUNT)
            stick.detach()
            agent.stop()
            without.append(plain)
            ratios.append(guarded / plain)
            with_stick.append(filtered / plain)
    figures.put_rounds("open_internal_us", without)
    figures.put_rounds("open_internal_ratio", ratios)
    figures.put_rounds("open_internal_with_stick_ratio", with_stick)


def guarded(machine, figures):
    """One file on one stick, by turns: asked by our gate, not asked at all, asked by fapolicyd."""
    gate, gate_write, plain, other = [], [], [], []
    with world_of(machine) as world:
        stick = world.stick(attach=False)
        world.write_policy(removable={"devices": [conditional(stick)]})
        for _ in range(GUARDED_ROUNDS):
            agent = world.start_agent()
            point = attach_and_guard(world, stick)
            gate.append(open_us(f"{point}/file", GUARDED_COUNT))
            gate_write.append(open_us(f"{point}/file", GUARDED_COUNT, "write"))
            stick.detach()
            agent.stop()
            stick.attach()
            point = stick.mount("ro")
            plain.append(open_us(f"{point}/file", GUARDED_COUNT))
            if other is not None:
                other = _under_fapolicyd(world, f"{point}/file", plain[-1], other)
            stick.detach()
    figures.put_rounds("open_guarded_gate_us", gate)
    figures.put_rounds("open_guarded_gate_write_us", gate_write)
    figures.put_rounds("open_unguarded_us", plain)
    figures.put_rounds("open_guarded_gate_ratio", [a / b for a, b in zip(gate, plain)])
    if other:
        figures.put_rounds("open_fapolicyd_us", other)
        figures.put_rounds("open_guarded_vs_fapolicyd_ratio", [a / b for a, b in zip(gate, other)])


def _under_fapolicyd(world, path, plain, before):
    """BEFORE and one more value; None once it is clear that there will be none."""
    try:
        with Fapolicyd(world) as fapolicyd:
            took = open_us(path, GUARDED_COUNT, prefix=fapolicyd.prefix)
    except Unavailable as why:
        complain(f"no figure of fapolicyd: {why}")
        return None
    if took < 2 * plain:
        complain(f"no figure of fapolicyd: it does not intercept ({took:.2f} µs beside {plain:.2f} µs)")
        return None
    return [*before, took]



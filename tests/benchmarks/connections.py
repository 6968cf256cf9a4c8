# SPDX-License-Identifier: GPL-2.0-or-later
"""How long it takes until a refused connection is on record, in network namespaces."""

import contextlib

from sekisho_network import Net
from tools import measure, world_of

# Fewer in a round than the agent reports destination by destination before it folds; each round is a person's of its own.
ROUNDS, COUNT, FIRST_UID, FIRST = 5, 30, 61000, "198.51.100.1"


def denied(machine, figures):
    rounds = []
    with world_of(machine) as world, contextlib.closing(Net()) as net:
        world.agent_prefix = net.term.prefix
        net.wait_up()
        world.start_agent("--network", zone="mynumber", network={"default": "deny"})
        for number in range(ROUNDS):
            took = measure("unreachable", COUNT, FIRST, FIRST_UID + number, prefix=net.term.prefix)
            rounds.append([value / 1e6 for value in took])
    figures.put_p99("denied_connect_to_journal_p99_ms", rounds)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports for servers that are told a number and bind it themselves, however often they are started."""

import contextlib
import socket


def _bind(address, port):
    """Nobody else gets it from the kernel, or by binding it, but who asks for SO_REUSEADDR, as servers do: Linux lets them as
    long as this one does not listen. It asks for that itself only once it is bound, so that of two of these one fails."""
    held = socket.socket()
    try:
        held.bind((address, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        held.close()
        raise
    return held


def reserve_ports(world, count=1, address="127.0.0.1"):
    """Neighbours, which stay reserved until WORLD ends."""
    for _ in range(100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            first = stack.enter_context(_bind(address, 0)).getsockname()[1]
            for port in range(first + 1, first + count):
                stack.enter_context(_bind(address, port))
            world.undo(stack.pop_all().close)
            return range(first, first + count)
    raise AssertionError("no free ports")

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: the measuring programs, and the machine's processes as /proc has them."""

import contextlib
import os

from sekisho_machine import GROUP
from sekisho_wait import run, wait_until
from sekisho_world import BUILD, World

MEASURE = os.path.join(BUILD, "tests", "sekisho-measure")
MEASURE_POLICY = os.path.join(BUILD, "tests", "sekisho-measure-policy")
LONG = 120.0


@contextlib.contextmanager
def world_of(machine):
    world = World(machine)
    try:
        yield world
    finally:
        world.close()


def measure(*arguments, prefix=()):
    """Runs the measuring program; the numbers that it prints."""
    return [float(word) for word in run([*prefix, MEASURE, *arguments], deadline=LONG).stdout.split()]


def open_us(path, count, how="read", prefix=()):
    """The median of COUNT turns of open and close, in µs."""
    return measure("open", how, path, count, prefix=prefix)[0] / 1000


def conditional(stick, users=("root",), name="bench stick"):
    """A rule for STICK that has every open asked."""
    return {"name": name, "match": {"serial": stick.serial, "bus": "loop"}, "access": "write", "users": list(users)}


def for_others(stick):
    """A rule that lets a group write in which nobody of the benchmarks is."""
    return {"name": "bench stick", "match": {"serial": stick.serial, "bus": "loop"}, "access": "write",
            "groups": [GROUP]}


def attach_and_guard(world, stick):
    """Plugs in a stick that a rule of the running agent approves for some; mounted writable, with its gate."""
    stick.attach()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="write")
    stick.wait_held(False)
    point = stick.mount("rw")
    wait_marked(world, stick)
    return point


def wait_marked(world, stick):
    """The kernel asks the agent about opens on the file system of STICK."""
    number = os.stat(stick.node).st_rdev
    mark = f"fanotify sdev:{os.major(number) << 20 | os.minor(number):x} "
    directory = f"/proc/{world.agent.pid}/fdinfo"

    def marked():
        for name in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError), open(os.path.join(directory, name)) as file:
                if mark in file.read():
                    return True
        return False

    wait_until(marked, f"the file system of {stick.node} is marked")

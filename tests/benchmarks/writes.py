# SPDX-License-Identifier: GPL-2.0-or-later
"""What an approved stick costs who writes to it: small files, and one large one. The stick's image lies in memory, so
that it is not the disk of this machine that is measured."""

import contextlib
import os

import sekisho_stick
from sekisho_machine import STICK_LOOPS
from sekisho_wait import run
from tools import conditional, measure, wait_marked, world_of

MIB = 1 << 20
STICK, LARGE = 1536 * MIB, 1024 * MIB
ROUNDS, CREATE_COUNT, CREATE_BYTES, WRITE_COUNT = 7, 4000, 4096, 9


def approved(machine, figures):
    """By turns, in an order that changes: no guard, a stick that everybody may write to, one that some may."""
    rounds = {"none": [], "all": [], "some": []}
    with world_of(machine) as world:
        stick = _stick_in_memory(world)
        some = conditional(stick)
        rules = {"all": {key: value for key, value in some.items() if key != "users"}, "some": some}
        for number in range(ROUNDS):
            for how in sorted(rounds, reverse=number % 2):
                with _mounted(world, stick, rules.get(how)) as point:
                    rounds[how].append(_write(point))
    for how, names in {"all": ("create_approved_ratio", "write_approved_ratio"),
                       "some": ("create_approved_gate_ratio", "write_approved_gate_ratio")}.items():
        pairs = list(zip(rounds[how], rounds["none"]))
        figures.put_rounds(names[0], [guarded[0] / plain[0] for guarded, plain in pairs])
        figures.put_rounds(names[1], [plain[1] / guarded[1] for guarded, plain in pairs])  # of throughput


def _stick_in_memory(world):
    memory = world.new_path("memory")
    os.mkdir(memory)
    run(["mount", "-t", "tmpfs", "-o", f"size={STICK + 64 * MIB}", "none", memory])
    world.undo(run, ["umount", memory])
    image = os.path.join(memory, "stick.img")
    sekisho_stick.make_image(image, "ext4", size=STICK)
    with open(image, "r+b") as file:
        os.posix_fallocate(file.fileno(), 0, STICK)  # so that the first round does not pay for memory
    stick = sekisho_stick.Stick(world, image, "ext4", STICK_LOOPS, False)
    world.undo(stick.detach)
    return stick


@contextlib.contextmanager
def _mounted(world, stick, rule):
    """Writable, under an agent with this rule or, without one, as a machine without the guard has it."""
    agent = world.start_agent(removable={"devices": [rule]}) if rule else None
    stick.attach()
    if not agent:
        run(["blockdev", "--setrw", stick.disk])  # the udev rule holds it, since nobody is there who approves it
    stick.wait_held(False)
    point = stick.mount("rw,nodiscard")
    if rule and "users" in rule:
        wait_marked(world, stick)
    yield point
    stick.detach()
    if agent:
        agent.stop()


def _write(point):
    """The ns of one small file, and of the large one."""
    _forget_caches()
    small = measure("create", point, CREATE_COUNT, CREATE_BYTES)[0]
    _forget_caches()
    return small, measure("write", f"{point}/large", LARGE // MIB, WRITE_COUNT)[0]


def _forget_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as to:
        to.write("3\n")

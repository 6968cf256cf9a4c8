# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule that requires encryption: what of a stick is let go, and what is held. The LUKS2 volumes are headers that
udev knows as such; to open one takes device-mapper, which not every kernel has."""

import contextlib
import hashlib
import os
import struct

import pytest
import sekisho_stick
from sekisho_machine import STICK_LOOPS
from sekisho_wait import run, wait_until
from sekisho_world import OPENERS

HEADER_SIZE = 16384


def luks2_header():
    """The first of a volume's two headers. Source: LUKS2 on-disk format, 2.1."""
    area = bytearray(HEADER_SIZE)
    struct.pack_into(">6sHQQ48s32s64s40s48sQ", area, 0, b"LUKS\xba\xbe", 2, HEADER_SIZE, 1, b"", b"sha256", b"",
                     b"5f1c0ffe-0000-4000-8000-7f3a5d0c8d7b", b"", 0)
    area[4096:4098] = b"{}"
    area[448:480] = hashlib.sha256(area).digest()
    return bytes(area)


def luks2_stick(world):
    image = world.new_path("luks2.img")
    with open(image, "wb") as to:
        to.write(luks2_header())
        to.truncate(16 << 20)
    stick = sekisho_stick.Stick(world, image, "crypto_LUKS", STICK_LOOPS, False)
    world.undo(stick.detach)
    return stick


def requiring(*sticks, **more):
    return {"removable": {"default": "read-only", "devices": [
        {"name": f"stick {i}", "match": {"serial": stick.serial}, "access": "write", "encrypted": "required", **more}
        for i, stick in enumerate(sticks)]}}


def writes(world, person, node):
    return world.run_as(person, [OPENERS, "open", "write", node, "a leak 51ab"]).stdout.strip() == "opened"


def verdict_of(world, stick):
    return world.journal.wait("device-verdict", device_serial=stick.serial)


def test_a_closed_volume_waits_to_be_opened_and_a_bare_file_system_is_held(world):
    closed, bare = luks2_stick(world), world.stick(attach=False)
    world.start_agent(**requiring(closed, bare))
    closed.attach()
    bare.attach()
    closed.wait_held(False)
    for stick in (closed, bare):
        record = verdict_of(world, stick)
        assert (record["SEKISHO_VERDICT"], record["SEKISHO_REASON"]) == ("read-only", "not-encrypted")
    assert bare.held
    assert not writes(world, world.machine.root, bare.node)
    assert not writes(world, world.machine.stranger, closed.node)
    if world.asks_about_nodes():
        assert world.run_as(world.machine.root, [OPENERS, "open", "write", closed.node]).stdout.strip() == "opened"
    result = world.ctl("policy", "explain", "device", closed.disk, "--policy", world.policy_directory, check=False)
    assert result.returncode == 1
    assert "encrypted (LUKS2) volume" in result.stdout


def test_a_file_system_past_the_encryption_is_read_only_for_everybody(world):
    stick = world.stick(attach=False)
    world.start_agent(**requiring(stick))
    stick.attach()
    point = stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=point, verdict="read-only")
    run(["mount", "-o", "remount,rw", point], check=False)
    for person in (world.machine.root, world.machine.stranger, world.machine.member):
        assert world.run_as(person, [OPENERS, "open", "write", f"{point}/file"]).stdout.strip() != "opened"
        assert world.run_as(person, [OPENERS, "open", "read", f"{point}/file"]).stdout.strip() == "opened"


def test_a_stick_that_loses_its_header_is_held_again(world):
    stick = luks2_stick(world)
    world.start_agent(**requiring(stick))
    stick.attach()
    stick.wait_held(False)

    def lost():
        # Again, if need be: udevd does not see a writer that closes while it handles the event of another one.
        with contextlib.suppress(PermissionError), open(stick.node, "r+b", buffering=0) as node:
            node.write(bytes(HEADER_SIZE))
            os.fsync(node.fileno())
        return stick.held

    wait_until(lost, f"{stick.node} is held")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_without_the_agent_a_closed_volume_is_held(world, end):
    stick = luks2_stick(world)
    world.start_agent(**requiring(stick))
    stick.attach()
    stick.wait_held(False)
    getattr(world.agent, end)()
    stick.wait_held(True)
    wait_until(lambda: not os.path.exists(os.path.join(world.runtime, "released", "7:%d" % stick.number)),
               "the note that lets it go is gone")


def test_an_approval_without_encryption_lets_it_go_and_one_with_it_holds_it_again(world):
    stick = world.stick()
    world.start_agent(**requiring(stick))
    assert stick.held
    world.reload_policy(**world.approving(stick))
    stick.wait_held(False)
    world.reload_policy(**requiring(stick))
    stick.wait_held(True)

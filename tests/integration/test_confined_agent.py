# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent with a mount namespace of its own, as the unit gives it: it guards the mounts of the machine, tells of
them by the names that people know, and takes them away from people, not from itself."""

import json
import os
import subprocess

import pytest
from sekisho_machine import GROUP
from sekisho_wait import run, wait_until
from sekisho_world import OPENERS


def first_process_can_be_seen():
    try:
        os.stat("/proc/1/ns/mnt")
    except OSError:
        return False
    return True


# ctest has it run below a first process of its own, which may be looked at wherever it runs; there the kernel
# gives no audit, whose records have the names that were opened whoever reads them.
pytestmark = pytest.mark.skipif(not first_process_can_be_seen(),
                                reason="the first process cannot be looked at; try: unshare --pid --fork --kill-child --mount-proc")

LOOPS_EXTERNAL = {"also-external": ["loop"], "default": "read-only"}


@pytest.fixture(params=["shared", "private"])
def confined(world, request):
    """A world whose agents are confined, and whose mounts reach their namespace, or do not."""
    run(["mount", "--bind", world.directory, world.directory])
    world.undo(run, ["umount", "--lazy", world.directory])
    run(["mount", f"--make-{request.param}", world.directory])
    world.confined = True
    return world


def opens(world, person, path, way="write"):
    return world.run_as(person, [OPENERS, "open", way, path]).stdout.strip()


def mount_namespace(pid):
    return os.readlink(f"/proc/{pid}/ns/mnt")


def sees(agent, point):
    """Whether a mount is in the agent's own table."""
    with open(f"/proc/{agent.pid}/mountinfo") as table:
        return any(line.split()[4] == point for line in table)


def is_external(world, name):
    with open(os.path.join(world.runtime, "status.json")) as status:
        return any(device["name"] == name and device["external"] for device in json.load(status)["devices"])


def conditional(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    return stick, point


def test_it_is_elsewhere_and_has_no_more_capabilities_than_the_unit_gives(confined):
    agent = confined.start_agent()
    assert mount_namespace(agent.pid) != mount_namespace(1)
    assert sees(agent, confined.runtime)
    with open(f"/proc/{agent.pid}/status") as status:
        sets = dict(line.split(":", 1) for line in status)
    assert int(sets["CapEff"], 16) & (1 << 13) == 0, "CAP_NET_RAW"
    assert int(sets["CapEff"], 16) & (1 << 18), "CAP_SYS_CHROOT"
    confined.journal.wait("self-test-passed", cause="start")  # by those it has, it tries itself


def test_an_unapproved_stick_is_guarded_by_the_name_that_people_know(confined):
    confined.start_agent()
    stick = confined.stick()
    before = stick.sha256()
    point = stick.mount("ro")
    record = confined.journal.wait("superblock-guarded", mount=point)
    assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial
    for person in (confined.machine.stranger, confined.machine.root):
        assert opens(confined, person, f"{point}/file", "read") == "opened"
        assert opens(confined, person, f"{point}/file") == "EROFS"
    stick.detach()
    assert stick.sha256() == before


def test_a_stick_that_was_mounted_writable_before_is_made_read_only(confined):
    stick = confined.stick(plain=True)
    point = stick.mount("rw")
    confined.start_agent(removable=LOOPS_EXTERNAL)
    confined.journal.wait("superblock-guarded", mount=point)
    assert opens(confined, confined.machine.root, f"{point}/file") == "EROFS"


def test_a_writer_from_before_is_told_of_by_the_path_that_it_opened(confined):
    stick = confined.stick(plain=True)
    point = stick.mount("rw")
    writer = confined.start_as(confined.machine.stranger, [OPENERS, "write-on-lines", f"{point}/file"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "opened\n"
    confined.start_agent(removable=LOOPS_EXTERNAL)
    record = confined.journal.wait("late-writer", path=f"{point}/file")
    assert (record["SEKISHO_UID"], record["SEKISHO_EXE"]) == (str(confined.machine.stranger.uid), OPENERS)
    confined.journal.wait("superblock-guarded", mount=point)
    writer.stdin.write("after the guard came 51d0\n")
    writer.stdin.flush()
    assert writer.stdout.readline().strip() not in ("written", "")


def test_some_write_and_the_others_are_recorded_with_the_path_that_they_opened(confined):
    stick, point = conditional(confined)
    assert opens(confined, confined.machine.member, f"{point}/file") == "opened"
    assert opens(confined, confined.machine.stranger, f"{point}/directory/inner") == "EPERM"
    record = confined.journal.wait("write-denied", uid=confined.machine.stranger.uid)
    assert record["SEKISHO_PATH"] == f"{point}/directory/inner"
    assert (record["SEKISHO_MOUNT"], record["SEKISHO_EXE"]) == (point, OPENERS)
    assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial


def test_what_is_denied_is_taken_out_of_everybodys_sight(confined):
    agent = confined.start_agent(removable={"default": "deny"})
    stick = confined.stick()
    point = stick.mount("ro")
    wait_until(lambda: not os.path.ismount(point), "the mount is gone")
    assert os.listdir(point) == []
    confined.journal.wait("superblock-guarded", mount=point, verdict="deny")
    wait_until(lambda: not sees(agent, point), "the agent keeps none for itself")
    assert agent.process.poll() is None


def test_a_mount_below_another_and_a_second_one_are_guarded_and_taken_away(confined):
    first, second = confined.stick(), confined.stick(name="second")
    point = first.mount("ro")
    again = confined.new_path("again")
    os.mkdir(again)
    run(["mount", "--bind", point, again])
    confined.undo(run, ["umount", again], check=False)
    run(["mount", "-o", "ro", second.node, f"{point}/empty"])
    confined.undo(run, ["umount", f"{point}/empty"], check=False)
    confined.start_agent(removable={"default": "deny"})
    wait_until(lambda: not os.path.ismount(point) and not os.path.ismount(again), "the mounts are gone")


def test_a_loop_device_over_a_file_that_the_agent_cannot_see_inherits(confined):
    confined.start_agent()
    stick = confined.stick(content={"file": "x" * 65536})
    point = stick.mount("ro")
    confined.journal.wait("superblock-guarded", mount=point)
    over = confined.loop_over(f"{point}/file")
    wait_until(lambda: is_external(confined, over.name), "the agent knows what it stands on")
    over.detach()


def test_killed_the_keeper_holds_and_the_next_agent_takes_over(confined):
    stick, point = conditional(confined)
    before = os.open(f"/proc/{confined.agent.pid}/ns/mnt", os.O_RDONLY)  # held, so that its number is not used again
    confined.undo(os.close, before)
    confined.agent.kill()
    for person in (confined.machine.stranger, confined.machine.root, confined.machine.member):
        assert opens(confined, person, f"{point}/file") != "opened", person.name
    confined.journal.wait("agent-lost")
    stick.wait_held(True)
    wait_until(lambda: opens(confined, confined.machine.member, f"{point}/file") == "EROFS",
               "the keeper makes it read-only underneath")
    confined.start_agent()
    assert os.stat(f"/proc/{confined.agent.pid}/ns/mnt").st_ino != os.fstat(before).st_ino
    stick.wait_held(False)
    stick.detach()
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    confined.journal.wait("superblock-guarded", mount=point)
    assert opens(confined, confined.machine.member, f"{point}/file") == "opened"
    assert opens(confined, confined.machine.stranger, f"{point}/file") == "EPERM"


def test_a_stick_can_be_unmounted_and_unplugged_while_it_runs(confined):
    confined.start_agent()
    stick = confined.stick()
    point = stick.mount("ro")
    confined.journal.wait("superblock-guarded", mount=point)
    run(["umount", point])
    stick.detach()


def test_stopped_cleanly_it_leaves_a_conditional_stick_read_only(confined):
    stick, point = conditional(confined)
    confined.agent.stop()
    stick.wait_held(True)
    assert opens(confined, confined.machine.member, f"{point}/file") == "EROFS"

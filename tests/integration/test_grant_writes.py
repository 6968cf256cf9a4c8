# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written under a grant is on record: by its name in any case, and soon, whatever is written beside it; from
wherever the medium is mounted."""

import hashlib
import os
import shutil

import pytest
from sekisho_session import Login
from sekisho_wait import run, wait_until
from test_grants import ONE, bus, give, mounted_for, start, state, stick, write

__all__ = ["bus", "stick"]

HUGE = 60 << 30  # hashed in minutes at the earliest
MANY = 3000  # more than fit between the guard and the journal


@pytest.fixture
def granted(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    login = Login(world, bus, world.machine.member)
    assert mounted_for(world, stick, login)
    stick.login = login
    return stick


def as_person(stick, script):
    assert stick.login.run(script)


def recorded(world, path, deadline=20):
    return world.journal.wait("grant-write", path=path, deadline=deadline)


def test_a_huge_file_keeps_no_small_one_waiting_and_is_told_when_the_guard_ends(world, granted):
    huge, last = f"{granted.point}/huge", f"{granted.point}/last"
    as_person(granted, f"truncate -s {HUGE} {huge}; printf 'a secret' >{last}")
    record = recorded(world, last)
    assert record["SEKISHO_SHA256"] == hashlib.sha256(b"a secret").hexdigest()
    assert not world.journal.select("grant-write", path=huge)
    world.agent.stop()
    told = recorded(world, huge)
    assert told["SEKISHO_ERROR"] == "not hashed: the agent ended" and told["SEKISHO_SIZE"] == str(HUGE)
    assert "SEKISHO_SHA256" not in told and f"{HUGE} bytes" in told["MESSAGE"]


def test_what_is_too_big_to_be_hashed_is_told_at_once(world, granted):
    path = f"{granted.point}/bigger"
    as_person(granted, f"truncate -s 1T {path}")
    told = recorded(world, path)
    assert told["SEKISHO_ERROR"] == "not hashed: it is too big" and told["SEKISHO_SIZE"] == str(1 << 40)


def test_however_many_are_written_each_is_counted_and_on_record(world, granted):
    as_person(granted, f"truncate -s {HUGE} {granted.point}/huge; cd {granted.point}; "
                     f"seq {MANY} | xargs touch")
    world.ctl("grants", "revoke", "1")
    wait_until(lambda: state(world)["writes"] == MANY + 2, "each is counted")
    records = world.journal.wait_all("grant-write", lambda found: len(found) >= MANY + 1, path=lambda path: "/huge" not in path)
    assert len({record["SEKISHO_PATH"] for record in records}) == MANY + 1
    assert all(record["SEKISHO_GRANT"] == "1" for record in records)


@pytest.mark.skipif(not shutil.which("mkfs.btrfs"), reason="there is no mkfs.btrfs")
def test_on_a_file_system_whose_files_say_another_number(world, bus):
    stick = world.stick(fstype="btrfs", attach=False)
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    assert mounted_for(world, stick, Login(world, bus, world.machine.member))
    assert recorded(world, f"{stick.point}/file")["SEKISHO_GRANT"] == "1"


def test_a_mount_that_is_hidden_and_seen_elsewhere(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    hidden, elsewhere = world.new_path("mnt"), world.new_path("elsewhere")
    os.mkdir(hidden)
    os.mkdir(elsewhere)
    world.suspend(world.agent.process)  # it sees the end of it only
    for words in (["-o", "rw", stick.node, hidden], ["--bind", hidden, elsewhere], ["-t", "tmpfs", "none", hidden]):
        run(["mount", *words])
        world.undo(run, ["umount", words[-1]], check=False)
    world.resume(world.agent.process)
    stick.point = elsewhere
    os.chmod(elsewhere, 0o777)
    world.journal.wait("superblock-guarded")
    login = Login(world, bus, world.machine.member)
    wait_until(lambda: write(world, stick, login), "the exception is for who has logged in")
    assert recorded(world, f"{elsewhere}/file")["SEKISHO_GRANT"] == "1"


def test_a_guard_that_sees_no_mounts_of_its_own_records_them_all_the_same(world, bus, stick):
    """As the unit has it: another mount namespace, which the mount does not reach."""
    try:
        os.stat("/proc/1/ns/mnt")
    except OSError:
        pytest.skip("the first process cannot be looked at; try: unshare --pid --fork --kill-child --mount-proc")
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    login = Login(world, bus, world.machine.member)
    world.agent.stop()
    run(["mount", "--bind", world.directory, world.directory])
    world.undo(run, ["umount", "--lazy", world.directory])
    run(["mount", "--make-private", world.directory])
    world.confined = True
    world.start_agent()
    assert mounted_for(world, stick, login)
    assert recorded(world, f"{stick.point}/file")["SEKISHO_GRANT"] == "1"

# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems in user space lead out of the terminal as well: what no rule names is for reading only."""

import os

import pytest
from sekisho_machine import GROUP
from sekisho_wait import run, wait_until
from sekisho_world import OPENERS

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="this kernel has no FUSE")


class Bind:
    """A directory shown again by bindfs, which stands for a file system that ends who knows where."""

    def __init__(self, world):
        self.world = world
        self.source, self.point = world.new_path("source"), world.new_path("bindfs")
        for directory in (self.source, self.point):
            os.mkdir(directory)
            os.chmod(directory, 0o777)
        self.file = os.path.join(self.source, "file")
        with open(self.file, "w") as to:
            to.write("what was there before\n")
        os.chmod(self.file, 0o666)

    def mount(self):
        run(["bindfs", "-o", "allow_other", self.source, self.point])
        self.world.undo(run, ["umount", "--lazy", self.point], check=False)
        wait_until(lambda: os.path.ismount(self.point), "bindfs is mounted")
        return self

    @property
    def fstype(self):
        return run(["findmnt", "-n", "-o", "FSTYPE", self.point]).stdout.strip()

    def before(self):
        with open(self.file) as file:
            return file.read() == "what was there before\n" and os.listdir(self.source) == ["file"]


def open_in(world, person, way, path, *text):
    return world.run_as(person, [OPENERS, "open", way, path, *text]).stdout.strip()


@pytest.mark.parametrize("first", ["agent", "mount"])
@pytest.mark.parametrize("who", ["root", "stranger"])
def test_unapproved_it_can_be_read_and_not_written(world, first, who):
    bind = Bind(world)
    if first == "mount":
        bind.mount()
    world.start_agent()
    if first == "agent":
        bind.mount()
    world.journal.wait("superblock-guarded", mount=bind.point)
    person = getattr(world.machine, who)
    for way in ("write", "append", "truncate", "create", "create-exclusively", "read-truncate", "uring"):
        assert open_in(world, person, way, f"{bind.point}/file") in ("EPERM", "EROFS", "EACCES"), way
    for argv in (["mkdir", f"{bind.point}/made"], ["ln", "-s", "secret", f"{bind.point}/link"],
                 ["rm", "-f", f"{bind.point}/file"], ["truncate", "-s", "0", f"{bind.point}/file"],
                 ["mv", f"{bind.point}/file", f"{bind.point}/moved"]):
        assert world.run_as(person, argv).returncode != 0, argv
    assert world.run_as(person, ["cat", f"{bind.point}/file"]).stdout == "what was there before\n"
    assert bind.before()


def test_a_refused_write_leaves_a_record(world):
    world.start_agent()
    world.need_audit()
    bind = Bind(world).mount()
    world.journal.wait("superblock-guarded", mount=bind.point)
    assert open_in(world, world.machine.stranger, "write", f"{bind.point}/file") != "opened"
    record = world.journal.wait("write-denied", uid=world.machine.stranger.uid, exe=OPENERS)
    assert record["SEKISHO_PATH"] == f"{bind.point}/file"
    assert record["SEKISHO_FSTYPE"] == bind.fstype
    assert record["SEKISHO_RULE"] == "filesystems.default"


@pytest.mark.parametrize("who, expected", [("member", "opened"), ("stranger", "EPERM"), ("root", "EPERM")])
def test_approved_for_a_group_its_members_write_and_nobody_else(world, who, expected):
    bind = Bind(world).mount()
    world.start_agent(filesystems={"allow": [{"name": "shown directory", "type": bind.fstype, "access": "write",
                                              "groups": [GROUP]}]})
    world.journal.wait("superblock-guarded", mount=bind.point)
    person = getattr(world.machine, who)
    assert open_in(world, person, "append", f"{bind.point}/file", "more") == expected
    assert open_in(world, person, "read", f"{bind.point}/file") == "opened"
    with open(bind.file) as file:
        assert ("more" in file.read()) == (expected == "opened")


def test_approved_for_everybody_it_is_not_guarded(world):
    bind = Bind(world).mount()
    world.start_agent(filesystems={"allow": [{"name": "shown directory", "type": bind.fstype, "access": "write"}]})
    assert open_in(world, world.machine.stranger, "append", f"{bind.point}/file", "more") == "opened"
    world.journal.barrier()
    assert not world.journal.select("superblock-guarded", mount=bind.point)


def test_a_rule_for_another_type_approves_nothing(world):
    bind = Bind(world).mount()
    world.start_agent(filesystems={"allow": [{"name": "another", "type": "fuse.sshfs", "access": "write"}]})
    world.journal.wait("superblock-guarded", mount=bind.point)
    assert open_in(world, world.machine.root, "write", f"{bind.point}/file") != "opened"

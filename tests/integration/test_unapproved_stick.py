# SPDX-License-Identifier: GPL-2.0-or-later
"""A stick that no policy names can be read and not written, whoever tries, with or without the agent."""

import contextlib
import grp
import os
import shutil

import pytest
from sekisho_wait import run

# name, argv; {mnt} is where the stick is mounted, {new} a name on it that is not taken.
ATTEMPTS_ON_FILES = [
    ("copy a file to it", ["cp", "/etc/os-release", "{mnt}/copy"]),
    ("overwrite with dd", ["dd", "if=/dev/zero", "of={mnt}/file", "bs=16", "count=1", "conv=notrunc"]),
    ("append to a file", ["tee", "-a", "{mnt}/directory/inner"]),
    ("make a directory", ["mkdir", "{mnt}/made"]),
    ("make a symbolic link", ["ln", "-s", "a secret of up to four kilobytes", "{mnt}/link"]),
    ("make a hard link", ["ln", "{mnt}/directory/inner", "{mnt}/hard"]),
    ("make a pipe", ["mkfifo", "{mnt}/pipe"]),
    ("rename a file", ["mv", "-n", "{mnt}/file", "{mnt}/moved"]),
    ("truncate a file", ["truncate", "-s", "3", "{mnt}/file"]),
    ("remove a file", ["rm", "-f", "{mnt}/directory/inner"]),
    ("remove a directory", ["rmdir", "{mnt}/empty"]),
    ("change a mode", ["chmod", "0600", "{mnt}/file"]),
    ("change a time", ["touch", "-m", "-d", "2001-01-01", "{mnt}/file"]),
    ("set an attribute", ["setfattr", "-n", "user.secret", "-v", "x", "{mnt}/file"]),
]
ATTEMPTS_ON_FILES_BY_ROOT = [
    ("change an owner", ["chown", "1", "{mnt}/file"]),
    ("make a node", ["mknod", "{mnt}/node", "c", "1", "3"]),
]
# Never makes a file where there is no node, and waits for what the device below says.
WRITE_AND_SYNC = ["dd", "if=/dev/zero", "of={node}", "bs=512", "count=1", "conv=notrunc,nocreat,fsync"]
ATTEMPTS_ON_THE_NODE = [
    ("write the node with dd", WRITE_AND_SYNC),
    ("copy an image onto the node", ["cp", "/etc/os-release", "{node}"]),
    ("make an ext4", ["mkfs.ext4", "-q", "-F", "{node}"]),
    ("wipe signatures", ["wipefs", "--all", "--force", "{node}"]),
    ("set a label", ["tune2fs", "-L", "secret", "{node}"]),
    ("preallocate on the node", ["fallocate", "-p", "-o", "0", "-l", "4096", "{node}"]),
]


def fill(argv, **names):
    return [argument.format(**names) for argument in argv]


def executable(argv):
    return os.path.realpath(shutil.which(argv[0]))


def people(world):
    """Root, and a user who has the device's group: file modes alone would let both write."""
    return [(world.machine.root, ()), (world.machine.stranger, (grp.getgrnam("disk").gr_gid,))]


def assert_all_fail(world, attempts, persons=None, before_each=lambda: None, **names):
    went_through = []
    for person, groups in persons or people(world):
        for name, argv in attempts:
            before_each()
            if world.run_as(person, fill(argv, **names), groups=groups).returncode == 0:
                went_through.append(f"{name} as {person.name}")
    assert not went_through


def assert_readable(point):
    assert open(os.path.join(point, "file")).read() == "what was there before\n"


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_the_udev_rule_alone_holds_it_before_there_is_an_agent(world, fstype):
    stick = world.stick(fstype=fstype)
    before = stick.sha256()
    stick.wait_held(True)

    assert_all_fail(world, ATTEMPTS_ON_THE_NODE, node=stick.node)
    point = stick.mount("ro")
    assert_readable(point)
    run(["mount", "-o", "remount,rw", point], check=False)
    assert_all_fail(world, ATTEMPTS_ON_FILES, mnt=point)
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_with_the_agent_nobody_writes_and_everybody_reads(world, fstype):
    world.start_agent()
    stick = world.stick(fstype=fstype)
    before = stick.sha256()
    stick.wait_held(True)

    assert_all_fail(world, ATTEMPTS_ON_THE_NODE, node=stick.node)
    point = stick.mount("ro")
    assert_readable(point)
    assert world.run_as(world.machine.stranger, ["cat", f"{point}/directory/inner"]).stdout == "inner\n"
    assert_all_fail(world, ATTEMPTS_ON_FILES, mnt=point)
    assert_all_fail(world, ATTEMPTS_ON_FILES_BY_ROOT, persons=[(world.machine.root, ())], mnt=point)
    assert fstype in run(["blkid", "--probe", stick.node]).stdout
    stick.detach()
    assert stick.sha256() == before


def test_it_is_held_when_it_was_plugged_in_before_the_agent_started(world):
    stick = world.stick()
    before = stick.sha256()
    world.start_agent()
    assert stick.held
    assert_all_fail(world, ATTEMPTS_ON_THE_NODE, node=stick.node)
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_mounting_it_writable_gives_nothing_to_write_to(world, agent):
    if agent:
        world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    point = stick.mount("rw", check=False)  # mount(8) may fall back to read-only and say so
    if point:
        assert_readable(point)
        assert_all_fail(world, ATTEMPTS_ON_FILES, mnt=point)
        assert run(["mount", "-o", "remount,rw", point], check=False).returncode != 0
    assert run(["mount", "-o", "rw,remount", stick.node], check=False).returncode != 0
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_its_partitions_and_partition_table_are_held_too(world, agent):
    if agent:
        world.start_agent()
    stick = world.stick(partitioned=True)
    before = stick.sha256()
    stick.wait_held(True)
    for node in (stick.disk, stick.node):
        assert_all_fail(world, ATTEMPTS_ON_THE_NODE, before_each=stick.find_partition, node=node)
    stick.find_partition()
    point = stick.mount("ro")
    assert_readable(point)
    assert_all_fail(world, ATTEMPTS_ON_FILES, mnt=point)
    stick.umount(point)
    assert_all_fail(world, [
        ("delete the partitions", ["sfdisk", "--delete", stick.disk]),
        ("write a new table", ["sh", "-c", 'echo "label: gpt" | sfdisk --force "$0"', stick.disk]),
        ("activate a partition", ["sfdisk", "--activate", stick.disk, "1"]),
    ])
    # The kernel can be told of another partition without anything being written: it is no way out either.
    if agent:
        assert run(["addpart", stick.disk, "3", "4096", "2048"], check=False).returncode != 0
    with contextlib.suppress(OSError):
        stick.tell_partition(1, 0, None)  # where it takes up the room; sfdisk may have forgotten it above
    stick.tell_partition(2, 4096 * 512, 2048 * 512)
    stick.settle()
    other = stick.disk + "p2"
    assert_all_fail(world, [("write the new partition", WRITE_AND_SYNC)], node=other)
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_a_loop_device_over_its_node_inherits(world, agent):
    if agent:
        world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    over = world.loop_over(stick.node)
    assert_all_fail(world, [("write the loop device over it", WRITE_AND_SYNC)], node=over.disk)
    over.detach()
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_a_loop_device_over_a_file_on_it_inherits(world, agent):
    if agent:
        world.start_agent()
    stick = world.stick(content={"file": "x" * 65536})
    before = stick.sha256()
    point = stick.mount("ro")
    over = world.loop_over(f"{point}/file")
    assert_all_fail(world, [("write the loop device over its file", WRITE_AND_SYNC)], node=over.disk)
    over.detach()
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_a_device_mapper_target_over_it_inherits(world, agent):
    if run(["dmsetup", "version"], check=False).returncode != 0:
        pytest.skip("this kernel has no device mapper")
    if agent:
        world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    name = f"sekisho-test-{os.getpid()}"
    sectors = os.path.getsize(stick.image) // 512
    result = run(["dmsetup", "create", name, "--noudevsync", "--table", f"0 {sectors} linear {stick.node} 0"],
                 check=False)
    if result.returncode != 0:  # a table that wants to write on a read-only device is refused: as good
        run(["dmsetup", "create", name, "--noudevsync", "--readonly", "--table", f"0 {sectors} linear {stick.node} 0"])
    world.undo(run, ["dmsetup", "remove", "--force", name], check=False)
    assert_all_fail(world, [("write the mapped device", WRITE_AND_SYNC)], node=f"/dev/mapper/{name}")
    run(["dmsetup", "remove", "--retry", name])
    stick.detach()
    assert stick.sha256() == before


def test_every_attempt_on_its_files_leaves_a_record_of_who_what_and_where(world):
    world.start_agent()
    world.need_audit()
    stick = world.stick()
    point = stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=point)
    missing = []
    for person, groups in people(world):
        for name, argv in ATTEMPTS_ON_FILES:
            argv = fill(argv, mnt=point)
            assert world.run_as(person, argv, groups=groups).returncode != 0
            try:
                record = world.journal.wait("write-denied", deadline=5, exe=executable(argv), uid=person.uid,
                                            cmdline=lambda value, argv=argv: argv[-1] in value)
            except AssertionError:
                missing.append(f"{name} as {person.name}")
                continue
            assert record["SEKISHO_DEVICE_BUS"] == "loop", name
            assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial, name
            assert record["SEKISHO_PATH"].startswith(point), (name, record["SEKISHO_PATH"])
            assert record["SEKISHO_RULE"] == "removable.default", name
            assert record["SEKISHO_VERDICT"] == "deny", name
            assert record["MESSAGE_ID"] == "6601ec7f17b44a1a88fb7cb3bb75a96e", name
    assert not missing, "no record of: " + "; ".join(missing)


def test_every_attempt_on_its_node_leaves_a_record_of_who_what_and_where(world):
    world.start_agent()
    stick = world.stick()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="read-only")
    missing = []
    for person, groups in people(world):
        for name, argv in ATTEMPTS_ON_THE_NODE:
            argv = fill(argv, node=stick.node)
            assert world.run_as(person, argv, groups=groups).returncode != 0
            try:
                record = world.journal.wait("raw-write-denied", deadline=5, exe=executable(argv), uid=person.uid)
            except AssertionError:
                missing.append(f"{name} as {person.name}")
                continue
            assert record["SEKISHO_DEVICE_BUS"] == "loop", name
            assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial, name
            assert record["SEKISHO_PATH"] == stick.node, name
            assert record["SEKISHO_RULE"] == "removable.default", name
    assert not missing, "no record of: " + "; ".join(missing)


def test_a_node_made_by_hand_is_no_way_round(world):
    world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    number = os.stat(stick.node).st_rdev
    node = world.new_path("node")
    run(["mknod", node, "b", str(os.major(number)), str(os.minor(number))])
    assert_all_fail(world, ATTEMPTS_ON_THE_NODE, persons=[(world.machine.root, ())], node=node)
    stick.detach()
    assert stick.sha256() == before


def test_another_mount_namespace_is_no_way_round(world):
    world.start_agent()
    stick = world.stick()
    before = stick.sha256()
    point = world.new_path("inner")
    os.mkdir(point)
    script = 'mount -o rw "$0" "$1" && cp /etc/os-release "$1/copy"'
    assert run(["unshare", "--mount", "sh", "-c", script, stick.node, point], check=False).returncode != 0
    assert run(["unshare", "--mount", "sh", "-c", 'mount -o ro "$0" "$1" && cat "$1/file"', stick.node,
                point]).stdout == "what was there before\n"
    stick.detach()
    assert stick.sha256() == before

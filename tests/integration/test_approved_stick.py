# SPDX-License-Identifier: GPL-2.0-or-later
"""A stick that a rule approves for some people or hours: they write, the others are refused and recorded."""

import os
import subprocess

import pytest
from sekisho_faults import suspend_keeper
from sekisho_machine import GROUP
from sekisho_wait import DEADLINE, run, wait_until
from sekisho_world import OPENERS, hours_around

WRITTEN = "written with permission 7f3a"
WAYS = [line.split() for line in subprocess.run([OPENERS, "ways"], stdout=subprocess.PIPE, text=True,
                                                check=True).stdout.splitlines()] if os.path.exists(OPENERS) else []
WRITING_WAYS = [way for way, kind in WAYS if kind == "write"]
READING_WAYS = [way for way, kind in WAYS if kind == "read"]


def open_in(world, person, way, path, *text):
    result = world.run_as(person, [OPENERS, "open", way, path, *text])
    if result.returncode == 77:
        pytest.skip(f"this kernel does not know: {way}")
    return result.stdout.strip()


def approved(world, mount="rw", before_agent=False, **rule):
    """A stick that a rule approves with these limits, mounted; returns it and where."""
    stick = world.stick(attach=before_agent)
    world.start_agent(**world.approving(stick, **rule))
    if not before_agent:
        stick.attach()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="write")
    stick.wait_held(False)
    point = stick.mount(mount)
    if rule.keys() & {"groups", "users", "hours"}:
        world.journal.wait("superblock-guarded", mount=point)
    return stick, point


def test_what_is_held_takes_no_discards_and_what_is_let_go_is_no_failure(world):
    stick = world.stick()
    queue = f"/sys/class/block/{stick.name}/queue"

    def read(name):
        with open(f"{queue}/{name}") as file:
            return int(file.read())

    if not read("discard_max_hw_bytes"):
        pytest.skip("loop devices take no discards here")
    world.start_agent(removable={"default": "read-only"})
    wait_until(lambda: stick.held and read("discard_max_bytes") == 0, "it is held, and takes no discards")
    restorable = read("discard_granularity") > 0
    world.reload_policy(**world.approving(stick))
    wait_until(lambda: not stick.held and (read("discard_max_bytes") > 0) == restorable, "it is let go")
    assert not world.journal.select("enforcement-failed")


# who may, in what hours, who tries, what comes of it
PERSONS_AND_HOURS = [
    ("a member in hours", {"groups": [GROUP], "hours": "inside"}, "member", "opened"),
    ("a member out of hours", {"groups": [GROUP], "hours": "outside"}, "member", "EPERM"),
    ("a stranger in hours", {"groups": [GROUP], "hours": "inside"}, "stranger", "EPERM"),
    ("a stranger out of hours", {"groups": [GROUP], "hours": "outside"}, "stranger", "EPERM"),
    ("root in hours", {"groups": [GROUP], "hours": "inside"}, "root", "EPERM"),
    ("a named user", {"users": ["sekisho-test-stranger"]}, "stranger", "opened"),
    ("somebody else than the named user", {"users": ["sekisho-test-stranger"]}, "member", "EPERM"),
    ("anybody in hours", {"hours": "inside"}, "stranger", "opened"),
    ("anybody out of hours", {"hours": "outside"}, "stranger", "EPERM"),
    ("anybody where the rule has no limits", {}, "stranger", "opened"),
]


@pytest.mark.parametrize("before_agent", [False, True], ids=["plugged in later", "plugged in before"])
@pytest.mark.parametrize("_name, rule, who, expected", PERSONS_AND_HOURS, ids=[row[0] for row in PERSONS_AND_HOURS])
def test_who_writes_and_who_is_refused(world, _name, rule, who, expected, before_agent):
    person = getattr(world.machine, who)
    rule = dict(rule)
    if "hours" in rule:
        rule["hours"] = hours_around(inside=rule["hours"] == "inside")
    stick, point = approved(world, before_agent=before_agent, **rule)

    assert open_in(world, person, "append", f"{point}/file", WRITTEN) == expected
    assert open_in(world, person, "read", f"{point}/file") == "opened"
    if expected == "EPERM":
        record = world.journal.wait("write-denied", uid=person.uid, path=f"{point}/file")
        assert record["SEKISHO_EXE"] == OPENERS
        assert record["SEKISHO_RULE"] == "test stick"
        assert record["SEKISHO_OPERATION"] == "open-write"
        assert record["SEKISHO_DEVICE_BUS"] == "loop"
        assert record["SEKISHO_DEVICE_SERIAL"] == stick.serial
        assert record["SEKISHO_FSTYPE"] == "ext4"
    stick.detach()
    assert stick.contains(WRITTEN) == (expected == "opened")


def test_a_member_makes_copies_removes_and_renames(world):
    stick, point = approved(world, groups=[GROUP])
    for argv in (["cp", "/etc/os-release", f"{point}/copy"], ["mkdir", f"{point}/made"],
                 ["mv", f"{point}/copy", f"{point}/made/moved"], ["rm", f"{point}/directory/inner"],
                 ["ln", "-s", "made", f"{point}/link"]):
        result = world.run_as(world.machine.member, argv)
        assert result.returncode == 0, (argv, result.stderr, world.tell())
    stick.detach()
    listing = run(["debugfs", "-R", "ls /made", stick.image]).stdout
    assert "moved" in listing


@pytest.mark.parametrize("way", [way for way in WRITING_WAYS if way != "handle"])  # that takes a capability
def test_a_stranger_is_refused_whatever_the_way_of_opening(world, way):
    stick, point = approved(world, groups=[GROUP])
    assert open_in(world, world.machine.stranger, way, f"{point}/file", WRITTEN) in ("EPERM", "EACCES")
    world.journal.wait("write-denied", uid=world.machine.stranger.uid, exe=OPENERS, device_serial=stick.serial)
    assert run(["cat", f"{point}/file"]).stdout == "what was there before\n"
    stick.detach()
    assert not stick.contains(WRITTEN)


@pytest.mark.parametrize("way", [way for way in WRITING_WAYS if way != "handle"])
def test_a_member_may_open_in_whatever_way(world, way):
    _, point = approved(world, groups=[GROUP])
    assert open_in(world, world.machine.member, way, f"{point}/file") == "opened"


@pytest.mark.parametrize("way", READING_WAYS)
def test_a_stranger_may_read_in_whatever_way(world, way):
    _, point = approved(world, groups=[GROUP])
    assert open_in(world, world.machine.stranger, way, f"{point}/file") == "opened"
    assert world.run_as(world.machine.stranger, ["ls", "-lR", point]).returncode == 0


def test_root_by_handle_is_refused(world):
    _, point = approved(world, groups=[GROUP])
    assert open_in(world, world.machine.root, "handle", f"{point}/file", WRITTEN) == "EPERM"


@pytest.mark.parametrize("who", ["root", "stranger"])
def test_its_raw_node_is_closed_to_whom_the_rule_does_not_name(world, who):
    stick, _ = approved(world, groups=[GROUP])
    if not world.asks_about_nodes():
        pytest.skip("this kernel asks nobody about device nodes")
    person = getattr(world.machine, who)
    os.chmod(stick.node, 0o666)  # file modes shall not be what refuses
    assert open_in(world, person, "write", stick.node, WRITTEN) != "opened"
    world.journal.wait("raw-write-denied", uid=person.uid, exe=OPENERS, device_serial=stick.serial)
    stick.detach()
    assert not stick.contains(WRITTEN)


def test_a_second_mount_of_it_is_guarded_as_well(world):
    stick, point = approved(world, groups=[GROUP])
    other = stick.mount("rw")
    for mount in (point, other):
        assert open_in(world, world.machine.stranger, "write", f"{mount}/file") == "EPERM"
        assert open_in(world, world.machine.member, "write", f"{mount}/file") == "opened"


def mount_id(point):
    with open("/proc/self/mountinfo") as table:
        return next(line.split()[0] for line in table if line.split()[4] == point)


def test_a_mount_that_takes_the_place_of_another_unseen_is_guarded_as_well(world):
    """Device number and mount id are used again: nothing in the mount table tells the two apart."""
    stick, point = approved(world, groups=[GROUP])
    before = mount_id(point)

    def mounted_with_the_same_id():
        nonlocal point
        stick.umount(point)
        point = stick.mount("rw")
        return mount_id(point) == before

    go_on = suspend_keeper(world)  # first: it would end a stopped agent
    world.suspend(world.agent.process)
    wait_until(mounted_with_the_same_id, "the kernel gives the mount's id again")
    world.resume(world.agent.process)
    go_on()
    world.journal.wait("superblock-guarded", mount=point)
    assert open_in(world, world.machine.stranger, "write", f"{point}/file") == "EPERM"


def test_a_mount_in_another_namespace_is_guarded_as_well(world):
    stick, _ = approved(world, groups=[GROUP])
    inner = world.new_path("inner")
    os.mkdir(inner)
    script = 'mount -o rw "$0" "$1" && exec "$2" open write "$1/file"'
    result = run(["unshare", "--mount", "sh", "-c", script, stick.node, inner, OPENERS], check=False)
    assert result.stdout.strip() == "EPERM"


def test_a_mount_out_of_sight_goes_by_the_policy_in_force(world):
    """In a namespace of somebody's own, after it was unmounted where everybody sees it."""
    stick, point = approved(world, groups=[GROUP])

    def hidden(script):
        process = world.start_as(world.machine.member, [
            "unshare", "--user", "--map-root-user", "--mount", "--propagation", "private", "sh", "-c", script, OPENERS, point],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().strip() in ("there", "opened")
        return process

    asking = hidden('echo there; while read line; do "$0" open write "$1/file"; done')
    writing = hidden('exec "$0" write-on-lines "$1/file"')

    def asked():
        asking.stdin.write("\n")
        asking.stdin.flush()
        return asking.stdout.readline().strip()

    run(["umount", point])  # the directory stays: without it the kernel takes the mount from every namespace
    assert asked() == "opened"
    world.reload_policy(removable={"also-external": ["loop"], "default": "read-only"})
    assert asked() in ("EPERM", "EROFS")
    assert writing.wait(DEADLINE) != 0
    world.journal.wait("late-writer", uid=world.machine.member.uid)


def test_an_expired_rule_approves_nobody(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, expires="2020-01-31"))
    stick.attach()
    record = world.journal.wait("device-verdict", device_serial=stick.serial, verdict="read-only")
    assert record["SEKISHO_REASON"] == "rule-expired"
    assert stick.held


def test_a_rule_for_another_serial_approves_nothing(world):
    stick, other = world.stick(attach=False), world.stick(name="other", attach=False)
    world.start_agent(**world.approving(other))
    stick.attach()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="read-only")
    assert stick.held


def test_an_unplugged_number_does_not_keep_its_approval(world):
    """A stick that takes the place of an approved one, even its device number, is held."""
    stick, other = world.stick(attach=False), world.stick(name="other", attach=False)
    world.start_agent(**world.approving(stick))
    stick.attach()
    stick.wait_held(False)
    number = stick.number
    stick.detach()
    other.attach(number)
    assert other.number == number
    other.wait_held(True)
    world.journal.wait("device-verdict", device_serial=other.serial, verdict="read-only")
    assert other.held


def test_monitor_mode_records_and_lets_through(world):
    stick = world.stick(attach=False)
    world.start_agent(mode="monitor", **world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    assert open_in(world, world.machine.stranger, "append", f"{point}/file", WRITTEN) == "opened"
    record = world.journal.wait("write-denied", uid=world.machine.stranger.uid, path=f"{point}/file")
    assert record["SEKISHO_MODE"] == "monitor"

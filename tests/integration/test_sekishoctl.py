# SPDX-License-Identifier: GPL-2.0-or-later
"""What an admin sees: sekishoctl's status, devices, events and explanations, for people and as JSON."""

import datetime
import json

import pytest
from sekisho_machine import GROUP, MEMBER, STRANGER
from sekisho_world import OPENERS, hours_around


@pytest.fixture
def scene(world):
    """An agent, a stick approved for a group, one that is not approved, and a refused write on each."""
    world.approved_stick = world.stick(name="approved", attach=False)
    world.other_stick = world.stick(name="other", attach=False)
    world.start_agent(**world.approving(world.approved_stick, groups=[GROUP]))
    world.approved_stick.attach()
    world.other_stick.attach()
    world.approved_stick.wait_held(False)
    world.point = world.approved_stick.mount("rw")
    world.other_point = world.other_stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=world.point)
    world.journal.wait("superblock-guarded", mount=world.other_point)
    refuse(world, world.machine.stranger)
    return world


def refuse(world, person):
    result = world.run_as(person, [OPENERS, "open", "write", f"{world.point}/file"])
    assert result.stdout == "EPERM\n"
    world.journal.wait("write-denied", uid=person.uid, device_serial=world.approved_stick.serial)


def events(world, *filters, check=True):
    return json.loads(world.ctl("events", "--json", *filters, check=check).stdout or "[]")


def test_status_tells_that_the_guard_is_in_force(scene):
    status = json.loads(scene.ctl("status", "--json", "--runtime-dir", scene.runtime).stdout)
    assert status["mode"] == "enforce"
    assert status["policy"]["serial"] == 1
    guards = {superblock["mount"]: superblock["guard"] for superblock in status["superblocks"]}
    assert guards[scene.point] == "gate"
    assert guards[scene.other_point] == "gate+read-only"
    text = scene.ctl("status", "--runtime-dir", scene.runtime).stdout
    assert scene.point in text


def test_status_tells_that_the_guard_is_gone(scene):
    scene.agent.kill()
    scene.journal.wait("agent-lost")
    assert scene.ctl("status", "--runtime-dir", scene.runtime, check=False).returncode == 1


def test_status_without_an_agent_says_no(world):
    assert world.ctl("status", "--runtime-dir", world.runtime, check=False).returncode == 1


def test_devices_lists_what_may_be_done_with_each(scene):
    answer = json.loads(scene.ctl("devices", "--json", "--runtime-dir", scene.runtime).stdout)
    devices = {device["serial"]: device for device in (answer["devices"] if isinstance(answer, dict) else answer)}
    approved, other = devices[scene.approved_stick.serial], devices[scene.other_stick.serial]
    assert (approved["access"], approved["conditional"], approved["rule"]) == ("write", True, "test stick")
    assert (other["access"], other["conditional"], other["rule"]) == ("read-only", False, "removable.default")
    assert approved["bus"] == other["bus"] == "loop"
    assert approved["enforced"] and other["enforced"]


def test_events_has_who_what_where_and_which_rule(scene):
    denied = [event for event in events(scene, "--device", scene.approved_stick.serial)
              if event["event"] == "write-denied"]
    assert len(denied) == 1
    event = denied[0]
    assert event["uid"] == scene.machine.stranger.uid
    assert event["exe"] == OPENERS
    assert event["path"] == f"{scene.point}/file"
    assert event["rule"] == "test stick"
    assert event["device_bus"] == "loop"
    assert event["trusted"] is True


def test_events_filters_by_user_device_rule_kind_and_time(scene):
    refuse(scene, scene.machine.root)
    of_device = ("--device", scene.approved_stick.serial, "--event", "write-denied")
    tomorrow = f"{datetime.datetime.now() + datetime.timedelta(days=1):%Y-%m-%d %H:%M}"
    for filters, uids in [
            (of_device, {0, scene.machine.stranger.uid}),
            ((*of_device, "--user", STRANGER), {scene.machine.stranger.uid}),
            ((*of_device, "--user", str(scene.machine.stranger.uid)), {scene.machine.stranger.uid}),
            ((*of_device, "--user", "root"), {0}),
            ((*of_device, "--user", MEMBER), set()),
            ((*of_device, "--rule", "test stick"), {0, scene.machine.stranger.uid}),
            ((*of_device, "--rule", "removable.default"), set()),
            ((*of_device, "--since", "-1h"), {0, scene.machine.stranger.uid}),
            ((*of_device, "--since", tomorrow), set()),
            ((*of_device, "--until", "-1h"), set()),
            (("--device", scene.approved_stick.serial, "--event", "read-denied"), set()),
            (("--device", "no such device", "--event", "write-denied"), set()),
    ]:
        found = events(scene, *filters, check=False)
        assert {event["uid"] for event in found} == uids, filters


def test_events_for_people_names_the_program_and_the_user(scene):
    text = scene.ctl("events", "--device", scene.approved_stick.serial).stdout
    assert "write-denied" in text and STRANGER in text and "sekisho-openers" in text


def test_events_takes_no_forged_record_for_the_guards(scene):
    scene.run_as(scene.machine.stranger, ["logger", "--journald"],
                 input="SEKISHO_EVENT=write-denied\nMESSAGE_ID=6601ec7f17b44a1a88fb7cb3bb75a96e\n"
                       f"SEKISHO_DEVICE_SERIAL={scene.approved_stick.serial}\nSEKISHO_UID=0\nMESSAGE=forged\n")
    scene.journal.wait("write-denied", uid=0)
    filters = ("--device", scene.approved_stick.serial, "--user", "root", "--event", "write-denied")
    assert events(scene, *filters, check=False) == []
    forged = events(scene, "--untrusted", *filters)
    assert [event["trusted"] for event in forged] == [False]


def test_explain_tells_what_would_be_decided(scene):
    policy = ("--policy", scene.policy_directory)
    for arguments, status in [
            (("open", "--user", MEMBER, "--write", f"{scene.point}/file"), 0),
            (("open", "--user", STRANGER, "--write", f"{scene.point}/file"), 1),
            (("open", "--user", STRANGER, "--read", f"{scene.point}/file"), 0),
            (("open", "--user", MEMBER, "--write", f"{scene.other_point}/file"), 1),
            (("open", "--user", MEMBER, "--write", "/etc/os-release"), 0),
            (("open", "--user", "sekisho-test-nobody-of-this-name", "--write", f"{scene.point}/file"), 2),
            (("device", scene.approved_stick.disk), 0),
            (("device", scene.other_stick.disk), 1),
            (("device", "--bus", "usb", "--vendor", "0951", "--product", "1666"), 1),
    ]:
        result = scene.ctl("policy", "explain", *arguments, *policy, check=False)
        assert result.returncode == status, (arguments, result.stdout, result.stderr)


def test_explain_goes_by_the_hour_it_is_asked_about(world):
    stick = world.stick()
    world.write_policy(**world.approving(stick, hours=hours_around()))
    policy = ("--policy", world.policy_directory)
    now = datetime.datetime.now()
    for at, status in ((now, 0), (now + datetime.timedelta(hours=12), 1)):
        result = world.ctl("policy", "explain", "open", "--user", STRANGER, "--write", "--bus", "loop", "--serial",
                           stick.serial, "--external", "--at", f"{at:%Y-%m-%d %H:%M}", *policy, check=False)
        assert result.returncode == status, (at, result.stdout, result.stderr)


def test_unknown_commands_and_options_are_failures_of_usage(world):
    for arguments in (("nonsense",), ("events", "--nonsense"), ("policy", "check")):
        assert world.ctl(*arguments, check=False).returncode == 2, arguments

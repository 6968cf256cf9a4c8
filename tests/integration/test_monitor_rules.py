# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules that are only tried out, beside others that are in force, and what becomes of them at their end."""

import datetime
import json

from sekisho_world import rule_for
from test_approved_stick import GROUP, WRITTEN, open_in


def in_minutes(minutes):
    at = datetime.datetime.now() + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%d %H:%M")


def watched(stick, **more):
    return rule_for(stick, mode="monitor", **more)


def test_a_watched_rule_lets_its_device_go_and_another_is_held(world):
    stick, other = world.stick(attach=False), world.stick(name="other", attach=False)
    world.start_agent(removable={"default": "read-only", "devices": [
        watched(stick, access="read-only", **{"monitor-until": "2099-01-01"})]})
    stick.attach()
    other.attach()
    other.wait_held(True)
    stick.wait_held(False)
    record = world.journal.wait("device-verdict", device_serial=stick.serial)
    assert (record["SEKISHO_VERDICT"], record["SEKISHO_MODE"]) == ("read-only", "monitor")
    assert "would be read-only" in record["MESSAGE"]
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point, mode="monitor")
    assert open_in(world, world.machine.stranger, "append", f"{point}/file", WRITTEN) == "opened"
    record = world.journal.wait("write-denied", uid=world.machine.stranger.uid, path=f"{point}/file")
    assert (record["SEKISHO_VERDICT"], record["SEKISHO_MODE"]) == ("deny", "monitor")
    assert record["MESSAGE"].startswith("Write would be denied")


def test_the_end_of_it_brings_the_rule_into_force(world):
    stick = world.stick(attach=False)
    # the wall clock is not set for this: a reload with an end that has passed is what the timer does
    world.start_agent(removable={"devices": [watched(stick, access="read-only", **{"monitor-until": in_minutes(1)})]})
    record = world.journal.wait("monitor-started")
    assert record["SEKISHO_RULE"] == "test stick" and record["SEKISHO_EXPIRES"] == in_minutes(1)
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point, mode="monitor")
    ended = world.journal.wait("monitor-ended", deadline=90)
    assert ended["SEKISHO_RULE"] == "test stick"
    stick.wait_held(True)
    assert open_in(world, world.machine.stranger, "append", f"{point}/file", WRITTEN) != "opened"


def test_the_default_alone_can_be_watched(world):
    stick, other = world.stick(attach=False), world.stick(name="other", attach=False)
    world.start_agent(removable={"default": "deny", "monitor": True, "devices": [rule_for(stick, access="read-only")]})
    stick.attach()
    other.attach()
    stick.wait_held(True)
    other.wait_held(False)


def test_a_condition_is_watched_and_then_in_force(world):
    stick = world.stick(attach=False)
    limits = {"removable": {"devices": [watched(stick, groups=[GROUP])]}, "without-lsm": "gate"}
    world.start_agent(**limits)
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point, mode="monitor")
    assert open_in(world, world.machine.stranger, "append", f"{point}/file", WRITTEN) == "opened"
    assert world.journal.wait("write-denied", path=f"{point}/file")["SEKISHO_MODE"] == "monitor"
    limits["removable"]["devices"][0]["mode"] = "enforce"
    world.reload_policy(**limits)
    assert world.journal.wait("monitor-ended")["SEKISHO_RULE"] == "test stick"
    assert open_in(world, world.machine.stranger, "append", f"{point}/file", WRITTEN) != "opened"


def test_it_is_seen_in_the_status(world):
    stick = world.stick(attach=False)
    world.start_agent(removable={"devices": [watched(stick, access="deny", **{"monitor-until": "2099-12-31 23:59"})]})
    answer = world.ctl("status", "--json", "--runtime-dir", world.runtime, check=False)
    status = json.loads(answer.stdout)
    assert [one["rule"] for one in status["monitor"]] == ["test stick"]
    assert not status["ok"] and any("only recorded" in finding and "2099-12-31 23:59" in finding
                                    for finding in status["findings"])
    text = world.ctl("status", "--runtime-dir", world.runtime, check=False).stdout
    assert "only recorded, not refused, until 2099-12-31 23:59" in "\n".join(text.splitlines()[:4])

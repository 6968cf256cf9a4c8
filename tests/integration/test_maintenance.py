# SPDX-License-Identifier: GPL-2.0-or-later
"""A maintenance lifts the protection of the guard itself: for root at a console, for a while, and on record. What is
protected, and that it is lifted, is tested where the kernel can hold it."""

import json
import os
import time

import pytest
from sekisho_bus import Bus, Refused
from sekisho_console import console, on_console
from sekisho_wait import wait_until
from sekisho_world import program

PROTECTED = {"zone": "mynumber", "self-protection": {"policy": False}}
REASON = "媒体ドライバの更新"


@pytest.fixture
def scene(world, monkeypatch):
    """The guard on a bus, as a terminal that carries the most has it."""
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    world.bus = bus
    world.start_agent(**PROTECTED)
    bus.wait_for_guard()
    return world


def begin(*arguments):
    return on_console("maintenance", "on", "--reason", REASON, *arguments)


def state(world):
    """What is shown, from the guard's file."""
    return json.loads(world.ctl("maintenance", "--json", "--runtime-dir", world.runtime, check=False).stdout)


def status(world):
    return json.loads(world.ctl("status", "--json", "--runtime-dir", world.runtime, check=False).stdout)


def note(world):
    return os.path.join(world.runtime, "maintenance")


def leave_note(world, boot, seconds):
    until = int((time.clock_gettime(time.CLOCK_BOOTTIME) + seconds) * 1e6)
    with open(note(world), "w") as to:
        to.write(f"{boot} {until} 0 1000 tty5 {REASON}\n")
    os.chmod(note(world), 0o600)


def this_boot():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def test_status_says_what_is_asked_for_and_whether_the_kernel_can(scene):
    told = status(scene)
    protection = told["self_protection"]
    assert (protection["process"], protection["state"], protection["policy"]) == (True, True, False)
    can = told["mechanisms"]["lsm"].startswith("ok")
    assert protection["holds"] == can
    word = told["mechanisms"]["self-protection"]
    assert word.startswith("ok: processes") if can else "this kernel cannot" in word
    shown = scene.ctl("maintenance", "--runtime-dir", scene.runtime, check=False)
    assert shown.returncode == (1 if can else 0)
    assert "no maintenance" in shown.stdout


def test_a_policy_that_asks_for_nothing_has_nothing_protected(scene):
    scene.reload_policy(zone="mynumber", **{"self-protection": {"process": False, "state": False}})
    told = status(scene)
    assert "does not ask" in told["mechanisms"]["self-protection"]
    assert scene.ctl("maintenance", "--runtime-dir", scene.runtime).returncode == 0


def test_from_afar_none_is_begun(scene):
    arguments = ["maintenance", "on", "--reason", REASON]
    result = scene.ctl(*arguments, check=False, start_new_session=True)
    assert result.returncode == 2
    assert "console" in result.stderr
    # nor by asking the guard directly
    with pytest.raises(Refused, match="org.sekisho.Guard1.Error.NotAtConsole"):
        scene.bus.connect().call("BeginMaintenance", "su", REASON, 30)
    scene.journal.barrier()
    assert not scene.journal.select("maintenance-started")
    assert not os.path.exists(note(scene))


@pytest.mark.parametrize("call", [("BeginMaintenance", "su", REASON, 30), ("EndMaintenance",)])
def test_an_ordinary_person_begins_and_ends_none(scene, call):
    assert begin().returncode in (0, 1)
    with pytest.raises(Refused, match="org.freedesktop.DBus.Error.AccessDenied"):
        scene.bus.connect(scene.machine.stranger.uid).call(*call)
    assert state(scene)["maintenance"]["reason"] == REASON
    result = scene.run_as(scene.machine.stranger, [program("sekishoctl"), "maintenance", "off"])
    assert result.returncode == 2


def test_root_at_the_console_begins_one_that_is_recorded_shown_and_ended(scene):
    result = begin("--minutes", "5")
    assert result.returncode == 0, result.stderr
    assert REASON in result.stdout
    record = scene.journal.wait("maintenance-started")
    assert record["PRIORITY"] == "4"
    assert record["SEKISHO_UID"] == "0"
    assert record["SEKISHO_TERMINAL"] == console()
    assert record["SEKISHO_PURPOSE"] == REASON
    assert record["SEKISHO_MINUTES"] == "5"
    with open("/proc/self/loginuid") as file:
        loginuid = file.read()
    assert record.get("SEKISHO_LOGINUID", "4294967295") == loginuid

    shown = state(scene)
    assert shown["holds"] is False
    assert 240 < shown["maintenance"]["until"] - time.time() <= 301
    assert shown["maintenance"]["terminal"] == console()
    assert any(REASON in finding for finding in status(scene)["findings"])
    assert status(scene)["mechanisms"]["self-protection"].startswith("nothing:")

    ended = scene.ctl("maintenance", "off")
    assert "no maintenance" in ended.stdout
    record = scene.journal.wait("maintenance-ended")
    assert record["PRIORITY"] == "4"
    assert (record["SEKISHO_CAUSE"], record["SEKISHO_PURPOSE"]) == ("command", REASON)
    assert record["SEKISHO_UID"] == "0"
    assert state(scene)["maintenance"] is None
    assert not os.path.exists(note(scene))
    assert "no maintenance" in scene.ctl("maintenance", "off").stdout


def test_it_outlives_a_restart_of_the_guard(scene):
    assert begin().returncode == 0
    before = state(scene)["maintenance"]
    scene.agent.stop()
    scene.start_agent()
    after = state(scene)["maintenance"]
    assert after["reason"] == REASON
    assert abs(after["until"] - before["until"]) <= 1
    scene.journal.barrier()
    assert len(scene.journal.select("maintenance-started")) == 1
    assert not scene.journal.select("maintenance-ended")


def test_it_ends_by_itself(scene):
    scene.agent.stop()
    leave_note(scene, this_boot(), 3)
    scene.start_agent()
    assert state(scene)["maintenance"]["terminal"] == "tty5"
    record = scene.journal.wait("maintenance-ended")
    assert (record["SEKISHO_CAUSE"], record["SEKISHO_TERMINAL"], record["SEKISHO_LOGINUID"]) == ("time", "tty5", "1000")
    assert not os.path.exists(note(scene))
    wait_until(lambda: state(scene)["maintenance"] is None, "the status says that it is over")


def test_one_that_was_over_before_the_guard_started_is_told_as_over(scene):
    scene.agent.stop()
    leave_note(scene, this_boot(), -5)
    scene.start_agent()
    scene.journal.wait("maintenance-ended", cause="time")
    wait_until(lambda: not os.path.exists(note(scene)), "the note is gone")


@pytest.mark.parametrize("boot, seconds", [("00000000-0000-4000-8000-000000000000", 600), (None, 481 * 60)])
def test_a_note_of_another_boot_or_of_too_long_a_time_holds_for_nothing(scene, boot, seconds):
    scene.agent.stop()
    leave_note(scene, boot or this_boot(), seconds)
    scene.start_agent()
    assert state(scene)["maintenance"] is None
    assert not os.path.exists(note(scene))


@pytest.mark.parametrize("arguments", [
    ["--reason", "", "--minutes", "5"], ["--reason", "a\nb"], ["--reason", "x" * 201], ["--minutes", "5"],
    ["--reason", "a", "--minutes", "0"], ["--reason", "a", "--minutes", "481"], ["--reason", "a", "--minutes", "-1"],
    ["--reason", "a", "--minutes", "1h"]])
def test_reason_and_minutes_have_bounds(world, arguments):
    result = on_console("maintenance", "on", *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("sekishoctl: ")


def test_without_a_guard_it_says_so(world):
    result = world.ctl("maintenance", "--runtime-dir", world.runtime, check=False)
    assert result.returncode == 2
    assert "not running" in result.stderr

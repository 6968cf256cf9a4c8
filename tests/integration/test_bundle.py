# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed policies: packed, signed by minisign itself, handed to the guard, and what it makes of them."""

import json
import os
import shutil

import pytest
from jeepney import DBusAddress, HeaderFields, new_method_call
from jeepney.io.blocking import open_dbus_connection
from sekisho_bus import FakePolkit
from sekisho_office import open_office
from sekisho_world import program

ACTION = "org.sekisho.guard1.install-policy"
GUARD = DBusAddress("/org/sekisho/Guard1", "org.sekisho.Guard1", "org.sekisho.Guard1")


@pytest.fixture
def office(world, monkeypatch):
    return open_office(world, monkeypatch)


def test_an_installed_bundle_is_in_force_and_takes_the_place_of_the_files(world, office):
    before = office.status()["serial"]
    bundle = office.bundle(before + 10, removable={"default": "deny"}, contact="情報政策課")
    answer = office.install(bundle)
    assert answer["installed"] and answer["faults"] == []
    assert (answer["serial_before"], answer["serial"]) == (before, before + 10)
    assert answer["files"]["added"] == ["10-office.yaml"]
    status = office.status()
    assert status["serial"] == before + 10
    assert status["key"] in open(office.path("office.pub"), encoding="utf-8").read()
    assert status["signed"] > 0 and not status["signing_required"]
    world.journal.wait("policy-loaded", policy_serial=before + 10)
    assert "office" not in world.ctl("policy", "check", world.policy_directory).stderr


def test_what_the_guard_refuses_changes_nothing(world, office):
    serial = office.status()["serial"]
    office.install(office.bundle(serial + 10))
    office.make_key("other")
    office.refuse(office.bundle(serial + 11, key="other"), "not known here")
    office.refuse(office.bundle(serial + 9), "is lower than")
    damaged = office.bundle(serial + 12)
    with open(damaged, "r+b") as file:
        file.seek(60)
        file.write(b"#")
    office.refuse(damaged, "was changed after it was signed")
    world.journal.wait("policy-refused")
    # the last attempt is over once the policy that is there is taken again
    assert json.loads(world.ctl("reload", "--json").stdout)["loaded"]
    assert office.status()["refused"] is None


def test_once_signing_is_required_files_do_not_count(world, office):
    serial = office.status()["serial"] + 10
    office.install(office.bundle(serial, signing={"required": True}, removable={"default": "deny"}))
    os.unlink(os.path.join(world.policy_directory, "policy.bundle"))
    world.write_policy(removable={"default": "write"}, serial=serial + 1)
    answer = json.loads(world.ctl("reload", "--json", check=False).stdout)
    assert not answer["loaded"] and "is not signed" in answer["faults"][0], answer
    assert office.status()["serial"] == serial
    # the keys can be changed by a signed policy, and the way back is to sign
    office.make_key("next")
    office.trust("next")
    assert office.install(office.bundle(serial + 2, key="next"))["installed"]
    assert office.status()["signing_required"]


def test_history_lists_what_was_in_force_and_an_older_one_can_be_signed_again(world, office):
    serial = office.status()["serial"]
    for i in (1, 2):
        office.install(office.bundle(serial + i))
    listed = json.loads(world.ctl("policy", "history", "--state-dir", world.state, "--json").stdout)
    assert [edition["serial"] for edition in listed] == [serial + 2, serial + 1]
    office.refuse(listed[1]["path"], "is lower than")
    again = office.path("again")
    world.ctl("policy", "unpack", listed[1]["path"], again)
    file = os.path.join(again, "10-office.yaml")
    with open(file, encoding="utf-8") as old:
        text = old.read()
    assert f"serial: {serial + 1}" in text


def test_a_dry_run_changes_nothing(world, office):
    serial = office.status()["serial"]
    bundle = office.bundle(serial + 1)
    result = world.ctl("policy", "install", bundle, "--policy", world.policy_directory, "--dry-run", "--json")
    assert json.loads(result.stdout)["serial"] == serial + 1
    assert office.status()["serial"] == serial


def test_only_administrators_install(world, office):
    bundle = office.bundle(office.status()["serial"] + 1)
    shown = world.new_path("shown")
    os.mkdir(shown)
    for name in (bundle, bundle + ".minisig"):
        shutil.copy(name, shown)
        os.chmod(os.path.join(shown, os.path.basename(name)), 0o644)
    polkit = FakePolkit(world, office.bus)
    result = world.run_as(world.machine.stranger, [program("sekishoctl"), "policy", "install",
                                                   os.path.join(shown, os.path.basename(bundle))])
    assert result.returncode == 2 and "administrators only" in result.stderr, result.stderr
    assert [action for action, _ in polkit.asked()] == [ACTION]


def test_what_could_change_or_hang_is_not_read(world, office):
    for flags in (0, os.MFD_ALLOW_SEALING):
        fd = os.memfd_create("bundle", flags)
        os.write(fd, b"x")
        with open_dbus_connection(bus=office.bus.address, enable_fds=True) as connection:
            answer = connection.send_and_get_reply(new_method_call(GUARD, "InstallPolicy", "h", (fd,)), timeout=10)
        os.close(fd)
        assert answer.header.fields[HeaderFields.error_name] == "org.freedesktop.DBus.Error.InvalidArgs"


def test_without_a_guard_nothing_is_changed(world, office):
    bundle = office.bundle(office.status()["serial"] + 1)
    world.agent.stop()
    result = world.ctl("policy", "install", bundle, "--policy", world.policy_directory, check=False)
    assert result.returncode == 2 and "nothing was changed" in result.stderr, result.stderr
    assert not os.path.exists(os.path.join(world.policy_directory, "policy.bundle"))

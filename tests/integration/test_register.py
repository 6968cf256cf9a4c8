# SPDX-License-Identifier: GPL-2.0-or-later
"""The register of approved media, filled from what is plugged in; and the way back for who is locked out."""

import json
import os
import shutil
import stat

import pytest
import yaml
from sekisho_console import on_console
from sekisho_machine import GROUP
from sekisho_world import OPENERS, program

BASE = {"removable": {"default": "read-only"}}


@pytest.fixture
def register(world):
    return Register(world)


class Register:
    def __init__(self, world):
        self.world = world
        self.path = os.path.join(world.policy_directory, "50-register.yaml")

    def run(self, *arguments, check=True, runtime=True):
        options = ["--register", self.path] + (["--runtime-dir", self.world.runtime] if runtime else [])
        return self.world.ctl("devices", *arguments, *options, check=check)

    def add(self, *arguments, check=True):
        return self.run("add", *arguments, check=check)

    def list(self):
        return json.loads(self.run("list", "--json", runtime=False).stdout)

    def text(self):
        with open(self.path) as file:
            return file.read()

    def refuse(self, *arguments, because):
        """The command fails with BECAUSE in its one line, and the register is as it was."""
        before = self.text() if os.path.exists(self.path) else None
        result = self.run(*arguments, check=False)
        assert result.returncode == 2, result.stdout + result.stderr
        assert because in result.stderr, result.stderr
        assert (self.text() if os.path.exists(self.path) else None) == before


def opens(world, person, path, way="write"):
    return world.run_as(person, [OPENERS, "open", way, path]).stdout.strip()


def test_the_stick_that_is_plugged_in_is_approved_and_withdrawn(world, register):
    world.start_agent(**BASE)
    stick = world.stick()
    stick.wait_held(True)

    result = register.add("課税課 01", "--holder", '庶務係 "山田"', "--groups", GROUP, "--expires", "2037-03-31")
    assert "The guard goes by it now." in result.stdout
    stick.wait_held(False)
    assert stat.S_IMODE(os.stat(register.path).st_mode) == 0o600
    assert os.listdir(world.policy_directory).count("50-register.yaml") == 1
    assert len(os.listdir(world.policy_directory)) == 2, "nothing temporary is left"
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    assert opens(world, world.machine.member, f"{point}/file") == "opened"
    assert opens(world, world.machine.stranger, f"{point}/file") == "EPERM"

    (entry,) = register.list()
    assert entry["name"] == "課税課 01"
    assert entry["holder"] == '庶務係 "山田"'
    assert entry["match"] == {"vendor": None, "product": None, "serial": stick.serial, "bus": "loop"}
    assert entry["groups"] == [GROUP]
    assert "課税課 01" in register.run("list", runtime=False).stdout

    assert "The guard goes by it now." in register.run("remove", "課税課 01").stdout
    stick.wait_held(True)
    assert register.list() == []


def test_what_was_registered_stays_as_it_was_when_more_is_added(world, register):
    world.write_policy(**BASE)
    first, second = world.stick("first"), world.stick("second")
    register.add("one", "--device", first.disk, "--users", "root,daemon", "--hours", "Fri-Mon,Wed 22:00-06:00",
                 "--expires", "2037-03-31 17:15", "--holder", "a\\b: #c")
    register.add("two", "--device", f"/sys/class/block/{second.name}", "--access", "read-only")
    register.add("three", "--device", world.stick("third").disk, "--encrypted", "required")
    before = register.list()
    assert [entry["name"] for entry in before] == ["one", "two", "three"]
    assert before[0]["users"] == ["root", "daemon"]
    assert before[0]["expires"].startswith("2037-03-31T17:15:00")
    assert before[0]["holder"] == "a\\b: #c"
    assert before[1]["access"] == "read-only"
    assert before[2]["encrypted"]
    register.run("remove", "two")
    assert register.list() == [before[0], before[2]]
    serial = yaml.safe_load(register.text())["serial"]
    assert serial == 5, "one above the highest each time"


def test_of_several_devices_one_has_to_be_named(world, register):
    world.write_policy(**BASE)
    sticks = [world.stick("first"), world.stick("second")]
    register.refuse("add", "which", because="several external devices are plugged in")
    message = register.add("which", check=False).stderr
    assert all(stick.disk in message for stick in sticks)
    sticks[0].detach()
    register.add("which")
    assert register.list()[0]["match"]["serial"] == sticks[1].serial


def test_what_would_not_hold_is_refused_and_nothing_is_written(world, register):
    world.write_policy(removable={"default": "read-only"})
    register.refuse("add", "a", because="no external device is plugged in")
    stick = world.stick()
    register.refuse("add", "a", "--expires", "tomorrow", because="--expires 'tomorrow'")
    register.refuse("add", "a", "--expires", "2020-01-01", because="expired already")
    register.refuse("add", "a", "--hours", "Mon", because="--hours 'Mon'")
    register.refuse("add", "a", "--groups", "a,,b", because="a name is missing")
    register.refuse("add", "a", "--access", "deny", because="expected read-only or write")
    register.refuse("add", "a", "--encrypted", "yes", because="expected required")
    register.refuse("add", "a", "--access", "read-only", "--groups", GROUP, because="groups limits writing")
    register.refuse("add", "removable.default", because="is reserved")
    register.refuse("add", " ", because="expected")
    register.refuse("add", "a", "--without-serial", because="has a serial number")
    register.refuse("add", "a", "--device", "/dev/null", because="no disk or USB device")
    register.refuse("remove", "a", because="not in the register")
    register.add("a")
    register.refuse("add", "a", "--device", stick.disk, because="in the register already")
    register.refuse("add", "b", "--device", stick.disk, because="the rule 'a'")
    world.write_policy("10-test.yaml", removable={"devices": [
        {"name": "lost", "match": {"bus": "loop"}, "access": "deny"}]})
    register.run("remove", "a")
    register.refuse("add", "b", because="the rule 'lost'")


def test_the_register_is_checked_with_the_whole_policy(world, register):
    world.stick()
    register.refuse("add", "a", because="there is no policy")
    path = world.write_policy_text("version: 1\nserial: 1\nremovable: {default: sometimes}\n")
    register.refuse("add", "a", because=f"{path}:3:22")
    world.write_policy(removable={"devices": [{"name": "a", "match": {"serial": "x"}, "access": "write"}]})
    register.refuse("add", "a", because="rule name \"a\" is taken")


def test_a_file_that_somebody_wrote_by_hand_is_left_alone(world, register):
    world.write_policy(**BASE)
    stick = world.stick()
    world.write_policy_text("version: 1\nremovable: {devices: []}\n", "50-register.yaml")
    register.refuse("add", "a", because="was not written by sekishoctl")
    os.unlink(register.path)
    register.add("a")
    with open(register.path, "a") as file:
        file.write("usb: {default: deny}\n")
    register.refuse("add", "b", "--device", stick.disk, because="more in it than entries")


def test_the_register_outlives_the_agent(world, register):
    world.write_policy(**BASE)
    stick = world.stick()
    assert "not running" in register.add("a").stdout
    assert stick.held
    world.start_agent()
    stick.wait_held(False)


def test_an_ordinary_person_registers_nothing(world, register):
    world.write_policy(**BASE)
    world.stick()
    os.chmod(world.policy_directory, 0o755)
    result = world.run_as(world.machine.stranger, [program("sekishoctl"), "devices", "add", "a", "--register",
                                                   register.path, "--runtime-dir", world.runtime])
    assert result.returncode == 2
    assert not os.path.exists(register.path)


# -- the way back

def restore_arguments(world):
    return ["policy", "restore", "--policy", world.policy_directory, "--state-dir", world.state,
            "--runtime-dir", world.runtime]


def test_from_afar_nobody_puts_policies_aside(world):
    path = world.write_policy(**BASE)
    result = world.ctl(*restore_arguments(world), check=False, start_new_session=True)
    assert result.returncode == 2
    assert "console" in result.stderr
    assert os.path.exists(path)


def test_root_on_the_console_puts_policies_aside_and_a_later_one_undoes_it(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick))
    stick.attach()
    stick.wait_held(False)
    path = os.path.join(world.policy_directory, "10-test.yaml")

    result = on_console(*restore_arguments(world), "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    assert (answer["guard"], answer["files"], answer["serial"]) == ("taken", 1, 1)
    world.undo(shutil.rmtree, answer["directory"])
    assert stat.S_IMODE(os.stat(answer["directory"]).st_mode) == 0o700
    assert os.listdir(answer["directory"]) == ["10-test.yaml"]
    record = world.journal.wait("policy-restored")
    assert record["PRIORITY"] == "4"
    assert record["SEKISHO_PATH"] == answer["directory"]
    assert record["SEKISHO_UID"] == "0"
    stick.wait_held(True)

    # the same policy put back by whatever rolls policies out is not taken again, nor after a new start
    with open(os.path.join(answer["directory"], "10-test.yaml")) as file:
        world.write_policy_text(file.read())
    record = world.agent.reload()
    assert record["SEKISHO_EVENT"] == "policy-refused"
    assert "policy restore" in record["SEKISHO_ERROR"]
    world.agent.stop()
    world.start_agent()
    assert stick.held
    world.journal.barrier()
    assert len(world.journal.select("policy-restored")) == 1, "it is told once"

    world.reload_policy(**world.approving(stick))
    stick.wait_held(False)
    assert os.path.exists(path)

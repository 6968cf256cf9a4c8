# SPDX-License-Identifier: GPL-2.0-or-later
"""What sekishoctl explains is what the running guard answers; and a draft, against what the guard has recorded."""

import json
import os
import random

import pytest
from sekisho_bus import Bus
from sekisho_machine import GROUP, MEMBER, STRANGER
from sekisho_world import OPENERS

QUESTIONS = 120
VENDORS, PRODUCTS, SERIALS = ["0951", "13fe"], ["1666", "4200"], ["S0", "S1", "S2"]
BUSES, CLASSES = ["usb", "mmc", "loop", "ata"], ["printer", "hid", "mass-storage", "vendor-specific"]
TYPES, SOURCES = ["cifs", "nfs4", "fuse.sshfs"], ["//a/x", "//b/y"]


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    return bus


@pytest.fixture
def chance():
    seed = int(os.environ.get("SEKISHO_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SEKISHO_TEST_SEED={seed}")
    return random.Random(seed)


def some(chance, **values):
    """Some of these, at least one."""
    kept = {name: chance.choice(values[name]) for name in values if chance.random() < 0.5}
    name = chance.choice(list(values))
    return kept or {name: chance.choice(values[name])}


def who(chance, access):
    if access != "write":
        return {}
    return chance.choice([{}, {"users": [STRANGER]}, {"groups": [GROUP]}, {"users": [STRANGER], "groups": [GROUP]}])


def devices(chance):
    for number in range(6):
        access = chance.choice(["deny", "read-only", "write"])
        yield {"name": f"device {number}", "access": access, **who(chance, access),
               "match": some(chance, vendor=VENDORS, product=PRODUCTS, serial=SERIALS, bus=BUSES)}


def filesystems(chance):
    for number in range(3):
        access = chance.choice(["read-only", "write"])
        yield {"name": f"server {number}", "type": chance.choice(TYPES), "access": access, **who(chance, access),
               **chance.choice([{}, {"source": chance.choice(SOURCES)}])}


def policy(chance):
    classes = {name: chance.choice(["allow", "deny"]) for name in ("printer", "mass-storage", "vendor-specific")}
    return {"removable": {"default": chance.choice(["deny", "read-only"]), "devices": list(devices(chance))},
            "usb": {"interfaces": {"hid": "allow", "hub": "allow", **classes}},
            "filesystems": {"default": chance.choice(["deny", "read-only"]), "allow": list(filesystems(chance))}}


def as_options(arguments):
    return [word for name, value in arguments.items()
            for word in ([f"--{name}"] if name == "external" else [f"--{name}", value])]


def question(chance, world):
    """What the guard is asked, and the same for sekishoctl."""
    device = some(chance, vendor=VENDORS, product=PRODUCTS, serial=SERIALS)
    device["bus"] = chance.choice(BUSES)
    device.update(chance.choice([{}, {"external": "yes"}]))
    kind = chance.choice(["disk", "interface", "open", "filesystem"])
    if kind == "disk":
        return "device", device, as_options(device)
    if kind == "interface":
        device["bus"] = "usb"
        device["class"] = chance.choice(CLASSES)
        return "device", device, as_options(device)
    place = device if kind == "open" else {"fstype": chance.choice(TYPES), "source": chance.choice(SOURCES)}
    person, name = chance.choice([(world.machine.member, MEMBER), (world.machine.stranger, STRANGER)])
    operation = chance.choice(["read", "write"])
    gids = ",".join(map(str, [person.gid, *person.groups]))
    return "open", {**place, "uid": str(person.uid), "gids": gids, "operation": operation}, [
        "--user", name, f"--{operation}", *as_options(place)]


def test_sekishoctl_explains_what_the_guard_answers(world, bus, chance):
    # JSON is YAML with everything in quotes
    world.write_policy_text(json.dumps({"version": 1, "serial": 1, "zone": "lgwan", **policy(chance)}))
    world.start_agent()
    bus.wait_for_guard()
    root, different = bus.connect(), set()
    for _ in range(QUESTIONS):
        kind, arguments, options = question(chance, world)
        said = json.loads(root.call("Explain", "sa{ss}", kind, arguments)[0])
        result = world.ctl("explain", kind, *options, "--policy", world.policy_directory, "--runtime-dir",
                           world.runtime, "--json", check=False)
        explained = json.loads(result.stdout)
        assert result.returncode == (0 if said["allowed"] else 1), (arguments, said, explained)
        for key in ("allowed", "reason", "rule", "origin", "access"):
            if key in explained:
                assert explained[key] == said[key], (arguments, said, explained)
        different.add((said["rule"], said["allowed"]))
    assert len(different) >= 5, "questions that all have the same answer say nothing"


def test_a_draft_is_held_against_what_the_guard_refused(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    assert world.run_as(world.machine.stranger, [OPENERS, "open", "write", f"{point}/file"]).stdout == "EPERM\n"
    world.journal.wait("write-denied", uid=world.machine.stranger.uid)
    since = ["--since", "-10min", "--runtime-dir", world.runtime, "--json"]

    def replay(name, **limits):
        draft = os.path.join(world.policy_directory, name)
        world.write_policy(name=name, **world.approving(stick, **limits))
        result = world.ctl("policy", "replay", draft, *since, check=False)
        os.unlink(draft)
        answer = json.loads(result.stdout)
        ours = [record for record in answer["otherwise"]
                if record["event"] == "write-denied" and record.get("device_serial") == stick.serial]
        assert result.returncode == (1 if answer["otherwise"] else 0)
        return ours

    assert replay("same.yaml", groups=[GROUP]) == []
    looser = replay("looser.yaml", groups=[GROUP], users=[STRANGER])
    assert [record["after"] for record in looser] == ["allow"] * len(looser) and looser

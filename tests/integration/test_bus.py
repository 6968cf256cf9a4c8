# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard on the system bus: who may ask what, who is told, and that enforcement does without it."""

import json
import os
import re
import signal
import xml.etree.ElementTree as ElementTree

import pytest
from jeepney import new_method_call
from jeepney.bus_messages import message_bus
from sekisho_bus import ALLOW_INTERACTIVE, GUARD, Bus, FakePolkit, Refused
from sekisho_machine import GROUP
from sekisho_wait import Late, wait_until
from sekisho_world import OPENERS, ROOT, program

ACTION = "org.sekisho.guard1."
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
METHODS = {"Status": (), "Devices": (), "Reload": (), "Explain": ("sa{ss}", "device", {"serial": "A"})}
CONTACT = "情報政策課 内線 2345"


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus


def guard_a_stick(world, content=None):
    """A guarded stick that only a group may write to."""
    stick = world.stick(attach=False, content=content)
    world.start_agent(**world.approving(stick, groups=[GROUP]), contact=CONTACT)
    stick.attach()
    stick.wait_held(False)
    world.point = stick.mount("rw")
    world.serial = stick.serial
    world.journal.wait("superblock-guarded", mount=world.point)
    return stick


def refuse(world, person, name="file"):
    result = world.run_as(person, [OPENERS, "open", "write", f"{world.point}/{name}"])
    assert result.stdout == "EPERM\n"


@pytest.fixture
def scene(world, bus):
    """The guard on a bus, and a stick that the stranger may not write to."""
    bus.start()
    guard_a_stick(world)
    bus.wait_for_guard()
    return world


def recent(peer, most=100):
    return json.loads(peer.call("RecentDenials", "u", most)[0])


def wait_recent(peer, enough):
    return wait_until(lambda: [found for found in [recent(peer)] if enough(found)], "denials are kept")[0]


# -- who may ask what


def test_root_is_answered_without_polkit(scene, bus):
    root = bus.connect()
    status = json.loads(root.call("Status")[0])
    with open(os.path.join(scene.runtime, "status.json")) as file:
        assert status.keys() == json.load(file).keys()
    assert status["mechanisms"]["bus"].startswith("ok")
    devices = json.loads(root.call("Devices")[0])
    listed = json.loads(scene.ctl("devices", "--json", "--runtime-dir", scene.runtime).stdout)
    assert devices == listed and devices[0]["serial"] == scene.serial


@pytest.mark.parametrize("method", METHODS)
def test_without_polkit_an_ordinary_user_is_refused(scene, bus, method):
    with pytest.raises(Refused, match=DENIED):
        bus.connect(scene.machine.stranger.uid).call(method, *METHODS[method])


@pytest.mark.parametrize("method", METHODS)
def test_an_ordinary_user_is_asked_about_by_its_action(scene, bus, method):
    polkit = FakePolkit(scene, bus, allowed={ACTION + method.lower()})
    stranger = bus.connect(scene.machine.stranger.uid)
    assert stranger.call(method, *METHODS[method])
    assert polkit.asked() == [(ACTION + method.lower(), 0)]
    polkit.allowed.clear()
    with pytest.raises(Refused, match=DENIED):
        stranger.call(method, *METHODS[method])


def test_who_could_give_a_password_is_told_so(scene, bus):
    polkit = FakePolkit(scene, bus, challenge=True)
    stranger = bus.connect(scene.machine.stranger.uid)
    with pytest.raises(Refused, match="InteractiveAuthorizationRequired"):
        stranger.call("Status", interactive=True)
    assert polkit.asked() == [(ACTION + "status", 1)]


ASKED = {"lockdown": {"auth_admin"}, "manage-factors": {"auth_admin"}, "enrol-own": {"no", "yes"}, "grant": {"auth_admin"},
         "grant-approve": {"auth_admin"}, "grant-own": {"no", "auth_self"}}  # others: an administrator, for a while


def test_every_action_is_known_to_polkit():
    used = set()
    for name in ("service.c", "own_factors.h", "factors.h", "grants.c"):
        with open(os.path.join(ROOT, "agent", "bus", name)) as source:
            used |= {ACTION + word for word in re.findall(r'(?:ACTION\(|_ACTION )"(?:org\.sekisho\.guard1\.)?([a-z-]+)"', source.read())}
    tree = ElementTree.parse(os.path.join(ROOT, "packaging", "polkit", "org.sekisho.guard1.policy"))
    actions = tree.getroot().findall("action")
    assert {action.get("id") for action in actions} == used
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    for action in actions:
        for kind in ("description", "message"):
            assert [text.get(language) for text in action.findall(kind)] == [None, "ja"]
        asked = ASKED.get(action.get("id").removeprefix(ACTION), {"auth_admin_keep"})
        assert {default.text for default in action.find("defaults")} == asked


def test_only_root_can_be_the_guard(world, bus):
    bus.start()
    with pytest.raises(Refused, match=DENIED):
        bus.connect(world.machine.stranger.uid).ask_bus(message_bus.RequestName("org.sekisho.Guard1"))


def test_one_caller_cannot_fill_the_guard_with_waiting_calls(scene, bus):
    FakePolkit(scene, bus, silent=True)
    stranger = bus.connect(scene.machine.stranger.uid)
    for _ in range(16):
        with pytest.raises(Late):
            stranger.call("Status", deadline=0.01)
    with pytest.raises(Refused, match="LimitsExceeded"):
        stranger.call("Status")
    assert json.loads(bus.connect().call("Status")[0])["mode"] == "enforce"


def send(peer, address, *call, interactive=False):
    """Does not wait for the answer."""
    message = new_method_call(address, *call)
    if interactive:
        message.header.flags = message.header.flags | ALLOW_INTERACTIVE
    peer.send(message)


# Of each interface that asks polkit: a call, its action, and what root may do meanwhile.
CROWDED = {"Guard1": (("Status",), "status", [("BeginLockdown", "s", ("a suspicion",)), ("EndLockdown", "s", ("cleared up",)), ("Reload",)]),
           "Guard1.Grants": (("List", "a{ss}", ({},)), "grants", [("List", "a{ss}", ({},))]),
           "Guard1.Factors": (("List", "ss", ("games", "")), "manage-factors", [("List", "ss", ("games", ""))])}


@pytest.mark.parametrize("interface", CROWDED)
def test_a_user_who_leaves_polkit_waiting_keeps_neither_root_nor_others_out(world, bus, interface):
    call, action, deeds = CROWDED[interface]
    address = GUARD.with_interface("org.sekisho." + interface)
    bus.start()
    world.start_agent(removable={"default": "read-only"})
    bus.wait_for_guard()
    polkit = FakePolkit(world, bus, silent=True)
    crowd = [bus.connect(world.machine.stranger.uid) for _ in range(9)]
    for peer in crowd:
        for _ in range(16):
            send(peer, address, *call, interactive=True)
    for peer in crowd:
        peer.call("Presence")  # is answered once all before it have been taken in
    root = bus.connect()
    for deed in deeds:
        root.ask_bus(new_method_call(address, *deed))
    send(bus.connect(world.machine.member.uid), address, *call)
    asked = wait_until(lambda: len(polkit.asked()) > 16 and polkit.asked(), "polkit is asked about somebody else")
    assert asked == [(ACTION + action, 1)] * 16 + [(ACTION + action, 0)]
    with pytest.raises(Refused, match="LimitsExceeded") as refused:
        bus.connect(world.machine.stranger.uid).ask_bus(new_method_call(address, *call))
    assert refused.value.text == "Too many calls are waiting already"
    polkit.close()  # the bus says so to who waits for it, and that makes room
    FakePolkit(world, bus, allowed={ACTION + action})
    assert bus.connect(world.machine.stranger.uid).ask_bus(new_method_call(address, *call))


# -- reload and explain


def test_reload_tells_whether_the_policy_was_taken(scene, bus):
    root = bus.connect()
    scene.write_policy(removable={"default": "deny"})
    assert root.call("Reload") == (True, "")
    path = scene.write_policy_text("version: 1\nserial: 99\ncolour: blue\n")
    loaded, faults = root.call("Reload")
    assert not loaded
    assert faults.startswith(f"{path}:3:1: ")
    assert json.loads(root.call("Status")[0])["policy"]["serial"] == 2


def test_explain_tells_what_would_be_decided(scene, bus):
    root = bus.connect()
    member, stranger = scene.machine.member, scene.machine.stranger

    def explain(kind, **arguments):
        return json.loads(root.call("Explain", "sa{ss}", kind, arguments)[0])

    device = {"bus": "loop", "serial": scene.serial, "external": "yes"}
    answer = explain("device", **device)
    assert answer["access"] == "write" and answer["conditional"] and answer["rule"] == "test stick"
    assert explain("device", serial="another")["access"] == "read-only"
    yes = explain("open", uid=str(member.uid), gids=",".join(map(str, member.groups)), **device)
    assert yes["allowed"] and yes["rule"] == "test stick"
    no = explain("open", uid=str(stranger.uid), gids=str(stranger.gid), **device)
    assert (no["allowed"], no["reason"]) == (False, "not-this-person")
    assert not explain("open", uid="1000", fstype="cifs", source="//server/share")["allowed"]
    for kind, arguments in (("open", {"serial": "A"}), ("door", {}), ("device", {"colour": "blue"}),
                            ("open", {"uid": "4294967295", "serial": "A"}), ("device", {"bus": "ship"}),
                            ("open", {"uid": "1", "gids": "1,", "serial": "A"})):
        with pytest.raises(Refused, match="InvalidArgs"):
            explain(kind, **arguments)


# -- sekishoctl


def test_sekishoctl_asks_the_guard_itself(scene, bus):
    status = json.loads(scene.ctl("status", "--json").stdout)
    assert status["alive"] and status["pid"] == scene.agent.pid
    assert [device["serial"] for device in json.loads(scene.ctl("devices", "--json").stdout)] == [scene.serial]
    everything = json.loads(scene.ctl("devices", "--all", "--json").stdout)
    assert scene.serial in [device["serial"] for device in everything]


def test_sekishoctl_tells_an_ordinary_user_who_may_know(scene, bus):
    for command in ("status", "devices", "reload"):
        result = scene.run_as(scene.machine.stranger, [program("sekishoctl"), command])
        assert result.returncode == 2 and "administrators" in result.stderr


def test_sekishoctl_has_the_policy_loaded(scene, bus):
    scene.write_policy(removable={"default": "deny"})
    assert json.loads(scene.ctl("reload", "--json").stdout) == {"loaded": True, "faults": []}
    path = scene.write_policy_text("version: 1\nserial: 99\ncolour: blue\nmode: perhaps\n")
    result = scene.ctl("reload", "--json", check=False)
    answer = json.loads(result.stdout)
    assert result.returncode == 1 and not answer["loaded"]
    assert [fault.split(" ")[0] for fault in answer["faults"]] == [f"{path}:3:1:", f"{path}:4:7:"]


def test_sekishoctl_does_without_a_bus_that_hangs(scene, bus):
    bus.freeze()
    result = scene.ctl("reload", check=False)
    assert result.returncode == 2 and "systemctl reload sekishod" in result.stderr
    # instead it reads what a guard wrote at the usual place, which this one does not
    assert json.loads(scene.ctl("status", "--json", check=False).stdout).get("pid") != scene.agent.pid


# -- who is told


def test_everybody_is_told_of_their_own_denials_and_nobody_of_others(scene, bus):
    stranger, root = scene.machine.stranger, scene.machine.root
    concerned, other, admin = (bus.connect(uid) for uid in (stranger.uid, scene.machine.member.uid, root.uid))
    silent = bus.connect(stranger.uid)
    for peer in (concerned, other, admin):
        peer.call("Subscribe")
    refuse(scene, stranger)
    uid, details = concerned.wait_denials()[0]
    assert uid == stranger.uid
    assert details["event"] == "write-denied" and details["path"] == f"{scene.point}/file"
    assert details["rule"] == "test stick" and details["reason"] == "not-this-person"
    assert details["contact"] == CONTACT and details["count"] == 1
    assert "rule_origin" not in details
    assert admin.wait_denials()[0][1]["rule_origin"].startswith(f"{scene.policy_directory}/10-test.yaml:")
    assert [one["path"] for one in wait_recent(concerned, len)] == [f"{scene.point}/file"]
    assert recent(other) == []
    assert not other.denials() and not silent.denials()
    assert [one["uid"] for one in recent(admin)] == [stranger.uid]


def test_whom_polkit_allows_it_is_told_of_everybody(scene, bus):
    polkit = FakePolkit(scene, bus, allowed={ACTION + "denials"})
    helper = bus.connect(scene.machine.member.uid)
    helper.call("Subscribe")
    wait_until(polkit.asked, "polkit is asked about the subscriber")
    assert recent(helper) == []  # asked later, answered later: the subscriber is known by now
    refuse(scene, scene.machine.stranger)
    assert helper.wait_denials()[0][0] == scene.machine.stranger.uid
    assert [one["uid"] for one in wait_recent(helper, len)] == [scene.machine.stranger.uid]


def test_a_subscription_ends_with_its_connection(scene, bus):
    for _ in range(40):  # more than one person may have at a time
        peer = bus.connect(scene.machine.stranger.uid)
        peer.call("Subscribe")
        peer.close()
    crowd = [bus.connect(scene.machine.stranger.uid) for _ in range(17)]
    for peer in crowd[:16]:
        wait_until(lambda peer=peer: subscribes(peer), "there is room for a subscriber")
    with pytest.raises(Refused, match="LimitsExceeded"):
        crowd[16].call("Subscribe")


def test_subscriptions_that_are_refused_take_no_room(scene, bus):
    crowd = [bus.connect(person.uid) for person in (scene.machine.stranger, scene.machine.member) for _ in range(130)]
    scene.agent.process.send_signal(signal.SIGSTOP)  # so that it finds them all before it knows whose they are
    try:
        for peer in crowd:
            for _ in range(16):
                send(peer, GUARD, "Status")
            send(peer, GUARD, "Subscribe")
    finally:
        scene.agent.process.send_signal(signal.SIGCONT)
    for peer in crowd:
        peer.call("Presence")
    assert subscribes(bus.connect())


def subscribes(peer):
    try:
        peer.call("Subscribe")
    except Refused:
        return False
    return True


def test_a_flood_is_told_with_its_count(scene, bus):
    stranger = scene.machine.stranger
    peer = bus.connect(stranger.uid)
    peer.call("Subscribe")
    for _ in range(200):
        refuse(scene, stranger)
    told = peer.wait_denials(lambda found: sum(details["count"] for _, details in found) >= 200)
    assert sum(details["count"] for _, details in told) == 200
    assert len(told) < 20


def test_a_name_that_is_no_text_is_told_all_the_same(world, bus):
    stranger, name = world.machine.stranger, os.fsdecode("住民".encode("shift_jis"))
    bus.start()
    guard_a_stick(world, content={name: "text"})
    bus.wait_for_guard()
    peer = bus.connect(stranger.uid)
    peer.call("Subscribe")
    refuse(world, stranger, name)
    (_, details), = peer.wait_denials()
    assert details["path"] == f"{world.point}/" + os.fsencode(name).decode(errors="replace")
    assert recent(peer)[0]["path"] == details["path"]


# -- the bus comes and goes


def test_the_guard_is_in_force_without_a_bus_and_found_once_there_is_one(world, bus):
    guard_a_stick(world)
    refuse(world, world.machine.stranger)
    bus.start()
    bus.wait_for_guard()
    assert [one["uid"] for one in wait_recent(bus.connect(), len)] == [world.machine.stranger.uid]


def test_a_bus_that_is_killed_is_found_again(scene, bus):
    for _ in range(3):
        bus.kill()
        refuse(scene, scene.machine.stranger)
        bus.start()
        bus.wait_for_guard()
        peer = bus.connect(scene.machine.stranger.uid)
        peer.call("Subscribe")
        refuse(scene, scene.machine.stranger, "directory/inner")
        peer.wait_denials()
    assert scene.agent.process.poll() is None


def test_a_bus_that_hangs_stops_nothing(scene, bus):
    stranger = scene.machine.stranger
    peer = bus.connect(stranger.uid)
    peer.call("Subscribe")
    bus.freeze()
    for _ in range(50):
        refuse(scene, stranger)
    scene.journal.wait("write-denied", uid=stranger.uid)
    other = scene.stick(name="late")  # a new device is judged and a new policy loaded as ever
    other.wait_held(True)
    scene.reload_policy(removable={"default": "deny"})
    bus.thaw()
    told = peer.wait_denials(lambda found: sum(details["count"] for _, details in found) >= 50)
    assert sum(details["count"] for _, details in told) == 50


def test_an_agent_that_starts_while_the_bus_hangs_is_in_force(world, bus):
    bus.start()
    bus.freeze()
    guard_a_stick(world)
    refuse(world, world.machine.stranger)
    world.agent.stop()


def test_an_agent_ends_while_the_bus_hangs(scene, bus):
    peer = bus.connect(scene.machine.stranger.uid)
    peer.call("Subscribe")
    bus.freeze()
    refuse(scene, scene.machine.stranger)
    scene.journal.wait("write-denied", uid=scene.machine.stranger.uid)
    scene.agent.stop()

# SPDX-License-Identifier: GPL-2.0-or-later
"""The person who is blocked is told: on the desktop, or on a text terminal; and only that person."""

import os
import pty
import re
import select

import pytest
from jeepney import DBusAddress, new_signal
from jeepney.bus_messages import message_bus
from sekisho_bus import SESSION, Bus, FakeNotificationServer, Witness
from sekisho_machine import GROUP, make_directory, unlink
from sekisho_wait import run, stop, wait_until
from sekisho_world import BUILD, OPENERS, program, read, rule_for

CONTACT = "情報政策課 <内線 2345>"
HOSTILE = "a\x1b[2J\n<b>&\u202etxt"


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def session(world, bus):
    return Bus(world, SESSION, "session").start()


@pytest.fixture
def scene(world, bus):
    """The guard on a bus, and a stick that only a group may write to."""
    stick = world.stick(attach=False, content={"file": "text", "other": "text", HOSTILE: "text"})
    world.start_agent(**world.approving(stick, groups=[GROUP]), contact=CONTACT)
    stick.attach()
    stick.wait_held(False)
    world.point = stick.mount("rw")
    world.approved_stick = stick
    world.journal.wait("superblock-guarded", mount=world.point)
    bus.wait_for_guard()
    return world


def refuse(world, person, name="file"):
    assert world.run_as(person, [OPENERS, "open", "write", f"{world.point}/{name}"]).stdout == "EPERM\n"


def start_notify(world, person, bus, session=None, **more):
    """sekisho-notify in PERSON's session; once this returns it has subscribed and is on the session's bus."""
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": bus.address, **more}
    watch = session.connect() if session else None
    before = names(watch)
    if session:
        environment["DBUS_SESSION_BUS_ADDRESS"] = session.address
    witness = Witness(world, bus)
    process = world.start_as(person, [program("sekisho-notify")], env=environment)
    witness.wait_answered("Subscribe")
    if session:
        wait_until(lambda: names(watch) - before, "sekisho-notify is on the session's bus")
    return process


def names(peer):
    return set(peer.ask_bus(message_bus.ListNames())[0]) if peer else set()


def wait_shown(server, enough=lambda shown: shown):
    wait_until(lambda: enough(server.shown), "a notification is shown")
    return server.shown


def test_the_person_is_told_what_was_blocked_and_whom_to_ask(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    refuse(scene, stranger)
    first = wait_shown(server)[0]
    assert first["summary"] == "Writing was blocked"
    assert first["body"].split("\n") == [f"{scene.point}/file", "It has been approved for other persons.",
                                        "Rule: test stick", "Contact: 情報政策課 &lt;内線 2345&gt;"]


def test_in_a_japanese_session_it_speaks_japanese(scene, bus, session):
    locales = scene.new_path("locales")
    os.mkdir(locales, 0o755)
    run(["localedef", "-i", "ja_JP", "-f", "UTF-8", f"{locales}/ja_JP.UTF-8"])
    server = FakeNotificationServer(scene, session)
    start_notify(scene, scene.machine.stranger, bus, session, LOCPATH=locales, LC_ALL="ja_JP.UTF-8",
                 SEKISHO_LOCALE_DIR=f"{BUILD}/locale")
    refuse(scene, scene.machine.stranger)
    shown = wait_shown(server)[0]
    assert shown["summary"] == "書き込みを拒否しました"
    why, rule, contact = shown["body"].split("\n")[1:]
    assert re.search("[ぁ-ん]", why) and rule == "規則: test stick" and contact.startswith("問い合わせ先: 情報政策課")


def test_a_server_without_markup_is_given_plain_text(scene, bus, session):
    server = FakeNotificationServer(scene, session, markup=False)
    start_notify(scene, scene.machine.stranger, bus, session)
    refuse(scene, scene.machine.stranger)
    assert f"Contact: {CONTACT}" in wait_shown(server)[0]["body"]


def test_a_hostile_name_is_harmless(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    refuse(scene, stranger, HOSTILE)
    shown = wait_shown(server)[0]
    assert shown["body"].split("\n")[0] == f"{scene.point}/a\\x1b[2J\\x0a&lt;b&gt;&amp;\\u202etxt"


def test_a_flood_is_one_notification_with_a_count(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    for _ in range(300):
        refuse(scene, stranger)
    wait_shown(server, lambda shown: shown and shown[-1]["body"].endswith("\n300 refusals so far"))
    assert {one["id"] for one in server.shown} == {1}
    assert [one["replaces"] for one in server.shown] == [0] + [1] * (len(server.shown) - 1)
    assert len(server.shown) < 15


def test_nobody_else_is_told(scene, bus, session):
    """Root is sent everybody's, and shown its own."""
    stranger, root = scene.machine.stranger, scene.machine.root
    server, others = FakeNotificationServer(scene, session), Bus(scene, SESSION, "other").start()
    other = FakeNotificationServer(scene, others)
    start_notify(scene, root, bus, others)
    start_notify(scene, stranger, bus, session)
    refuse(scene, stranger, "other")
    wait_shown(server)
    refuse(scene, root)  # told after the other, so that by now that would be shown, too
    assert [one["body"].split("\n")[0] for one in wait_shown(other)] == [f"{scene.point}/file"]


def test_nobody_but_the_guard_is_believed(scene, bus, session):
    """Any connection may send a signal of that name to any other."""
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    liar = bus.connect(scene.machine.member.uid)
    emitter = DBusAddress("/org/sekisho/Guard1", interface="org.sekisho.Guard1")
    liar.send(new_signal(emitter, "Denied", "ua{sv}", (stranger.uid, {"path": ("s", "call 0120")})))
    liar.ask_bus(message_bus.GetId())  # the bus has it
    refuse(scene, stranger)
    assert [one["body"].split("\n")[0] for one in wait_shown(server)] == [f"{scene.point}/file"]


def test_it_finds_the_guard_and_both_buses_again(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    notify = start_notify(scene, stranger, bus, session)

    def told(server):
        """Refuses until it is shown: when it has found everything again nothing tells."""
        before = len(server.shown)

        def shown():
            result = scene.run_as(stranger, [OPENERS, "open", "write", f"{scene.point}/file"])
            assert result.stdout in ("EPERM\n", "EROFS\n")
            return len(server.shown) > before

        wait_until(shown, "another notification is shown")
        return server.shown[before]

    told(server)
    bus.kill()
    bus.start()
    bus.wait_for_guard()
    told(server)
    session.kill()
    session.start()
    again = FakeNotificationServer(scene, session)
    assert told(again)["replaces"] == 0
    scene.agent.stop()
    scene.approved_stick.umount(scene.point)
    scene.start_agent()
    scene.approved_stick.wait_held(False)
    scene.point = scene.approved_stick.mount("rw")
    scene.journal.wait("superblock-guarded", mount=scene.point)
    told(again)
    assert notify.poll() is None
    assert stop(notify) == 0


# -- what is plugged in


def sit(world, person):
    """PERSON is in front of the screen, as logind would know it."""
    make_directory(world._undo, "/run/systemd/seats")
    seat = "/run/systemd/seats/seat0"
    world.undo(unlink, seat)
    with open(seat + ".new", "w") as to:
        to.write(f"IS_SEAT0=1\nACTIVE=sekishotest\nACTIVE_UID={person.uid}\n")
    os.rename(seat + ".new", seat)


@pytest.fixture
def namespace(world):
    name = f"sekisho-seat-{os.getpid()}"
    run(["ip", "netns", "add", name])
    world.undo(run, ["ip", "netns", "delete", name], check=False)
    world.agent_prefix = ["nsenter", f"--net=/run/netns/{name}"]
    return name


def add_tap(namespace, name):
    run(["ip", "-n", namespace, "tuntap", "add", "mode", "tap", "name", name])


def test_who_sits_there_is_told_of_a_refused_network_interface(world, bus, session, namespace):
    stranger, member = world.machine.stranger, world.machine.member
    others = Bus(world, SESSION, "other").start()
    server, other = FakeNotificationServer(world, session), FakeNotificationServer(world, others)
    world.start_agent("--network", zone="mynumber", network={"default": "allow"}, contact=CONTACT)
    bus.wait_for_guard()
    start_notify(world, stranger, bus, session)
    start_notify(world, member, bus, others)
    sit(world, stranger)
    add_tap(namespace, "phone0")
    told = wait_shown(server)[0]
    assert told["summary"] == "A network interface was refused"
    assert told["body"].split("\n") == ["phone0", "It is not on the list of what this terminal may use.",
                                        "Rule: interfaces.default", "Contact: 情報政策課 &lt;内線 2345&gt;"]
    sit(world, member)
    add_tap(namespace, "phone1")
    assert wait_shown(other)[0]["body"].split("\n")[0] == "phone1"
    assert len(server.shown) == len(other.shown) == 1
    record = world.journal.wait("network-interface-verdict", network_interface="phone1")
    assert "SEKISHO_UID" not in record and "SEKISHO_LOGINUID" not in record


def test_who_sits_there_is_told_of_a_refused_device_and_not_of_one_that_is_held(world, bus, session):
    stranger = world.machine.stranger
    server = FakeNotificationServer(world, session)
    held, refused = (world.stick(name, attach=False) for name in ("held", "refused"))
    world.start_agent(removable={"default": "read-only", "devices": [rule_for(refused, access="deny")]})
    bus.wait_for_guard()
    start_notify(world, stranger, bus, session)
    sit(world, stranger)
    held.attach()
    held.wait_held(True)
    world.journal.wait("device-verdict", verdict="read-only")
    refused.attach()
    told = wait_shown(server)
    assert [one["summary"] for one in told] == ["A device was refused"]
    name, identity = told[0]["body"].split("\n")[:2]
    assert name == os.path.basename(refused.node) and identity.split()


# -- text terminals


class Terminal:
    """A terminal of PERSON's, in a session that logind would know of."""

    def __init__(self, world, person, kind="tty"):
        self.reader, self.writer = pty.openpty()
        self.node = os.ttyname(self.writer)
        for end in (self.reader, self.writer):
            world.undo(os.close, end)
            os.set_blocking(end, False)
        os.chown(self.node, person.uid, -1)
        self.text = ""
        for directory in ("/run/systemd/users", "/run/systemd/sessions"):
            make_directory(world._undo, directory)
        name = self.node.removeprefix("/dev/")
        session = "sekishotest" + name.replace("/", "")  # letters and digits only: sd-login(3) takes nothing else
        self._write(world, f"/run/systemd/sessions/{session}", f"UID={person.uid}\nTYPE={kind}\nCLASS=user\n"
                    f"STATE=online\nACTIVE=0\nREMOTE=0\nTTY={name}\n")
        user = f"/run/systemd/users/{person.uid}"
        sessions = [*re.findall("^ONLINE_SESSIONS=(.*)$", read(user), re.MULTILINE), session]
        self._write(world, user, f"STATE=online\nONLINE_SESSIONS={' '.join(sessions)}\n")

    @staticmethod
    def _write(world, path, text):
        world.undo(unlink, path)
        with open(path, "w") as to:
            to.write(text)

    def read(self, seconds=0.0):
        while select.select([self.reader], [], [], seconds)[0]:
            self.text += os.read(self.reader, 65536).decode(errors="replace")
            seconds = 0.0
        return self.text


def wait_told(terminal):
    return wait_until(lambda: terminal.read(0.1).count("\n") >= 2 and terminal.text, "the terminal shows a line")


@pytest.mark.parametrize("missing", ["session bus", "notification server"])
def test_without_a_desktop_a_terminal_tells(scene, bus, session, missing):
    stranger = scene.machine.stranger
    terminal = Terminal(scene, stranger)
    start_notify(scene, stranger, bus, session if missing == "notification server" else None)
    refuse(scene, stranger)
    line = wait_told(terminal).split("\n")[1].rstrip("\r")
    assert line == (f"Sekisho: Writing was blocked | {scene.point}/file | It has been approved for other persons. | "
                    f"Rule: test stick | Contact: {CONTACT}")


def test_only_text_terminals_that_belong_to_the_person_are_written_to(scene, bus):
    stranger = scene.machine.stranger
    given_away, graphical = Terminal(scene, stranger), Terminal(scene, stranger, kind="wayland")
    os.chown(given_away.node, scene.machine.member.uid, -1)
    own = Terminal(scene, stranger)
    start_notify(scene, stranger, bus)
    refuse(scene, stranger)
    wait_told(own)
    assert not given_away.read() and not graphical.read()


def test_a_terminal_that_is_full_holds_up_no_other(scene, bus):
    stranger = scene.machine.stranger
    full, other = Terminal(scene, stranger), Terminal(scene, stranger)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(full.writer, b"x" * 4096)
    notify = start_notify(scene, stranger, bus)
    refuse(scene, stranger)
    wait_told(other)
    assert stop(notify) == 0

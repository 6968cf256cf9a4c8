# SPDX-License-Identifier: GPL-2.0-or-later
"""The person who is blocked is told: on the desktop, or on a text terminal; and only that person."""

import os
import pty
import re
import select

import pytest
from jeepney import DBusAddress, new_signal
from jeepney.bus_messages import message_bus
from sekisho_bus import SESSION, Bus, FakeNotificationServer
from sekisho_machine import GROUP, make_directory, unlink
from sekisho_wait import stop, wait_until
from sekisho_world import OPENERS, program, read

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
    stick = world.stick(attach=False, content={"file": "text", HOSTILE: "text"})
    world.start_agent(**world.approving(stick, groups=[GROUP]), contact=CONTACT)
    stick.attach()
    stick.wait_held(False)
    world.point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=world.point)
    bus.wait_for_guard()
    return world


def refuse(world, person, name="file"):
    assert world.run_as(person, [OPENERS, "open", "write", f"{world.point}/{name}"]).stdout == "EPERM\n"


def start_notify(world, person, bus, session=None):
    """sekisho-notify in PERSON's session."""
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": bus.address}
    if session:
        environment["DBUS_SESSION_BUS_ADDRESS"] = session.address
    return world.start_as(person, [program("sekisho-notify")], env=environment)


def wait_shown(world, person, server, enough=lambda shown: shown, name="file"):
    """Refuses until it is shown: the subscription is made some time after the start."""
    def shown():
        refuse(world, person, name)
        return enough(server.shown)

    wait_until(shown, "a notification is shown")
    return server.shown


def test_the_person_is_told_what_was_blocked_and_whom_to_ask(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    first = wait_shown(scene, stranger, server)[0]
    assert first["summary"] == "Writing was blocked"
    assert first["body"].split("\n") == [f"{scene.point}/file", "It has been approved for other persons.",
                                        "Rule: test stick", "Contact: 情報政策課 &lt;内線 2345&gt;"]


def test_a_server_without_markup_is_given_plain_text(scene, bus, session):
    server = FakeNotificationServer(scene, session, markup=False)
    start_notify(scene, scene.machine.stranger, bus, session)
    assert f"Contact: {CONTACT}" in wait_shown(scene, scene.machine.stranger, server)[0]["body"]


def test_a_hostile_name_is_harmless(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    shown = wait_shown(scene, stranger, server, name=HOSTILE)[0]
    assert shown["body"].split("\n")[0] == f"{scene.point}/a\\x1b[2J\\x0a&lt;b&gt;&amp;\\u202etxt"


def test_a_flood_is_one_notification_with_a_count(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, server)
    for _ in range(300):
        refuse(scene, stranger)
    wait_until(lambda: server.shown[-1]["body"].endswith(" refusals so far") and
               int(server.shown[-1]["body"].split("\n")[-1].split()[0]) >= 300, "the count is shown")
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
    wait_shown(scene, root, other)
    wait_shown(scene, stranger, server, name="directory/inner")
    count = len(server.shown)
    wait_shown(scene, stranger, server, lambda shown: len(shown) >= count + 2, name="directory/inner")
    assert not any("inner" in one["body"] for one in other.shown)


def test_nobody_but_the_guard_is_believed(scene, bus, session):
    """Any connection may send a signal of that name to any other."""
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, server)
    liar = bus.connect(scene.machine.member.uid)
    emitter = DBusAddress("/org/sekisho/Guard1", interface="org.sekisho.Guard1")
    liar.send(new_signal(emitter, "Denied", "ua{sv}", (stranger.uid, {"path": ("s", "call 0120")})))
    liar.ask_bus(message_bus.GetId())  # the bus has it
    before = len(server.shown)
    wait_shown(scene, stranger, server, lambda shown: len(shown) > before)
    assert not any("0120" in one["body"] for one in server.shown)


def test_it_finds_the_guard_and_both_buses_again(scene, bus, session):
    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    notify = start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, server)
    bus.kill()
    bus.start()
    bus.wait_for_guard()
    before = len(server.shown)
    wait_shown(scene, stranger, server, lambda shown: len(shown) > before)
    session.kill()
    session.start()
    again = FakeNotificationServer(scene, session)
    wait_shown(scene, stranger, again)
    assert again.shown[0]["replaces"] == 0
    scene.agent.stop()
    scene.start_agent()
    bus.wait_for_guard()
    before = len(again.shown)
    wait_shown(scene, stranger, again, lambda shown: len(shown) > before)
    assert notify.poll() is None
    assert stop(notify) == 0


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
        session = f"sekisho-test-{name.replace('/', '-')}"
        self._write(world, f"/run/systemd/sessions/{session}", f"UID={person.uid}\nTYPE={kind}\nCLASS=user\n"
                    f"STATE=online\nACTIVE=0\nREMOTE=0\nTTY={name}\n")
        user = f"/run/systemd/users/{person.uid}"
        sessions = [*re.findall("^SESSIONS=(.*)$", read(user), re.MULTILINE), session]
        self._write(world, user, f"STATE=online\nSESSIONS={' '.join(sessions)}\n")

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


def wait_told(world, person, terminal):
    def told():
        refuse(world, person)
        return terminal.read(0.1)

    return wait_until(told, "the terminal shows something")


@pytest.mark.parametrize("missing", ["session bus", "notification server"])
def test_without_a_desktop_a_terminal_tells(scene, bus, session, missing):
    stranger = scene.machine.stranger
    terminal = Terminal(scene, stranger)
    start_notify(scene, stranger, bus, session if missing == "notification server" else None)
    line = wait_told(scene, stranger, terminal).split("\n")[1].rstrip("\r")
    assert line == (f"Sekisho: Writing was blocked | {scene.point}/file | It has been approved for other persons. | "
                    f"Rule: test stick | Contact: {CONTACT}")


def test_only_text_terminals_that_belong_to_the_person_are_written_to(scene, bus):
    stranger = scene.machine.stranger
    given_away, graphical = Terminal(scene, stranger), Terminal(scene, stranger, kind="wayland")
    os.chown(given_away.node, scene.machine.member.uid, -1)
    own = Terminal(scene, stranger)
    start_notify(scene, stranger, bus)
    wait_told(scene, stranger, own)
    assert not given_away.read() and not graphical.read()


def test_a_terminal_that_is_full_holds_up_no_other(scene, bus):
    stranger = scene.machine.stranger
    full, other = Terminal(scene, stranger), Terminal(scene, stranger)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(full.writer, b"x" * 4096)
    notify = start_notify(scene, stranger, bus)
    wait_told(scene, stranger, other)
    assert stop(notify) == 0

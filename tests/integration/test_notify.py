# SPDX-License-Identifier: GPL-2.0-or-later
"""The person who is blocked is told: on the desktop, or on a text terminal; and only that person."""

import contextlib
import os
import pty
import select
import signal
import time

import pytest
from sekisho_bus import SESSION, Bus, FakeNotificationServer, as_user
from sekisho_machine import GROUP, make_directory, unlink
from sekisho_wait import DEADLINE, Late, remaining, stop, wait_until
from sekisho_world import OPENERS, program

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
    """sekisho-notify in PERSON's session; it has subscribed once this returns."""
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": bus.address}
    if session:
        environment["DBUS_SESSION_BUS_ADDRESS"] = session.address
    process = world.start_as(person, [program("sekisho-notify")], env=environment)
    wait_until(lambda: is_listening(process.pid, 2 if session else 1), "sekisho-notify is on its buses")
    return process


def is_listening(pid, buses):
    """Whether it has asked for everything on its buses and sleeps: nothing else tells from outside."""
    with open(f"/proc/{pid}/net/unix") as table:
        known = {line.split()[6] for line in table if line.split()[5] == "03"}
    sockets = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            sockets += target.startswith("socket:[") and target[8:-1] in known
    return sockets >= buses


def wait_shown(world, person, server, enough=lambda shown: shown):
    """Refuses until a notification is there: the subscription is made some time after the start."""
    def shown():
        refuse(world, person)
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
    wait_shown(scene, stranger, server)
    refuse(scene, stranger, HOSTILE)
    wait_until(lambda: any("a\\x1b[2J\\x0a&lt;b&gt;&amp;\\u202etxt" in one["body"] for one in server.shown),
               "the hostile name is shown, escaped")
    assert not any(set("\x1b\u202e") & set(one["body"]) for one in server.shown)


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
    stranger, member = scene.machine.stranger, scene.machine.member
    own, others = FakeNotificationServer(scene, session), Bus(scene, SESSION, "other").start()
    other = FakeNotificationServer(scene, others)
    start_notify(scene, member, bus, others)
    start_notify(scene, scene.machine.root, bus, others)  # is told by the guard, and keeps it to itself
    start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, own, lambda shown: len(shown) >= 2)
    assert not other.shown


def test_nobody_but_the_guard_is_believed(scene, bus, session):
    """Any connection may send a signal of that name to any other."""
    from jeepney import DBusAddress, new_signal

    stranger = scene.machine.stranger
    server = FakeNotificationServer(scene, session)
    start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, server)
    liar = bus.connect(scene.machine.member.uid)
    emitter = DBusAddress("/org/sekisho/Guard1", interface="org.sekisho.Guard1")
    liar._connection.send(new_signal(emitter, "Denied", "ua{sv}", (stranger.uid, {"path": ("s", "call 0120")})))
    liar.ask_bus(_get_id())  # the bus has it
    before = len(server.shown)
    wait_shown(scene, stranger, server, lambda shown: len(shown) > before)
    assert not any("0120" in one["body"] for one in server.shown)


def _get_id():
    from jeepney.bus_messages import message_bus
    return message_bus.GetId()


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
    """A terminal of PERSON's, in a text session that logind would know of."""

    def __init__(self, world, person, kind="tty"):
        self.reader, writer = pty.openpty()
        self.name = os.ttyname(writer).removeprefix("/dev/")
        world.undo(os.close, self.reader)
        world.undo(os.close, writer)
        os.chown(f"/dev/{self.name}", person.uid, -1)
        os.set_blocking(self.reader, False)
        self.text = ""
        session = f"sekisho-test-{person.uid}"
        for directory in ("/run/systemd/users", "/run/systemd/sessions"):
            make_directory(world._undo, directory)
        self._write(world, f"/run/systemd/users/{person.uid}", f"STATE=online\nSESSIONS={session}\n"
                    f"ONLINE_SESSIONS={session}\n")
        self._write(world, f"/run/systemd/sessions/{session}",
                    f"UID={person.uid}\nTYPE={kind}\nCLASS=user\nSTATE=online\nACTIVE=0\nREMOTE=0\nTTY={self.name}\n")

    @staticmethod
    def _write(world, path, text):
        assert not os.path.exists(path)
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


@pytest.mark.parametrize("bus_of_session", ["no session bus", "no notification server"])
def test_without_a_desktop_a_terminal_tells(scene, bus, session, bus_of_session):
    stranger = scene.machine.stranger
    terminal = Terminal(scene, stranger)
    start_notify(scene, stranger, bus, session if bus_of_session == "no notification server" else None)
    line = wait_told(scene, stranger, terminal).split("\r\n")[1]
    assert line == (f"Sekisho: Writing was blocked | {scene.point}/file | It has been approved for other persons. | "
                    f"Rule: test stick | Contact: {CONTACT}").replace("\n", "")


def test_a_terminal_of_somebody_else_or_of_a_desktop_is_left_alone(scene, bus, session):
    stranger, member = scene.machine.stranger, scene.machine.member
    terminal = Terminal(scene, stranger)
    os.chown(f"/dev/{terminal.name}", member.uid, -1)  # logind is out of date
    graphical = Terminal(scene, member, kind="wayland")
    server = FakeNotificationServer(scene, session)
    for person in (stranger, member):
        start_notify(scene, person, bus)
    start_notify(scene, stranger, bus, session)
    wait_shown(scene, stranger, server, lambda shown: len(shown) >= 2)
    assert not terminal.read() and not graphical.read()


def test_a_terminal_that_is_full_does_not_hold_it_up(scene, bus):
    stranger = scene.machine.stranger
    terminal = Terminal(scene, stranger)
    fill = os.open(f"/dev/{terminal.name}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(fill, b"x" * 4096)
    os.close(fill)
    notify = start_notify(scene, stranger, bus)
    peer = bus.connect(stranger.uid)
    peer.call("Subscribe")
    refuse(scene, stranger)
    peer.wait_denials()
    assert stop(notify) == 0

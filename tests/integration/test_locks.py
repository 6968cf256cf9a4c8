# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions that lock when their person leaves. The agent and the bus are real, logind is python-dbusmock's. This
kernel has no security key to pull out: what stands for one is a loop device, whose removal the kernel tells alike."""

import errno
import fcntl
import os
import signal
import time

import pytest
from sekisho_bus import Bus, FakePolkit
from sekisho_cards import Reader
from sekisho_logind import BUS_WITH_LOGIND, FakeLogind
from sekisho_machine import LOOP_CTL_REMOVE, PLAIN_LOOPS
from sekisho_wait import start, stop, wait_until
from test_logins import COUNTER, call_logins, sessions

LOOP_CTL_ADD = 0x4C80
TOKEN = 8  # its place in a line of the sessions
EVENTS = ("session-locked", "session-lock-failed")


class Key:
    """What can be taken away."""

    def __init__(self, world):
        with open("/dev/loop-control", "r+b", buffering=0) as control:
            for number in PLAIN_LOOPS:
                try:
                    self._number = fcntl.ioctl(control, LOOP_CTL_ADD, number)
                    break
                except FileExistsError:
                    continue
        self.path = os.path.realpath(f"/sys/block/loop{self._number}")
        self.token, self._there = f"key:{self.path}", True
        world.undo(self.take_away)

    def take_away(self):
        if self._there:
            wait_until(self._remove, f"nobody looks at {self.path} any more")
            self._there = False

    def _remove(self):
        with open("/dev/loop-control", "r+b", buffering=0) as control:
            try:
                fcntl.ioctl(control, LOOP_CTL_REMOVE, self._number)
                return True
            except OSError as error:
                if error.errno != errno.EBUSY:  # udevd has it open
                    raise
                return False


class Desk:
    """Somebody who logs in at the machine, as pam_sekisho tells it; the process that stands for the session lives."""

    def __init__(self, world, bus):
        self._world, self._bus = world, bus
        self.process = start(["sleep", "infinity"])
        world.undo(stop, self.process)

    @property
    def leader(self):
        return self.process.pid

    def person(self, session, token, person="12345", remote=False):
        return session, COUNTER, person, "password,fido2", "tty1", remote, token

    def open(self, session="c1", token="", leader=None, **more):
        call_logins(self._bus.connect(), "OpenSession", "susssbssu",
                    (*self.person(session, token, **more), "gdm-password", leader or self.leader))

    def unlock(self, session="c1", token="", **more):
        call_logins(self._bus.connect(), "ChangePerson", "susssbs", self.person(session, token, **more))

    def close(self):
        call_logins(self._bus.connect(), "CloseSession", "u", (self.leader,))


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world, configuration=BUS_WITH_LOGIND)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def logind(world, bus):
    logind = FakeLogind(world, bus).start()
    logind.add("c1")
    logind.lock_by_screen_lock()
    return logind


@pytest.fixture
def desk(world, bus, monkeypatch):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", os.environ.get("PCSCLITE_CSOCK_NAME", world.new_path("no-pcscd")))
    world.start_agent(mfa={"lock-on-removal": True})
    bus.wait_for_guard()
    return Desk(world, bus)


def wait_locked(world, reason="token-removed", **fields):
    return world.journal.wait("session-locked", reason=reason, **fields)


def count(world, event):
    world.journal.barrier()
    return len(world.journal.select(event))


# -- what was taken away


def test_taking_the_key_away_locks_the_session_and_is_recorded(world, logind, desk):
    key = Key(world)
    desk.open(token=key.token)
    assert sessions(world)[0][TOKEN] == key.token
    key.take_away()
    assert logind.wait_asked(1) == ["c1"]
    record = wait_locked(world)
    assert (record["SEKISHO_SESSION"], record["SEKISHO_PERSON"], record["SEKISHO_UID"]) == ("c1", "12345", str(COUNTER))
    assert record["MESSAGE"] == f"Session c1 locked, of 12345 as uid {COUNTER} (token-removed)"
    wait_until(lambda: sessions(world)[0][TOKEN] == "-", "nothing locks it a second time")
    assert count(world, "session-lock-failed") == 0


def test_a_key_that_is_gone_when_the_session_opens_locks_at_once(world, logind, desk):
    key = Key(world)
    key.take_away()
    desk.open(token=key.token)
    assert logind.wait_asked(1) == ["c1"]
    wait_locked(world)


def test_a_key_that_cannot_be_found_any_more_counts_as_gone(world, logind, desk):
    desk.open(token="key:")
    wait_locked(world)


def test_only_the_session_of_the_key_locks(world, logind, desk):
    mine, theirs = Key(world), Key(world)
    logind.add("c2")
    other = Desk(world, desk._bus)
    desk.open("c1", token=mine.token)
    other.open("c2", token=theirs.token, person="67890")
    theirs.take_away()
    assert wait_locked(world)["SEKISHO_SESSION"] == "c2"
    mine.take_away()
    assert logind.wait_asked(2) == ["c2", "c1"]


def test_the_key_of_the_last_unlock_counts(world, logind, desk):
    first, second = Key(world), Key(world)
    desk.open(token=first.token)
    desk.unlock(token=second.token, person="67890")
    first.take_away()
    second.take_away()
    assert wait_locked(world)["SEKISHO_PERSON"] == "67890"
    assert logind.asked() == ["c1"], "the first key stood for nobody any more"


def test_an_unlock_without_a_key_leaves_nothing_to_take_away(world, logind, desk):
    key, last = Key(world), Key(world)
    desk.open(token=key.token)
    desk.unlock(token="")
    key.take_away()
    desk.unlock(token=last.token)
    last.take_away()
    wait_locked(world)
    assert logind.asked() == ["c1"]


def test_it_is_off_where_the_policy_says_so_and_counts_again_when_it_does(world, logind, desk):
    key = Key(world)
    world.reload_policy(mfa={"lock-on-removal": False})
    desk.open(token=key.token)
    key.take_away()
    assert count(world, "session-locked") == 0 and logind.asked() == []
    world.reload_policy(mfa={"lock-on-removal": True})
    wait_locked(world)


def test_a_new_agent_sees_what_went_meanwhile_and_locks_once(world, bus, logind, desk):
    key = Key(world)
    desk.open(token=key.token)
    world.agent.kill()
    key.take_away()
    world.start_agent()
    wait_locked(world)
    wait_until(lambda: sessions(world)[0][TOKEN] == "-", "it is noted")
    world.agent.kill()
    world.start_agent()
    bus.wait_for_guard()
    last = Key(world)
    desk.unlock(token=last.token)
    last.take_away()
    logind.wait_asked(2)
    assert logind.asked() == ["c1", "c1"]


def test_a_session_from_elsewhere_is_let_be(world, logind, desk):
    here = Desk(world, desk._bus)
    logind.add("c2")
    desk.open("c1", token="key:", remote=True)
    here.open("c2", token="key:")
    wait_locked(world, session="c2")
    assert logind.asked() == ["c2"]


def test_a_session_that_is_over_is_not_locked(world, logind, desk):
    key, last = Key(world), Key(world)
    desk.open(token=key.token)
    desk.close()
    key.take_away()
    desk.open(token=last.token)
    last.take_away()
    wait_locked(world)
    assert logind.asked() == ["c1"]


def test_becoming_another_user_within_the_session_does_not_take_the_key_off(world, logind, desk):
    key, su = Key(world), Desk(world, desk._bus)
    desk.open(token=key.token)
    su.open(token="", person="root")
    assert [line[4] for line in sessions(world)] == ["12345"]
    key.take_away()
    assert wait_locked(world)["SEKISHO_PERSON"] == "12345"


def test_logind_finds_the_session_of_a_process_that_had_none_yet(world, logind, desk):
    logind._mock("/org/freedesktop/login1", "AddMethod", "sssss",
                 ("org.freedesktop.login1.Manager", "GetSessionByPID", "u", "o",
                  f'assert args[0] == {desk.leader}; ret = dbus.ObjectPath("{logind.path("c1")}")'))
    key = Key(world)
    desk.open(session="", token=key.token)
    key.take_away()
    assert logind.wait_asked(1) == ["c1"]
    assert "SEKISHO_SESSION" not in wait_locked(world)


# -- cards


@pytest.fixture
def reader(world, bus, logind, monkeypatch):
    FakePolkit(world, bus, allowed={"org.debian.pcsc-lite.access_pcsc"})
    reader = Reader(world)
    for name, value in reader.environment.items():
        monkeypatch.setenv(name, value)
    return reader.start()


def card_token(slot):
    return "card:" + Reader.names[slot].replace(" ", "%20")


def open_by_card(world, desk, logind, slot=0):
    """A session by the card in SLOT, which the agent has seen: another one whose card is not there has locked."""
    logind.add("other")
    desk.open("c1", token=card_token(slot))
    Desk(world, desk._bus).open("other", token=card_token(1 - slot))
    wait_locked(world, session="other")
    assert logind.asked() == ["other"]


def test_taking_the_card_out_of_its_reader_locks(world, reader, logind, desk):
    card = reader.put_in(0)
    open_by_card(world, desk, logind)
    card.take_out()
    wait_locked(world, session="c1")


def test_a_card_that_is_not_in_its_reader_when_the_session_opens_locks_at_once(world, reader, logind, desk):
    reader.put_in(1)
    desk.open(token=card_token(0))
    wait_locked(world)


def test_another_card_does_not_stand_for_the_first(world, reader, logind, desk):
    card = reader.put_in(0)
    open_by_card(world, desk, logind)
    card.take_out()
    reader.put_in(0)
    wait_locked(world, session="c1")


def test_the_card_of_another_reader_locks_nothing(world, reader, logind, desk):
    card = reader.put_in(0)
    open_by_card(world, desk, logind)
    other = reader.put_in(1)
    other.take_out()
    logind.add("c2")
    Desk(world, desk._bus).open("c2", token=card_token(1))
    wait_locked(world, session="c2")
    assert logind.asked() == ["other", "c2"]
    card.take_out()
    wait_locked(world, session="c1")


def test_a_card_that_nobody_watches_any_more_is_recorded(world, reader, logind, desk):
    reader.put_in(0)
    open_by_card(world, desk, logind)
    reader.stop()
    failed = world.journal.wait("session-lock-failed", session="c1")
    assert failed["SEKISHO_ERROR"].startswith("pcscd does not answer")
    reader.start()  # in which no card is
    wait_locked(world, session="c1")


def test_a_terminal_without_pcscd_says_that_cards_are_not_watched(world, logind, desk):
    desk.open(token=card_token(0))
    assert world.journal.wait("session-lock-failed")["SEKISHO_ERROR"].startswith("pcscd does not answer")
    assert logind.asked() == []


# -- nobody is there


def idle_since(logind, seconds, session="c1"):
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    logind.update(session, IdleHint=("b", True), IdleSinceHintMonotonic=("t", now - int(seconds * 1e6)),
                  IdleSinceHint=("t", int((time.time() - seconds) * 1e6)))


def test_an_idle_session_locks_when_its_time_has_come(world, logind, desk):
    world.reload_policy(mfa={"lock-idle-minutes": 1})
    desk.open()
    idle_since(logind, 58)
    before = time.monotonic()
    assert logind.wait_asked(1) == ["c1"]
    assert time.monotonic() - before > 1, "not before its time"
    assert wait_locked(world, "idle")["SEKISHO_SESSION"] == "c1"


def test_who_comes_back_in_time_is_not_locked_out(world, logind, desk):
    world.reload_policy(mfa={"lock-idle-minutes": 1})
    logind.add("c2")
    other = Desk(world, desk._bus)
    desk.open("c1")
    other.open("c2")
    idle_since(logind, 57, "c1")
    idle_since(logind, 56.5, "c2")
    logind.update("c1", IdleHint=("b", False))
    assert logind.wait_asked(1) == ["c2"]


def test_an_idle_session_locks_once_until_somebody_was_there(world, logind, desk):
    world.reload_policy(mfa={"lock-idle-minutes": 1})
    desk.open()
    idle_since(logind, 61)
    wait_locked(world, "idle")
    logind.update("c1", LockedHint=("b", False))
    desk.unlock()
    logind.update("c1", IdleHint=("b", False))
    idle_since(logind, 61)
    logind.wait_asked(2)
    world.journal.wait_all("session-locked", lambda found: len(found) == 2)


def test_a_session_that_was_idle_before_the_policy_asked_locks(world, logind, desk):
    desk.open()
    idle_since(logind, 130)
    world.reload_policy(mfa={"lock-idle-minutes": 2})
    wait_locked(world, "idle")


# -- what goes wrong


def test_a_refusal_is_recorded_and_tried_again(world, logind, desk):
    logind.refuse()
    desk.open(token="key:")
    record = world.journal.wait("session-lock-failed")
    assert (record["SEKISHO_REASON"], record["SEKISHO_ERROR"], record["PRIORITY"]) == ("token-removed", "not now", "2")
    logind.lock_by_screen_lock()
    wait_locked(world)


def test_a_session_that_logind_does_not_know_any_more_is_over(world, logind, desk):
    key = Key(world)
    logind.refuse("org.freedesktop.login1.NoSuchSession")
    desk.open(token="key:")
    logind.wait_asked(1)
    logind.lock_by_screen_lock()
    desk.unlock(token=key.token)
    key.take_away()
    wait_locked(world)
    assert count(world, "session-lock-failed") == 0


def test_without_logind_it_is_recorded_and_locked_when_it_comes(world, bus, desk):
    desk.open(token="key:")
    failed = world.journal.wait("session-lock-failed")
    assert "logind" in failed["SEKISHO_ERROR"] or failed["SEKISHO_ERROR"].startswith("The name")
    logind = FakeLogind(world, bus)
    logind.start()
    logind.lock_by_screen_lock()
    logind.add("c1")
    wait_locked(world)


def test_a_logind_that_hangs_is_recorded_and_asked_again(world, logind, desk):
    key = Key(world)
    desk.open(token=key.token)
    logind.process.send_signal(signal.SIGSTOP)
    key.take_away()
    failed = world.journal.wait("session-lock-failed")
    assert "does not answer" in failed["SEKISHO_ERROR"] or "timed out" in failed["SEKISHO_ERROR"], failed
    logind.process.send_signal(signal.SIGCONT)
    wait_locked(world)


def test_a_session_without_a_screen_lock_is_noticed(world, logind, desk):
    logind.on_lock("")
    desk.open(token="key:")
    failed = world.journal.wait("session-lock-failed")
    assert failed["SEKISHO_ERROR"] == "the session has no screen lock, or none that tells systemd-logind"
    logind.update("c1", LockedHint=("b", True))
    wait_locked(world)


def test_the_tries_end(world, logind, desk):
    logind.refuse()
    desk.open(token="key:")
    assert len(world.journal.wait_all("session-lock-failed", lambda found: len(found) == 5)) == 5
    assert logind.asked() == ["c1"] * 5
    key = Key(world)
    logind.lock_by_screen_lock()
    desk.unlock(token=key.token)
    key.take_away()
    wait_locked(world)
    assert logind.asked() == ["c1"] * 6
    assert count(world, "session-lock-failed") == 5


# -- an emergency


def test_a_lockdown_locks_every_session_and_each_is_recorded(world, logind, desk):
    """Also those that no key stands for, which nobody had followed until then."""
    other = Desk(world, desk._bus)
    logind.add("c2")
    desk.open("c1")
    other.open("c2", person="67890")
    world.ctl("lockdown", "on", "--reason", "exercise")
    found = world.journal.wait_all("session-locked", lambda found: len(found) >= 2, reason="lockdown")
    assert sorted((record["SEKISHO_SESSION"], record["SEKISHO_PERSON"]) for record in found) == [("c1", "12345"), ("c2", "67890")]
    assert sorted(logind.asked()) == ["c1", "c2"]
    assert count(world, "session-lock-failed") == 0


def test_a_session_that_does_not_lock_in_a_lockdown_is_recorded(world, logind, desk):
    logind.refuse()
    desk.open("c1")
    world.ctl("lockdown", "on", "--reason", "exercise")
    failed = world.journal.wait("session-lock-failed", reason="lockdown")
    assert failed["SEKISHO_SESSION"] == "c1"
    logind.lock_by_screen_lock()
    wait_locked(world, reason="lockdown", session="c1")

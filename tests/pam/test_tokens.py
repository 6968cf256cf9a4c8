# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guard is told of the key or card that a session was opened or unlocked with. A stand-in hears it."""

import pytest
from test_card import Desk, fixture_authority  # noqa: F401
from test_guard import FakeGuard, around, bus  # noqa: F401
from test_security_key import Key

TOKEN = 6  # which of what is told
OPENED = ("auth", "acct", "cred", "open")


class Listener(FakeGuard):
    def answer(self, member, body):
        return ("", ()) if member in ("OpenSession", "ChangePerson") else super().answer(member, body)

    def told(self):
        return [(member, body[TOKEN]) for member, body in self.all_calls if member != "Presence"]


@pytest.fixture
def guard(world, around, bus):  # noqa: F811
    return Listener(around, bus, "in-force")


def with_session(world):
    world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\nsession required {module}\n")


def test_a_key_that_was_pulled_out_already_is_told_as_such(world, guard):
    key = Key(world)
    with_session(world)
    assert key.enrol().returncode == 0
    assert key.log_in(calls=OPENED).codes["open"] == 0
    assert key.log_in(calls=("auth", "acct", "renew")).codes["renew"] == 0
    assert guard.told() == [("OpenSession", "key:"), ("ChangePerson", "key:")]


def test_a_code_is_nothing_that_can_be_taken_away(world, guard):
    with_session(world)
    assert world.log_in(code=world.enrol().code(), calls=OPENED).codes["open"] == 0
    assert guard.told() == [("OpenSession", "")]


@pytest.mark.parametrize("fault, token", [("hardware", "card:Fake%20Reader%2000%2000"), ("none", ""), ("slot-fails", "card:")])
def test_a_card_is_told_by_its_reader_where_it_can_be_taken_out(world, guard, authority, fault, token):
    desk = Desk(world, authority)
    with_session(world)
    assert desk.enrol().returncode == 0
    desk.reader.fault(fault)
    assert desk.log_in(calls=OPENED).codes["open"] == 0
    assert guard.told() == [("OpenSession", token)]

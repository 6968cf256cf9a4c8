# SPDX-License-Identifier: GPL-2.0-or-later
"""sshd authenticates in a child of the process that opens the session, and takes over PAM's environment and nothing else: the
guard is told all the same who has logged in, and by nobody's word but the module's."""

import re

import pytest
from conftest import PERM_DENIED, SUCCESS
from test_guard import FakeGuard, around, bus  # noqa: F401 fixtures

FAR = "rhost=192.0.2.1"
SESSION_ERR = 14
STACK = "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\nsession required {module}\n"


class Guard(FakeGuard):
    """Takes note of sessions as well."""

    def answer(self, member, body):
        return ("", ()) if member.endswith("Session") else super().answer(member, body)

    @property
    def told(self):
        """Of each session: user, person, factors, whether from afar, service; which process it is, is compared by open and close."""
        return [(body[1], body[2], body[3], body[5], body[7]) for member, body in self.all_calls if member == "OpenSession"]


@pytest.fixture
def guard(world, around, bus):  # noqa: F811
    world.stack("login", STACK)
    return Guard(around, bus, "in-force")


def as_sshd(world, code, *calls, before=(FAR,), inside=("auth", "acct"), **more):
    return world.log_in(code=code, before=before, calls=("child", *inside, "split", *calls), **more)


def opened(login):
    return [int(code) for code in re.findall(r"^open (\d+)$", login.output, re.MULTILINE)]


def test_the_guard_is_told_who_has_logged_in_by_a_child(world, guard):
    login = as_sshd(world, world.enrol().code(), "cred", "open", "env", "close")
    assert set(login.codes.values()) == {SUCCESS} and opened(login) == [SUCCESS], login.output
    assert guard.told == [(20001, "sato", "password,totp", True, "login")]
    assert [member for member, _ in guard.all_calls] == ["Presence", "OpenSession", "CloseSession"]
    assert guard.all_calls[1][1][8] == guard.all_calls[2][1][0]  # the process that opened it
    assert "env SEKISHO_LOGIN" not in login.output  # nothing of it is for the session


def test_the_person_of_an_account_of_several_is_told(world, guard):
    totp = world.enrol("konbini", "--person", "12345")
    login = world.log_in(user="konbini", answers=["hiragana-1", "12345", totp.code()], before=(FAR,),
                         calls=("child", "auth", "acct", "split", "open"))
    assert opened(login) == [SUCCESS], login.output
    assert guard.told == [(20004, "12345", "password,totp", True, "login")]


def test_without_a_child_nothing_is_handed_over_but_all_is_told(world, guard):
    login = world.log_in(code=world.enrol().code(), calls=("auth", "acct", "open", "close"), before=("tty=tty1",))
    assert opened(login) == [SUCCESS] and guard.told == [(20001, "sato", "password,totp", False, "login")]
    assert not (world.store / "handover.key").exists()


def test_where_there_is_no_child_nothing_stays_in_the_environment_either(world, guard):
    """sshd verifies a password without one."""
    login = world.log_in(code=world.enrol().code(), calls=("auth", "acct", "env", "open", "env"), before=(FAR,))
    assert opened(login) == [SUCCESS] and guard.told == [(20001, "sato", "password,totp", True, "login")]
    assert login.output.count("env SEKISHO_LOGIN") == 1 and login.output.endswith(f"open {SUCCESS}\n")


def test_a_child_that_was_denied_leaves_nothing(world, guard):
    login = as_sshd(world, world.enrol().wrong(), "env", "open")
    assert login.codes["auth"] != SUCCESS and login.codes["acct"] == PERM_DENIED
    assert "env SEKISHO_LOGIN" not in login.output and guard.told == []


def left(world, guard):
    """What a child leaves for another process than the one that takes it."""
    login = as_sshd(world, world.enrol("sato").code(), "env")
    value, = re.findall(r"^env (SEKISHO_LOGIN=.*)$", login.output, re.MULTILINE)
    assert re.fullmatch(r"SEKISHO_LOGIN=[0-9a-f]{64} \d+ \d+ 20001 \d+ 0 sato", value)
    return value


FORGED = {
    "of another process": lambda value: value,
    "made up": lambda value: "SEKISHO_LOGIN=" + "0" * 64 + value[value.index(" "):],
    "of another person": lambda value: value.replace(" sato", " suzuki"),
    "with more factors": lambda value: re.sub(r" (\d+) 0 sato", r" 255 0 sato", value),
    "cut off": lambda value: value[:70],
    "empty": lambda value: "SEKISHO_LOGIN=",
    "much too long": lambda value: value + "x" * 4000,
}


@pytest.mark.parametrize("how", FORGED)
def test_what_was_not_left_for_this_process_opens_no_session_and_tells_nothing(world, guard, how):
    """As somebody could write it who has a say in the environment."""
    value = FORGED[how](left(world, guard))
    login = world.log_in(calls=(f"putenv={value}", "open"), before=(FAR,), answers=[])
    assert opened(login) == [SESSION_ERR], login.output
    assert guard.told == []


def test_of_one_account_it_is_not_anothers(world, guard):
    login = as_sshd(world, world.enrol().code(), "user=suzuki", "open")
    assert opened(login) == [SESSION_ERR] and guard.told == []


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_key_that_others_can_read_is_none(world, guard, mode):
    left(world, guard)
    (world.store / "handover.key").chmod(mode)
    totp = world.enrol("suzuki")
    login = world.log_in(user="suzuki", code=totp.code(), before=(FAR,), calls=("child", "auth", "acct", "split", "env", "open"))
    assert login.codes["acct"] == SUCCESS and "env SEKISHO_LOGIN" not in login.output
    assert guard.told == []


def test_the_key_is_roots_and_stays(world, guard):
    left(world, guard)
    key = world.store / "handover.key"
    first = key.read_bytes()
    assert len(first) == 32 and key.stat().st_mode & 0o777 == 0o600
    as_sshd(world, world.enrol("suzuki").code(), user="suzuki")
    assert key.read_bytes() == first and sorted(path.name for path in world.store.iterdir()) == [
        "chain", "factors", "generations", "handover.key", "lock", "progress"]

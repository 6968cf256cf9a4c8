# SPDX-License-Identifier: GPL-2.0-or-later
"""Screen lockers that run as the person: the guard checks codes for them, of their own account, within the limits."""

import pytest
from jeepney import DBusAddress, new_method_call
from sekisho_bus import Bus, Refused
from sekisho_login import AUTH_ERR, SUCCESS, People

# accounts that every machine has, so that the bus and the guard know them
UIDS = {"games": 5, "nobody": 65534}
MFA = {"factors": ["password", "totp"], "limits": {"tries": 2, "wait": 600, "wait-max": 600}}
PASSWORD = "hiragana-1"
MAXTRIES, AUTHINFO_UNAVAIL, PERM_DENIED = 11, 9, 6
LOCKERS = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.Lockers")


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def people(world, bus):
    world.start_agent(mfa=MFA)
    bus.wait_for_guard()
    return People(world, bus, **UIDS)


def as_user(name):
    return ["setpriv", f"--reuid={UIDS[name]}", f"--regid={UIDS[name]}", "--clear-groups"]


def unlock(people, account, *answers, runs_as=None, calls=("auth", "renew")):
    return people.begin(account, *calls, answers=answers, prefix=as_user(runs_as or account)).end()


def ask(bus, name, *arguments):
    return bus.connect(UIDS[name]).ask_bus(new_method_call(LOCKERS, "Authenticate", "sbss", arguments))


def test_a_right_code_unlocks_once_and_is_recorded_by_the_guard(world, people):
    totp = people.enrol("games")
    code = totp.code()
    login = unlock(people, "games", PASSWORD, code)
    assert login.codes == {"auth": SUCCESS, "renew": SUCCESS} and login.prompts == ["Password: ", "One-time code: "]
    record = world.journal.wait("login-allowed", user="games")
    assert (record["SEKISHO_FACTORS"], record["SEKISHO_CAUSE"], record["SEKISHO_PERSON"]) == ("password,totp", "locker", "games")
    assert record["_UID"] == "0" and record["_COMM"] == "sekishod"
    assert unlock(people, "games", PASSWORD, code).codes["auth"] == AUTH_ERR
    assert world.journal.wait("factor-failed", user="games")["SEKISHO_RESULT"] == "replayed"


def test_a_wrong_code_or_password_does_not(world, people):
    totp = people.enrol("games")
    assert unlock(people, "games", PASSWORD, "000000").codes["auth"] == AUTH_ERR
    assert unlock(people, "games", "wrong", totp.code()).codes["auth"] != SUCCESS
    assert world.journal.select("login-allowed") == []


def test_failures_count_as_at_a_login(people):
    totp = people.enrol("games")
    for _ in range(2):
        assert unlock(people, "games", PASSWORD, "000000").codes["auth"] == AUTH_ERR
    assert unlock(people, "games", PASSWORD, totp.code()).codes["auth"] == MAXTRIES
    login = people.log_in("games", totp.code(), calls=("auth",))
    assert login.codes["auth"] == MAXTRIES, "nor does a login by root's program"


def test_nobody_unlocks_for_somebody_else(world, bus, people):
    totp = people.enrol("games")
    assert unlock(people, "games", PASSWORD, totp.code(), runs_as="nobody").codes["auth"] != SUCCESS
    assert ask(bus, "nobody", "locker", True, "", totp.code()) == ("deny", False, 0)
    assert ask(bus, "games", "locker", True, "", totp.code())[0] == "allow", "the code was not used up"


def test_without_a_code_it_is_only_told_what_would_be_needed(world, bus, people):
    people.enrol("games")
    assert ask(bus, "games", "locker", True, "", "") == ("more", False, 0)
    people.enrol("nobody", "--person", "12345")
    assert ask(bus, "nobody", "locker", True, "", "") == ("more", True, 0)
    world.journal.barrier()
    assert not world.journal.select("login-denied") and not world.journal.select("factor-failed")


def test_a_code_alone_is_not_enough(bus, people):
    totp = people.enrol("games")
    assert ask(bus, "games", "locker", False, "", totp.code())[0] == "deny"


def test_a_recovery_code_of_the_person_unlocks(world, bus, people):
    people.enrol("games")
    code = people.issue("recovery-codes", "games")[0]
    assert ask(bus, "games", "locker", True, "", code)[0] == "allow"
    assert ask(bus, "games", "locker", True, "", code)[0] == "deny"


def test_another_person_of_the_account_takes_the_session_over(world, people):
    first, second = (people.enrol("nobody", "--person", person) for person in ("12345", "67890"))
    session = people.begin("nobody", "auth", "acct", "open", "wait", answers=(PASSWORD, "12345", first.code())).wait_for("waiting")
    login = unlock(people, "nobody", PASSWORD, "67890", second.code())
    assert login.codes["auth"] == SUCCESS and login.prompts == ["Password: ", "Staff number: ", "One-time code: "]
    record = world.journal.wait("person-changed", uid="65534")
    assert (record["SEKISHO_PERSON_BEFORE"], record["SEKISHO_PERSON"]) == ("12345", "67890")
    session.go_on()


def test_without_a_guard_nothing_unlocks(world, people):
    totp = people.enrol("games")
    world.agent.kill()
    assert unlock(people, "games", PASSWORD, totp.code()).codes["auth"] == AUTHINFO_UNAVAIL


@pytest.mark.parametrize("bad", [("", True, "", ""), ("a b", True, "", ""), ("x" * 64, True, "", ""),
                                 ("locker", True, "1" * 400, "1"), ("locker", True, "", "1" * 200)])
def test_what_is_no_question_is_refused(bus, people, bad):
    people.enrol("games")
    with pytest.raises(Refused, match="InvalidArgs"):
        ask(bus, "games", *bad)
    assert ask(bus, "games", "locker", True, "", "")[0] == "more"

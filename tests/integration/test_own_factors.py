# SPDX-License-Identifier: GPL-2.0-or-later
"""People see what is enrolled for their own account, and put a new one-time password program in place of their own: the guard
does it once they have proven a factor, and for nobody else's account."""

import base64
import json
import os
import secrets
import subprocess
import urllib.parse

import pytest
from jeepney import DBusAddress, new_method_call
from sekisho_bus import Bus, FakePolkit, Refused
from sekisho_login import AUTH_ERR, SUCCESS, People, Totp
from sekisho_wait import run
from sekisho_world import program

# accounts that every machine has, so that the bus and the guard know them
UIDS = {"games": 5, "nobody": 65534}
MFA = {"factors": ["password", "totp"], "limits": {"tries": 2, "wait": 600, "wait-max": 600}}
ACTION = "org.sekisho.guard1.enrol-own"
OWN = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.OwnFactors")


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


@pytest.fixture
def polkit(world, bus):
    return FakePolkit(world, bus, allowed={ACTION})


class New(Totp):
    """A program whose secret is not enrolled yet."""

    def __init__(self):
        self.secret = secrets.token_bytes(20)
        super().__init__("otpauth://totp/x?secret=" + base64.b32encode(self.secret).decode())


def list_own(bus, name):
    return bus.connect(UIDS[name]).ask_bus(new_method_call(OWN, "List"))


def enrol_own(bus, name, code, new, confirmation=None, algorithm="SHA1", digits=6):
    confirmation = new.code() if confirmation is None else confirmation
    return bus.connect(UIDS[name]).ask_bus(new_method_call(OWN, "EnrolTotp", "ssuays",
                                                           (code, algorithm, digits, new.secret, confirmation)))


def codes_of(people, name, *answers):
    return people.log_in(name, *answers, calls=("auth", "acct")).codes


def test_who_proves_the_old_program_has_the_new_one_and_the_old_one_counts_no_more(world, bus, people, polkit):
    old, new = people.enrol("games"), New()
    assert enrol_own(bus, "games", old.code(), new) == ("done", 0)
    assert codes_of(people, "games", old.code())["auth"] == AUTH_ERR
    assert codes_of(people, "games", new.code()) == {"auth": SUCCESS, "acct": SUCCESS}
    record = world.journal.wait("factor-enrolled", user="games", by="games")
    assert (record["SEKISHO_FACTOR"], record["SEKISHO_FACTORS"], record["_COMM"]) == ("totp", "totp", "sekishod")
    assert polkit.asked()[0][0] == ACTION


def test_a_code_on_paper_does_as_well_and_is_used_up(bus, people, polkit):
    old, new = people.enrol("games"), New()
    code = people.issue("recovery-codes", "games")[0]
    assert enrol_own(bus, "games", code, new) == ("done", 0)
    assert codes_of(people, "games", old.code())["auth"] == AUTH_ERR
    assert codes_of(people, "games", code)["auth"] == AUTH_ERR
    assert codes_of(people, "games", new.code())["auth"] == SUCCESS


def test_without_a_right_code_nothing_changes_and_it_counts_as_a_failure(world, bus, people, polkit):
    old, new = people.enrol("games"), New()
    for code in ("000000", ""):
        assert enrol_own(bus, "games", code, new)[0] == "deny"
    verdict, wait = enrol_own(bus, "games", old.code(), new)
    assert verdict == "wait" and 0 < wait <= 600
    assert world.journal.wait("factor-failed", user="games", service="sekisho-enrol")["SEKISHO_RESULT"] == "refused"
    assert codes_of(people, "games", old.code())["auth"] != SUCCESS, "a login waits as well"
    assert world.journal.select("factor-enrolled", by="games") == []


def test_a_new_program_that_is_not_shown_to_work_uses_nothing_up(bus, people, polkit):
    old, new = people.enrol("games"), New()
    code = old.code()
    for _ in range(4):
        assert enrol_own(bus, "games", code, new, confirmation="000000") == ("unconfirmed", 0)
    assert codes_of(people, "games", code)["auth"] == SUCCESS


def test_a_substitute_for_a_forgotten_card_is_not_enough(bus, people, polkit):
    people.enrol("games")
    code, = people.issue("substitute", "games")
    assert enrol_own(bus, "games", code, New())[0] == "deny"


def test_who_has_nothing_has_nothing_to_prove(bus, people, polkit):
    people.enrol("nobody")
    assert enrol_own(bus, "games", "123456", New())[0] == "deny"
    assert list_own(bus, "games") == ("games", [], 0)


def test_it_is_the_callers_account_and_no_other(bus, people, polkit):
    games, nobody = people.enrol("games"), people.enrol("nobody")
    assert enrol_own(bus, "nobody", games.code(), New())[0] == "deny"
    assert codes_of(people, "games", games.code())["auth"] == SUCCESS
    assert codes_of(people, "nobody", nobody.code())["auth"] == SUCCESS


def test_nobody_does_it_where_polkit_does_not_allow_it(world, bus, people):
    FakePolkit(world, bus)
    old = people.enrol("games")
    code = old.code()
    with pytest.raises(Refused, match="AccessDenied|InteractiveAuthorizationRequired"):
        enrol_own(bus, "games", code, New())
    assert codes_of(people, "games", code)["auth"] == SUCCESS, "the code was not looked at"


def test_of_an_account_that_several_people_use_nothing_is_told_or_changed(bus, people, polkit):
    first = people.enrol("nobody", "--person", "12345")
    with pytest.raises(Refused, match="AccessDenied"):
        list_own(bus, "nobody")
    assert enrol_own(bus, "nobody", first.code(), New())[0] == "deny"


def test_accounts_for_emergencies_and_rules_that_deny_it_are_left_to_others(world, bus, people, polkit):
    games, nobody = people.enrol("games"), people.enrol("nobody")
    world.reload_policy(mfa={**MFA, "break-glass": [{"user": "games", "factors": ["password", "totp"]}],
                             "rules": [{"name": "not oneself", "services": ["sekisho-enrol"], "login": "deny"}]})
    assert enrol_own(bus, "games", games.code(), New())[0] == "deny"
    assert enrol_own(bus, "nobody", nobody.code(), New())[0] == "deny"
    reasons = {record["SEKISHO_ERROR"] for record in world.journal.wait_all("factor-failed", lambda found: len(found) == 2)}
    assert reasons == {"an account for emergencies is enrolled by others", "the policy does not allow it"}


@pytest.mark.parametrize("algorithm, digits, length", [("MD5", 6, 20), ("SHA1", 7, 20), ("SHA1", 6, 19), ("SHA1", 6, 0),
                                                       ("SHA256", 6, 20), ("SHA512", 8, 65)])
def test_what_is_no_enrolment_is_refused(bus, people, polkit, algorithm, digits, length):
    old, new = people.enrol("games"), New()
    new.secret = bytes(length)
    code = old.code()
    with pytest.raises(Refused, match="InvalidArgs"):
        enrol_own(bus, "games", code, new, algorithm=algorithm, digits=digits)
    assert codes_of(people, "games", code)["auth"] == SUCCESS


# -- the command


def as_user(name, *command, text=None):
    prefix = ["setpriv", f"--reuid={UIDS[name]}", f"--regid={UIDS[name]}", "--clear-groups"]
    return run([*prefix, program("sekishoctl"), *command], check=False, **({} if text is None else {"input": text}))


def test_factors_of_oneself_need_no_root(people, polkit):
    people.enrol("games")
    people.issue("recovery-codes", "games", "--number", "3")
    for command in (["factors"], ["factors", "games"]):
        result = as_user("games", *command)
        assert (result.returncode, result.stdout) == (0, "totp\nrecovery: 3 codes left\n"), result
    assert json.loads(as_user("games", "factors", "--json").stdout) == {"user": "games", "factors": ["totp", "recovery"],
                                                                       "recovery_left": 3}
    assert as_user("nobody", "factors").returncode == 1
    other = as_user("nobody", "factors", "games")
    assert other.returncode == 2 and "polkit" in other.stderr


def test_the_command_enrols_once_both_codes_were_given(people, polkit):
    old = people.enrol("games")
    prefix = ["setpriv", f"--reuid={UIDS['games']}", f"--regid={UIDS['games']}", "--clear-groups"]
    with subprocess.Popen([*prefix, program("sekishoctl"), "enrol"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8")) as command:
        command.stdin.write(old.code() + "\n")
        command.stdin.flush()
        uri = next(line for line in command.stdout if line.startswith("otpauth:")).strip()
        new = Totp(uri)
        out, _ = command.communicate(new.code() + "\n")
    assert command.returncode == 0 and "The new program is enrolled" in out
    assert urllib.parse.unquote(urllib.parse.urlsplit(uri).path) == "/Sekisho:games"
    assert codes_of(people, "games", new.code())["auth"] == SUCCESS


@pytest.mark.parametrize("answers, said", [("000000\n000000\n", "that is not the code"), ("", "no code was given"),
                                           ("000000\n", "no code was given")])
def test_the_command_says_what_is_wrong(people, polkit, answers, said):
    people.enrol("games")
    result = as_user("games", "enrol", text=answers)
    assert result.returncode in (1, 2) and said in result.stderr and len(result.stderr.splitlines()) == 1, result


def test_the_command_says_who_can_help_whom_it_cannot(people, polkit):
    people.enrol("nobody")
    result = as_user("games", "enrol")
    assert result.returncode == 2 and "an administrator has to enrol you" in result.stderr
    for options in (["--person", "1"], ["--by", "x"], ["--state-dir", "/tmp"], ["--json"]):
        assert as_user("games", "enrol", *options).returncode == 2
    assert run([program("sekishoctl"), "enrol"], check=False).returncode == 2, "root has to say whom"

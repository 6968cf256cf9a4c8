# SPDX-License-Identifier: GPL-2.0-or-later
"""An administrator who is not root, and whom polkit allows it, enrols others, sees what they have, and takes it away: the guard
does it, never for the administrator's own account, and records who it was."""

import base64
import json
import os
import re
import secrets
import subprocess
import urllib.parse

import pytest
from jeepney import DBusAddress, new_method_call
from sekisho_bus import Bus, FakePolkit, Refused
from sekisho_login import AUTH_ERR, SUCCESS, People, Totp
from sekisho_world import program

# accounts that every machine has, so that the bus and the guard know them
UIDS = {"games": 5, "nobody": 65534}
ACTION = "org.sekisho.guard1.manage-factors"
FACTORS = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.Factors")
ADMIN = "nobody"


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def people(world, bus):
    world.start_agent(mfa={"factors": ["password", "totp"]})
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


def ask(bus, member, signature, arguments, by=ADMIN):
    return bus.connect(UIDS.get(by, 0)).ask_bus(new_method_call(FACTORS, member, signature, arguments))


def enrol(bus, user, new, person="", confirmation=None, by=ADMIN):
    confirmation = new.code() if confirmation is None else confirmation
    return ask(bus, "EnrolTotp", "sssuays", (user, person, "SHA1", 6, new.secret, confirmation), by)[0]


def remove(bus, user, factor, person="", by=ADMIN):
    return ask(bus, "Remove", "sss", (user, person, factor), by)[0]


def listed(bus, user, person="", by=ADMIN):
    return ask(bus, "List", "ss", (user, person), by)


def codes_of(people, name, *answers):
    return people.log_in(name, *answers, calls=("auth", "acct")).codes


def test_who_is_allowed_enrols_another_and_it_is_recorded_who_it_was(world, bus, people, polkit):
    new = New()
    assert listed(bus, "games") == ("done", "games", [], 0)
    assert enrol(bus, "games", new) == "done"
    assert listed(bus, "games") == ("done", "games", ["totp"], 0)
    assert codes_of(people, "games", new.code()) == {"auth": SUCCESS, "acct": SUCCESS}
    record = world.journal.wait("factor-enrolled", user="games", by=ADMIN)
    assert (record["SEKISHO_FACTOR"], record["SEKISHO_PERSON"], record["_COMM"]) == ("totp", "games", "sekishod")
    assert {action for action, _ in polkit.asked()} == {ACTION}


def test_what_is_taken_away_counts_no_more(world, bus, people, polkit):
    totp = people.enrol("games")
    code, *_ = people.issue("recovery-codes", "games")
    assert remove(bus, "games", "totp") == "done"
    assert world.journal.wait("factor-removed", user="games", by=ADMIN)["SEKISHO_FACTOR"] == "totp"
    assert codes_of(people, "games", totp.code())["auth"] == AUTH_ERR
    assert listed(bus, "games")[2:] == (["recovery"], 8)
    assert remove(bus, "games", "") == "done"
    assert listed(bus, "games")[2:] == ([], 0)
    assert codes_of(people, "games", code)["auth"] == AUTH_ERR


def test_people_of_one_account_are_enrolled_each(bus, people, polkit):
    new = New()
    assert enrol(bus, "games", new, person="10482") == "done"
    assert listed(bus, "games", "10482") == ("done", "games", ["totp"], 0)
    assert listed(bus, "games") == ("done", "games", [], 0)
    assert codes_of(people, "games", "10482", new.code())["auth"] == SUCCESS
    assert enrol(bus, "games", New(), person="no/number") == "unknown"


def test_who_is_not_allowed_learns_and_changes_nothing(bus, people, polkit):
    totp = people.enrol("games")
    polkit.allowed.clear()
    for call in (lambda: listed(bus, "games"), lambda: enrol(bus, "games", New()), lambda: remove(bus, "games", "")):
        with pytest.raises(Refused, match="AccessDenied"):
            call()
    assert codes_of(people, "games", totp.code())["auth"] == SUCCESS


def test_nobody_does_it_for_their_own_account(bus, people, polkit):
    totp = people.enrol(ADMIN)
    assert remove(bus, ADMIN, "totp") == "own" and enrol(bus, ADMIN, New()) == "own"
    assert enrol(bus, ADMIN, New(), person="10482") == "own"
    assert codes_of(people, ADMIN, totp.code())["auth"] == SUCCESS


def test_what_cannot_be_done_changes_nothing(bus, people, polkit):
    assert enrol(bus, "games", New(), confirmation="000000") == "unconfirmed"
    assert listed(bus, "games")[2] == []
    totp = people.enrol("games")
    assert enrol(bus, "games", New()) == "already"
    assert [remove(bus, "games", factor) for factor in ("password", "card-pin", "nothing")] == ["unknown"] * 3
    assert listed(bus, "no-such-user")[0] == "unknown"
    with pytest.raises(Refused, match="InvalidArgs"):
        listed(bus, "")
    with pytest.raises(Refused, match="InvalidArgs"):
        ask(bus, "EnrolTotp", "sssuays", ("games", "", "SHA1", 6, b"short", "000000"))
    assert codes_of(people, "games", totp.code())["auth"] == SUCCESS


def as_admin(*arguments, answer=None):
    """sekishoctl of somebody who is not root. With ANSWER it is given the code of the secret that it shows."""
    process = subprocess.Popen(["setpriv", "--reuid", str(UIDS[ADMIN]), "--clear-groups", program("sekishoctl"), *arguments],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "LC_ALL": "C.UTF-8"})
    out = ""
    if answer:
        while "otpauth:" not in out:
            line = process.stdout.readline()
            assert line, (out, process.stderr.read())
            out += line
        process.stdin.write(answer(re.search(r"otpauth:\S+", out)[0]) + "\n")
    rest, err = process.communicate()
    return process.returncode, out + rest, err


def test_sekishoctl_does_it_by_the_guard_where_it_is_not_roots(world, bus, people, polkit):
    programs = []

    def code_of(uri):
        programs.append(Totp(uri))
        assert urllib.parse.unquote(uri).startswith("otpauth://totp/Sekisho:games?")
        return programs[0].code()

    status, out, err = as_admin("enrol", "games", answer=code_of)
    assert (status, err) == (0, "") and "totp is enrolled for games." in out
    assert codes_of(people, "games", programs[0].code())["auth"] == SUCCESS
    status, out, _ = as_admin("factors", "games", "--json")
    assert status == 0 and json.loads(out) == {"user": "games", "factors": ["totp"], "recovery_left": 0}
    assert as_admin("unenrol", "games", "totp") == (0, "", "")
    assert as_admin("factors", "games")[:2] == (1, "nothing is enrolled\n")
    assert world.journal.wait("factor-removed", user="games", by=ADMIN)
    for arguments in (["unenrol", ADMIN], ["unenrol", "games", "shoe"], ["unenrol", "games", "--by", "root"], ["enrol", "games", "--json"]):
        status, out, err = as_admin(*arguments)
        assert status == 2 and out == "" and err.count("\n") == 1, (arguments, out, err)
    polkit.allowed.clear()
    for arguments in (["factors", "games"], ["unenrol", "games"]):
        status, out, err = as_admin(*arguments)
        assert status == 2 and out == "" and "polkit" in err, (arguments, out, err)

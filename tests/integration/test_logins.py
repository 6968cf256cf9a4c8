# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins at a guard that runs: none without it, and what it knows of who has logged in."""

import json
import os
import stat

import pytest
from jeepney import DBusAddress, new_method_call
from sekisho_bus import Bus, Refused
from sekisho_login import AUTH_ERR, PERM_DENIED, SUCCESS, People
from sekisho_machine import GROUP, Person
from sekisho_wait import wait_until
from sekisho_world import OPENERS

COUNTER = 20101
NOBODY = 65534  # whom the bus knows
MFA = {"factors": ["password", "totp"]}
LOGINS = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.Logins")
TOLD = ("susssbssu", ("", COUNTER, "12345", "password,totp", "tty1", False, "", "login", os.getpid()))


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def people(world, bus):
    return People(world, bus, madoguchi=COUNTER, sato=20102)


def call_logins(peer, method, signature, arguments):
    return peer.ask_bus(new_method_call(LOGINS, method, signature, arguments))


def sessions(world):
    path = os.path.join(world.runtime, "sessions")
    if not os.path.exists(path):
        return []
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as file:
        return [line.split() for line in file]


# -- only while the guard is in force


def test_people_log_in_while_the_guard_is_in_force_and_not_after_it_was_killed(world, bus, people):
    world.start_agent(mfa=MFA)
    bus.wait_for_guard()
    assert bus.connect().call("Presence") == ("in-force",)
    totp = people.enrol("sato")
    assert people.log_in("sato", totp.code()).codes == {"auth": SUCCESS, "acct": SUCCESS, "cred": SUCCESS, "open": SUCCESS}
    world.agent.kill()
    login = people.log_in("sato", totp.code(), calls=("auth", "acct"))
    assert login.codes == {"auth": SUCCESS, "acct": PERM_DENIED}
    assert world.journal.wait("login-denied", user="sato")["SEKISHO_REASON"] == "no-guard"


def test_a_guard_that_only_watches_is_none_unless_the_policy_only_watches(world, bus, people):
    world.start_agent("--monitor", mfa=MFA)
    bus.wait_for_guard()
    assert bus.connect().call("Presence") == ("not-in-force",)
    totp = people.enrol("sato")
    assert people.log_in("sato", totp.code(), calls=("auth", "acct")).codes == {"auth": SUCCESS, "acct": PERM_DENIED}
    world.reload_policy(mfa=MFA, mode="monitor")
    assert people.log_in("sato", totp.code(), calls=("auth", "acct")).codes == {"auth": SUCCESS, "acct": SUCCESS}


def test_before_there_is_a_bus_the_lock_of_the_agent_counts(world, bus, people):
    world.start_agent(mfa=MFA)
    totp = people.enrol("sato")
    bus.kill()
    os.unlink(bus.socket)
    assert people.log_in("sato", totp.code()).codes["open"] == SUCCESS
    world.agent.kill()
    assert people.log_in("sato", totp.code(), calls=("auth", "acct")).codes["acct"] == PERM_DENIED


# -- several people at one terminal


@pytest.fixture
def counter(world, bus, people):
    """Two people of one account, and a stick that neither may write to."""
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]), mfa=MFA)
    bus.wait_for_guard()
    stick.attach()
    stick.wait_held(False)
    world.point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=world.point)
    people.codes = {person: people.enrol("madoguchi", "--person", person) for person in ("12345", "67890")}
    return people


def refuse(world):
    """Something of the account's is refused; the record of it. Another person's is not folded into it."""
    world.journal.barrier()
    path = f"{world.point}/file"
    before = len(world.journal.select("write-denied", path=path))
    result = world.run_as(Person("madoguchi", COUNTER, COUNTER), [OPENERS, "open", "write", path])
    assert result.stdout == "EPERM\n", result
    return world.journal.wait_all("write-denied", lambda found: len(found) > before, path=path)[-1]


def log_in(people, person, *more):
    login = people.begin("madoguchi", "auth", "acct", "cred", "open", "wait", "close", "wait", *more, before=["tty=tty1"],
                         answers=("hiragana-1", person, people.codes[person].code()))
    return login.wait_for("waiting")


def test_records_name_the_person_and_what_was_proven(world, counter):
    login = log_in(counter, "12345")
    assert login.prompts == ["Password: ", "Staff number: ", "One-time code: "]
    allowed = world.journal.wait("login-allowed", user="madoguchi")
    assert (allowed["SEKISHO_PERSON"], allowed["SEKISHO_FACTORS"]) == ("12345", "password,totp")
    denied = refuse(world)
    assert (denied["SEKISHO_PERSON"], denied["SEKISHO_FACTORS"]) == ("12345", "password,totp")
    assert "by 12345 as uid 20101" in denied["MESSAGE"]
    shown = json.loads(world.ctl("events", "--json", "--person", "12345", "--event", "write-denied", "--lines", "1").stdout)[-1]
    assert shown["person"] == "12345" and shown["factors"] == "password,totp"
    login.go_on()
    login.wait_for("close 0")
    assert sessions(world) == []
    assert "SEKISHO_PERSON" not in refuse(world)


def test_another_person_unlocks_and_is_the_person_from_then_on(world, counter):
    log_in(counter, "12345")
    unlock = counter.begin("madoguchi", "auth", "renew", before=["tty=tty1"],
                           answers=("hiragana-1", "67890", counter.codes["67890"].code())).end()
    assert unlock.codes == {"auth": SUCCESS, "renew": SUCCESS}
    changed = world.journal.wait("person-changed")
    assert (changed["SEKISHO_PERSON_BEFORE"], changed["SEKISHO_PERSON"], changed["SEKISHO_UID"]) == ("12345", "67890", str(COUNTER))
    assert refuse(world)["SEKISHO_PERSON"] == "67890"


def test_the_same_person_unlocks_without_a_change(world, counter):
    log_in(counter, "12345")
    counter.begin("madoguchi", "auth", "renew", before=["tty=tty1"],
                  answers=("hiragana-1", "12345", counter.codes["12345"].code())).end()
    assert refuse(world)["SEKISHO_PERSON"] == "12345"
    assert world.journal.select("person-changed") == []


def test_the_code_of_one_is_not_anothers(world, counter):
    for person, owner in (("12345", "67890"), ("99999", "12345"), ("", "12345"), ("madoguchi", "12345"), ("../12345", "12345")):
        login = counter.log_in("madoguchi", person, counter.codes[owner].code() if person != "madoguchi" else "000000",
                               calls=("auth", "acct"))
        assert login.codes["auth"] == AUTH_ERR, person
    assert all(record.get("SEKISHO_PERSON") in ("12345", "madoguchi", None) for record in world.journal.select("login-denied"))


def test_there_is_no_grace_for_who_gives_a_number_that_nobody_has(world, counter):
    world.reload_policy(mfa={**MFA, "grace": {"days": 30}})
    assert counter.log_in("madoguchi", "99999", "000000", calls=("auth", "acct")).codes["auth"] != SUCCESS


def test_an_agent_that_starts_anew_still_knows(world, counter):
    log_in(counter, "12345")
    before = sessions(world)
    assert len(before) == 1 and before[0][0] == str(COUNTER) and before[0][4] == "12345"
    world.agent.kill()
    world.start_agent()
    assert refuse(world)["SEKISHO_PERSON"] == "12345"
    assert sessions(world) == before


def test_a_session_that_nobody_can_be_told_of_does_not_begin(world, bus, counter):
    login = counter.begin("madoguchi", "auth", "acct", "wait", "open",
                          answers=("hiragana-1", "12345", counter.codes["12345"].code())).wait_for("waiting")
    world.agent.kill()
    login.go_on()
    assert login.end().codes["open"] != SUCCESS


def test_only_root_tells_who_has_logged_in(world, bus, counter):
    """By the bus's configuration."""
    with pytest.raises(Refused, match="AccessDenied"):
        call_logins(bus.connect(NOBODY), "OpenSession", *TOLD)
    assert sessions(world) == []


OPEN_BUS = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
<!-- {polkit} {guard} --></busconfig>
"""


def test_only_root_tells_even_on_a_bus_that_lets_everybody(world, monkeypatch):
    bus = Bus(world, configuration=OPEN_BUS, name="open-bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    world.start_agent()
    bus.wait_for_guard()
    for method, told in (("OpenSession", TOLD), ("ChangePerson", ("susssbs", TOLD[1][:7])), ("CloseSession", ("u", (1,)))):
        with pytest.raises(Refused, match="AccessDenied"):
            call_logins(bus.connect(NOBODY), method, *told)
    assert sessions(world) == []
    call_logins(bus.connect(), "OpenSession", *TOLD)
    wait_until(lambda: sessions(world), "the session is written down")


@pytest.mark.parametrize("bad", [("", COUNTER, "", "", "", False, "", "", 1), ("", COUNTER, "a b", "", "", False, "", "", 1),
                                 ("a\nb", COUNTER, "1", "", "", False, "", "", 1), ("", COUNTER, "1", "", "", False, "", "", 0),
                                 ("", COUNTER, "1", "", "", False, "token", "", 1), ("", COUNTER, "1", "", "", False, "card:%", "", 1),
                                 ("", COUNTER, "1" * 400, "", "", False, "", "", 1)])
def test_what_is_no_session_is_refused(world, bus, bad):
    world.start_agent()
    bus.wait_for_guard()
    with pytest.raises(Refused, match="InvalidArgs"):
        call_logins(bus.connect(), "OpenSession", TOLD[0], bad)
    assert sessions(world) == []

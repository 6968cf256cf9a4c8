# SPDX-License-Identifier: GPL-2.0-or-later
"""Exceptions: for one person, one medium and a time; by administrators, or by telephone; on record with all that is
written."""

import csv
import hashlib
import io
import json
import os
import pwd
import secrets

import pytest
from jeepney import DBusAddress, new_method_call
from sekisho_bus import ALLOW_INTERACTIVE, Bus, FakePolkit, Refused, as_user
from sekisho_session import Login
from sekisho_wait import wait_until
from sekisho_world import rule_for

GRANTS = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.Grants")
ACTION = "org.sekisho.guard1."
FIRST, SECOND = (pwd.getpwnam(name).pw_uid for name in ("games", "news"))  # a bus lets in whom the machine knows
READ_ONLY = {"removable": {"default": "read-only"}}
ONE, TWO = {"allowed": True, "two-people": False}, {"allowed": True}
REASON = "県への提出 (determination 12)"


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


def start(world, bus, grants, without_lsm="gate", **sections):
    world.start_agent(**{**READ_ONLY, "without-lsm": without_lsm, "grants": grants, **sections})
    bus.wait_for_guard()


@pytest.fixture
def stick(world):
    return world.stick(attach=False)


def write(world, stick, person, name="file", text="taken out"):
    command = f'printf %s "{text}" 2>/dev/null >{stick.point}/{name}'
    if isinstance(person, Login):
        return person.run(f"sh -c '{command}' 2>/dev/null")
    return world.run_as(person, ["sh", "-c", command]).returncode == 0


@pytest.fixture(autouse=True)
def nobody_has_logged_in():
    """Else what the tests start is in that session already, and can begin none of its own."""
    with open("/proc/self/loginuid") as file:
        if file.read() != str(2**32 - 1):
            pytest.skip("somebody has logged in")


def give(world, stick, person, minutes=30, check=True, command=("grant",), **more):
    options = [f"--{key}={value}" for key, value in {"reason": REASON, **more}.items()]
    return world.ctl(*command, "--user", person.name, "--device", stick.node, "--minutes", str(minutes), "--json",
                     *options, check=check)


def grants(world):
    return json.loads(world.ctl("grants", "list", "--json").stdout)


def state(world, number=1):
    return next(permit for permit in grants(world) if permit["id"] == number)


def ask(on, uid, method, as_uid=None, **arguments):
    """By a connection of UID's, in a process of AS_UID's, which is the same unless it was handed on."""
    message = new_method_call(GRANTS, method, "a{ss}", (arguments,))
    message.header.flags = message.header.flags | ALLOW_INTERACTIVE
    peer = on.connect(uid)
    with as_user(uid if as_uid is None else as_uid):
        return json.loads(peer.ask_bus(message)[0])


def mounted_for(world, stick, person):
    """Mounted where PERSON alone can write, once the guard lets and has seen it."""
    stick.wait_held(False)
    stick.point = stick.mount("rw")
    os.chmod(stick.point, 0o777)  # the medium's own file modes are no part of this
    world.journal.wait("superblock-guarded", mount=stick.point)
    return write(world, stick, person)


def test_one_person_writes_for_a_while_and_all_of_it_is_on_record(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    stick.wait_held(True)
    person, other = world.machine.member, world.machine.stranger
    permit = json.loads(give(world, stick, person, **{"data-class": "住民情報", "carrier": "山田", "purpose": "県庁"}).stdout)
    assert (permit["state"], permit["serial"], permit["user"]) == ("running", stick.serial, person.name)
    begun = world.journal.wait("grant-begun")
    assert (begun["SEKISHO_GRANT"], begun["SEKISHO_PURPOSE"], begun["SEKISHO_USER"]) == ("1", REASON, person.name)
    assert begun["SEKISHO_DEVICE_SERIAL"] == stick.serial and begun["SEKISHO_MINUTES"] == "30"

    login = Login(world, bus, person)
    assert mounted_for(world, stick, login)
    assert not write(world, stick, other, "other")
    record = world.journal.wait("grant-write")
    assert record["SEKISHO_PATH"] == f"{stick.point}/file" and record["SEKISHO_GRANT"] == "1"
    assert record["SEKISHO_MOUNT"] == stick.point
    assert record["SEKISHO_SHA256"] == hashlib.sha256(b"taken out").hexdigest() and record["SEKISHO_SIZE"] == "9"
    denied = world.journal.wait("write-denied", rule="grant 1")
    assert (denied["SEKISHO_UID"], denied["SEKISHO_REASON"]) == (str(other.uid), "not-this-person")

    world.ctl("grants", "revoke", "1")
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "revoked"
    assert not write(world, stick, login, "later")
    ended = state(world)
    assert (ended["state"], ended["cause"], ended["writes"]) == ("ended", "revoked", 1)
    assert json.loads(world.ctl("status", "--json", "--runtime-dir", world.runtime, check=False).stdout)["grants"][0]["id"] == 1
    world.ctl("grants", "close", "1", "--returned")
    closed = state(world)
    assert (closed["state"], closed["outcome"], closed["closer"]) == ("closed", "returned", "root")
    assert world.journal.wait("grant-ended", cause="returned")["SEKISHO_GRANT"] == "1"
    assert world.ctl("grants", "close", "1", "--erased", check=False).returncode == 2


def test_the_book_is_a_register_for_a_spreadsheet(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member, carrier="=山田", purpose="県庁, 税務課")
    text = world.ctl("grants", "list", "--csv").stdout
    head, row = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    entry = dict(zip(head, row))
    assert entry["Number"] == "1" and entry["Serial number"] == stick.serial
    assert entry["Carrier"] == "'=山田" and entry["Purpose"] == "県庁, 税務課" and entry["State"] == "running"
    with open(os.path.join(world.state, "grants")) as book:
        assert json.load(book)["permits"][0]["carrier"] == "=山田"
    assert os.stat(os.path.join(world.state, "grants")).st_mode & 0o777 == 0o600


def test_nothing_is_granted_unless_the_policy_says_so(world, bus, stick):
    start(world, bus, {})
    stick.attach()
    refused = give(world, stick, world.machine.member, check=False)
    assert refused.returncode == 2 and "allows no grants" in refused.stderr
    assert world.journal.wait("grant-refused")["SEKISHO_CAUSE"] == "not-allowed"
    stick.wait_held(True)


def test_without_a_hook_that_tells_people_apart_it_is_refused(world, bus, stick):
    start(world, bus, ONE, without_lsm="read-only")
    stick.attach()
    if "lsm" in json.loads(world.ctl("status", "--json", "--runtime-dir", world.runtime, check=False).stdout)["mechanisms"].get("lsm", "no")[:2]:
        pytest.skip("this kernel has the hooks")
    refused = give(world, stick, world.machine.member, check=False)
    assert refused.returncode == 2 and "BPF LSM" in refused.stderr
    assert world.journal.wait("grant-refused")["SEKISHO_CAUSE"] == "needs-lsm"


@pytest.mark.parametrize("how", ["longer", "nobody", "no reason", "no minutes"])
def test_what_is_no_grant_is_refused_in_one_line(world, bus, stick, how):
    start(world, bus, {**ONE, "minutes-max": 45})
    stick.attach()
    arguments = {"--user": world.machine.member.name, "--device": stick.node, "--minutes": "45", "--reason": REASON}
    arguments.update({"longer": {"--minutes": "46"}, "nobody": {"--user": "sekisho-nobody-there"},
                      "no reason": {"--reason": " "}, "no minutes": {"--minutes": "x"}}[how])
    refused = world.ctl("grant", *(word for pair in arguments.items() for word in pair), check=False)
    assert refused.returncode == 2 and len(refused.stderr.strip().splitlines()) == 1
    assert grants(world) == []


def test_a_second_administrator_approves_and_no_other(world, bus, stick):
    start(world, bus, TWO)
    polkit = FakePolkit(world, bus, allowed={ACTION + "grant", ACTION + "grant-approve"})
    stick.attach()
    person = world.machine.member
    asked = ask(bus, FIRST, "Give", user=person.name, minutes="30", reason=REASON, serial=stick.serial, bus="loop")
    assert asked["state"] == "asked"
    stick.wait_held(True)
    for uid in (FIRST, person.uid):
        with pytest.raises(Refused) as refused:
            ask(bus, uid, "Approve", id="1")
        assert "same-person" in refused.value.text
    stick.wait_held(True)
    approved = ask(bus, SECOND, "Approve", id="1")
    assert (approved["state"], approved["requester-uid"], approved["approver-uid"]) == ("running", FIRST, SECOND)
    assert {action for action, *_ in polkit.asked()} == {ACTION + "grant", ACTION + "grant-approve"}
    assert mounted_for(world, stick, Login(world, bus, person))


def test_one_medium_has_one_grant_however_it_is_described(world, bus, stick):
    start(world, bus, ONE)
    person = world.machine.member
    arguments = {"user": person.name, "minutes": "30", "reason": REASON, "serial": stick.serial, "bus": "loop"}
    assert ask(bus, 0, "Give", **arguments)["state"] == "running"
    for more in {}, {"vendor": "0951"}, {"vendor": "0951", "product": "1666"}:
        with pytest.raises(Refused) as refused:
            ask(bus, 0, "Give", **arguments, **more)
        assert "medium-taken" in refused.value.text
    assert ask(bus, 0, "Give", **{**arguments, "serial": "another", "vendor": "0951"})["state"] == "running"


def test_root_without_a_login_is_no_second_person_nor_a_first(world, bus, stick):
    with open("/proc/self/loginuid") as file:
        if file.read() != str(2**32 - 1):
            pytest.skip("somebody has logged in")
    start(world, bus, TWO)
    FakePolkit(world, bus, allowed={ACTION + "grant", ACTION + "grant-approve"})
    arguments = {"user": world.machine.member.name, "minutes": "30", "reason": REASON, "serial": stick.serial, "bus": "loop"}
    with pytest.raises(Refused) as refused:
        ask(bus, 0, "Give", **arguments)
    assert "no-login" in refused.value.text
    assert ask(bus, FIRST, "Give", **arguments)["state"] == "asked"
    refused = world.ctl("grant", "approve", "1", check=False)
    assert refused.returncode == 2 and "log in" in refused.stderr
    assert state(world)["state"] == "asked"


def test_a_process_of_another_account_than_connected_tells_nobody_apart(world, bus, stick):
    start(world, bus, TWO)
    FakePolkit(world, bus, allowed={ACTION + "grant", ACTION + "grant-approve"})
    arguments = {"user": world.machine.member.name, "minutes": "30", "reason": REASON, "serial": stick.serial, "bus": "loop"}
    with pytest.raises(Refused) as refused:
        ask(bus, FIRST, "Give", as_uid=SECOND, **arguments)
    assert "no-login" in refused.value.text
    assert ask(bus, FIRST, "Give", **arguments)["requester-uid"] == FIRST
    with pytest.raises(Refused) as refused:
        ask(bus, SECOND, "Approve", as_uid=FIRST, id="1")
    assert "no-login" in refused.value.text
    assert ask(bus, SECOND, "Approve", id="1")["state"] == "running"


def test_what_is_taken_back_is_written_down_as_soon_as_it_can_be(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    path = os.path.join(world.state, "grants")
    os.rename(path, path + ".before")
    os.mkdir(path)  # nothing takes its place
    refused = world.ctl("grants", "revoke", "1", check=False)
    assert refused.returncode == 2 and "could not be written" in refused.stderr
    stick.wait_held(True)
    assert state(world)["state"] == "ended"
    os.rmdir(path)
    os.rename(path + ".before", path)

    def written():
        with open(path) as file:
            return json.load(file)["permits"][0]["state"] == "ended"

    wait_until(written, "the book is written", 15)


def test_whom_polkit_does_not_let_gets_nothing(world, bus, stick):
    start(world, bus, ONE)
    FakePolkit(world, bus, allowed=set())
    stick.attach()
    with pytest.raises(Refused):
        ask(bus, FIRST, "Give", user=world.machine.member.name, minutes="30", reason=REASON, serial=stick.serial, bus="loop")
    assert grants(world) == []


def test_it_ends_when_the_medium_is_pulled(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    stick.detach()
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "unplugged"
    stick.attach()
    stick.wait_held(True)


def test_it_ends_when_the_person_logs_out(world, bus, stick):
    start(world, bus, ONE)
    login = Login(world, bus, world.machine.member)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    login.end()
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "logout"
    stick.wait_held(True)


def test_it_ends_when_another_person_comes_to_a_shared_account(world, bus, stick):
    start(world, bus, ONE)
    account = world.machine.member
    login = Login(world, bus, account, "12345")
    stick.attach()
    give(world, stick, account)
    stick.wait_held(False)
    login.change("12345")
    assert state(world)["state"] == "running"
    login.change("67890")
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "person-changed"
    stick.wait_held(True)


def restart(world, bus, meanwhile):
    """The agent is killed, and it is another one that finds what went on."""
    world.agent.kill()
    meanwhile()
    world.start_agent()
    bus.wait_for_guard()


def test_a_logout_ends_it_while_there_is_no_guard(world, bus, stick):
    start(world, bus, ONE)
    account = world.machine.member
    login = Login(world, bus, account)
    stick.attach()
    give(world, stick, account)
    stick.wait_held(False)
    restart(world, bus, lambda: None)
    assert state(world)["state"] == "running", "who stays may go on"
    restart(world, bus, lambda: login.end(tell=False))
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "logout"
    assert state(world)["cause"] == "logout"
    stick.wait_held(True)


def test_a_pulled_medium_ends_it_while_there_is_no_guard(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)

    def replug():
        stick.detach()
        stick.attach()

    restart(world, bus, lambda: None)
    assert state(world)["state"] == "running", "one that stays may go on"
    restart(world, bus, replug)
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "unplugged"
    stick.wait_held(True)


def test_a_medium_that_came_later_is_known_as_well(world, bus, stick):
    start(world, bus, ONE)
    ask(bus, 0, "Give", user=world.machine.member.name, minutes="30", reason=REASON, serial=stick.serial, bus="loop")
    stick.attach()
    stick.wait_held(False)
    restart(world, bus, stick.detach)
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "unplugged"


def test_another_session_of_the_account_is_not_served(world, bus, stick):
    start(world, bus, ONE)
    account = world.machine.member
    login = Login(world, bus, account)
    stick.attach()
    assert json.loads(give(world, stick, account).stdout)["session"] > 0
    assert mounted_for(world, stick, login)
    other = Login(world, bus, account, name="c2")
    assert not write(world, stick, other, "other")
    assert not write(world, stick, account, "nobody"), "a process that is in no session"
    assert write(world, stick, login, "second")
    assert world.journal.wait("write-denied", rule="grant 1")["SEKISHO_REASON"] == "not-this-person"
    other.end()
    assert state(world)["state"] == "running"
    login.end()
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "logout"


def test_it_is_for_all_sessions_of_a_person_that_is_known_and_no_other(world, bus, stick):
    start(world, bus, ONE)
    account = world.machine.member
    first = Login(world, bus, account, "12345")
    stick.attach()
    permit = json.loads(give(world, stick, account).stdout)
    assert (permit["person"], permit["session"]) == ("12345", 0)
    assert mounted_for(world, stick, first)
    second, other = Login(world, bus, account, "12345", "c2"), Login(world, bus, account, "67890", "c3")
    wait_until(lambda: write(world, stick, second, "second"), "the person's other session writes")
    assert not write(world, stick, other, "other")
    first.end()
    assert write(world, stick, second, "third")
    second.end()
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "logout"


def test_it_is_for_the_first_who_logs_in_where_nobody_has(world, bus, stick):
    start(world, bus, ONE)
    account = world.machine.member
    stick.attach()
    give(world, stick, account)
    assert not mounted_for(world, stick, account), "nobody has logged in"
    first = Login(world, bus, account)
    wait_until(lambda: write(world, stick, first, "first"), "the first session writes")
    assert not write(world, stick, Login(world, bus, account, name="c2"), "second")


def test_where_it_cannot_be_told_for_which_session_it_is_refused(world, bus, stick, keys):
    start(world, bus, {**ONE, "answer-key": keys[1]})
    account = world.machine.member
    first, second = Login(world, bus, account), Login(world, bus, account, name="c2")
    stick.attach()
    refused = give(world, stick, account, check=False)
    assert refused.returncode == 2 and "which session" in refused.stderr
    assert world.journal.wait("grant-refused")["SEKISHO_CAUSE"] == "session-unknown"
    assert grants(world) == []
    second.end()
    give(world, stick, account)
    first.end()
    Login(world, bus, account, name="c3", audit=False)
    assert give(world, stick, account, check=False).returncode == 2, "a session that audit does not know"


def test_it_ends_by_the_clock_that_nobody_sets(world, bus, stick):
    """The end is near on the boot-time clock, in the book: an agent that starts reads it."""
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    world.agent.stop()
    path = os.path.join(world.state, "grants")
    with open(path) as file:
        book = json.load(file)
    with open("/proc/uptime") as uptime:
        book["permits"][0]["boot-until"] = int((float(uptime.read().split()[0]) + 4) * 1000000)
    with open(path, "w") as file:
        json.dump(book, file)
    world.start_agent()
    bus.wait_for_guard()
    ended = world.journal.wait("grant-ended")
    assert ended["SEKISHO_CAUSE"] == "expired"
    stick.wait_held(True)


def test_a_lockdown_ends_it_for_good(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    world.ctl("lockdown", "on", "--reason", REASON)
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "lockdown"
    world.ctl("lockdown", "off", "--reason", REASON)
    stick.wait_held(True)
    assert state(world)["state"] == "ended"


def test_it_outlives_a_guard_that_is_killed_and_a_new_policy(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    login = Login(world, bus, world.machine.member)
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    restart(world, bus, lambda: None)
    assert mounted_for(world, stick, login)
    world.reload_policy(**READ_ONLY, **{"without-lsm": "gate"}, grants=ONE, contact="another")
    assert write(world, stick, login, "second")
    world.reload_policy(**READ_ONLY, **{"without-lsm": "gate"}, grants={})
    assert world.journal.wait("grant-ended")["SEKISHO_CAUSE"] == "policy"
    assert not write(world, stick, login, "third")


def test_a_book_that_cannot_be_read_grants_nothing(world, bus, stick):
    start(world, bus, ONE)
    stick.attach()
    give(world, stick, world.machine.member)
    stick.wait_held(False)
    world.agent.stop()
    path = os.path.join(world.state, "grants")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text[:-10])
    world.start_agent()
    bus.wait_for_guard()
    world.journal.wait("enforcement-failed")
    stick.wait_held(True)
    refused = give(world, stick, world.machine.member, check=False)
    assert refused.returncode == 2 and "cannot be read" in refused.stderr


@pytest.fixture
def keys(world):
    fleet = os.path.join(world.directory, "fleet.key")
    terminal = os.path.join(world.directory, "terminal.key")
    for path in (fleet, terminal):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    with open(fleet, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    number = world.ctl("grant", "terminal").stdout.strip()
    with open(terminal, "w") as file:
        file.write(world.ctl("grant", "key", number, "--key", fleet).stdout)
    return fleet, terminal


def test_the_helpdesk_answers_by_telephone_once(world, bus, stick, keys):
    fleet, terminal = keys
    start(world, bus, {**TWO, "answer-key": terminal})
    stick.attach()
    person = world.machine.member
    challenge = json.loads(give(world, stick, person, minutes=20, command=("grant", "request")).stdout)["challenge"]
    assert len(challenge) == 24
    answer = world.ctl("grant", "answer", challenge.lower().replace("-", " "), "--key", fleet).stdout
    assert "20 minutes" in answer and world.ctl("grant", "terminal").stdout.strip() in answer
    code = answer.split()[-1]
    misheard = ("0" if code[0] != "0" else "1") + code[1:]
    heard = world.ctl("grant", "redeem", misheard, check=False)
    assert heard.returncode == 2 and "mistake" in heard.stderr
    stick.wait_held(True)
    granted = json.loads(world.ctl("grant", "redeem", code, "--json").stdout)
    assert (granted["state"], granted["approver"]) == ("running", "helpdesk")
    assert mounted_for(world, stick, Login(world, bus, person))
    world.ctl("grants", "revoke", "1")
    assert world.ctl("grant", "redeem", code, check=False).returncode == 2
    next_one = json.loads(give(world, stick, person, minutes=20, command=("grant", "request")).stdout)["challenge"]
    assert next_one != challenge
    again = world.ctl("grant", "redeem", code, check=False)
    assert again.returncode == 2 and "not the code" in again.stderr


def test_the_helpdesk_answers_for_the_person_and_the_medium_that_it_was_told(world, bus, stick, keys):
    fleet, terminal = keys
    start(world, bus, {**TWO, "answer-key": terminal})
    person = world.machine.member
    medium = {"serial": stick.serial, "vendor": "0951", "product": "1666"}
    challenge = ask(bus, 0, "Request", user=person.name, minutes="20", reason=REASON, bus="loop", **medium)["challenge"]

    def answer(**told):
        return world.ctl("grant", "answer", challenge, "--key", fleet, *(f"--{name}={value}" for name, value in told.items()), check=False)

    code = answer(user=person.name, **medium)
    assert code.returncode == 0 and not code.stderr
    blind = answer()
    assert blind.stdout == code.stdout and "checked" in blind.stderr
    for told in ({"user": world.machine.stranger.name, **medium}, {"user": person.name, **medium, "serial": "another"},
                 {"user": person.name, "serial": stick.serial}):
        refused = answer(**told)
        assert refused.returncode == 2 and "another medium" in refused.stderr and not refused.stdout
    refused = answer(**medium)
    assert refused.returncode == 2 and "go together" in refused.stderr
    assert world.ctl("grant", "key", "x", "--key", fleet, "--user", "x", check=False).returncode == 2


def test_wrong_codes_are_limited(world, bus, stick, keys):
    fleet, terminal = keys
    start(world, bus, {**ONE, "answer-key": terminal})
    stick.attach()
    challenge = json.loads(give(world, stick, world.machine.member, command=("grant", "request")).stdout)["challenge"]
    right = world.ctl("grant", "answer", challenge, "--key", fleet).stdout.split()[-1]
    with open(fleet, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    wrong = world.ctl("grant", "answer", challenge, "--key", fleet).stdout.split()[-1]
    said = [world.ctl("grant", "redeem", wrong, check=False).stderr for _ in range(6)]
    assert ["not the code" in line for line in said] == [True] * 5 + [False] and "wait" in said[5]
    world.agent.kill()
    world.start_agent()
    bus.wait_for_guard()
    assert "wait" in world.ctl("grant", "redeem", right, check=False).stderr, "a restart does not begin anew"
    assert state(world)["cause"] == "wrong-codes"


def test_a_person_asks_for_nobody_else(world, bus, stick, keys):
    start(world, bus, {**ONE, "answer-key": keys[1]})
    FakePolkit(world, bus, allowed={ACTION + "grant-own"})
    stick.attach()
    person = world.machine.member
    arguments = {"user": person.name, "minutes": "5", "reason": REASON, "serial": stick.serial, "bus": "loop"}
    for name in (person.name, "nobody-of-this-name"):  # which is not looked up for just anybody
        with pytest.raises(Refused) as refused:
            ask(bus, FIRST, "Request", **{**arguments, "user": name})
        assert "not-yours" in refused.value.text
    assert ask(bus, person.uid, "Request", **arguments)["state"] == "challenged"


def test_a_medium_for_encrypted_writing_only_stays_one(world, bus, stick):
    start(world, bus, ONE, removable={"default": "read-only", "devices": [
        {**rule_for(stick), "encrypted": "required", "groups": ["nogroup"]}]})
    stick.attach()
    give(world, stick, world.machine.member)
    world.journal.wait("device-verdict", device_serial=stick.serial, rule="grant 1")
    assert stick.held, "a file system that is not on a LUKS2 volume is not written to"
    verdict = world.journal.select("device-verdict", device_serial=stick.serial)[-1]
    assert (verdict["SEKISHO_RULE"], verdict["SEKISHO_VERDICT"], verdict["SEKISHO_REASON"]) == ("grant 1", "read-only", "not-encrypted")

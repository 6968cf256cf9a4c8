# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the configured policy is not good, logins go by the last good one, as the guard does; and where neither is, nobody
gets in."""

import os

import pytest
from conftest import AUTHINFO_UNAVAIL, PERM_DENIED, SUCCESS
from test_broken import POLICY

GOOD = "{factors: [password, totp], break-glass: [{user: kinkyu, factors: [password, recovery]}]}"


def keep(world, mfa=GOOD, serial=7, more=""):
    """As the agent does once it has the policy in force."""
    directory = world.directory / "state/last-good"
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / "10-test.yaml"
    path.write_text(f"version: 1\nserial: {serial}\nmfa: {mfa}\n{more}", encoding="utf-8")
    path.chmod(0o600)
    (world.directory / "state/floor").write_text(f"serial {serial}\n")
    return path


def put_aside(world, serial):
    """As sekishoctl policy restore does."""
    path = world.directory / "state/restored"
    path.write_text(f"{serial} 0 0 1800000000 1 tty1 /etc/sekisho/aside\n")
    path.chmod(0o600)


@pytest.mark.parametrize("how", POLICY)
def test_logins_go_by_the_last_good_policy_and_it_is_recorded(world, how):
    totp = world.enrol()
    keep(world, serial=6)
    POLICY[how](world)
    login = world.log_in(code=totp.code())
    assert login.allowed, login.output
    refused, allowed = world.journal.records()
    assert refused["SEKISHO_EVENT"] == "policy-refused" and refused["SEKISHO_PATH"] == str(world.policy)
    assert refused["SEKISHO_POLICY_SERIAL"] == "6" and str(world.policy) in refused["SEKISHO_ERROR"]
    assert "goes by the last good one" in refused["MESSAGE"] and refused["PRIORITY"] == "3"
    assert allowed["SEKISHO_EVENT"] == "login-allowed" and allowed["SEKISHO_CAUSE"] == "last-good-policy"
    assert allowed["SEKISHO_POLICY_SERIAL"] == "6" and allowed["SEKISHO_FACTORS"] == "password,totp"
    assert not world.log_in(code=totp.wrong()).allowed


def test_accounts_for_emergencies_get_in_by_it_while_no_guard_is_in_force(world):
    keep(world)
    code, *_ = world.issue("recovery-codes", "kinkyu")
    world.write_policy("[")
    world.let_go_of_lock()
    assert world.log_in(user="kinkyu", code=code).allowed
    assert [record["SEKISHO_EVENT"] for record in world.journal.records()] == [
        "policy-refused", "login-allowed", "break-glass-used"]


def test_a_policy_whose_serial_went_down_is_not_taken(world):
    totp = world.enrol()
    keep(world, serial=8)
    world.write_policy("{factors: [password, totp], default: off}")
    login = world.log_in(code=totp.wrong())
    assert login.codes["auth"] != SUCCESS
    refused = world.journal.records()[0]
    assert refused["SEKISHO_EVENT"] == "policy-refused" and "is lower than 8" in refused["SEKISHO_ERROR"]
    assert world.log_in(code=totp.code()).allowed


def test_a_good_policy_is_taken_whatever_the_last_one_was(world):
    totp = world.enrol()
    keep(world, "{factors: [password, totp], rules: [{name: nobody, login: deny}]}", serial=7)
    assert world.log_in(code=totp.code()).allowed
    allowed, = world.journal.records()
    assert "SEKISHO_CAUSE" not in allowed


SPOILED = {
    "gone": lambda w, path: path.unlink(),
    "with faults": lambda w, path: path.write_text("version: 1\nserial: 7\nnonsense: true\n"),
    "somebody else's": lambda w, path: os.chown(path, 20001, -1),
    "somebody else's directory": lambda w, path: os.chown(path.parent, 20001, -1),
    "open to others": lambda w, path: path.parent.chmod(0o777),
    "a link": lambda w, path: (path.rename(w.directory / "elsewhere"), path.symlink_to(w.directory / "elsewhere")),
    "put aside": lambda w, path: put_aside(w, 7),
    "under a note that makes no sense": lambda w, path: (put_aside(w, 1), (w.directory / "state/restored").write_text("?")),
}


@pytest.mark.parametrize("how", SPOILED)
def test_where_neither_is_good_nobody_gets_in_and_is_told_the_way_back(world, how):
    totp = world.enrol()
    code, *_ = world.issue("recovery-codes", "kinkyu")
    path = keep(world)
    SPOILED[how](world, path)
    world.write_policy("[")
    for user, right in (("sato", totp.code()), ("kinkyu", code)):
        login = world.log_in(user=user, code=right)
        assert login.codes["auth"] == AUTHINFO_UNAVAIL and login.codes["acct"] == PERM_DENIED, login.output
        assert login.told[0] == ("The policy of this terminal is not in order: nobody can log in. "
                                 "An administrator has to start it in emergency mode.")
        refused, *denied = world.journal.records()
        assert refused["SEKISHO_EVENT"] == "policy-refused" and "SEKISHO_POLICY_SERIAL" not in refused
        assert {record["SEKISHO_EVENT"] for record in denied} == {"login-denied"}


def test_a_policy_put_aside_before_the_last_one_does_not_hold_it_back(world):
    totp = world.enrol()
    keep(world, serial=7)
    put_aside(world, 6)
    world.write_policy("[")
    assert world.log_in(code=totp.code()).allowed

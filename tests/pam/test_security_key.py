# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins with a security key: one in software, with real CTAP, signatures and PINs (fake_authenticator)."""

import json
import os
import subprocess

import pytest
from conftest import AUTH_ERR, AUTHINFO_UNAVAIL, BUILD, MAXTRIES, PASSWORD

PIN = "123456"
HONEST, NO_UV, NO_UP, COUNTS_BACK, REPLAY, OTHER_PARTY, OTHER_SIGNER, GONE, SILENT, GARBAGE, DENIES, HUGE = map(str, range(12))
PIN_PROMPT = "PIN of the security key: "


class Key:
    """What is plugged in, as the environment of module and command says it."""

    def __init__(self, world, name="key7"):
        self.world, self.path = world, world.directory / name
        world.module = world.module.replace("lib/pam_sekisho.so", "tests/pam_sekisho_fakes.so")
        world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\n")
        world.write_policy("{factors: [password, fido2], fido2: {timeout-seconds: 5}}")

    def enrol(self, *options, answer=PIN, fault=HONEST, user="sato"):
        return subprocess.run([BUILD / "tests/sekishoctl-fakes", "enrol", "fido2", user, "--json", "--state-dir",
                               self.world.directory / "state", "--policy", self.world.policy, *options], input=answer + "\n",
                              capture_output=True, text=True, check=False, env=self.environment(fault))

    def environment(self, fault=HONEST):
        return {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "SEKISHO_FAKE_KEY": str(self.path), "SEKISHO_FAKE_FAULT": fault}

    def log_in(self, pin=PIN, fault=HONEST, **more):
        more.setdefault("calls", ("auth", "acct"))
        return self.world.log_in(code=pin, environment=self.environment(fault), **more)


@pytest.fixture
def key(world):
    key = Key(world)
    result = key.enrol("--label", "blue-3")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"user": "sato", "factor": "fido2"}
    world.journal.records()
    return key


def failure(world):
    found = [record for record in world.journal.records() if record["SEKISHO_EVENT"] == "factor-failed"]
    assert len(found) == 1, found
    assert found[0]["SEKISHO_FACTOR"] == "fido2" and PIN not in str(found) and PASSWORD not in str(found)
    return found[0]["SEKISHO_RESULT"]


def test_password_and_key_let_in_again_and_again(world, key):
    for _ in range(3):
        login = key.log_in()
        assert login.allowed and login.prompts == ["Password: ", PIN_PROMPT], login.output
        assert "Touch your security key." in login.told
    records = world.journal.records()
    assert [record["SEKISHO_EVENT"] for record in records] == ["login-allowed"] * 3
    assert records[0]["SEKISHO_FACTORS"] == "password,fido2"


def test_where_several_people_use_the_account_the_key_is_looked_for_among_the_persons_own(world):
    key = Key(world)
    assert key.enrol("--person", "10482").returncode == 0
    world.issue("recovery-codes", "sato", "--person", "20593")
    login = key.log_in(answers=[PASSWORD, "10482", PIN])
    assert login.allowed and login.prompts == ["Password: ", "Staff number: ", PIN_PROMPT], login.output
    record = world.journal.records()[-1]
    assert (record["SEKISHO_PERSON"], record["SEKISHO_FACTORS"]) == ("10482", "password,fido2")
    assert not key.log_in(answers=[PASSWORD, "20593", PIN]).allowed


def test_what_is_enrolled_is_public_and_told(world, key):
    text = world.file().read_text()
    line, = [line for line in text.splitlines() if line.startswith("fido2 ")]
    assert line.startswith("fido2 ES256 pam.sekisho ") and line.endswith(" blue-3 -") and PIN not in text
    status, out, _ = world.ctl("factors", "sato")
    assert status == 0 and "fido2: blue-3, pam.sekisho\n" in out
    told = json.loads(world.ctl("factors", "sato", "--json")[1])
    assert told["factors"] == ["fido2"] and told["fido2"][0]["person"] == ""
    world.issue("unenrol", "sato", "fido2")
    assert not key.log_in().allowed


@pytest.mark.parametrize("fault, result, code", [
    (NO_UV, "refused", AUTH_ERR), (NO_UP, "refused", AUTH_ERR), (COUNTS_BACK, "cloned", AUTH_ERR), (REPLAY, "refused", AUTH_ERR),
    (OTHER_PARTY, "refused", AUTH_ERR), (OTHER_SIGNER, "refused", AUTH_ERR), (GONE, "broken", AUTHINFO_UNAVAIL),
    (SILENT, "refused", AUTH_ERR), (GARBAGE, "broken", AUTHINFO_UNAVAIL), (DENIES, "refused", AUTH_ERR),
    (HUGE, "broken", AUTHINFO_UNAVAIL)])
def test_a_key_that_does_wrong_lets_nobody_in(world, key, fault, result, code):
    assert key.log_in().allowed
    world.journal.records()
    login = key.log_in(fault=fault)
    assert not login.allowed and login.codes["auth"] == code, login.output
    assert failure(world) == result
    assert key.log_in().allowed  # the key itself is as before


def test_the_key_of_somebody_else_lets_nobody_in(world, key):
    login = Key(world, "key8").log_in()
    assert not login.allowed and "This security key is not enrolled for you. Plug in yours." in login.told, login.output


def test_without_a_key_one_is_asked_for_and_waited_for(world, key):
    login = world.log_in(code=PIN, calls=("auth", "acct"))
    assert not login.allowed and login.told.count("Plug in your security key.") == 1 and PIN_PROMPT not in login.prompts


def test_who_has_something_else_is_not_kept_waiting_for_a_key(world, key):
    totp = world.enrol()
    world.write_policy("{factors: [password, fido2, totp], fido2: {timeout-seconds: 120}}")
    login = world.log_in(code=totp.code(), calls=("auth", "acct"))
    assert login.allowed and "Plug in your security key." not in login.told, login.output


def test_a_wrong_pin_is_counted_by_key_and_module_until_the_key_is_blocked(world, key):
    world.write_policy("{factors: [password, fido2], limits: {tries: 20}}")
    for left in range(7, 0, -1):
        login = key.log_in("000000")
        tries = "1 try is" if left == 1 else f"{left} tries are"
        assert not login.allowed and f"That is not the PIN of the security key. {tries} left." in login.told, login.output
    assert "failures fido2 7 " in world.counted()
    assert not key.log_in("000000").allowed
    login = key.log_in()
    assert not login.allowed and any("blocked" in line for line in login.told), login.output


def test_too_many_failures_make_one_wait_before_the_key_is_asked(world, key):
    world.write_policy("{factors: [password, fido2], limits: {tries: 1, wait: 60}}")
    assert not key.log_in("000000").allowed
    login = key.log_in()
    assert login.codes["auth"] == MAXTRIES and PIN_PROMPT not in login.prompts


@pytest.mark.parametrize("pin", ["", "1", "1" * 64])
def test_what_is_no_pin_is_refused(world, key, pin):
    assert not key.log_in(pin).allowed
    assert key.log_in().allowed


def test_a_key_here_is_nothing_to_who_is_elsewhere(world, key):
    login = key.log_in(before=("rhost=192.0.2.7",))
    assert not login.allowed and PIN_PROMPT not in login.prompts


def test_a_key_under_another_name_does_not_count(world, key):
    world.write_policy("{factors: [password, fido2], fido2: {relying-party: other.example}}")
    assert not key.log_in().allowed


def test_a_counter_that_cannot_be_written_lets_nobody_in(world, key):
    (world.store / "progress/.sato.new").mkdir()
    (world.store / "progress/.sato.new/x").mkdir()
    assert not key.log_in().allowed
    assert not world.progress().exists()


def test_several_keys_are_enrolled_each_once(world, key):
    again = key.enrol()
    assert again.returncode == 2 and "already" in again.stderr
    other = Key(world, "key8")
    assert other.enrol().returncode == 0
    assert key.log_in().allowed and other.log_in().allowed


@pytest.mark.parametrize("answer, fault", [("000000", HONEST), ("", HONEST), (PIN, NO_UV), (PIN, GONE), (PIN, GARBAGE), (PIN, DENIES)])
def test_what_goes_wrong_enrols_nothing(world, answer, fault):
    key = Key(world)
    result = key.enrol(answer=answer, fault=fault)
    assert result.returncode == 2 and "nothing was enrolled" in result.stderr and len(result.stderr.splitlines()) == 1
    assert not world.file().exists()


@pytest.mark.parametrize("options", [("--person", "a b"), ("--person", "-"), ("--person", "x" * 64), ("--label", "鍵")])
def test_names_are_words(world, options):
    assert Key(world).enrol(*options).returncode == 2
    assert not world.file().exists()


def test_debugging_by_the_environment_prints_nothing_of_the_exchange(world, key):
    result = subprocess.run(world.command("login", "sato", "auth", answers=[PASSWORD, PIN]), capture_output=True, text=True,
                            check=False, env={**key.environment(), "FIDO_DEBUG": "1"})
    assert "auth 0" in result.stdout and result.stderr == ""


def test_the_installed_module_knows_of_no_fakes(world, key):
    for name in ("lib/pam_sekisho.so", "bin/sekishoctl"):
        assert b"SEKISHO_FAKE" not in (BUILD / name).read_bytes()
    assert os.path.exists(BUILD / "tests/pam_sekisho_fakes.so")

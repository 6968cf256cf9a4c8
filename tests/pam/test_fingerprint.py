# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins with a finger: by the real fprintd, whose reader is libfprint's virtual one."""

import json
import os
import signal
import subprocess

import pytest
from conftest import AUTHINFO_UNAVAIL, BUILD, PASSWORD
from fingers import DEVICE, FPRINTD, POLKITD, Reader
from jeepney import DBusAddress, new_signal
from jeepney.io.blocking import open_dbus_connection
from test_failures import TOLERATED_BY_DEVICES, every_failure_of, of_the_chain, of_the_guard, with_failing_module

MINE, THEIRS = "SCAN finger-of-sato", "SCAN finger-of-suzuki"
# which is not required in these worlds
ASKING_THE_GUARD = ("sd_bus_new", "sd_bus_set_address", "sd_bus_start", "sd_bus_process", "sd_bus_wait", "clock_gettime",
                    "fstat", "openat")
ASKED = "Put your finger on the reader."

pytestmark = pytest.mark.skipif(not (os.path.exists(FPRINTD) and os.path.exists(POLKITD)), reason="needs fprintd and polkitd")


class Terminal:
    """A terminal with a reader, at which sato has enrolled a finger."""

    def __init__(self, world, reader):
        self.world, self.reader = world, reader
        world.module = world.module.replace("lib/pam_sekisho.so", "tests/pam_sekisho_fakes.so")
        world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\n")
        # on the bus there is no guard
        world.write_policy("{factors: [password, fingerprint], fingerprint: {timeout-seconds: 5}, limits: {tries: 2}, "
                           "require-guard: false}")
        self.environment = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "SEKISHO_FAKE_BUS": reader.address}

    def enrol(self, *fingers, options=()):
        thread = self.reader.finger(*fingers)
        result = subprocess.run([BUILD / "tests/sekishoctl-fakes", "enrol", "fingerprint", "sato", "--json", "--state-dir",
                                 self.world.directory / "state", "--policy", self.world.policy, *options], capture_output=True,
                                text=True, check=False, env=self.environment)
        thread.join()
        return result

    def log_in(self, *fingers, **more):
        thread = self.reader.finger(*fingers)
        login = self.world.log_in(calls=("auth", "acct"), environment=self.environment, **more)
        thread.join()
        return login

    def results(self):
        return [record["SEKISHO_RESULT"] for record in self.world.journal.records() if record["SEKISHO_EVENT"] == "factor-failed"]


@pytest.fixture
def reader(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reader")
    os.chmod(directory.parent, 0o755)
    os.chmod(directory.parent.parent, 0o755)
    reader = Reader(directory)
    yield reader
    reader.close()


@pytest.fixture
def bare(world, reader):
    return Terminal(world, reader.start_fprintd())


@pytest.fixture
def terminal(bare):
    bare.reader.enrol("sato", "finger-of-sato")
    result = bare.enrol(MINE)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"user": "sato", "factor": "fingerprint"}
    bare.world.journal.records()
    return bare


def test_password_and_finger_let_in(terminal):
    for _ in range(2):
        login = terminal.log_in(MINE)
        assert login.allowed and login.prompts == ["Password: "] and ASKED in login.told, login.output
    record = terminal.world.journal.records()[-1]
    assert record["SEKISHO_EVENT"] == "login-allowed" and record["SEKISHO_FACTORS"] == "password,fingerprint"
    assert "fingerprint: right-index-finger\n" in terminal.world.ctl("factors", "sato")[1]


def test_a_finger_is_the_accounts_and_names_nobody_of_several(terminal):
    assert terminal.enrol(options=("--person", "10482")).returncode == 2
    terminal.world.issue("recovery-codes", "sato", "--person", "10482")
    login = terminal.world.log_in(calls=("auth", "acct"), environment=terminal.environment, answers=[PASSWORD, "sato", "000000"])
    assert not login.allowed and ASKED not in login.told and login.prompts[1] == "Staff number: ", login.output


def test_another_finger_does_not_and_is_counted(terminal):
    for _ in range(2):
        login = terminal.log_in(THEIRS)
        assert not login.allowed and "The fingerprint was not recognised." in login.told, login.output
    assert terminal.results() == ["refused", "refused"]
    login = terminal.log_in()
    assert not login.allowed and ASKED not in login.told, login.output
    assert terminal.results() == ["wait"]


def test_a_finger_that_slipped_is_asked_for_once_more(terminal):
    terminal.reader.fprintd.kill()  # the virtual reader does not tell of slips: root's double of fprintd does
    terminal.reader.fprintd.wait()
    terminal.reader.impostor(0, ("verify-retry-scan", False))
    login = terminal.log_in()
    assert login.allowed and "Put your finger on the reader once more." in login.told, login.output


def test_nobody_waits_for_a_finger_for_ever(terminal):
    login = terminal.log_in()
    assert not login.allowed and "No finger was put on the reader in time." in login.told, login.output
    assert terminal.log_in(MINE).allowed  # and the reader was given back


def test_an_error_of_the_reader_denies(terminal):
    login = terminal.log_in("ERROR 0")
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL, login.output
    assert terminal.results() == ["broken"]


def test_without_fprintd_nobody_gets_in(terminal):
    terminal.reader.fprintd.kill()
    terminal.reader.fprintd.wait()
    assert not terminal.log_in().allowed


def test_fprintd_that_hangs_denies(terminal):
    terminal.reader.fprintd.send_signal(signal.SIGSTOP)
    login = terminal.log_in()
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL, login.output


def test_fprintd_that_dies_meanwhile_denies_at_once(terminal):
    process = subprocess.Popen(terminal.world.command("login", "sato", "auth", answers=[PASSWORD]), stdout=subprocess.PIPE,
                               text=True, env=terminal.environment)
    terminal.reader.send("RETRY 1")  # it listens: the login is waiting
    terminal.reader.fprintd.kill()
    terminal.reader.fprintd.wait()
    output, _ = process.communicate(timeout=60)
    assert f"auth {AUTHINFO_UNAVAIL}" in output, output


@pytest.mark.parametrize("uid", [0, 20002])
def test_a_yes_of_somebody_else_is_not_heard(terminal, uid):
    """Signals that look like fprintd's, from any connection but its own, even of root's."""
    process = subprocess.Popen(terminal.world.command("login", "sato", "auth", answers=[PASSWORD]), stdout=subprocess.PIPE,
                               text=True, env=terminal.environment)
    terminal.reader.send("RETRY 1")
    before = os.getresuid()
    os.setresuid(uid, uid, 0)
    connection = open_dbus_connection(terminal.reader.address)
    os.setresuid(0, 0, 0)
    assert before[0] == 0
    for _ in range(20):
        connection.send(new_signal(DBusAddress(terminal.reader.device(), interface=DEVICE), "VerifyStatus", "sb", ("verify-match", True)))
    output, _ = process.communicate(timeout=60)
    connection.close()
    assert "auth 0" not in output and "No finger was put on the reader in time." in output, output


def test_who_is_not_root_is_not_fprintd(terminal):
    terminal.reader.fprintd.kill()
    terminal.reader.fprintd.wait()
    terminal.reader.impostor(20002)
    login = terminal.log_in()
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL and ASKED not in login.told, login.output


def test_fingers_that_came_since_do_not_count(terminal):
    terminal.reader.enrol("sato", "finger-of-suzuki", "left-thumb")
    login = terminal.log_in()
    assert not login.allowed and "Your fingers at the reader are not those that were enrolled." in login.told, login.output


def test_a_finger_here_is_nothing_to_who_is_elsewhere(terminal):
    login = terminal.log_in(before=("rhost=192.0.2.7",))
    assert not login.allowed and ASKED not in login.told


def test_a_failed_verification_enrols_nothing(bare):
    result = bare.enrol()
    assert result.returncode == 2 and "fprintd-enroll" in result.stderr, result.stderr
    bare.reader.enrol("sato", "finger-of-sato")
    result = bare.enrol(THEIRS)
    assert result.returncode == 2 and "that is not the finger; nothing was enrolled" in result.stderr, result.stderr
    assert not bare.world.file().exists()
    assert not bare.log_in().allowed


def test_taken_away_it_counts_no_more(terminal):
    terminal.world.issue("unenrol", "sato", "fingerprint")
    login = terminal.log_in()
    assert not login.allowed and ASKED not in login.told


def test_the_bus_of_the_callers_environment_is_not_asked(terminal):
    """The installed module knows one bus; the tests' own has another linked in."""
    terminal.world.module = terminal.world.module.replace("tests/pam_sekisho_fakes.so", "lib/pam_sekisho.so")
    terminal.world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\n")
    terminal.environment["DBUS_SYSTEM_BUS_ADDRESS"] = terminal.reader.address
    login = terminal.log_in()
    assert not login.allowed and ASKED not in login.told, login.output


def test_with_the_right_finger_a_failing_call_denies(world, reader):
    reader.impostor(0)  # says yes at once, as root
    terminal = Terminal(world, reader)
    assert terminal.enrol().returncode == 0
    with_failing_module(world)
    names, allowed = set(), []
    for at, name, login in every_failure_of(world, lambda more: world.log_in(
            calls=("auth", "acct"), environment={**terminal.environment, **more})):
        records = world.journal.records()
        names.add(name)
        untold = name == "pam_get_item" and ASKED not in login.told
        if login.allowed and not (name in TOLERATED_BY_DEVICES or untold or of_the_guard(name, login, ASKING_THE_GUARD)
                                  or of_the_chain(records)):
            allowed.append((at, name, login.output))
    assert not allowed
    assert names >= {"sd_bus_new", "sd_bus_set_address", "sd_bus_start", "sd_bus_call_method", "sd_bus_get_name_creds",
                     "sd_bus_creds_get_euid", "sd_bus_creds_get_unique_name", "sd_bus_match_signal", "sd_bus_add_match",
                     "sd_bus_process"}, names

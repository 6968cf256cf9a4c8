# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever guesses codes, however many and by however many processes, has the tries of the policy and no more: beyond them
none is looked at. What is counted is how often liboath computes a password (counting.c)."""

import collections
import signal
import subprocess

import pytest
from conftest import AUTH_ERR, BUILD, MAXTRIES, SUCCESS

TRIES = 5
POLICY = f"{{factors: [password, totp], totp: {{drift: 0}}, limits: {{tries: {TRIES}, wait: 3600, wait-max: 3600}}}}"
GUESSES, PROCESSES = 10_000, 8


class Checks:
    """How many codes were checked by processes with its environment."""

    def __init__(self, path):
        self.path = path
        path.touch()
        self.environment = {"LD_PRELOAD": str(BUILD / "tests/sekisho_counting.so"), "SEKISHO_COUNT_IN": str(path)}

    @property
    def n(self):
        return self.path.stat().st_size


@pytest.fixture
def checks(tmp_path):
    return Checks(tmp_path / "checks")


@pytest.fixture
def world(world):
    world.write_policy(POLICY)
    return world


def environment(world, checks):
    return {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": world.bus, **checks.environment}


def guess(world, checks, codes):
    """A process that tries CODES one after the other. Our line alone: what would a password do for who guesses codes?"""
    return subprocess.Popen(world.command("alone", "sato", *["auth"] * len(codes), answers=codes), stdout=subprocess.PIPE,
                            text=True, env=environment(world, checks))


def outputs(world, processes):
    """What they say. The journal is read meanwhile, since its socket holds little."""
    found = []
    for process in processes:
        while True:
            world.journal.drain()
            try:
                found.append(process.communicate(timeout=0.02)[0])
                break
            except subprocess.TimeoutExpired:
                pass
        assert process.returncode == 0
    world.journal.drain()
    return found


def test_ten_thousand_guesses_by_eight_processes_are_five(world, checks):
    totp = world.enrol()
    right = {totp.code(step) for step in range(-2, 8)}
    codes = [code for code in (f"{n * 97 % 1_000_000:06}" for n in range(GUESSES + len(right))) if code not in right][:GUESSES]
    each = GUESSES // PROCESSES
    processes = [guess(world, checks, codes[i * each:(i + 1) * each]) for i in range(PROCESSES)]
    answers = collections.Counter(line for output in outputs(world, processes) for line in output.splitlines()
                                  if line.startswith("auth "))
    assert checks.n == TRIES
    assert answers == {f"auth {AUTH_ERR}": TRIES, f"auth {MAXTRIES}": GUESSES - TRIES}
    results = collections.Counter(record["SEKISHO_RESULT"] for record in world.journal.records()
                                  if record["SEKISHO_EVENT"] == "factor-failed")
    assert results == {"refused": TRIES, "wait": GUESSES - TRIES}
    # nor is the right one
    login = world.log_in(code=totp.code(), environment=checks.environment)
    assert login.codes["auth"] == MAXTRIES and checks.n == TRIES


def test_a_guess_counts_though_the_process_dies_while_it_is_looked_at(world, checks):
    totp = world.enrol()
    for i in range(TRIES):
        process = subprocess.run(world.command("alone", "sato", "auth", answers=[totp.wrong()]), capture_output=True, text=True,
                                 check=False, env={**environment(world, checks), "SEKISHO_DIE_IN_CHECK": "1"})
        assert process.returncode == -signal.SIGKILL and "auth" not in process.stdout
        assert checks.n == i + 1
    assert world.log_in(code=totp.wrong(), environment=checks.environment).codes["auth"] == MAXTRIES
    assert world.log_in(code=totp.code(), environment=checks.environment).codes["auth"] == MAXTRIES
    assert checks.n == TRIES


def test_a_right_code_that_was_not_taken_for_the_death_of_the_process_can_be_given_again(world, checks):
    totp = world.enrol()
    code = totp.code()
    subprocess.run(world.command("alone", "sato", "auth", answers=[code]), capture_output=True, check=False,
                   env={**environment(world, checks), "SEKISHO_DIE_IN_CHECK": "1"})
    assert "failures totp 1 " in world.counted()
    assert world.log_in(code=code, environment=checks.environment).codes["auth"] == SUCCESS
    assert "failures" not in world.counted()


def test_failures_of_one_are_not_anothers(world, checks):
    totp, other = world.enrol("sato"), world.enrol("suzuki")
    outputs(world, [guess(world, checks, [totp.wrong()] * TRIES)])
    assert world.log_in(code=totp.code()).codes["auth"] == MAXTRIES
    assert world.log_in(user="suzuki", code=other.code()).allowed


def test_guesses_with_a_form_of_their_own_have_tries_of_their_own_and_no_more(world, checks):
    """A recovery code is none of the tries of one-time passwords, and the other way round."""
    code, *_ = world.issue("recovery-codes", "sato")
    world.enrol()
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    out, = outputs(world, [guess(world, checks, [wrong] * (TRIES + 3))])
    assert out.count(f"auth {AUTH_ERR}\n") == TRIES and out.count(f"auth {MAXTRIES}\n") == 3
    assert checks.n == 0
    assert world.log_in(code=code).codes["auth"] == MAXTRIES

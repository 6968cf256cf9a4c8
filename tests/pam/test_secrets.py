# SPDX-License-Identifier: GPL-2.0-or-later
"""What is typed and what is stored does not stay in the memory of the program that logs people in, where a core dump or the
swap would have it; and nobody learns from the questions who there is."""

import json
import re
import subprocess

import pytest
from conftest import PASSWORD, PERM_DENIED, PROGRAM
from test_security_key import Key

WRONG_PIN = "kumo-77-ame-nochi-hare"
OF_THE_KERNEL = ("[vvar]", "[vsyscall]", "[vvar_vclock]")


searches = pytest.mark.skipif(b"__asan_init" in PROGRAM.read_bytes(),
                              reason="AddressSanitizer has terabytes of memory of its own, and keeps what is freed")


def memory(pid):
    """All of what process PID can read, a piece each."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            words = line.split()
            start, end = (int(at, 16) for at in words[0].split("-"))
            if words[1].startswith("r") and words[-1] not in OF_THE_KERNEL:
                mem.seek(start)
                yield words[-1], mem.read(end - start)


def found_in(pid, needles):
    return sorted({(name, place) for place, piece in memory(pid) for name, needle in needles.items() if needle in piece})


class Typed:
    """A program that logs somebody in, and is typed to."""

    def __init__(self, world, *calls, service="login", user="sato", environment=()):
        self.process = subprocess.Popen(
            world.command(service, user, "typed", "rest", *calls), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": world.bus, **dict(environment)})
        self.seen = []

    def until(self, *starts):
        for line in self.process.stdout:
            self.seen.append(line.decode().rstrip("\n"))
            if self.seen[-1].startswith(starts):
                return self.seen[-1]
        raise AssertionError(self.seen)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def log_in(self, *answers):
        for answer in answers:
            self.until("prompt")
            self.type(answer)
        self.until("at rest")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()


def of_totp(totp):
    key = totp.key
    return {"secret": key, "secret in hex": key.hex().encode(), "secret in capitals": key.hex().upper().encode(),
            "inner key": bytes(byte ^ 0x36 for byte in key), "outer key": bytes(byte ^ 0x5C for byte in key)}


@searches
def test_the_search_finds_what_is_there(world):
    with Typed(world, "tty=a-terminal-of-this-test", "wait") as typed:
        typed.until("waiting")
        assert found_in(typed.process.pid, {"terminal": b"a-terminal-of-this-test"})
        assert not found_in(typed.process.pid, {"other": b"b-terminal-of-" + b"that-test"})


@searches
@pytest.mark.parametrize("right", [True, False])
def test_after_a_login_neither_code_nor_secret_is_in_memory(world, right):
    totp = world.enrol("sato", "--digits", "8")
    code = totp.code() if right else totp.wrong().ljust(8, "7")
    with Typed(world, "auth", "acct", "cred") as typed:
        typed.log_in(PASSWORD, code)
        assert ("auth 0" in typed.seen) == right, typed.seen
        needles = {"password": PASSWORD.encode(), "code": code.encode(), "right code": totp.code().encode(), **of_totp(totp)}
        assert found_in(typed.process.pid, needles) == []
    assert world.journal.records()


@searches
def test_nor_is_it_between_the_calls_nor_the_secret_while_the_code_is_asked_for(world):
    """Then the password is there, since PAM keeps it for the modules to come: so the search does find what is typed."""
    totp = world.enrol("sato", "--digits", "8")
    code = totp.code()
    with Typed(world, "auth", "wait", "acct") as typed:
        typed.until("prompt Password")
        typed.type(PASSWORD)
        typed.until("prompt One-time code")
        needles = {"password": PASSWORD.encode(), "code": code.encode(), **of_totp(totp)}
        assert {name for name, _ in found_in(typed.process.pid, needles)} == {"password"}
        typed.type(code)
        typed.until("waiting")
        assert "auth 0" in typed.seen
        assert found_in(typed.process.pid, needles) == []
        typed.type("")
        typed.until("at rest")


@searches
def test_after_a_recovery_code_it_is_not_in_memory(world):
    code, *_ = world.issue("recovery-codes", "sato")
    with Typed(world, "auth", "acct") as typed:
        typed.log_in(PASSWORD, code)
        assert "auth 0" in typed.seen
        normal = code.replace("-", "")
        assert found_in(typed.process.pid, {"code": code.encode(), "as it is hashed": normal.encode()}) == []


@searches
def test_after_a_pin_it_is_not_in_memory(world):
    """A wrong one: of the right one the key in software would have its own, in the same process."""
    key = Key(world)
    assert key.enrol().returncode == 0
    with Typed(world, "auth", environment=key.environment()) as typed:
        typed.log_in(PASSWORD, WRONG_PIN)
        assert "prompt PIN of the security key: " in typed.seen and "auth 0" not in typed.seen
        assert found_in(typed.process.pid, {"pin": WRONG_PIN.encode()}) == []


def questions(world, stack, user):
    """The order of what is asked and told, each prompt being answered, and how each call ended, whatever the time it took."""
    login = world.log_in(stack, user, answers=["not-the-password", "00000000", "00000000"], calls=("auth", "acct"))
    return [re.sub(r"^(delay) \d+$", r"\1", line) for line in login.output.splitlines()
            if line.startswith(("prompt", "told", "auth", "delay"))]


@pytest.mark.parametrize("stack", ["login", "debian", "required", "alone", "first"])
def test_the_questions_do_not_say_who_there_is(world, stack):
    """Compared is the sequence of prompts, texts and delays of the authentication, for who has a code, who has nothing, who has
    only codes on paper, and who does not exist. No time is measured: delays are pam_fail_delay(3)'s, which PAM scatters."""
    world.enrol("sato")
    world.issue("recovery-codes", "suzuki")
    asked = {user: questions(world, stack, user) for user in ("sato", "suzuki", "konbini", "nobody-of-that-name")}
    codes = {user: [line for line in lines if line.startswith("auth")] for user, lines in asked.items()}
    if stack == "login":  # pam_unix alone answers there, and says itself that it knows nobody of that name
        codes["nobody-of-that-name"] = codes["sato"]
    asked = {user: [line for line in lines if not line.startswith("auth")] for user, lines in asked.items()}
    assert len({str(lines) for lines in asked.values()}) == 1, asked
    assert asked["sato"], asked
    told = json.dumps(world.journal.records())
    assert "not-the-password" not in told and "00000000" not in told and "nobody-of-that-name" not in told


def test_the_account_phase_does_not_say_it_either(world):
    world.enrol("sato")
    told = {user: world.log_in("account-only", user, calls=("acct",), answers=[]).output for user in ("sato", "konbini")}
    assert set(told.values()) == {f"acct {PERM_DENIED}\n"}

# SPDX-License-Identifier: GPL-2.0-or-later
"""A transaction reads the policy once; what changes meanwhile is read again."""

import ctypes
import os
import subprocess

import pytest
from conftest import PASSWORD, SUCCESS

IN_OPEN = 0x20
MFA = "{factors: [password, totp]}"


class Transaction:
    """One that waits between authentication and account."""

    def __init__(self, world, code):
        self._world = world
        self._process = subprocess.Popen(
            world.command("login", "sato", "auth", "wait", "acct", answers=[PASSWORD, code]), text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": world.bus})
        output = ""
        while "waiting\n" not in output:
            line = self._process.stdout.readline()
            assert line, output
            output += line
        assert f"auth {SUCCESS}\n" in output, output
        world.journal.records()

    def end(self):
        """Whether it is let in, and whether the policy is opened for that."""
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init1(os.O_NONBLOCK)
        assert watch >= 0 and libc.inotify_add_watch(watch, os.fsencode(self._world.policy / "10-test.yaml"), IN_OPEN) >= 0
        output = self._process.communicate("go on\n")[0]
        self._world.journal.drain()
        try:
            opened = bool(os.read(watch, 4096))
        except BlockingIOError:
            opened = False
        os.close(watch)
        return f"acct {SUCCESS}\n" in output, opened


@pytest.fixture
def transaction(world):
    world.write_policy(MFA)
    return Transaction(world, world.enrol().code())


def test_a_transaction_reads_the_policy_once(transaction):
    assert transaction.end() == (True, False)


CHANGES = {
    "other times": lambda w: os.utime(w.policy / "10-test.yaml"),
    "another file beside it": lambda w: w.policy.joinpath("notes.txt").touch(),
    "a key": lambda w: w.policy.with_name("keys.d").mkdir(),
    "a later serial": lambda w: (w.store.parent / "floor").write_text("serial 1\n"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_it_is_judged_by_has_changed_and_it_is_read_again(world, transaction, how):
    CHANGES[how](world)
    assert transaction.end()[1]


def test_a_stricter_policy_counts_at_once(world, transaction):
    world.write_policy("{factors: [password, card]}")
    assert transaction.end() == (False, True)

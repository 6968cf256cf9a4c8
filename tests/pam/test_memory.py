# SPDX-License-Identifier: GPL-2.0-or-later
"""The module in a program that valgrind watches: no memory is used that is not there, or not set, and none is lost."""

import re
import shutil
import subprocess

import pytest
from conftest import PASSWORD, PROGRAM
from test_last_good import keep
from test_security_key import PIN, Key

VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--keep-debuginfo=yes", "--child-silent-after-fork=yes"]

# Each test is skipped, and not the file: pytest takes a file without tests for a failure.
pytestmark = [
    pytest.mark.skipif(not shutil.which(VALGRIND[0]), reason="valgrind is missing (packaging/install-dependencies test)"),
    pytest.mark.skipif(b"__asan_init" in PROGRAM.read_bytes(),
                       reason="the build has sanitizers, which do the same and do not go with valgrind"),
]


def expect_clean(world, answers, *calls, service="login", user="sato", ends, environment=()):
    """A login by valgrind, of which the authentication ENDS so."""
    result = subprocess.run([*VALGRIND, *world.command(service, user, *calls, answers=answers)], capture_output=True, text=True,
                            check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": world.bus,
                                              **dict(environment)})
    world.journal.drain()
    assert f"auth {ends}\n" in result.stdout, (result.stdout, result.stderr)
    summary = re.search(r"ERROR SUMMARY: (\d+) errors", result.stderr)
    assert result.returncode == 0 and summary and summary.group(1) == "0", result.stderr
    lost = re.search(r"definitely lost: ([\d,]+) bytes", result.stderr)
    assert lost is None or lost.group(1) == "0", result.stderr


def test_valgrind_would_tell(tmp_path):
    """Of a program that loses memory, as the module might."""
    source = tmp_path / "loses.c"
    source.write_text("#include <stdlib.h>\nint main(void) { char *volatile p = malloc(7); p = 0; return p != 0; }\n")
    subprocess.run(["gcc", "-O0", "-o", tmp_path / "loses", source], check=True)
    result = subprocess.run([*VALGRIND, tmp_path / "loses"], capture_output=True, text=True, check=False)
    assert result.returncode == 99 and "definitely lost: 7 bytes" in result.stderr


@pytest.mark.parametrize("stack", ["login", "debian", "required"])
def test_a_login_with_a_code_right_and_wrong(world, stack):
    totp = world.enrol()
    expect_clean(world, [PASSWORD, totp.wrong()], "auth", "acct", "cred", service=stack, ends=7)
    expect_clean(world, [PASSWORD, totp.code()], "auth", "acct", "cred", "open", "close", service=stack, ends=0)


def test_a_login_that_another_follows_in_the_same_transaction(world):
    totp = world.enrol()
    expect_clean(world, [PASSWORD, totp.wrong(), PASSWORD, totp.code(), PASSWORD], "auth", "auth", "acct", "user=suzuki", "acct",
                 "cred", ends=0)


def test_a_login_of_nobody_and_one_without_a_conversation(world):
    world.enrol()
    expect_clean(world, ["x", "000000"], "auth", "acct", service="required", user="nobody-of-that-name", ends=10)
    expect_clean(world, [], "no-conv", "auth", "acct", service="alone", ends=9)


def test_a_login_with_a_recovery_code_and_in_the_days_of_grace(world):
    code, *_ = world.issue("recovery-codes", "sato")
    expect_clean(world, [PASSWORD, code], "auth", "acct", ends=0)
    world.write_policy("{factors: [password, totp], grace: {days: 2}}\ncontact: 情報政策課")
    expect_clean(world, [PASSWORD], "auth", "acct", user="suzuki", ends=0)


def test_logins_by_the_last_good_policy_and_by_none(world):
    totp = world.enrol()
    path = keep(world)
    world.write_policy("[")
    expect_clean(world, [PASSWORD, totp.code()], "auth", "acct", ends=0)
    path.unlink()
    expect_clean(world, [PASSWORD, totp.code()], "auth", "acct", ends=9)


def test_a_login_with_a_security_key(world):
    key = Key(world)
    assert key.enrol().returncode == 0
    expect_clean(world, [PASSWORD, PIN], "auth", "acct", ends=0, environment=key.environment())

# SPDX-License-Identifier: GPL-2.0-or-later
"""How people are enrolled, and how the terminal's stacks come to ask for it."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import CTL, MS_BIND, Totp, libc, mount, pam_check, system_call

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ("sekisho", "sekisho-session")


def enrol(world, answer):
    """Types what ANSWER makes of the URI that is shown."""
    process = subprocess.Popen([CTL, "enrol", "sato", "--state-dir", world.directory / "state"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                               env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    shown = []
    while not shown or not shown[-1].startswith("otpauth://"):
        shown.append(process.stdout.readline())
        assert shown[-1], process.stderr.read()
    totp = Totp(shown[-1].strip())
    out, err = process.communicate(answer(totp), timeout=60)
    return process.returncode, totp, "".join(shown) + out, err


def test_a_secret_counts_once_its_code_came_back(world):
    status, totp, shown, _ = enrol(world, lambda totp: totp.code() + "\n")
    assert status == 0 and "totp is enrolled for sato." in shown
    assert sum(line.startswith("\033[30;107m") for line in shown.splitlines()) > 15  # the QR code
    record, = world.journal.records()
    assert record["SEKISHO_EVENT"] == "factor-enrolled" and record["SEKISHO_FACTOR"] == "totp" and record["uid"] == 0
    assert totp.code() not in str(record)
    assert not world.log_in(code=totp.code()).allowed  # that one was taken
    assert world.log_in(code=totp.code(step=1)).allowed


@pytest.mark.parametrize("answer", [lambda totp: totp.wrong() + "\n", lambda totp: "", lambda totp: "\n"])
def test_otherwise_nothing_is_enrolled(world, answer):
    status, totp, _, err = enrol(world, answer)
    assert status == 2 and "nothing was enrolled" in err
    assert not world.file().exists() and world.journal.records() == []


def test_a_second_secret_is_not_given_over_the_first(world):
    totp = world.enrol()
    status, _, err = world.ctl("enrol", "sato", "--json")
    assert status == 2 and "already" in err
    assert world.log_in(code=totp.code()).allowed


def test_nothing_is_enrolled_for_who_is_nobody(world):
    assert world.ctl("enrol", "nobody-of-that-name", "--json")[0] == 2


def test_the_store_is_roots_alone(world):
    world.enrol()
    for path in (world.store, *world.store.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.fixture
def own_pam(tmp_path):
    """What pam-auth-update reads and writes, as copies."""
    places = ["/etc/pam.d", "/usr/share/pam-configs", "/var/lib/pam", "/var/cache/debconf"]
    for place in places:
        copy = tmp_path / "own" / place[1:]
        shutil.copytree(place, copy)
        mount(copy, place, flags=MS_BIND)
    yield
    for place in reversed(places):
        system_call(libc.umount2(os.fsencode(place), 2), "umount")


def find(lines, module):
    return next(i for i, line in enumerate(lines) if re.match(rf"session\s.*{module}", line))


def test_pam_auth_update_writes_a_stack_that_asks(world, own_pam):
    if not shutil.which("pam-auth-update"):
        pytest.skip("there is no pam-auth-update")
    for profile in PROFILES:
        shutil.copy(SOURCE / "packaging/pam" / profile, "/usr/share/pam-configs")
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def update(*arguments):
        subprocess.run(["pam-auth-update", *arguments], check=True, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
        return [pathlib.Path("/etc/pam.d", name).read_text(encoding="utf-8") for name in ("common-auth", "common-account", "common-session")]

    assert not any("pam_sekisho" in text for text in update("--package", "--force"))  # the administrator switches it on
    texts = update("--enable", *PROFILES)
    assert all(re.search(r"^(auth|account|session)\s+required\s+pam_sekisho.so", text, re.MULTILINE) for text in texts), texts
    lines = texts[2].splitlines()
    assert find(lines, "pam_systemd.so") < find(lines, "pam_sekisho.so"), "logind has to know the session by then"
    status, found = pam_check("login", "su", "su-l", "other", "--policy", world.policy)
    assert status == 0, found
    stack = "".join(line + "\n" for text in texts for line in text.splitlines() if re.match(r"(auth|account)\s", line) and
                    not re.search(r"pam_(cap|systemd|systemd_home|sss|winbind)", line))
    (world.confdir / "written").write_text(stack.replace("pam_sekisho.so", world.module), encoding="utf-8")
    totp = world.enrol()
    assert not world.log_in("written", code=totp.wrong()).allowed
    assert not world.log_in("written", code=totp.code(), password="wrong").allowed
    assert world.log_in("written", code=totp.code()).allowed
    assert not any("pam_sekisho" in text for text in update("--package", "--remove", *PROFILES))

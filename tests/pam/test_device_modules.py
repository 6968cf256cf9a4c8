# SPDX-License-Identifier: GPL-2.0-or-later
"""Security keys and cards are modules of their own, loaded for who has one; one that is not as it should be denies."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import AUTHINFO_UNAVAIL, BUILD, MODULE
from test_card import Desk, fixture_authority  # noqa: F401
from test_security_key import Key

HEAVY = ("libfido2", "libcrypto", "libp11-kit")


def own_copy(world):
    """The modules as they are installed, beside each other in a directory of the test's own."""
    directory = world.directory / "security"
    shutil.copytree(MODULE.parent / "pam_sekisho", directory / "pam_sekisho")
    shutil.copy(MODULE, directory)
    for path in directory.rglob("*.so"):
        path.chmod(0o644)
    world.module = re.sub(r"\S*/pam_sekisho\w*\.so", str(directory / "pam_sekisho.so"), world.module)
    world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\n")
    return directory / "pam_sekisho"


def loaded(world, code, calls=("auth", "acct")):
    """The files that the program loaded while somebody logged in, and how that went."""
    said = world.directory / "loaded"
    login = world.log_in(code=code, calls=calls, environment={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(said)})
    text = "".join(path.read_text() for path in world.directory.glob("loaded.*"))
    return set(re.findall(r"calling init: (\S+)", text)), login


def test_who_has_a_one_time_password_loads_nothing_for_devices(world):
    own_copy(world)
    totp = world.enrol()
    files, login = loaded(world, totp.code())
    assert login.allowed, login.output
    assert any(path.endswith("/pam_sekisho.so") for path in files), files
    assert [path for path in files if "/pam_sekisho/" in path or any(name in path for name in HEAVY)] == []


@pytest.fixture(name="desk")
def fixture_desk(world, authority):
    desk = Desk(world, authority)
    assert desk.enrol().returncode == 0
    desk.modules = own_copy(world)
    world.journal.records()
    return desk


def test_who_has_a_card_loads_what_cards_take(world, desk):
    files, login = loaded(world, "123456")
    assert login.allowed, login.output
    assert {os.path.basename(path) for path in files if "/pam_sekisho/" in path} == {"card.so"}
    assert not any("libfido2" in path for path in files)


def remove(path):
    path.unlink()


def make_garbage(path):
    path.write_bytes(b"\x7fELF nothing")


def let_a_group_write(path):
    path.chmod(0o664)


def give_away(path):
    os.chown(path, 20001, 20001)


def put_a_link(path):
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def put_another_version(path):
    version = re.search(rb"\b\d+\.\d+\.\d+\b(?=\0{20})", path.read_bytes())[0]
    path.write_bytes(path.read_bytes().replace(version + bytes(20), b"9" + version[1:] + bytes(20)))


def put_another_module(path):
    shutil.copy(path.with_name("fido2.so"), path)


CANNOT = "a module of pam_sekisho cannot be loaded"
FAULTS = {remove: CANNOT, make_garbage: CANNOT, put_a_link: CANNOT, put_another_module: CANNOT,
          let_a_group_write: "somebody else than root may write to a module of pam_sekisho",
          give_away: "somebody else than root may write to a module of pam_sekisho",
          put_another_version: "a module of pam_sekisho is of another version"}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_module_that_is_not_as_it_should_be_denies_with_a_record(world, desk, spoil):
    assert desk.log_in().allowed
    world.journal.records()
    spoil(desk.modules / "card.so")
    login = desk.log_in(calls=("auth",))
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL, login.output
    records = {record["SEKISHO_EVENT"]: record for record in world.journal.records()}
    assert records["factor-failed"]["SEKISHO_FACTOR"] == "card" and records["factor-failed"]["SEKISHO_RESULT"] == "broken"
    assert records["login-denied"]["SEKISHO_ERROR"] == FAULTS[spoil], records


def test_who_has_a_security_key_is_asked_for_it_by_the_installed_module(world):
    key = Key(world)
    assert key.enrol().returncode == 0
    modules = own_copy(world)
    world.journal.records()
    files, login = loaded(world, "123456")
    assert "Plug in your security key." in login.told and not login.allowed, login.output
    assert str(modules / "fido2.so") in files and not any("libp11-kit" in path for path in files)


def test_the_modules_know_of_no_fakes():
    for name in ("fido2", "card"):
        assert b"SEKISHO_FAKE" not in pathlib.Path(BUILD / f"lib/pam_sekisho/{name}.so").read_bytes()


def test_only_what_the_module_looks_for_is_seen():
    for name in ("fido2", "card"):
        shown = subprocess.run(["nm", "-D", "--defined-only", BUILD / f"lib/pam_sekisho/{name}.so"], capture_output=True,
                               text=True, check=True).stdout
        assert [line.split()[-1] for line in shown.splitlines()] == [f"sekisho_device_{name}"]

# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is missing, damaged, someone else's or older than it should be lets nobody in."""

import os
import shutil
import subprocess

import pytest
from conftest import AUTHINFO_UNAVAIL, CTL, PASSWORD, PERM_DENIED, SUCCESS


def expect_denied(world, totp, told):
    login = world.log_in(code=totp.code())
    assert login.codes["auth"] not in (SUCCESS, None) and login.codes["acct"] != SUCCESS, login.output
    records = world.journal.records()
    assert records and all(record["SEKISHO_EVENT"] in ("login-denied", "factor-failed", "policy-refused") for record in records)
    assert any(told in record.get("SEKISHO_ERROR", "") for record in records), records
    assert any(record["SEKISHO_EVENT"] == "login-denied" for record in records)


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def damage(path):
    path.write_text(path.read_text()[:-5])


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def give_away(path):
    os.chown(path, 65534, -1)


def newer(path):
    path.write_text(path.read_text().replace("sekisho-factors 1", "sekisho-factors 2"))


STORE = {
    "what was learned damaged": (lambda w: (w.store.parent / "floor").write_text("x\n"), "earlier policies"),
    "store gone": (lambda w: remove(w.store), "there is no store"),
    "lock gone": (lambda w: remove(w.store / "lock"), "there is no store"),
    "store open to others": (lambda w: w.store.chmod(0o755), "owner or mode"),
    "store someone else's": (lambda w: give_away(w.store), "owner or mode"),
    "enrolment gone": (lambda w: remove(w.file()), "older edition, or gone"),
    "enrolment cut off": (lambda w: damage(w.file()), "not whole"),
    "enrolment empty": (lambda w: w.file().write_text(""), "not whole"),
    "enrolment of a later version": (lambda w: newer(w.file()), "not whole"),
    "enrolment readable": (lambda w: w.file().chmod(0o644), "owner or mode"),
    "enrolment someone else's": (lambda w: give_away(w.file()), "owner or mode"),
    "enrolment a link": (lambda w: link(w.file()), "owner or mode"),
    "enrolment a directory": (lambda w: (remove(w.file()), w.file().mkdir(mode=0o700)), "owner or mode"),
    "number damaged": (lambda w: (w.store / "generations/sato").write_text("x\n"), "not whole"),
    "number ahead": (lambda w: (w.store / "generations/sato").write_text("99\n"), "older edition"),
}


@pytest.mark.parametrize("how", STORE)
def test_a_store_in_doubt_denies(world, how):
    totp = world.enrol()
    change, told = STORE[how]
    change(world)
    expect_denied(world, totp, told)


def test_an_older_edition_that_is_put_back_is_noticed(world):
    totp = world.enrol()
    old = world.file().read_text()
    world.issue("recovery-codes", "sato")
    world.journal.records()
    world.file().write_text(old)
    expect_denied(world, totp, "older edition")


PROGRESS = {
    "put back": (lambda file, old: file.write_bytes(old), "older edition"),
    "gone": (lambda file, old: remove(file), "older edition"),
    "emptied": (lambda file, old: file.write_bytes(b""), "not whole"),
    "nothing but zeros": (lambda file, old: file.write_bytes(bytes(8192)), "older edition"),
    "the last place damaged": (lambda file, old: file.write_bytes(file.read_bytes().replace(b"edition 3 ", b"edition 9 ")), "older edition"),
    "damaged": (lambda file, old: file.write_bytes(file.read_bytes().replace(b"edition ", b"editiom ")), "not whole"),
    "readable": (lambda file, old: file.chmod(0o644), "owner or mode"),
    "someone else's": (lambda file, old: give_away(file), "owner or mode"),
    "a link": (lambda file, old: link(file), "owner or mode"),
    "a directory": (lambda file, old: (remove(file), file.mkdir(mode=0o700)), "owner or mode"),
}


@pytest.mark.parametrize("how", PROGRESS)
def test_what_logins_have_counted_cannot_be_taken_back(world, how):
    totp = world.enrol()
    assert world.log_in(code=totp.code()).allowed
    old = world.progress().read_bytes()
    assert not world.log_in(code=totp.wrong()).allowed
    assert "edition 3 " in world.counted()
    world.journal.records()
    change, told = PROGRESS[how]
    change(world.progress(), old)
    expect_denied(world, totp, told)


def test_what_was_counted_when_the_machine_stopped_is_not_lost_with_the_edition_that_was_being_written(world):
    """Of the two places the one that was being written is cut off; the number is not further than what is on the disk."""
    totp = world.enrol()
    code = totp.code()
    assert world.log_in(code=code).allowed
    number, whole = (world.store / "generations/sato").read_text(), world.progress().read_bytes()
    assert not world.log_in(code=totp.wrong()).allowed
    later = world.progress().read_bytes()
    torn = bytes(a if at % 512 < 256 else b for at, (a, b) in enumerate(zip(whole, later, strict=True)))
    assert torn not in (whole, later)
    world.progress().write_bytes(torn)
    (world.store / "generations/sato").write_text(number)
    world.journal.records()
    assert not world.log_in(code=code).allowed
    assert world.journal.records()[0]["SEKISHO_RESULT"] == "replayed"


def test_a_number_that_was_not_on_the_disk_yet_does_not_lock_out(world):
    totp = world.enrol()
    number = (world.store / "generations/sato").read_text()
    for _ in range(4):
        assert not world.log_in(code=totp.wrong()).allowed
    assert int((world.store / "generations/sato").read_text()) == int(number) + 4
    (world.store / "generations/sato").write_text(number)
    world.journal.records()
    assert not world.log_in(code=totp.wrong()).allowed
    assert world.journal.records()[0]["SEKISHO_RESULT"] == "refused"
    assert int((world.store / "generations/sato").read_text()) == int(number) + 5


def test_a_store_of_an_earlier_version_is_taken_as_it_is(world):
    """It has failures in the enrolments themselves, short numbers, and no directory for progress."""
    totp = world.enrol()
    code = totp.code()
    shutil.rmtree(world.store / "progress")
    text = world.file().read_text().replace("end\n", "failures totp 1 1000 5 -\nend\n").replace("generation 1\n", "generation 12\n")
    world.file().write_text(text)
    (world.store / "generations/sato").write_text("12\n")
    assert world.log_in(code=code).allowed
    assert "failures" not in world.counted() and int((world.store / "generations/sato").read_text()) == 13
    assert not world.log_in(code=code).allowed


def test_the_enrolment_of_an_account_that_was_there_before_is_not_the_new_ones(world):
    totp = world.enrol()
    world.file().write_text(world.file().read_text().replace("uid 20001", "uid 20099"))
    expect_denied(world, totp, "another account")


def test_a_disk_that_takes_nothing_denies(world):
    totp = world.enrol()
    temporary = world.store / "progress/.sato.new"
    temporary.mkdir()
    (temporary / "x").touch()
    expect_denied(world, totp, "")


def test_a_write_that_was_cut_off_between_the_files_does_not_lock_out(world):
    totp = world.enrol()
    (world.store / "generations/sato").unlink()  # the very first one
    assert world.log_in(code=totp.code()).allowed


POLICY = {
    "faults": lambda w: w.write_policy("{factors: [password]}"),
    "unreadable": lambda w: (w.policy / "10-test.yaml").chmod(0o666),
    "someone else's": lambda w: give_away(w.policy / "10-test.yaml"),
    "a link": lambda w: link(w.policy / "10-test.yaml"),
    "not YAML": lambda w: (w.policy / "10-test.yaml").write_text("version: [\n"),
}


@pytest.mark.parametrize("how", POLICY)
def test_a_policy_in_doubt_denies(world, how):
    totp = world.enrol()
    POLICY[how](world)
    login = world.log_in(code=totp.code())
    assert login.codes["auth"] == AUTHINFO_UNAVAIL and login.codes["acct"] == PERM_DENIED
    assert [record["SEKISHO_EVENT"] for record in world.journal.records()] == [
        "policy-refused", "login-denied", "login-denied"]
    assert "The policy of this terminal is not in order" in login.told[0]


def sign_policy(world):
    """What there is, as a bundle that minisign has signed."""
    keys = world.policy.parent / "keys.d"
    keys.mkdir(mode=0o700)
    subprocess.run(["minisign", "-G", "-W", "-p", keys / "office.pub", "-s", world.policy.parent / "office.key"],
                   check=True, stdout=subprocess.DEVNULL)
    (keys / "office.pub").chmod(0o600)
    bundle = world.policy.parent / "new.bundle"
    subprocess.run([CTL, "policy", "bundle", world.policy, "--output", bundle], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["minisign", "-S", "-s", world.policy.parent / "office.key", "-m", bundle], check=True,
                   stdout=subprocess.DEVNULL)
    sealed = world.policy / "policy.bundle"
    sealed.write_bytes(bundle.with_name("new.bundle.minisig").read_bytes() + bundle.read_bytes())
    sealed.chmod(0o600)
    return sealed


def test_where_policies_have_to_be_signed_only_such_let_in(world):
    totp = world.enrol()
    (world.store.parent / "floor").write_text("serial 1\nsigning required\n")
    expect_denied(world, totp, "is not signed as it has to be")
    sealed = sign_policy(world)
    good = sealed.read_bytes()
    sealed.write_bytes(good.replace(b"serial: 7", b"serial: 8"))
    expect_denied(world, totp, "the policy has faults")
    sealed.write_bytes(good)
    assert world.log_in(code=totp.code()).allowed


def test_that_the_signed_policy_is_gone_denies_unless_it_was_put_aside(world):
    totp = world.enrol()
    (world.store.parent / "floor").write_text("serial 1\nsigning required\n")
    (world.policy / "10-test.yaml").unlink()
    expect_denied(world, totp, "the signed policy is gone")
    restored = world.store.parent / "restored"
    restored.write_text("7 0 0 1800000000 1 tty1 /etc/sekisho/aside\n")
    restored.chmod(0o600)
    assert world.log_in().allowed


def test_a_policy_that_says_nothing_of_logins_denies(world):
    totp = world.enrol()
    (world.policy / "10-test.yaml").write_text("version: 1\nserial: 8\n")
    assert not world.log_in(code=totp.code()).allowed
    assert world.journal.records()[0]["SEKISHO_REASON"] == "no-factors"


def test_where_all_policies_were_put_aside_the_password_does_and_is_recorded(world):
    shutil.rmtree(world.policy)
    login = world.log_in()
    assert login.allowed
    assert world.journal.records()[0]["SEKISHO_REASON"] == "not-required"


@pytest.mark.parametrize("argument", ["dri=/tmp", "dir=relative", "nullok", "policy=", "debug"])
def test_arguments_that_are_not_understood_deny(world, argument):
    totp = world.enrol()
    world.stack("login", "auth requisite pam_unix.so\nauth required {module} %s\naccount required {module} %s\n" %
                (argument, argument))
    login = world.log_in(code=totp.code())
    assert login.codes["auth"] == AUTHINFO_UNAVAIL and login.codes["acct"] == PERM_DENIED


def test_without_a_journal_logins_go_on_as_they_would(world):
    totp = world.enrol()
    os.unlink("/run/systemd/journal/socket")
    assert world.log_in(code=totp.code()).allowed
    assert not world.log_in(code=totp.code()).allowed


def test_whoever_is_not_root_gets_nowhere(world):
    world.write_policy("{factors: [password, totp], exempt: [sato]}")
    command = ["setpriv", "--reuid=20001", "--regid=20001", "--clear-groups",
               *world.command("login", "sato", "auth", "acct", answers=[PASSWORD])]
    world.directory.chmod(0o755)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "auth 0" not in result.stdout and "acct 0" not in result.stdout


def test_unenrolment_mends_what_cannot_be_read(world):
    world.enrol()
    damage(world.file())
    assert world.ctl("factors", "sato")[0] == 2
    world.issue("unenrol", "sato")
    assert world.ctl("factors", "sato")[0] == 1
    assert world.log_in(code=world.enrol().code()).allowed

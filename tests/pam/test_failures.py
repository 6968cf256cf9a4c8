# SPDX-License-Identifier: GPL-2.0-or-later
"""Every call of the module to a library fails once, one after the other: nobody gets in by that."""

import re

from cards import PIN, SOFTHSM, Authority
from conftest import BUILD, PASSWORD
from test_card import Desk
from test_security_key import Key

CALLS_MAX = 2000
# Without the one, the wall clock counts, as it does across boots; the other is made up for by closing the file.
TOLERATED = {"read_boot_id", "flock_unlock"}


def every_failure(world, prepare):
    """The names of calls that failed, and how the login went, until the module runs through without one."""
    for at in range(1, CALLS_MAX):
        code = prepare()
        login = world.log_in(code=code, calls=("auth", "acct"), environment={"SEKISHO_FAIL_AT": str(at)})
        failed = re.findall(r"^failing (\w+)$", login.output, re.MULTILINE)
        if not failed:
            return
        yield at, failed[0], login
    raise AssertionError("no end of calls")


def of_the_guard(name, login, names=("sd_bus_start",)):
    """What failed is the question whether there is a guard, after the authentication. No bus to be had is as none: then the
    agent's lock counts, which is held in these worlds."""
    return name in names and "auth 0\n" in login.output.split("failing ")[0]


def of_the_chain(records):
    """What failed is a record's place in the chain, after the verdict: it is written without it, or on a chain of its own."""
    return any(record.get("SEKISHO_CHAIN_WRITER") != "logins" for record in records)


def with_failing_module(world, password=""):
    world.module = re.sub(r"\S*/pam_sekisho\w*\.so", str(BUILD / "tests/pam_sekisho_failing.so"), world.module)
    assert (BUILD / "tests/pam_sekisho_failing.so").exists()
    world.stack("login", "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\n")


def test_with_everything_right_a_failing_call_denies(world):
    with_failing_module(world)
    names, allowed = set(), []

    def prepare():
        """With nothing counted yet, so that the file for it is made as well."""
        world.journal.records()
        code, = world.issue("recovery-codes", "sato", "--number", "1")
        world.progress().unlink(missing_ok=True)
        return code

    for at, name, login in every_failure(world, prepare):
        names.add(name)
        if login.allowed and not (name in TOLERATED or of_the_guard(name, login) or of_the_chain(world.journal.records())):
            allowed.append((at, name, login.output))
    assert not allowed
    assert names >= {"sodium_malloc", "openat", "read", "write", "pread", "pwrite", "fsync", "fdatasync", "renameat", "flock", "clock_gettime", "getpwnam_r",
                     "pam_get_item", "pam_get_user", "pam_set_data", "pam_get_data", "crypto_pwhash_str_verify", "fstat",
                     "localtime_r", "sodium_init", "unlinkat", "calloc"}, names


def test_with_a_wrong_code_no_failing_call_lets_in(world):
    with_failing_module(world)
    world.write_policy("{factors: [password, totp], limits: {tries: 20}}")
    totp = world.enrol()

    def prepare():
        if world.counted().count("failures totp 19"):
            world.issue("unenrol", "sato", "totp")
            nonlocal totp
            totp = world.enrol()
        return totp.wrong()

    for at, name, login in every_failure(world, prepare):
        assert not login.allowed, (at, name, login.output)
    assert PASSWORD not in str(world.journal.records())


def every_failure_of(world, log_in):
    """As every_failure, for a login of another kind."""
    for at in range(1, CALLS_MAX):
        login = log_in({"SEKISHO_FAIL_AT": str(at)})
        failed = re.findall(r"^failing (\w+)$", login.output, re.MULTILINE)
        if not failed:
            assert login.allowed, login.output
            return
        yield at, failed[0], login
    raise AssertionError("no end of calls")


# A key that was not found at once is looked for again, and a hint to touch it may go untold: it is asked all
# the same. Whether a key tells how many tries are left, and whether the reader is let go of, lets nobody in; without
# inotify a key that is there is taken, and none is waited for.
TOLERATED_BY_DEVICES = TOLERATED | {"inotify_init1", "sd_bus_let_go", "unlinkat"}


def test_with_the_right_key_a_failing_call_denies(world):
    key = Key(world)
    assert key.enrol().returncode == 0
    with_failing_module(world)
    world.write_policy("{factors: [password, fido2], fido2: {timeout-seconds: 5}, limits: {tries: 20}}")
    names, allowed = set(), []
    for at, name, login in every_failure_of(world, lambda more: world.log_in(
            code="123456", calls=("auth", "acct"), environment={**key.environment(), **more})):
        records = world.journal.records()
        names.add(name)
        untold = name == "pam_get_item" and "Touch your security key." not in login.told
        looked_again = "This security key is not enrolled for you. Plug in yours." in login.told
        place = name == "realpath"  # of the key, after it has proven: its removal is not noticed then
        if login.allowed and not (name in TOLERATED_BY_DEVICES or untold or looked_again or place or of_the_guard(name, login)
                                  or of_the_chain(records)):
            allowed.append((at, name, login.output))
    assert not allowed
    assert names >= {"fido_dev_info_new", "fido_dev_new_with_info", "fido_dev_open_with_info", "fido_assert_new", "fido_dev_get_assert",
                     "fido_assert_verify", "fido_assert_set_authdata", "fido_assert_set_sig", "es256_pk_from_ptr"}, names


# Closing what was opened lets nobody in. Whether a PIN is low is a hint. A card that could not be read is looked for
# again; a way to sign that is not offered is passed over for the next. Whether a key wants the PIN once more, is private, or is for
# signing is the card's affair: it signs, or not.
TOLERATED_BY_CARDS = TOLERATED_BY_DEVICES | {"C_Logout", "C_CloseSession", "C_FindObjectsFinal", "C_GetMechanismInfo", "C_SignInit"}


def desk_with_failing_module(world, module):
    desk = Desk(world, Authority("failing"))
    assert desk.enrol().returncode == 0
    with_failing_module(world)
    desk.policy(card=f", ca: {desk.authority.ca}, crl: {desk.authority.crl}", module=module)
    return desk


def test_with_the_right_card_a_failing_call_denies(world):
    names, allowed = set(), []
    desk = desk_with_failing_module(world, SOFTHSM)
    for at, name, login in every_failure_of(world, lambda more: desk.log_in(environment=more)):
        records = world.journal.records()
        assert PIN not in str(records) and PASSWORD not in str(records)
        names.add(name)
        untold = name == "pam_get_item"
        looked_again = any(line.startswith(("This card is not", "Put your card")) for line in login.told)
        hint = name in ("C_GetTokenInfo", "C_GetAttributeValue")
        if login.allowed and not (name in TOLERATED_BY_CARDS or untold or looked_again or hint or of_the_guard(name, login)
                                  or of_the_chain(records)):
            allowed.append((at, name, login.output))
    assert not allowed
    assert names >= {"p11_kit_module_load", "p11_kit_module_initialize", "C_GetSlotList", "C_OpenSession", "C_Login", "C_FindObjectsInit",
                     "C_FindObjects", "C_SignInit", "C_Sign", "d2i_X509", "X509_verify_cert", "X509_STORE_add_crl", "X509_cmp_time",
                     "EVP_DigestVerifyInit", "EVP_DigestVerify", "ECDSA_SIG_new", "realpath", "lstat"}, names


def test_where_a_card_says_who_it_is_a_failing_call_denies(world):
    names, allowed = set(), []
    desk = Desk(world, Authority("failing"))
    assert desk.enrol("--person", "10482").returncode == 0
    with_failing_module(world)
    desk.policy(module=SOFTHSM)
    for at, name, login in every_failure_of(world, lambda more: desk.log_in(environment=more)):
        records = world.journal.records()
        assert PIN not in str(records) and PASSWORD not in str(records)
        names.add(name)
        looked_again = any(line.startswith(("This card is not", "Put your card")) for line in login.told)
        hint = name in ("C_GetTokenInfo", "C_GetAttributeValue", "pam_get_item")
        if login.allowed and not (name in TOLERATED_BY_CARDS or looked_again or hint or of_the_guard(name, login)
                                  or of_the_chain(records)):
            allowed.append((at, name, login.output))
        if login.allowed:
            assert records[-1]["SEKISHO_PERSON"] == "10482", login.output
    assert not allowed
    assert names >= {"p11_kit_module_load", "p11_kit_module_initialize", "C_GetSlotList", "C_OpenSession", "C_FindObjectsInit",
                     "C_FindObjects", "C_Sign", "EVP_DigestVerify", "reallocarray", "calloc", "fdopendir", "flock"}, names


def test_with_a_card_that_lies_no_failing_call_lets_in(world):
    desk = desk_with_failing_module(world, None)
    desk.reader.fault("replays")
    for at in range(1, CALLS_MAX):
        if world.counted().count("failures card 19 "):
            world.issue("unenrol", "sato", "card")
            desk.reader.fault("")
            assert desk.enrol().returncode == 0
            desk.reader.fault("replays")
        login = desk.log_in(environment={"SEKISHO_FAIL_AT": str(at)})
        assert not login.allowed, login.output
        if "failing " not in login.output:
            return
    raise AssertionError("no end of calls")

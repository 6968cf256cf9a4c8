# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins with IC cards: real tokens of SoftHSM; what these cannot do, by a module that says FAKE in its name."""

import base64
import json
import os
import subprocess
import time

import pytest
from cards import FAKE, PIN, PKI, SOFTHSM, Authority, Reader, Token, run
from conftest import AUTH_ERR, AUTHINFO_UNAVAIL, CTL, MAXTRIES, PASSWORD

PIN_PROMPT = "PIN of the card (sato): "
NOT_YOURS = "The card could not prove that it is yours."


@pytest.fixture(scope="session", name="authority")
def fixture_authority():
    authority = Authority("shi")
    for kind in ("rsa", "ec", "ec384", "short"):
        authority.key(kind, kind)
    authority.key("other", "ec")
    authority.stranger = Authority("stranger")
    return authority


class Desk:
    """A terminal with a reader and a person's card, which is enrolled."""

    def __init__(self, world, authority, kind="ec", **times):
        self.world, self.authority, self.reader = world, authority, Reader(world.directory)
        self.key = authority.key(kind, kind)
        self.certificate = authority.issue("sato", self.key, **times)
        self.token = Token("sato", self.key, self.certificate)
        self.policy()

    def policy(self, factors="[password, card]", module=None, card="", rest=""):
        self.world.write_policy(f"{{factors: {factors}, limits: {{tries: 20}}, "
                                f"card: {{module: {module or self.reader.fake}, wait-seconds: 5{card}}}{rest}}}")

    def with_authority(self, authority=None):
        authority = authority or self.authority
        self.policy(card=f", ca: {authority.ca}, crl: {authority.crl}")

    def enrol(self, *options, answer=PIN, user="sato", json_too=True, environment=None):
        return subprocess.run([CTL, "enrol", "card", user, *(["--json"] if json_too else []), "--state-dir", self.world.directory / "state",
                               "--policy", self.world.policy, *options], input=answer + "\n", capture_output=True, text=True, check=False,
                              env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", **(environment or {})})

    def log_in(self, pin=PIN, stack="login", **more):
        more.setdefault("calls", ("auth", "acct"))
        return self.world.log_in(stack, code=pin, **more)

    def failure(self):
        found = [record for record in self.world.journal.records() if record["SEKISHO_EVENT"] == "factor-failed"]
        assert len(found) == 1, found
        assert found[0]["SEKISHO_FACTOR"] == "card" and PIN not in str(found) and PASSWORD not in str(found)
        return found[0]["SEKISHO_RESULT"], found[0].get("SEKISHO_ERROR")


@pytest.fixture(name="desk")
def fixture_desk(world, authority):
    authority.revocations()
    desk = Desk(world, authority)
    result = desk.enrol("--label", "shain-17")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"user": "sato", "factor": "card"}
    world.journal.records()
    return desk


@pytest.mark.parametrize("kind", ["rsa", "ec", "ec384"])
@pytest.mark.parametrize("module", [SOFTHSM, None])
def test_password_and_card_let_in_again_and_again(world, authority, kind, module):
    desk = Desk(world, authority, kind)
    desk.policy(module=module)
    assert desk.enrol().returncode == 0
    world.journal.records()
    for _ in range(2):
        login = desk.log_in()
        assert login.allowed and login.prompts == ["Password: ", PIN_PROMPT], login.output
    records = world.journal.records()
    assert [record["SEKISHO_EVENT"] for record in records] == ["login-allowed"] * 2
    assert records[0]["SEKISHO_FACTORS"] == "password,card"


@pytest.mark.parametrize("kind, mechanism", [("rsa", 0x40), ("rsa", 0x1), ("rsa", 0x43), ("rsa", 0xd), ("ec", 0x1041)])
def test_each_way_to_sign_is_taken(world, authority, kind, mechanism):
    """CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, CKM_ECDSA, each the only one of the card."""
    desk = Desk(world, authority, kind)
    desk.reader.fault(f"only {mechanism}")
    result = desk.enrol()
    assert result.returncode == 0, result.stderr
    assert desk.log_in().allowed
    desk.reader.fault("only 4660")
    login = desk.log_in()
    assert not login.allowed and NOT_YOURS in login.told


def test_what_is_enrolled_is_public_and_told(world, desk):
    text = world.file().read_text()
    line, = [line for line in text.splitlines() if line.startswith("card ")]
    assert line.endswith(" shain-17 -") and PIN not in text
    status, out, _ = world.ctl("factors", "sato")
    assert status == 0 and "card: shain-17, CN=sato, until 2049-12-31" in out, out
    told = json.loads(world.ctl("factors", "sato", "--json")[1])
    assert told["factors"] == ["card", "card-pin"]
    card, = told["cards"]
    assert card["label"] == "shain-17" and card["subject"] == "CN=sato" and card["issuer"] == "CN=shi"
    world.issue("unenrol", "sato", "card")
    assert not desk.log_in().allowed and not [line for line in world.file().read_text().splitlines() if line.startswith("card ")]


def test_enrolling_shows_whose_card_it_is(world, authority):
    desk = Desk(world, authority)
    result = desk.enrol(json_too=False)
    assert result.returncode == 0
    for text in ("CN=sato", "CN=shi", "2020-01-01", "2049-12-31"):
        assert text in result.stdout, result.stdout


def test_card_and_pin_alone_do_if_the_policy_says_so(world, desk):
    desk.policy(factors="[card, card-pin]")
    login = desk.log_in(stack="alone", answers=[PIN])
    assert login.allowed and login.prompts == [PIN_PROMPT], login.output
    assert world.journal.records()[-1]["SEKISHO_FACTORS"] == "card,card-pin"
    desk.policy(factors="[password, card]")
    assert not desk.log_in(stack="alone", answers=[PIN]).allowed
    desk.policy(factors="[card, card-pin]")
    assert not desk.log_in("000000", stack="alone", answers=["000000"]).allowed


@pytest.mark.parametrize("fault", ["key-is-public", "no-login"])
def test_a_pin_that_is_not_needed_to_sign_proves_nothing(world, desk, fault):
    desk.policy(factors="[card, card-pin]")
    desk.reader.fault(fault)
    assert not desk.log_in(stack="alone", answers=[PIN, PIN, PIN]).allowed


def test_password_and_pin_are_one_kind(world, desk):
    desk.policy(factors="[password, card-pin]")
    login = desk.log_in()
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL  # the policy has a fault


def test_a_wrong_pin_is_counted_by_card_and_module_until_the_card_is_locked(world, desk):
    assert not desk.log_in("000000").allowed
    assert desk.failure() == ("refused", None)
    login = desk.log_in("000000")
    assert any("Only one try is left" in line for line in login.told), login.output
    assert "failures card 2 " in world.counted()
    login = desk.log_in("000000")
    assert "Only one try is left: another wrong PIN locks the card." in login.told
    assert any("locked after too many" in line for line in login.told)
    world.journal.records()
    login = desk.log_in()
    assert not login.allowed and PIN_PROMPT not in login.prompts and any("is locked" in line for line in login.told)
    assert desk.failure() == ("refused", "the PIN of the card is locked")
    assert "PIN is locked" in desk.enrol().stderr or "already" in desk.enrol().stderr


def test_a_wrong_pin_of_a_real_token_is_refused_and_the_right_one_taken_afterwards(world, desk):
    desk.policy(module=SOFTHSM)
    login = desk.log_in("000000")
    assert login.codes["auth"] == AUTH_ERR and any(line.startswith("That is not the PIN of the card.") for line in login.told), login.output
    assert desk.failure() == ("refused", None)
    assert desk.log_in().allowed
    assert "failures card" not in world.counted()


def test_too_many_failures_make_one_wait_before_the_card_is_asked(world, desk):
    world.write_policy(f"{{factors: [password, card], limits: {{tries: 1, wait: 60}}, card: {{module: {SOFTHSM}}}}}")
    assert not desk.log_in("000000").allowed
    login = desk.log_in()
    assert login.codes["auth"] == MAXTRIES and PIN_PROMPT not in login.prompts


@pytest.mark.parametrize("fault, result, code", [
    ("garbage", "refused", AUTH_ERR), ("flips-a-bit", "refused", AUTH_ERR), ("signs-nothing", "refused", AUTH_ERR),
    ("zeroes", "refused", AUTH_ERR), ("odd", "refused", AUTH_ERR), ("replays", "refused", AUTH_ERR), ("huge", "broken", AUTHINFO_UNAVAIL),
    ("gone", "refused", AUTH_ERR), ("gone-at-pin", "refused", AUTH_ERR), ("pin-expired", "refused", AUTH_ERR),
    ("pin-cancelled", "refused", AUTH_ERR), ("sign-fails", "broken", AUTHINFO_UNAVAIL), ("sign-memory", "broken", AUTHINFO_UNAVAIL),
    ("takes-any-pin", "refused", AUTH_ERR), ("slots-fail", "broken", AUTHINFO_UNAVAIL), ("slots-many", "broken", AUTHINFO_UNAVAIL),
    ("no-start", "broken", AUTHINFO_UNAVAIL)])
def test_a_card_that_does_wrong_lets_nobody_in(world, desk, fault, result, code):
    desk.reader.fault(fault)
    login = desk.log_in()
    assert not login.allowed and login.codes["auth"] == code, login.output
    assert desk.failure()[0] == result
    assert desk.enrol(user="suzuki").returncode == 2 and not world.file("suzuki").exists()
    desk.reader.fault("")
    assert desk.log_in().allowed


@pytest.mark.parametrize("fault", ["no-slots", "token-fails", "attributes-long"])
def test_a_card_that_cannot_be_read_is_none(world, desk, fault):
    desk.reader.fault(fault)
    login = desk.log_in()
    assert not login.allowed and PIN_PROMPT not in login.prompts
    assert desk.enrol(user="suzuki").returncode == 2


def test_a_card_that_hangs_lets_nobody_in_and_keeps_nobody_else_waiting(world, desk):
    totp = world.enrol("suzuki")
    desk.policy(factors="[password, card, totp]")
    desk.reader.fault("hangs")
    hanging = subprocess.Popen(world.command("login", "sato", "auth", "acct", answers=[PASSWORD, PIN]), stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while not (FAKE / "hanging").exists():
            assert time.monotonic() < deadline and hanging.poll() is None
            time.sleep(0.05)
        assert world.log_in(user="suzuki", code=totp.code(), calls=("auth", "acct")).allowed
        assert hanging.poll() is None
    finally:
        hanging.kill()
        output = hanging.communicate()[0]
    assert "auth 0" not in output


def test_a_card_with_the_same_name_and_another_key_is_not_the_persons(world, desk, authority):
    desk.reader.take_out()
    key = authority.directory / "other.key"
    Token("sato", key, authority.issue("sato", key))
    login = desk.log_in()
    assert not login.allowed and "This card is not enrolled for you. Put in yours." in login.told and PIN_PROMPT not in login.prompts


def test_a_card_with_the_persons_certificate_and_another_key_is_refused(world, desk, authority):
    desk.reader.take_out()
    Token("sato", authority.directory / "other.key", desk.certificate)
    login = desk.log_in()
    assert login.codes["auth"] == AUTH_ERR and login.prompts[-1] == PIN_PROMPT and NOT_YOURS in login.told, login.output
    assert desk.failure() == ("refused", "the signature is not of the card that was enrolled")
    assert "failures card 1 " in world.counted()
    assert desk.enrol(user="suzuki").returncode == 2 and not world.file("suzuki").exists()


def test_a_certificate_that_was_replaced_on_the_card_has_to_be_enrolled(world, desk, authority):
    desk.token.replace(authority.issue("sato", desk.key))
    login = desk.log_in()
    assert not login.allowed and "This card is not enrolled for you. Put in yours." in login.told
    assert desk.enrol("--label", "new").returncode == 0
    assert desk.log_in().allowed


def test_the_card_of_a_colleague_is_not_the_persons(world, desk, authority):
    desk.reader.take_out()
    key = authority.directory / "other.key"
    Token("suzuki", key, authority.issue("suzuki", key))
    assert desk.enrol(user="suzuki").returncode == 0
    assert not desk.log_in().allowed
    assert desk.log_in(user="suzuki").allowed
    desk.reader.directory.rename(world.directory / "suzukis")
    desk.reader.directory.mkdir()
    desk.reader.put_in()
    assert desk.log_in().allowed


def test_several_cards_of_a_person_are_enrolled_each_once(world, desk, authority):
    again = desk.enrol()
    assert again.returncode == 2 and "already" in again.stderr
    key = authority.directory / "rsa.key"
    Token("second", key, authority.issue("second", key))
    several = desk.enrol()
    assert several.returncode == 2 and "more than one" in several.stderr
    desk.reader.take_out()
    Token("second", key, authority.issue("second", key))
    assert desk.enrol("--certificate", "nobody").returncode == 2
    assert desk.enrol("--slot", "99").returncode == 2
    assert desk.enrol("--certificate", "person").returncode == 0
    assert desk.log_in().allowed


@pytest.mark.parametrize("times, text, error", [
    ({"end": "20210101000000Z"}, "The certificate of this card has expired.", "certificate-expired"),
    ({"start": "20480101000000Z"}, "The certificate of this card is not valid yet.", "certificate-not-yet-valid")])
@pytest.mark.parametrize("with_authority", [False, True])
def test_a_certificate_counts_in_its_time(world, authority, times, text, error, with_authority):
    """Enrolled in its time: by a store that says so."""
    desk = Desk(world, authority)
    assert desk.enrol().returncode == 0
    other = authority.issue("sato", desk.key, **times)
    enrol_by_hand(world, desk, other)
    if with_authority:
        desk.with_authority()
    login = desk.log_in()
    assert not login.allowed and text in login.told and PIN_PROMPT not in login.prompts, login.output
    assert desk.failure()[1] == error
    result = desk.enrol(user="suzuki")
    assert result.returncode == 2 and "its certificate" in result.stderr


def enrol_by_hand(world, desk, certificate):
    """What enrolling would refuse: the certificate in the store, and on the card."""
    lines = world.file().read_text().splitlines()
    lines = [f"card {base64.b64encode(certificate.read_bytes()).decode()} card -" if line.startswith("card ") else line for line in lines]
    world.file().write_text("\n".join(lines) + "\n")
    desk.token.replace(certificate)
    world.journal.records()


def test_authority_and_revocation_are_as_the_policy_says(world, desk, authority):
    desk.with_authority()
    assert desk.log_in().allowed
    authority.revocations("sato")
    world.journal.records()
    login = desk.log_in()
    assert not login.allowed and "The certificate of this card was revoked." in login.told and PIN_PROMPT not in login.prompts
    assert desk.failure() == ("refused", "certificate-revoked")
    desk.with_authority(authority.stranger)
    login = desk.log_in()
    assert not login.allowed and "This card is not one that counts here." in login.told
    assert desk.failure() == ("refused", "certificate-of-unknown-authority")
    assert desk.enrol(user="suzuki").returncode == 2
    desk.policy()
    assert desk.log_in().allowed  # nothing of that is asked for


def test_a_list_of_revocations_that_is_old_or_of_others_denies(world, desk, authority):
    desk.policy(card=f", ca: {authority.ca}, crl: {authority.stranger.crl}")
    assert not desk.log_in().allowed
    assert desk.failure() == ("broken", "revocation-list-missing-or-old")
    authority.revocations(crl_lastupdate="20200101000000Z", crl_nextupdate="20200201000000Z")
    desk.with_authority()
    assert not desk.log_in().allowed
    assert desk.failure() == ("broken", "revocation-list-missing-or-old")


@pytest.mark.parametrize("spoil", ["missing", "empty", "text", "writable", "cut"])
@pytest.mark.parametrize("which", ["ca", "crl"])
def test_files_of_the_policy_that_are_not_in_order_deny(world, desk, authority, spoil, which):
    files = {"ca": authority.ca, "crl": authority.crl}
    spoilt = PKI / "spoilt.pem"
    spoilt.unlink(missing_ok=True)
    if spoil != "missing":
        whole = files[which].read_text()
        spoilt.write_text({"empty": "", "text": "hello\n", "writable": whole, "cut": whole + whole[:len(whole) // 2]}[spoil])
        spoilt.chmod(0o666 if spoil == "writable" else 0o644)
    files[which] = spoilt
    desk.policy(card=f", ca: {files['ca']}, crl: {files['crl']}")
    login = desk.log_in()
    assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL and PIN_PROMPT not in login.prompts, login.output
    assert desk.failure() == ("broken", "certificate-not-checked")
    assert desk.enrol(user="suzuki").returncode == 2


def test_what_is_not_for_signing_is_not_enrolled(world, authority):
    reader = Reader(world.directory)
    key = authority.directory / "ec.key"
    Token("sato", key, authority.issue("sato", key, extensions="encryption"))
    short = authority.directory / "short.key"
    Token("short", short, authority.issue("short", short))
    world.write_policy(f"{{factors: [password, card], card: {{module: {reader.fake}}}}}")
    status, _, err = world.ctl("enrol", "card", "sato", "--policy", str(world.policy), text=PIN + "\n")
    assert status == 2 and "nothing was enrolled" in err and not world.file().exists()


def test_without_a_card_one_is_asked_for_and_waited_for(world, desk):
    desk.reader.take_out()
    before = time.monotonic()
    login = desk.log_in()
    assert not login.allowed and login.told.count("Put your card into the reader.") == 1 and PIN_PROMPT not in login.prompts
    assert 4 <= time.monotonic() - before < 20


def test_a_card_that_is_put_in_while_waiting_is_taken(world, desk):
    desk.reader.fault("no-slots")
    world.write_policy(f"{{factors: [password, card], card: {{module: {desk.reader.fake}, wait-seconds: 60}}}}")
    waiting = subprocess.Popen(["stdbuf", "-oL", *world.command("login", "sato", "auth", "acct", answers=[PASSWORD, PIN])],
                               stdout=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in waiting.stdout:
            lines.append(line.rstrip("\n"))
            if "Put your card into the reader." in line:
                desk.reader.fault("")
    finally:
        waiting.kill()
        waiting.communicate()
    assert "auth 0" in lines and f"prompt {PIN_PROMPT}" in lines, lines


def test_a_card_that_is_taken_out_before_the_pin_is_of_no_use(world, desk):
    desk.policy(module=SOFTHSM)
    first = LoginAtPrompt(world)
    desk.reader.take_out()
    output = first.answer(PIN)
    assert "auth 0" not in output, output


class LoginAtPrompt:
    """A conversation whose answer to the PIN comes when the test gives it."""

    def __init__(self, world):
        self.pipe = world.directory / "answers"
        os.mkfifo(self.pipe)
        self.process = subprocess.Popen(["stdbuf", "-oL", *world.command("login", "sato", "auth", "acct", answers=[PASSWORD, f"@{self.pipe}"])],
                                        stdout=subprocess.PIPE, text=True)
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if PIN_PROMPT in line:
                return
        raise AssertionError(self.output)

    def answer(self, text):
        self.pipe.write_text(text + "\n")
        return self.output + self.process.communicate(timeout=60)[0]


def test_who_has_something_else_is_not_kept_waiting_for_a_card(world, desk):
    totp = world.enrol()
    desk.reader.take_out()
    world.write_policy(f"{{factors: [password, card, totp], card: {{module: {SOFTHSM}, wait-seconds: 120}}}}")
    login = world.log_in(code=totp.code(), calls=("auth", "acct"))
    assert login.allowed and "Put your card into the reader." not in login.told, login.output


def test_a_card_here_is_nothing_to_who_is_elsewhere(world, desk):
    login = desk.log_in(before=("rhost=192.0.2.7",))
    assert not login.allowed and PIN_PROMPT not in login.prompts


def test_the_pin_may_be_typed_at_the_reader(world, desk):
    desk.reader.fault("pin-pad")
    desk.policy(factors="[card, card-pin]")
    login = desk.log_in(stack="alone", answers=[])
    assert login.allowed and login.prompts == [] and "Type the PIN of the card at the reader." in login.told, login.output


def test_keys_that_want_the_pin_for_each_signature_get_it(world, desk):
    desk.reader.fault("always-authenticate")
    assert desk.log_in().allowed
    assert (FAKE / "again").read_text() == "asked"


@pytest.mark.parametrize("pin", ["", "1", "1" * 300])
def test_what_is_no_pin_is_refused(world, desk, pin):
    assert not desk.log_in(pin).allowed
    assert desk.log_in().allowed


def test_a_module_that_is_not_roots_alone_is_not_loaded(world, desk):
    def refused(path):
        (FAKE / "environment").unlink(missing_ok=True)
        desk.policy(module=path)
        login = desk.log_in()
        assert not login.allowed and login.codes["auth"] == AUTHINFO_UNAVAIL, login.output
        assert desk.failure()[0] == "broken"
        assert not (FAKE / "environment").exists(), "it ran"
        assert desk.enrol(user="suzuki").returncode == 2

    module = desk.reader.fake
    os.chown(module, 20001, 20001)
    refused(module)
    os.chown(module, 0, 0)
    module.chmod(0o777)
    refused(module)
    module.chmod(0o755)
    FAKE.chmod(0o777)
    refused(module)
    FAKE.chmod(0o755)
    anybodys = FAKE / "anybodys"
    (anybodys / "own").mkdir(parents=True)
    anybodys.chmod(0o1777)
    elsewhere = anybodys / "own/module.so"
    elsewhere.write_bytes(module.read_bytes())
    refused(elsewhere)
    link = FAKE / "link.so"
    link.symlink_to(elsewhere)
    refused(link)
    refused(FAKE / "missing.so")
    (FAKE / "text.so").write_text("no module\n")
    refused(FAKE / "text.so")
    refused(FAKE)
    desk.policy()
    assert desk.log_in().allowed


def test_without_a_module_who_has_something_else_is_asked_for_that(world, desk):
    totp = world.enrol()
    desk.policy(factors="[password, card, totp]", module="/usr/lib/missing.so")
    login = world.log_in(code=totp.code(), calls=("auth", "acct"))
    assert login.allowed, login.output
    assert desk.failure()[0] == "broken"


def test_modules_see_nothing_of_the_environment(world, desk):
    elsewhere = world.directory / "softhsm2.conf"
    elsewhere.write_text(f"directories.tokendir = {world.directory}\n")
    login = desk.log_in(environment={"SOFTHSM2_CONF": str(elsewhere), "OPENSC_CONF": "/tmp/evil.conf"})
    assert login.allowed, login.output
    assert (FAKE / "environment").read_text() == "nothing"


def test_a_card_that_was_unenrolled_while_its_pin_was_typed_lets_nobody_in(world, desk):
    desk.policy(module=SOFTHSM)
    first = LoginAtPrompt(world)
    world.issue("unenrol", "sato", "card")
    assert "auth 0" not in first.answer(PIN)


class Counter(Desk):
    """An account that two people share, each with a card; both cards are in readers."""

    def __init__(self, world, authority):
        super().__init__(world, authority)
        self.enrolled("--person", "10482")
        self.reader.take_out()
        self.other_key = authority.key("other", "ec")
        self.other_certificate = authority.issue("other", self.other_key)
        self.other_token()
        self.enrolled("--person", "20.991")
        self.cards_of_both()
        world.journal.records()

    def enrolled(self, *options):
        result = self.enrol(*options)
        assert result.returncode == 0, result.stderr

    def other_token(self):
        Token("other", self.other_key, self.other_certificate)

    def cards_of_both(self):
        for card in self.reader.away.iterdir():
            card.rename(self.reader.directory / card.name)
        self.reader.away.rmdir()

    def only(self, label):
        """Leaves that card in the reader."""
        for name in {"sato", "other"} - {label}:
            run("softhsm2-util", "--delete-token", "--token", name)

    def person(self):
        return self.world.journal.records()[-1].get("SEKISHO_PERSON")


NUMBER_PROMPT = "Staff number (or put in your card, and press Enter): "
OTHER_PIN_PROMPT = "PIN of the card (other): "


@pytest.fixture(name="counter")
def fixture_counter(world, authority):
    authority.revocations()
    return Counter(world, authority)


@pytest.mark.parametrize("label, number", [("sato", "10482"), ("other", "20.991")])
def test_of_those_who_share_an_account_a_card_says_who_it_is(world, counter, label, number):
    counter.only(label)
    login = counter.log_in()
    assert login.allowed and login.prompts == ["Password: ", f"PIN of the card ({label}): "], login.output
    assert counter.person() == number
    counter.policy(factors="[card, card-pin]")
    login = counter.log_in(stack="alone", answers=[PIN])
    assert login.allowed and login.prompts == [f"PIN of the card ({label}): "], login.output
    assert counter.person() == number
    assert f'"person":"{number}"' in world.ctl("factors", "sato", "--person", number, "--json")[1]


def test_a_wrong_pin_is_the_failure_of_whose_card_it_is(world, counter):
    counter.only("other")
    assert not counter.log_in("000000").allowed
    assert counter.person() == "20.991"
    assert "failures card 1 " in world.counted("sato%3A20%2E991")
    assert "failures" not in world.file("sato%3A10482").read_text()


def test_cards_of_several_people_say_nothing(world, counter):
    login = counter.log_in(answers=[PASSWORD, "20.991", PIN])
    assert login.allowed and login.prompts == ["Password: ", NUMBER_PROMPT, OTHER_PIN_PROMPT], login.output
    assert counter.person() == "20.991"


def test_a_number_is_asked_for_where_no_card_is(world, counter):
    totp = world.enrol("sato", "--person", "30017")
    counter.policy(factors="[password, card, totp]")
    counter.reader.take_out()
    login = counter.log_in(answers=[PASSWORD, "30017", totp.code()])
    assert login.allowed and login.prompts == ["Password: ", NUMBER_PROMPT, "One-time code: "], login.output
    assert counter.person() == "30017"
    login = counter.log_in(answers=[PASSWORD, "30017", "000000"])
    assert not login.allowed and counter.person() == "30017"


def test_a_card_that_is_put_in_instead_of_a_number_is_waited_for(world, counter):
    counter.only("other")
    counter.reader.take_out()
    waiting = subprocess.Popen(["stdbuf", "-oL", *world.command("login", "sato", "auth", "acct", answers=[PASSWORD, "", PIN])],
                               stdout=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in waiting.stdout:
            lines.append(line.rstrip("\n"))
            if "Put your card into the reader." in line:
                counter.reader.put_in()
    finally:
        waiting.kill()
        waiting.communicate()
    assert "auth 0" in lines and f"prompt {OTHER_PIN_PROMPT}" in lines, lines
    world.journal.drain()
    assert counter.person() == "20.991"


def test_who_puts_in_no_card_instead_of_a_number_is_nobody(world, counter):
    counter.reader.take_out()
    login = counter.log_in(answers=[PASSWORD, "", PIN])
    assert not login.allowed and login.told.count("Put your card into the reader.") == 1, login.output
    assert counter.person() is None


def test_a_card_of_somebody_else_says_nothing(world, counter, authority):
    counter.reader.take_out()
    Token("guest", counter.other_key, authority.issue("guest", counter.other_key))
    login = counter.log_in(answers=[PASSWORD, "20.991", PIN])
    assert not login.allowed and "This card is not enrolled for you. Put in yours." in login.told, login.output
    assert OTHER_PIN_PROMPT not in login.prompts and "PIN of the card (guest): " not in login.prompts


def test_a_copy_of_a_colleagues_certificate_says_who_it_is_and_proves_nothing(world, counter, authority):
    counter.reader.take_out()
    Token("copy", counter.key, counter.other_certificate)
    login = counter.log_in()
    assert not login.allowed and NOT_YOURS in login.told, login.output
    assert "failures card 1 " in world.counted("sato%3A20%2E991")


def test_a_card_here_does_not_say_who_is_elsewhere(world, counter):
    counter.only("other")
    login = counter.log_in(before=("rhost=192.0.2.7",), answers=[PASSWORD, "20.991", PIN])
    assert not login.allowed and login.prompts[:2] == ["Password: ", "Staff number: "], login.output


def test_an_enrolment_that_cannot_be_read_keeps_no_colleague_out(world, counter):
    counter.only("other")
    world.file("sato%3A10482").write_text("hello\n")
    login = counter.log_in()
    assert login.allowed and counter.person() == "20.991", login.output


def test_a_card_is_one_persons_of_an_account(world, counter):
    counter.only("other")
    again = counter.enrol("--person", "10482")
    assert again.returncode == 2 and "it is enrolled for 20.991 already" in again.stderr
    other, own = world.file("sato%3A20%2E991"), world.file("sato%3A10482")
    card, = [line for line in other.read_text().splitlines() if line.startswith("card ")]
    lines = [card if line.startswith("card ") else line for line in own.read_text().splitlines()]
    own.write_text("\n".join(lines) + "\n")  # as no command does
    for person in ("10482", "20.991"):
        assert '"subject":"CN=other"' in world.ctl("factors", "sato", "--person", person, "--json")[1]
    login = counter.log_in(answers=[PASSWORD, "20.991", PIN])
    assert login.allowed and login.prompts == ["Password: ", NUMBER_PROMPT, OTHER_PIN_PROMPT], login.output
    assert counter.person() == "20.991"


def test_a_module_that_cannot_be_loaded_leaves_the_number(world, counter):
    totp = world.enrol("sato", "--person", "30017")
    counter.policy(factors="[password, card, totp]", module="/usr/lib/missing.so")
    login = counter.log_in(answers=[PASSWORD, "30017", totp.code()])
    assert login.allowed and login.prompts[1] == NUMBER_PROMPT, login.output

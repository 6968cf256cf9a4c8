# SPDX-License-Identifier: GPL-2.0-or-later
"""An IC card all the way: a USB reader, pcscd, OpenSC's driver for My Number cards, and the module. The card is one in
software (sekisho_vm_card.py); everything in the guest is as it is on a terminal."""

import pytest
from sekisho_vm_card import PIN, TRIES, Authority, Reader, SoftwareJpkiCard
from sekisho_vm_lab import OTHER, STAFF
from sekisho_vm_logins import ASKS_PASSWORD, PASSWORD, Console, Logins

EMERGENCY = "kinkyu"
CA = "/etc/sekisho/card-ca.pem"
ASKS_PIN = r"PIN of the card \(.*\): $"
WRONG = "0000"
SIGN = 0x2A


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture(scope="session")
def booted(guest_lab, authority):
    guest_lab.wake()
    guest_lab.guest.write(CA, authority.pem)
    # QEMU's reader says that it has keys to type a PIN on
    guest_lab.guest.write("/etc/opensc/opensc.conf", "app default { reader_driver pcsc { enable_pinpad = false; } }\n")
    Logins(guest_lab).prepare(EMERGENCY, factors=["password", "card"], card={"ca": CA, "wait-seconds": 60},
                               **{"lock-on-removal": True})
    return guest_lab


@pytest.fixture(scope="session")
def reader(booted):
    reader = Reader(booted.machine).plug()
    yield reader
    reader.pull()


@pytest.fixture
def desk(lab, reader, authority):
    """A person's card in the reader, enrolled."""
    desk = Desk(lab, reader, authority)
    yield desk
    desk.take()


class Desk(Logins):
    def __init__(self, lab, reader, authority):
        super().__init__(lab)
        self.reader, self.card = reader, SoftwareJpkiCard(authority)
        self.put(self.card)
        lab.guest.run("sekishoctl", "unenrol", STAFF, "card", check=False)
        enrolled = self.converse(["sekishoctl", "enrol", "card", STAFF], [["PIN of the card: $", PIN]])
        assert enrolled.status == 0 and self.card.signatures == 1, enrolled
        self.card.signatures = 0
        lab.journal.forget()

    def put(self, card):
        self.reader.put(card)
        self.guest.until("pkcs11-tool --list-token-slots 2>/dev/null | grep -q JPKI", "the card is seen")

    def take(self):
        self.reader.take()
        self.guest.until("! pkcs11-tool --list-token-slots 2>/dev/null | grep -q JPKI", "the card is seen to be gone")

    def log_in(self, *more):
        """STAFF, by su, with the password and these further steps."""
        return self.converse(["su", STAFF, "-c", "id -un"], [[ASKS_PASSWORD, PASSWORD], *more], user=OTHER, deadline=90)


def let_in(conversation):
    return conversation.status == 0 and conversation.screen.split()[-1] == STAFF


def test_opensc_sees_the_card_and_has_it_sign(lab, desk):
    shown = lab.guest.run("pkcs11-tool", "--list-objects").stdout
    assert "User Authentication Certificate" in shown
    tested = lab.guest.run("pkcs11-tool", "--test", "--login", "--pin", PIN, check=False)
    assert tested.status == 0, tested.stdout + tested.stderr
    assert desk.card.signatures > 0


def test_password_and_card_let_in(lab, desk):
    taken = desk.log_in([ASKS_PIN, PIN])
    assert let_in(taken), taken
    assert lab.journal.wait("login-allowed", service="su", user=STAFF)["SEKISHO_FACTORS"] == "password,card"


def test_a_card_without_its_pin_does_not(lab, desk):
    refused = desk.log_in([ASKS_PIN, WRONG])
    assert refused.status == 1 and "Few tries are left" in refused.screen, refused
    assert desk.card.tries == TRIES - 1
    assert lab.journal.wait("login-denied", service="su", user=STAFF)["SEKISHO_FACTORS"] == "password"
    taken = desk.log_in([ASKS_PIN, PIN])
    assert let_in(taken) and "few tries are left" in taken.screen, taken
    assert desk.card.tries == TRIES


def test_a_locked_card_does_not_even_with_its_pin(lab, desk):
    assert "Only one try is left" in [desk.log_in([ASKS_PIN, WRONG]) for _ in range(TRIES - 1)][-1].screen
    locked = desk.log_in([ASKS_PIN, WRONG])
    assert locked.status == 1 and "locked" in locked.screen, locked
    assert desk.card.tries == 0
    refused = desk.log_in([ASKS_PIN, PIN])
    assert refused.status == 1 and "locked" in refused.screen, refused
    lab.journal.barrier()
    assert not lab.journal.select("login-allowed")


def test_a_card_that_loses_contact_while_it_signs_does_not(lab, desk):
    desk.card.before[SIGN] = desk.reader.mute
    refused = desk.log_in([ASKS_PIN, PIN])
    assert refused.status == 1 and refused.asked == 2, refused
    lab.journal.wait("login-denied", service="su", user=STAFF)
    assert not lab.journal.select("login-allowed")
    desk.take()
    desk.put(desk.card)
    taken = desk.log_in([ASKS_PIN, PIN])
    assert let_in(taken), taken


@pytest.mark.parametrize("what", ["card", "reader"])
def test_what_is_taken_away_at_the_question_lets_nobody_in_until_it_is_back(lab, desk, what):
    with Console(lab) as console:
        console.type(STAFF).see("Password: $").type(PASSWORD).see(ASKS_PIN)
        if what == "card":
            desk.take()
        else:
            desk.reader.pull()
        console.type(PIN).see("The card was taken out(.|\n)*incorrect(.|\n)*login: $")
    lab.journal.wait("login-denied", service="login", user=STAFF)
    assert not desk.card.signatures and not lab.journal.select("login-allowed")
    if what == "reader":
        desk.reader.plug()
    desk.put(desk.card)
    taken = desk.log_in([ASKS_PIN, PIN])
    assert let_in(taken), taken


def test_a_copy_of_the_certificate_is_not_the_card(lab, desk, authority):
    copy = SoftwareJpkiCard(authority)
    copy.files = desk.card.files
    desk.take()
    desk.put(copy)
    refused = desk.log_in([ASKS_PIN, PIN])
    assert refused.status == 1 and "could not prove" in refused.screen, refused
    assert copy.signatures == 1


def test_a_console_waits_for_the_persons_own_card(lab, desk, authority):
    desk.take()
    with Console(lab) as console:
        console.type(STAFF).see("Password: $").type(PASSWORD).see("Put your card into the reader")
        desk.reader.put(SoftwareJpkiCard(authority))
        console.see("not enrolled for you")
        desk.take()
        desk.reader.put(desk.card)
        console.see(ASKS_PIN).type(PIN).see(f"{STAFF}@sekisho-lab")
    assert lab.journal.wait("login-allowed", service="login", user=STAFF)["SEKISHO_FACTORS"] == "password,card"


def test_a_card_that_is_taken_out_locks_its_session_until_it_is_back(lab, desk):
    """By systemd-logind and a screen lock that listens to it."""
    with Console(lab) as console:
        console.type(STAFF).see("Password: $").type(PASSWORD).see(ASKS_PIN).type(PIN).see(f"{STAFF}@sekisho-lab")
        console.type("sekisho-lab-screen-lock").see("the screen lock waits")
        lab.journal.forget()
        desk.take()
        locked = lab.journal.wait("session-locked", reason="token-removed")
        session = locked["SEKISHO_SESSION"]
        assert locked["SEKISHO_UID"] == str(lab.uid(STAFF))
        assert lab.guest.ask(f"loginctl show-session {session} --property=LockedHint --value") == "yes"
        console.see("to unlock").type("").see("Password: $").type(PASSWORD).see("Put your card into the reader")
        desk.reader.put(desk.card)
        console.see(ASKS_PIN).type(PIN).see("the screen is unlocked")
    assert lab.journal.wait("login-allowed", service="vlock", user=STAFF)["SEKISHO_FACTORS"] == "password,card"

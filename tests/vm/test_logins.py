# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins as Debian has them, with the module switched on by pam-auth-update: console, ssh, sudo, su, polkit and a screen
locker all ask for two factors, and nobody but an emergency gets in while there is no guard."""

import pytest
from sekisho_vm_lab import OTHER, STAFF, UNIT
from sekisho_vm_logins import ASKS_CODE, ASKS_PASSWORD, PASSWORD, SSH, Console, Logins

EMERGENCY = "kinkyu"
# Of each service: who starts what, which asks STAFF and ends by saying who that made one.
SERVICES = {
    "sshd": (OTHER, [*SSH, "PreferredAuthentications=keyboard-interactive", f"{STAFF}@localhost", "id -un"], STAFF),
    "sudo": (STAFF, ["sudo", "id", "-un"], "root"),
    "su": (OTHER, ["su", STAFF, "-c", "id -un"], STAFF),
    "su-l": (OTHER, ["su", "-", STAFF, "-c", "id -un"], STAFF),
    "polkit-1": (STAFF, ["sh", "-c", "pkcheck --process $$ --action-id org.sekisho.guard1.reload --allow-user-interaction "
                         "--enable-internal-agent && id -un"], STAFF),
    "vlock": (STAFF, ["sh", "-c", "vlock --current && id -un"], STAFF),
}
STILL_LOCKED = [["root's Password: $", None]]  # a locker does not end with a refusal


@pytest.fixture(scope="session")
def booted(guest_lab):
    guest_lab.wake()
    Logins(guest_lab).prepare(EMERGENCY, factors=["password", "totp"])
    guest_lab.guest.run("systemctl", "start", "ssh.service")
    return guest_lab


@pytest.fixture
def logins(lab):
    lab.journal.forget()
    return Logins(lab)


def attempt(logins, service, code, password=PASSWORD):
    """How SERVICE answers STAFF."""
    who, argv, _ = SERVICES[service]
    steps = [[ASKS_PASSWORD, password], [ASKS_CODE, code]]
    if service == "vlock":
        steps = [["ENTER", ""], *steps, *STILL_LOCKED]
    return logins.converse(argv, steps, user=who)


def let_in(service, conversation):
    return conversation.status == 0 and conversation.screen.split()[-1] == SERVICES[service][2]


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_refuses_one_factor_and_takes_two(lab, logins, service):
    phone = logins.enrol(STAFF)
    for code in ("", phone.wrong()):
        refused = attempt(logins, service, code)
        assert refused.status != 0 and "code:" in refused.screen, refused
    records = lab.journal.wait_all("login-denied", lambda found: len(found) == 2, service=service, user=STAFF)
    assert {(record["SEKISHO_FACTORS"], record["SEKISHO_REASON"]) for record in records} == {("password", "factors-missing")}
    assert not lab.journal.select("login-allowed")
    taken = attempt(logins, service, phone.code())
    assert let_in(service, taken), taken
    record = lab.journal.wait("login-allowed", service=service, user=STAFF)
    assert record["SEKISHO_FACTORS"] == "password,totp"


def test_a_wrong_password_does_not_even_reach_the_code(lab, logins):
    phone = logins.enrol(STAFF)
    refused = attempt(logins, "sudo", phone.code(), password="wrong")
    assert refused.status == 1 and refused.asked == 1, refused
    lab.journal.barrier()
    assert not lab.journal.select("login-allowed")
    assert not lab.journal.select("factor-failed")


def test_a_code_that_somebody_looked_at_is_no_good_elsewhere(lab, logins):
    phone = logins.enrol(STAFF)
    code = phone.code()
    assert let_in("sshd", attempt(logins, "sshd", code))
    again = attempt(logins, "sudo", code)
    assert again.status == 1 and again.asked == 2, again
    assert lab.journal.wait("factor-failed", service="sudo", user=STAFF)["SEKISHO_RESULT"] == "replayed"
    assert logins.unlock(STAFF, code) == "deny"


def test_a_console_asks_for_both_and_the_session_tells_who_it_was(lab, logins):
    phone = logins.enrol(STAFF)
    medium = lab.medium("usb-storage", "ext4")
    point = lab.mount(medium, "ro", check=True)
    lab.recorded("superblock-guarded", mount=point)
    with Console(lab) as console:
        console.type(STAFF).see("Password: $").type(PASSWORD).see("code: $").type(phone.wrong())
        console.see("incorrect(.|\n)*login: $")
        assert lab.journal.wait("login-denied", service="login")["SEKISHO_TERMINAL"] == "/dev/tty1"
        console.type(STAFF).see("incorrect(.|\n)*Password: $").type(PASSWORD).see("incorrect(.|\n)*code: $")
        console.type(phone.code()).see(rf"{STAFF}@sekisho-lab")
        assert lab.journal.wait("login-allowed", service="login")["SEKISHO_FACTORS"] == "password,totp"
        console.type(f"touch {point}/file")
        record = lab.journal.wait("write-denied", device_serial=medium.serial)
        assert (record["SEKISHO_PERSON"], record["SEKISHO_FACTORS"]) == (STAFF, "password,totp")


def test_a_locker_without_root_asks_the_guard(lab, logins):
    phone = logins.enrol(STAFF)
    assert logins.unlock(STAFF, "") == "more"
    assert logins.unlock(STAFF, phone.wrong()) == "deny"
    assert lab.journal.wait("factor-failed", user=STAFF)["SEKISHO_CAUSE"] == "locker"
    code = phone.code()
    assert logins.unlock(OTHER, code) == "deny", "of the caller's own account alone"
    assert logins.unlock(STAFF, code) == "allow"
    assert logins.unlock(STAFF, code) == "deny"


def test_a_key_of_ssh_is_no_way_past_the_code(lab, logins):
    logins.enrol(STAFF)
    home = f"/home/{STAFF}/.ssh"
    lab.guest.sh('runuser -u "$2" -- sh -c "mkdir -m 700 $1 && ssh-keygen -q -t ed25519 -N \'\' -f $1/key && '
                 'cp $1/key.pub $1/authorized_keys"', home, STAFF)
    argv = [*SSH, "PreferredAuthentications=publickey", "-i", f"{home}/key", f"{STAFF}@localhost", "id -un"]
    refused = logins.converse(argv, [], user=STAFF)
    assert refused.status == 255, refused
    assert "passed by" in lab.journal.wait("login-denied", service="sshd")["SEKISHO_ERROR"]


def test_without_a_guard_nobody_but_an_emergency_gets_in(lab, logins):
    phone = logins.enrol(STAFF)
    issued = lab.guest.run("sekishoctl", "recovery-codes", EMERGENCY, "--number", "1").stdout.split()[0]
    lab.guest.run("systemctl", "stop", UNIT)
    try:
        with Console(lab) as console:
            console.type(STAFF).see("Password: $").type(PASSWORD).see("code: $").type(phone.code()).see("login: $")
            record = lab.journal.wait("login-denied", service="login", user=STAFF)
            assert record["SEKISHO_REASON"] == "no-guard" and record["SEKISHO_FACTORS"] == "password,totp"
        refused = attempt(logins, "su", logins.enrol(STAFF).code())
        assert refused.status == 1 and refused.asked == 2, refused
        assert lab.journal.wait("login-denied", service="su", user=STAFF)["SEKISHO_REASON"] == "no-guard"
        with Console(lab) as console:
            console.type(EMERGENCY).see("Password: $").type(PASSWORD).see("code: $").type(issued.lower())
            console.see(f"{EMERGENCY}@sekisho-lab")
            record = lab.journal.wait("break-glass-used", user=EMERGENCY)
            assert record["PRIORITY"] == "2" and record["SEKISHO_FACTORS"] == "password,recovery"
    finally:
        lab.guest.run("systemctl", "start", UNIT)
    lab.wait_guard()
    taken = attempt(logins, "sudo", logins.enrol(STAFF).code())
    assert let_in("sudo", taken), taken


def test_the_check_of_the_stacks_agrees(lab, logins):
    checked = lab.guest.run("sekishoctl", "pam", "check", "login", "sudo", "su", "su-l", "polkit-1", "other",
                            check=False)  # a locker without a file of its own is "other"
    assert checked.status == 0, checked.stdout + checked.stderr

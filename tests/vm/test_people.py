# SPDX-License-Identifier: GPL-2.0-or-later
"""What people and programs are told by a terminal that has booted: the real bus, polkit, logind and user manager."""

import json

import pytest

from sekisho_vm_lab import OTHER, STAFF

CONTACT = "Information Policy Division, extension 2345"


@pytest.fixture(scope="session")
def booted(guest_lab):
    return guest_lab.wake()


@pytest.fixture
def seated(lab):
    """STAFF has logged in at the second console, and is there until the scenario ends."""
    lab.guest.run("chvt", "2")
    lab.guest.run("systemd-run", "--quiet", "--unit=seated", f"--uid={STAFF}", "-pPAMName=login", "-pStandardInput=tty",
                  "-pTTYPath=/dev/tty2", "-EXDG_SEAT=seat0", "-EXDG_VTNR=2", "--", "sleep", "infinity")
    lab.guest.until(f"pgrep -u {STAFF} sekisho-notify", "the session has sekisho-notify")
    lab.guest.until("loginctl list-sessions --no-legend | grep -q tty2", "logind knows the terminal")
    yield
    lab.guest.run("systemctl", "stop", "seated.service")


def test_who_is_refused_is_told_at_once_on_their_terminal(lab, seated):
    lab.policy(contact=CONTACT)
    medium = lab.medium("usb-storage", "ext4")
    point = lab.mount(medium, "ro", check=True)
    lab.recorded("superblock-guarded", mount=point)
    assert lab.write(f"{point}/of-somebody-else", OTHER)["error"]
    assert lab.write(f"{point}/file", STAFF)["error"]
    lab.guest.until("tr -d '\\n' </dev/vcs2 | grep -q extension", "the refusal stands on the terminal")
    screen = lab.guest.ask("cat /dev/vcs2")
    assert "of-somebody-else" not in screen


def test_the_bus_answers_root_and_asks_polkit_of_others(lab):
    lab.policy(zone="lgwan")  # in which nothing is found in a network that is left alone
    assert json.loads(lab.guest.run("sekishoctl", "status", "--json").stdout)["mode"] == "enforce"
    assert json.loads(lab.guest.run("sekishoctl", "devices", "--all", "--json").stdout)[0]["bus"] == "virtio"
    refused = lab.guest.run("runuser", "-u", OTHER, "--", "sekishoctl", "status", check=False)
    assert refused.status == 2
    assert lab.guest.run("runuser", "-u", OTHER, "--", "sekishoctl", "reload", check=False).status == 2
    allow = ('polkit.addRule(function(action, subject) { if (action.id == "org.sekisho.guard1.status" && '
             f'subject.user == "{OTHER}") return polkit.Result.YES; }});\n')
    lab.guest.write("/etc/polkit-1/rules.d/10-lab.rules", allow)
    lab.guest.until(f"runuser -u {OTHER} -- sekishoctl status", "polkit lets this person ask")
    assert lab.guest.run("runuser", "-u", OTHER, "--", "sekishoctl", "reload", check=False).status == 2

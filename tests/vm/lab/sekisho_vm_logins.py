# SPDX-License-Identifier: GPL-2.0-or-later
"""People who log in: their passwords and codes, programs that ask for them on a terminal, and a console with a
keyboard."""

import base64
import hashlib
import hmac
import json
import re
import struct
import urllib.parse

from sekisho_vm_lab import OTHER, STAFF
from sekisho_wait import wait_until

PASSWORD = "hiragana-1"
ASKS_PASSWORD, ASKS_CODE = "(?i)password.*: $", "One-time code: $"
SSH = ["ssh", "-tt", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1",
       "-o"]  # another option follows
COLUMNS = 80  # of a console
STEP = 30  # seconds that a one-time password is for
KEYS = {" ": "spc", "-": "minus", "\n": "ret", "/": "slash"}  # others have their own name


class Authenticator:
    """A person's program for one-time passwords. The clock is the guest's."""

    def __init__(self, guest, uri):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)
        self._guest, self._digits = guest, int(query["digits"][0])
        secret = query["secret"][0]
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))

    def _at(self, step):
        digest = hmac.digest(self._key, struct.pack(">Q", step), hashlib.sha1)
        at = digest[-1] & 15
        return str((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 10 ** self._digits).zfill(self._digits)

    def _now(self):
        return int(self._guest.run("date", "+%s").stdout) // STEP

    def code(self):
        return self._at(self._now())

    def wrong(self):
        """A code that is right at no time near."""
        near = [self._at(self._now() + step) for step in range(-8, 9)]
        return next(code for code in ("000000", "111111", "222222") if code not in near)


class Conversation:
    """How a program went that asked on a terminal."""

    def __init__(self, answer):
        self.screen, self.status = answer["screen"], answer["status"]
        self.asked = answer["met"]

    def __repr__(self):
        return f"<exit {self.status} after {self.asked} answers>\n{self.screen}"


class Console:
    """A virtual console with its getty; typed on by the machine's keyboard, read off the screen."""

    def __init__(self, lab, number=1):
        self._lab, self.number = lab, number

    def __enter__(self):
        self._lab.guest.run("systemctl", "restart", f"getty@tty{self.number}.service")
        self._lab.guest.run("chvt", self.number)
        return self.see("login: $")

    def __exit__(self, *_):
        self._lab.guest.run("systemctl", "stop", f"getty@tty{self.number}.service")
        self._lab.guest.sh('loginctl list-sessions --no-legend | awk -v tty="tty$1" \'$5 == tty {print $1}\' | '
                           "xargs --no-run-if-empty loginctl terminate-session", self.number, check=False)

    def screen(self):
        text = self._lab.guest.read(f"/dev/vcs{self.number}")
        return "\n".join(text[at:at + COLUMNS].rstrip() for at in range(0, len(text), COLUMNS)).rstrip("\n")

    def see(self, pattern):
        """Until what stands on the screen, up to the last character of it, matches."""
        shown = []

        def seen():
            shown[:] = [self.screen()]
            return re.search(pattern, shown[0] + " ")

        try:
            wait_until(seen, f"the console shows {pattern!r}", 60)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{shown[0]}") from late
        return self

    def type(self, text):
        for character in text + "\n":
            self._lab.machine.qmp.run("send-key", keys=[{"type": "qcode", "data": KEYS.get(character, character)}])
        return self


class Logins:
    """What a lab needs for logins."""

    def __init__(self, lab):
        self.lab, self.guest = lab, lab.guest

    def converse(self, argv, steps, user=None, deadline=60):
        """A program of USER's on a terminal; STEPS are pairs of what it asks and what is answered."""
        request = {"argv": [str(word) for word in argv], "steps": steps, "user": user, "deadline": deadline}
        done = self.guest.run("sekisho-lab-converse", json.dumps(request), deadline=deadline + 30)
        return Conversation(json.loads(done.stdout))

    def prepare(self, emergency, **mfa):
        """The module is switched on, with what pam_sekisho(8) says has to be set besides. STAFF may administer."""
        self.guest.run("useradd", "--create-home", "--shell", "/bin/bash", emergency)
        self.guest.run("usermod", "--append", "--groups", "sudo", STAFF)
        people = ("root", STAFF, OTHER, emergency)
        self.guest.run("chpasswd", input="".join(f"{person}:{PASSWORD}\n" for person in people))
        self.guest.write("/etc/sudoers.d/lab", "Defaults timestamp_timeout=0, passwd_tries=1\n", "440")
        self.guest.write("/etc/ssh/sshd_config.d/lab.conf", "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n")
        self.lab.policy(zone="mynumber", mfa={
            "services": {"systemd-user": "off", "cron": "off", "runuser": "off"}, "limits": {"tries": 20},
            "break-glass": [{"user": emergency, "factors": ["password", "recovery"]}], **mfa})
        self.guest.run("pam-auth-update", "--enable", "sekisho", "sekisho-session")

    def enrol(self, person):
        """Anew, so that no code of it has been used."""
        self.guest.run("sekishoctl", "unenrol", person, "totp", check=False)
        enrolled = self.guest.run("sekishoctl", "enrol", person, "--json")
        return Authenticator(self.guest, json.loads(enrolled.stdout)["uri"])

    def unlock(self, person, code, service="locker"):
        """What the guard says to a locker of PERSON's that has verified the password."""
        done = self.guest.run("setpriv", "--reuid", person, "--clear-groups", "busctl", "call", "org.sekisho.Guard1",
                              "/org/sekisho/Guard1", "org.sekisho.Guard1.Lockers", "Authenticate", "sbss", service, "true",
                              "", code)
        return done.stdout.split()[1].strip('"')

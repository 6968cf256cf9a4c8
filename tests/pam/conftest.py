# SPDX-License-Identifier: GPL-2.0-or-later
"""A mount namespace of the tests' own, in which people, PAM stacks, store and journal are theirs."""

import base64
import contextlib
import ctypes
import fcntl
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse

import crypt
import pytest

BUILD = pathlib.Path(os.environ["SEKISHO_BUILD"]).resolve()
MODULE = BUILD / "lib/pam_sekisho.so"
PROGRAM = BUILD / "tests/sekisho-login-program"
CTL = BUILD / "bin/sekishoctl"
CLONE_NEWNS, MS_REC, MS_PRIVATE, MS_BIND = 0x20000, 16384, 1 << 18, 4096
EXIT_SKIPPED = 77
PASSWORD = "hiragana-1"
PEOPLE = {"sato": 20001, "suzuki": 20002, "kinkyu": 20003, "konbini": 20004, "ta.naka": 20005, "nopass": 20006,
          "kigire": 20007}
SUCCESS, PERM_DENIED, AUTH_ERR, AUTHINFO_UNAVAIL, USER_UNKNOWN, MAXTRIES, NEW_AUTHTOK_REQD, CRED_ERR = 0, 6, 7, 9, 10, 11, 12, 17
libc = ctypes.CDLL(None, use_errno=True)


def system_call(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, fstype=None, flags=0):
    system_call(libc.mount(os.fsencode(str(source)), os.fsencode(str(target)), fstype and fstype.encode(), flags, None),
                f"mount {target}")


def pytest_sessionstart():
    if os.geteuid() != 0:
        pytest.exit("SKIPPED: needs root (mounts in a namespace of its own)", returncode=EXIT_SKIPPED)
    try:
        system_call(libc.unshare(CLONE_NEWNS), "unshare")
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
    except OSError as error:
        pytest.exit(f"SKIPPED: no mount namespace here: {error}", returncode=EXIT_SKIPPED)


def copy_if_there(source, target):
    """What is added to the machine's accounts meanwhile goes through files that come and go."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)


@pytest.fixture(scope="session", autouse=True)
def people(tmp_path_factory):
    """Accounts in a copy of /etc that lies over it in this namespace. Not file by file: where somebody else
    replaces a file of the machine's, the kernel takes away what lies over it in every namespace."""
    etc = tmp_path_factory.mktemp("machine") / "etc"
    shutil.copytree("/etc", etc, symlinks=True, copy_function=copy_if_there)
    hashed = crypt.crypt(PASSWORD, crypt.METHOD_SHA512)
    lines = {"passwd": [], "shadow": [], "group": ["zeimu:x:20050:sato"]}
    for name, uid in PEOPLE.items():
        lines["passwd"].append(f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh")
        lines["shadow"].append(f"{name}:{'' if name == 'nopass' else hashed}:{0 if name == 'kigire' else 20000}:0:99999:7:::")
        lines["group"].append(f"{name}:x:{uid}:")
    for name, more in lines.items():
        with open(etc / name, "a", encoding="utf-8") as file:
            file.write("\n".join(more) + "\n")
    (etc / "nsswitch.conf").write_text("passwd: files\nshadow: files\ngroup: files\n", encoding="utf-8")
    mount(etc, "/etc", flags=MS_BIND)


class Journal:
    """The socket that journald listens on, and what was written to it."""

    def __init__(self):
        os.makedirs("/run/systemd/journal", exist_ok=True)
        mount("tmpfs", "/run/systemd/journal", "tmpfs")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.kept = []
        self.socket.bind("/run/systemd/journal/socket")

    def records(self):
        """What has come since the last time."""
        self.drain()
        found, self.kept = self.kept, []
        return found

    def drain(self):
        """A datagram is there when sendmsg() has returned; the socket holds ten or so."""
        found = self.kept
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(12))
            except BlockingIOError:
                return
            _, uid, _ = struct.unpack("iII", ancillary[0][2])
            record = {"uid": uid}
            while data:
                name, data = data.split(b"\n", 1)
                length = struct.unpack("<Q", data[:8])[0]
                record[name.decode()] = data[8:8 + length].decode()
                data = data[9 + length:]
            found.append(record)

    def close(self):
        self.socket.close()
        system_call(libc.umount2(b"/run/systemd/journal", 2), "umount")


class Login:
    """How a login went: codes by call, prompts, what was told."""

    def __init__(self, output, status):
        self.output, self.status = output, status
        self.codes = {word: int(code) for word, code in re.findall(r"^(auth|acct|cred|renew|open|close) (\d+)$", output, re.MULTILINE)}
        self.prompts = re.findall(r"^prompt (.*)$", output, re.MULTILINE)
        self.told = re.findall(r"^told (.*)$", output, re.MULTILINE)

    @property
    def allowed(self):
        """As a program takes it that asks for both."""
        return self.status == 0 and self.codes.get("auth", 0) == 0 and self.codes.get("acct") == 0


def pam_check(*arguments):
    """Exit status of "pam check" of the module that was built, and what it found."""
    result = subprocess.run([CTL, "pam", "check", "--module-dir", MODULE.parent, "--json", *arguments], capture_output=True,
                            text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


STACKS = {
    # the stack of the manual page
    "login": """auth requisite pam_unix.so
auth required {module}
account required {module}
account required pam_unix.so
""",
    # as pam-auth-update writes it
    "debian": """auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so
auth required {module}
account required {module}
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
""",
    # all lines run whatever the one before said
    "required": """auth required pam_unix.so
auth required {module}
account required pam_unix.so
account required {module}
""",
    # mistakes
    "sufficient": """auth sufficient pam_unix.so
auth required {module}
account required pam_unix.so
account required {module}
""",
    "first": """auth required {module}
auth required pam_unix.so
account required {module}
account required pam_unix.so
""",
    "alone": """auth required {module}
account required {module}
""",
    "nullok": """auth requisite pam_unix.so nullok
auth required {module}
account required {module}
""",
    "account-only": """account required pam_unix.so
account required {module}
""",
    "keys": """auth sufficient pam_permit.so
auth required {module}
account required {module}
""",
}


class World:
    def __init__(self, directory, journal):
        self.journal, self.directory = journal, directory
        self.store, self.policy, self.confdir = directory / "state/login", directory / "policy.d", directory / "pam.d"
        self.runtime = directory / "run"
        for path in (directory / "state", self.policy, self.confdir, self.runtime):
            path.mkdir(mode=0o700)
        self.module = (f"{MODULE} dir={self.store} policy={self.policy} run={self.runtime} "
                       f"state={directory / 'state'}")
        self.bus = f"unix:path={directory}/bus"  # where there is none, unless a test makes one
        self.lock = self.hold_lock()
        for name, text in STACKS.items():
            self.stack(name, text)
        self.write_policy()
        self.ctl("factors", "sato")  # says 2: there is no store yet
        journal.records()

    def hold_lock(self):
        """As the agent does while it lives."""
        lock = os.open(self.runtime / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def let_go_of_lock(self):
        if self.lock is not None:
            os.close(self.lock)
        self.lock = None

    def stack(self, name, text):
        (self.confdir / name).write_text(text.format(module=self.module), encoding="utf-8")

    def write_policy(self, mfa="{factors: [password, totp]}"):
        path = self.policy / "10-test.yaml"
        path.write_text(f"version: 1\nserial: 7\nmfa: {mfa}\n", encoding="utf-8")
        path.chmod(0o600)

    def ctl(self, *arguments, text=None):
        result = subprocess.run([CTL, *arguments, "--state-dir", self.directory / "state"], capture_output=True, text=True,
                                input=text, check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
        return result.returncode, result.stdout, result.stderr

    def enrol(self, user="sato", *options):
        status, out, err = self.ctl("enrol", user, "--json", *options)
        assert status == 0, err
        self.journal.records()
        return Totp(json.loads(out)["uri"])

    def issue(self, *arguments):
        status, out, err = self.ctl(*arguments)
        assert status == 0, err
        self.journal.records()
        return out.split()

    def command(self, service, user, *calls, answers=()):
        return [PROGRAM, self.confdir, service, user, *calls, "--", *answers]

    def log_in(self, service="login", user="sato", code=None, *, password=PASSWORD, calls=("auth", "acct", "cred"), answers=None,
               environment=None, before=()):
        answers = [password] + ([code] if code is not None else []) if answers is None else answers
        result = subprocess.run(self.command(service, user, *before, *calls, answers=answers), capture_output=True, text=True,
                                check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin",
                                                 "DBUS_SYSTEM_BUS_ADDRESS": self.bus, **(environment or {})})
        assert result.returncode in (0, 2), result
        self.journal.drain()
        return Login(result.stdout, result.returncode)

    def file(self, user="sato"):
        return self.store / "factors" / user

    def progress(self, user="sato"):
        return self.store / "progress" / user

    def counted(self, user="sato"):
        """What was counted since something was issued last: the furthest of the two places, "" where nothing was."""
        base = re.search(r"^generation (\d+)$", self.file(user).read_text(), re.MULTILINE)[1]
        whole = self.progress(user).read_bytes() if self.progress(user).exists() else b""
        places = [whole[at:at + 4096].rstrip(b"\0").decode() for at in range(0, len(whole), 4096)]
        editions = [(int(match[1]), place) for place in places if (match := re.search(rf"^edition (\d+) {base} ", place, re.MULTILINE))]
        return max(editions)[1] if editions else ""


class Totp:
    """An authenticator program."""

    def __init__(self, uri):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)
        secret = query["secret"][0]
        self.key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.digits, self.hash = int(query["digits"][0]), query["algorithm"][0].lower()

    def code(self, step=0, now=None):
        counter = int(time.time() if now is None else now) // 30 + step
        digest = hmac.digest(self.key, struct.pack(">Q", counter), getattr(hashlib, self.hash))
        at = digest[-1] & 15
        return str((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 10 ** self.digits).zfill(self.digits)

    def wrong(self):
        return next(code for code in ("000000", "000001", "111111", "222222", "333333", "444444", "555555")
                    if code[:self.digits] not in [self.code(step) for step in range(-3, 4)])


@pytest.fixture
def journal():
    journal = Journal()
    yield journal
    journal.close()


@pytest.fixture
def world(tmp_path, journal):
    world = World(tmp_path, journal)
    yield world
    world.let_go_of_lock()

# SPDX-License-Identifier: GPL-2.0-or-later
"""People who log in by the module as it is built, at a guard that runs: accounts in an /etc that each of these programs
has for itself, a PAM stack, and factors in the state directory of the test's world."""

import base64
import crypt
import hashlib
import hmac
import json
import os
import re
import shutil
import struct
import subprocess
import time
import urllib.parse

from sekisho_wait import run, start
from sekisho_world import BUILD, program

PASSWORD = "hiragana-1"
STACK = """auth requisite pam_unix.so
auth required {module}
account requisite pam_unix.so
account required {module}
session required {module}
"""
SUCCESS, PERM_DENIED, AUTH_ERR = 0, 6, 7
WITH_ETC = 'mount --bind "$0" /etc && exec "$@"'


class Totp:
    """An authenticator program: each code is another one, since each is taken once."""

    def __init__(self, uri, drift=1):
        secret = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["secret"][0]
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self._step, self._last = -drift - 1, drift

    def code(self):
        self._step += 1
        assert self._step <= self._last, "no more codes of this half minute are taken"
        counter = int(time.time()) // 30 + self._step
        digest = hmac.digest(self._key, struct.pack(">Q", counter), hashlib.sha1)
        at = digest[-1] & 15
        return str((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 10 ** 6).zfill(6)


class Login:
    """One transaction that is under way."""

    def __init__(self, process):
        self.process, self._output = process, ""

    def wait_for(self, line):
        """Until the program says LINE at its beginning."""
        while not re.search(f"^{line}", self._output, re.MULTILINE):
            got = self.process.stdout.readline()
            assert got, self._output
            self._output += got
        return self

    def go_on(self):
        self.process.stdin.write("go on\n")
        self.process.stdin.flush()

    def end(self):
        self._output += self.process.communicate()[0]
        return self

    @property
    def codes(self):
        return {word: int(code) for word, code in re.findall(r"^(auth|acct|cred|renew|open|close) (\d+)$", self._output, re.MULTILINE)}

    @property
    def took_ms(self):
        """With the option "timed"."""
        return int(re.search(r"^took (\d+)$", self._output, re.MULTILINE)[1]) / 1e6

    @property
    def prompts(self):
        return re.findall(r"^prompt (.*)$", self._output, re.MULTILINE)


class People:
    """ACCOUNTS: name to uid. One that the machine has already gets the password for itself."""

    def __init__(self, world, bus, **accounts):
        self._world, self._bus = world, bus
        self._etc, self._stacks = world.new_path("etc"), world.new_path("pam.d")
        shutil.copytree("/etc", self._etc, symlinks=True, ignore_dangling_symlinks=True)
        shadow = os.stat("/etc/shadow")  # pam_unix's helper reads it by its group
        os.chown(os.path.join(self._etc, "shadow"), shadow.st_uid, shadow.st_gid)
        hashed = crypt.crypt(PASSWORD, crypt.METHOD_SHA512)
        for name, uid in accounts.items():
            if self._set_password(name, hashed):
                continue
            self._append("passwd", f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh")
            self._append("shadow", f"{name}:{hashed}:20000:0:99999:7:::")
            self._append("group", f"{name}:x:{uid}:")
        with open(os.path.join(self._etc, "nsswitch.conf"), "w") as to:
            to.write("passwd: files\nshadow: files\ngroup: files\n")
        os.mkdir(self._stacks, 0o755)
        module = (f"{BUILD}/lib/pam_sekisho.so dir={world.state}/login policy={world.policy_directory} "
                  f"run={world.runtime} state={world.state}")
        self.module = os.path.abspath(module)
        self.stack("login", STACK.format(module=self.module))

    def _append(self, name, line):
        with open(os.path.join(self._etc, name), "a") as to:
            to.write(line + "\n")

    def _set_password(self, name, hashed):
        path = os.path.join(self._etc, "shadow")
        with open(path) as file:
            text = file.read()
        text, found = re.subn(rf"^{name}:[^:]*:[^:]*:.*$", f"{name}:{hashed}:20000:0:99999:7:::", text, flags=re.MULTILINE)
        with open(path, "w") as to:
            to.write(text)
        return found

    def stack(self, name, text):
        with open(os.path.join(self._stacks, name), "w") as to:
            to.write(text)

    def _command(self, *argv):
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", WITH_ETC, self._etc, *argv]

    def _environment(self):
        return {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": self._bus.address}

    def enrol(self, account, *options, drift=1):
        result = run(self._command(program("sekishoctl"), "enrol", account, "--json", "--state-dir", self._world.state, *options),
                     environment={"DBUS_SYSTEM_BUS_ADDRESS": self._bus.address})
        return Totp(json.loads(result.stdout)["uri"], drift)

    def issue(self, *command):
        """Codes that sekishoctl prints."""
        return run(self._command(program("sekishoctl"), *command, "--state-dir", self._world.state)).stdout.split()

    def begin(self, account, *calls, answers=(), before=(), prefix=(), service="login"):
        """A program that makes CALLS, with a pipe for its "wait"s."""
        process = start(self._command(*prefix, os.path.join(BUILD, "tests/sekisho-login-program"), self._stacks, service, account, *before,
                                      *calls, "--", *answers),
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment())
        self._world.undo(end, process)
        return Login(process)

    def log_in(self, account, *answers, calls=("auth", "acct", "cred", "open"), **options):
        return self.begin(account, *calls, answers=(PASSWORD, *answers), **options).end()


def end(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


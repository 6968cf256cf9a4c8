# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal as an admin reads it: records by `journalctl -o json`, followed from a mark on, waited for."""

import json
import os
import select
import socket
import subprocess
import time
import uuid

from sekisho_wait import DEADLINE, Late, remaining, run, start, stop, wait_until

SOCKET = "/run/systemd/journal/socket"


def send(**fields):
    """One entry by the native protocol."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect(SOCKET)
        to.send("".join(f"{name}={value}\n" for name, value in fields.items()).encode())


def answers():
    try:
        send(MESSAGE="is anybody there", PRIORITY=7)
    except OSError:
        return False
    return True


class Journal:
    """Every record of Sekisho since this was made."""

    def __init__(self):
        mark = uuid.uuid4().hex
        send(MESSAGE="a test begins", SEKISHO_TEST_MARK=mark)
        self.cursor = wait_until(lambda: self._cursor_of(mark), "the journal shows the entry just sent")
        self.records = []
        self._pending = b""
        self._follower = start(["journalctl", "--quiet", "--follow", "--no-tail", "--output=json", "--all",
                                f"--after-cursor={self.cursor}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self._follower.stdout.fileno(), False)

    @staticmethod
    def _cursor_of(mark):
        found = run(["journalctl", "--quiet", "--output=json", f"SEKISHO_TEST_MARK={mark}"], check=False).stdout
        return json.loads(found.splitlines()[0])["__CURSOR"] if found else None

    def close(self):
        if self._follower:
            stop(self._follower)
            self._follower.stdout.close()
            self._follower = None

    def _read(self, seconds):
        """Takes in what comes within SECONDS; returns once something has."""
        pipe = self._follower.stdout
        if not select.select([pipe], [], [], seconds)[0]:
            return
        chunk = os.read(pipe.fileno(), 1 << 20)
        assert chunk, "journalctl --follow has ended"
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            record = json.loads(line)
            if any(name.startswith("SEKISHO_") for name in record):
                self.records.append(record)

    def select(self, event=None, **fields):
        """The records so far with these fields; a name is without its SEKISHO_, a value may be a predicate."""
        if event:
            fields["event"] = event
        return [record for record in self.records if matches(record, fields)]

    def wait(self, event, deadline=DEADLINE, count=1, **fields):
        """The first record of this kind with these fields, once there are COUNT of them."""
        return self.wait_all(event, lambda found: len(found) >= count, deadline, **fields)[0]

    def wait_all(self, event, enough, deadline=DEADLINE, **fields):
        """All records of this kind, as soon as ENOUGH is content with them."""
        until = time.monotonic() + deadline
        while True:
            found = self.select(event, **fields)
            if enough(found):
                return found
            if not remaining(until):
                raise Late(f"no such record within {deadline:g} s: {event} {describe(fields)}\n{self.tell()}")
            self._read(remaining(until))

    def barrier(self):
        """Takes in everything that was written before now."""
        mark = uuid.uuid4().hex
        send(MESSAGE="up to here", SEKISHO_TEST_MARK=mark)
        self.wait(None, TEST_MARK=mark)

    def tell(self):
        lines = []
        for record in self.records:
            fields = {k[8:]: v for k, v in record.items() if k.startswith("SEKISHO_") and k != "SEKISHO_TEST_MARK"}
            if fields:
                lines.append("  " + " ".join(f"{k}={v}" for k, v in sorted(fields.items())))
        return "records so far:\n" + ("\n".join(lines) or "  none")


def matches(record, fields):
    for name, expected in fields.items():
        value = record.get("SEKISHO_" + name.upper())
        if callable(expected):
            if value is None or not expected(value):
                return False
        elif value != str(expected):
            return False
    return True


def describe(fields):
    return " ".join(f"{name}={'…' if callable(value) else value}" for name, value in fields.items())

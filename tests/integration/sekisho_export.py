# SPDX-License-Identifier: GPL-2.0-or-later
"""Journal entries outside of the journal: as `journalctl -o export` gives them out, and as systemd-journal-remote
takes them into a file. Source: systemd.io/JOURNAL_EXPORT_FORMATS."""

import os
import struct
import subprocess

REMOTE = "/lib/systemd/systemd-journal-remote"


class Entry:
    """Fields in their order, as bytes."""

    def __init__(self, fields):
        self.fields = fields

    def get(self, name):
        return next((value.decode() for key, value in self.fields if key == name), None)

    def copy(self):
        return Entry(list(self.fields))

    def replaced(self, name, value):
        assert self.get(name) is not None, f"there is no {name}"
        return Entry([(key, value.encode() if key == name else old) for key, old in self.fields])

    def without(self, *names):
        return Entry([(key, value) for key, value in self.fields if key not in names])

    @property
    def time(self):
        return int(self.get("__REALTIME_TIMESTAMP"))

    @property
    def sequence(self):
        return int(self.get("SEKISHO_SEQUENCE"))

    def serialised(self):
        parts = []
        for name, value in self.fields:
            if b"\n" in value or not value.isascii():
                parts.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
            else:
                parts.append(name.encode() + b"=" + value + b"\n")
        return b"".join(parts) + b"\n"


def parse(data):
    entries, fields, at = [], [], 0
    while at < len(data):
        end = data.index(b"\n", at)
        line, at = data[at:end], end + 1
        if not line:
            entries.append(Entry(fields))
            fields = []
        elif b"=" in line:
            name, value = line.split(b"=", 1)
            fields.append((name.decode(), value))
        else:
            (length,) = struct.unpack_from("<Q", data, at)
            fields.append((line.decode(), data[at + 8:at + 8 + length]))
            at += 8 + length + 1
    return entries


def export(*arguments):
    """What journalctl selects by ARGUMENTS."""
    return parse(subprocess.run(["journalctl", "--quiet", "--all", "--output=export", *arguments], check=True,
                                stdout=subprocess.PIPE).stdout)


def write_journal(path, entries):
    """A journal file of these entries, by their time."""
    if os.path.exists(path):
        os.unlink(path)
    ordered = sorted(entries, key=lambda entry: entry.time)
    done = subprocess.run([REMOTE, f"--output={path}", "-"], input=b"".join(entry.serialised() for entry in ordered),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()
    return path

# SPDX-License-Identifier: GPL-2.0-or-later
"""Journals that are sealed (FSS): by the real journald, with the key away from the terminal, what was written can still be
told from what somebody made of it later, root included. Threats: insider fraud, tampering with the record."""

import json
import os
import shutil

import pytest
from sekisho_fleet import Terminal
from sekisho_wait import run
from sekisho_world import program

# A machine of its own as far as journals go: journald's sockets, settings and files are in memory, and nobody else's.
# $1 is where the copies and the key go, $2 a program that writes records; the rest is run while journald is there.
JOURNALD = r"""
set -e
out=$1 writer=$2
shift 2
for directory in /run/systemd /run/log /var/log /etc/systemd; do mount -t tmpfs none "$directory"; done
mkdir -p /run/systemd/journal "/var/log/journal/$(cat /etc/machine-id)"
: >/run/systemd/journal/flushed  # /var is there: what comes goes there at once
printf '[Journal]\nStorage=persistent\nSeal=yes\nRateLimitIntervalSec=0\nReadKMsg=no\nAudit=\nForwardToSyslog=no\nForwardToWall=no\n' >/etc/systemd/journald.conf
journalctl --setup-keys --interval=1s --force >"$out/key" 2>"$out/setup.log"
/lib/systemd/systemd-journald & journald=$!
trap 'kill $journald 2>/dev/null; wait $journald || :' EXIT
until [ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/io.systemd.journal ]; do kill -0 $journald; read -t 0.02 <> <(:) || :; done
/usr/bin/python3 -B "$writer"
journalctl --sync
[ $# -eq 0 ] || "$@" || :
kill $journald
wait $journald || :
trap - EXIT
cp -r /var/log/journal "$out/journal"
"""

# Twelve records of a chain, over more than two sealing intervals: a seal is written when an interval is over.
WRITER = """
import sys, time
sys.path.insert(0, {here!r})
from sekisho_fleet import Terminal
from sekisho_journal import send
terminal = Terminal(0)
end = time.monotonic() + 3.2
for n in range(12):
    entry = terminal.record(time.time_ns() // 1000, "write-denied" if n else "agent-started", uid=64000)
    send(**{{name: value.decode() for name, value in entry.fields if not name.startswith("_")}})
    time.sleep(max(0, end - time.monotonic()) / (12 - n))  # time itself is what is tested: a seal is of an interval
"""


@pytest.fixture(scope="module")
def sealed(machine, tmp_path_factory):
    """The directory with the copies and the key, and what inspect said while journald was there."""
    out = tmp_path_factory.mktemp("sealed")
    writer = out / "writer.py"
    writer.write_text(WRITER.format(here=os.path.dirname(os.path.abspath(__file__))))
    inspect = ["sh", "-c", f"'{program('sekishoctl')}' inspect --json >{out}/inspect.json"]
    run(["unshare", "--mount", "--propagation", "private", "bash", "-c", JOURNALD, "bash", out, writer, *inspect], deadline=60)
    return out


def verify(directory, *arguments, key=None):
    result = run([program("sekishoctl"), "audit", "verify", "--json", "--directory", directory,
                  *([f"--verify-key={key}"] if key else []), *arguments], check=False)
    return result.returncode, json.loads(result.stdout), result.stderr


def system_journal(directory):
    found = [os.path.join(place, name) for place, _, names in os.walk(directory) for name in names if name == "system.journal"]
    path, = found
    return path


def test_what_was_sealed_is_found_as_it_was_written(sealed):
    status, told, errors = verify(sealed / "journal", key=sealed / "key")
    assert (status, told["seals"], told["faults"], told["records"]) == (0, "good", 0, 12), errors
    assert told["journal_files"] == told["journal_files_sealed"] == 1


def test_without_the_key_it_is_said_that_nobody_has_looked(sealed):
    status, told, _ = verify(sealed / "journal")
    assert (status, told["seals"]) == (0, "not-verified")
    text = run([program("sekishoctl"), "audit", "verify", "--directory", sealed / "journal"], check=False).stdout
    assert "1 of 1 journal files are sealed; --verify-key checks that." in text


def change(path, old, new):
    with open(path, "r+b") as file:
        data = file.read()
        at = data.index(old)
        assert len(old) == len(new)
        file.seek(at)
        file.write(new)


def test_a_file_that_was_changed_afterwards_is_found(sealed, tmp_path):
    shutil.copytree(sealed / "journal", tmp_path / "journal")
    change(system_journal(tmp_path / "journal"), b"MESSAGE=agent-started on", b"MESSAGE=agent-stopped on")
    status, told, _ = verify(tmp_path / "journal", key=sealed / "key")
    assert (status, told["seals"]) == (1, "broken")
    text = run([program("sekishoctl"), "audit", "verify", "--directory", tmp_path / "journal", f"--verify-key={sealed / 'key'}"],
               check=False)
    assert text.returncode == 1 and "JOURNALCTL FINDS JOURNAL FILES THAT ARE NOT AS THEY WERE SEALED." in text.stdout


def test_records_that_were_all_written_anew_by_who_knows_the_chain_are_found(sealed, tmp_path):
    """Which is what chains alone do not show: everything after some moment, with links that fit."""
    import time

    from sekisho_export import write_journal
    now, terminal = time.time_ns() // 1000, Terminal(0)
    os.mkdir(tmp_path / "journal")
    write_journal(str(tmp_path / "journal" / "system.journal"), [terminal.record(now + n) for n in range(12)])
    status, told, _ = verify(tmp_path / "journal")
    assert (status, told["faults"], told["journal_files_sealed"]) == (0, 0, 0), "the chain is whole"
    result = run([program("sekishoctl"), "audit", "verify", "--directory", tmp_path / "journal", f"--verify-key={sealed / 'key'}"],
                 check=False)
    assert result.returncode == 2 and "none of these journal files is sealed" in result.stderr


def test_another_machines_key_does_not_fit(sealed, tmp_path):
    with open(sealed / "key") as file:
        key = file.read().strip()
    digit = next(i for i, c in enumerate(key) if c in "0123456789abcdef")
    (tmp_path / "key").write_text(key[:digit] + ("0" if key[digit] != "0" else "1") + key[digit + 1:])
    status, told, _ = verify(sealed / "journal", key=tmp_path / "key")
    assert (status, told["seals"]) == (1, "broken")


def test_inspect_tells_of_the_key_and_of_the_files_that_are_sealed(sealed):
    with open(sealed / "inspect.json") as file:
        report = json.load(file)
    line, = (line for line in report["lines"] if line["check"] == "sealed")
    assert line["result"] == "ok" and "1 of 1 journal files are sealed" in line["evidence"]

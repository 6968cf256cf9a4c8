# SPDX-License-Identifier: GPL-2.0-or-later
"""The records of a thousand terminals in one place, by what Debian has for it, over TLS: none is lost when the collector
is restarted or killed in the middle, none is counted twice, and each terminal's chain is verified. Threats: insider
fraud, misconfiguration, loss of power or network."""

import collections
import datetime
import json
import os
import shutil
import time

import pytest
from sekisho_export import write_journal
from sekisho_fleet import EXAMPLES, Authority, Collector, Terminal, Uploader
from sekisho_wait import run, wait_until
from sekisho_world import program

TERMINALS, EACH = 1000, 6
SECOND = 1_000_000
NOW = int(time.time()) * SECOND
MONTH = f"{datetime.datetime.fromtimestamp(NOW / SECOND - 3600):%Y-%m}"


def records_of(terminals):
    """EACH records of every terminal, as time goes on all of them."""
    start = NOW - 3600 * SECOND
    return [terminal.record(start + (n * len(terminals) + i) * 1000, "write-denied" if n else "agent-started",
                            uid=64000 + i, device_serial=f"S{i}", rule="removable.default")
            for n in range(EACH) for i, terminal in enumerate(terminals)]


@pytest.fixture(scope="module")
def fleet():
    return [Terminal(number) for number in range(TERMINALS)]


@pytest.fixture(scope="module")
def records(fleet):
    return records_of(fleet)


@pytest.fixture(scope="module")
def source(records, tmp_path_factory):
    return write_journal(str(tmp_path_factory.mktemp("fleet") / "source.journal"), records)


def ctl(*arguments, check=False):
    return run([program("sekishoctl"), *arguments], check=check)


def events(directory, *arguments):
    return json.loads(ctl("events", "--directory", directory, "--json", *arguments, check=True).stdout)


def verify(directory, *arguments):
    result = ctl("audit", "verify", "--directory", directory, "--json", *arguments)
    told = json.loads(result.stdout)
    assert result.returncode == (1 if told["faults"] else 0)
    return told


def is_whole(directory):
    """Whether every record of every terminal is shown, once."""
    found = collections.Counter((event["host"], event["sequence"]) for event in events(directory))
    assert set(found.values()) <= {1}, "shown twice"
    return len(found) == TERMINALS * EACH


def test_what_is_below_a_directory_is_read_with_the_terminals_names(tmp_path, fleet, records):
    for i, place in enumerate(("one", "two/deep")):
        os.makedirs(tmp_path / place)
        write_journal(str(tmp_path / place / "x.journal"), records[i::2])
    assert is_whole(tmp_path)
    shown = ctl("events", "--directory", tmp_path, "--terminal", fleet[7].name, check=True).stdout.splitlines()
    assert "TERMINAL" in shown[0]
    assert len(shown) == 1 + EACH and all(line.endswith(fleet[7].name) for line in shown[1:])
    assert events(tmp_path, "--terminal", fleet[8].machine) == events(tmp_path, "--terminal", fleet[8].name) != []
    assert events(tmp_path, "--terminal", "nobody") == []


def test_each_terminals_chain_is_verified_and_a_fault_names_the_terminal(tmp_path, fleet, records):
    gone = next(entry for entry in records if entry.get("_HOSTNAME") == fleet[500].name and entry.sequence == 3)
    write_journal(str(tmp_path / "all.journal"), [entry for entry in records if entry is not gone])
    told = verify(tmp_path)
    assert (told["terminals"], told["chains"], told["records"]) == (TERMINALS, TERMINALS, TERMINALS * EACH - 1)
    fault, = (finding for finding in told["findings"] if finding["fault"])
    assert (fault["finding"], fault["host"], fault["from"]) == ("missing", fleet[500].name, 3)
    text = ctl("audit", "verify", "--directory", tmp_path).stdout
    assert f"{fleet[500].name}  " in text and f"They are from {TERMINALS} terminals." in text
    assert verify(tmp_path, "--terminal", fleet[501].name)["faults"] == 0
    assert verify(tmp_path, "--terminal", fleet[500].name)["faults"] == 1


def test_what_was_taken_in_twice_is_counted_once(tmp_path, fleet, records):
    some = [entry for entry in records if entry.get("_HOSTNAME") in (fleet[0].name, fleet[1].name)]
    write_journal(str(tmp_path / "twice.journal"), [*some, *some])
    assert len(events(tmp_path)) == len(some)
    assert verify(tmp_path)["faults"] == 0
    sheet = json.loads(ctl("review", "--directory", tmp_path, "--month", MONTH, "--json", check=True).stdout)
    assert sum(row["times"] for row in sheet["refused_by_rule"]) == 2 * (EACH - 1)


def test_a_forgery_in_the_place_of_a_record_is_not_taken_for_the_same(tmp_path, fleet, records):
    some = [entry for entry in records if entry.get("_HOSTNAME") == fleet[0].name]
    forged = some[2].replaced("MESSAGE", "nothing happened")
    write_journal(str(tmp_path / "forged.journal"), [*some[:2], forged, *some[2:]])
    assert len(events(tmp_path)) == len(some) + 1
    assert verify(tmp_path)["faults"] == 1


def upload(world, authority, collector, source, disturb):
    """The whole SOURCE, through a collector that DISTURB is done to once a part of it has arrived."""
    uploader = Uploader(world, authority, collector, source).start("--follow=no")
    disturbed = False
    for _ in range(20):
        if not disturbed:
            wait_until(lambda: collector.size() > TERMINALS // 2 or uploader.process.poll() is not None, "a part has arrived")
            assert uploader.process.poll() is None, f"nothing was left to be disturbed\n{uploader.tell()}"
            disturb()
            disturbed = True
        if uploader.process.wait(timeout=300) == 0:
            return
        collector.start()
        uploader.start("--follow=no")  # as Restart= does
    raise AssertionError(uploader.tell())


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_none_is_lost_when_the_collector_goes_in_the_middle(world, fleet, source, way):
    authority = Authority(world.new_path("authority"))
    collector = Collector(world, authority).start()
    upload(world, authority, collector, source, getattr(collector, way))
    collector.stop()
    assert is_whole(collector.directory), collector.tell()
    told = verify(collector.directory)
    assert (told["terminals"], told["chains"], told["faults"]) == (TERMINALS, TERMINALS, 0)


def test_who_has_no_certificate_of_the_authority_is_not_listened_to(world, source):
    authority, other = Authority(world.new_path("authority")), Authority(world.new_path("other"))
    collector = Collector(world, authority).start()
    shutil.copy(authority.certificate, other.certificate)  # it believes the collector
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=other",
         "-keyout", os.path.join(other.directory, "own.key"), "-out", os.path.join(other.directory, "own.pem")])
    other.issue = lambda name: (os.path.join(other.directory, "own.key"), os.path.join(other.directory, "own.pem"))
    uploader = Uploader(world, other, collector, source).start("--follow=no")
    assert uploader.process.wait(timeout=60) != 0
    collector.stop()
    assert collector.size() == 0


def test_the_examples_are_units_that_systemd_takes(tmp_path):
    for unit, name in (("systemd-journal-upload", "upload.conf"), ("systemd-journal-remote", "remote.conf")):
        place = tmp_path / f"{unit}.service.d"
        place.mkdir()
        shutil.copy(f"/lib/systemd/system/{unit}.service", tmp_path)
        shutil.copy(os.path.join(EXAMPLES, name), place / "sekisho.conf")
        said = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / f"{unit}.service"], check=False)
        assert (said.returncode, [line for line in said.stderr.splitlines() if "sekisho.conf" in line]) == (0, []), said.stderr

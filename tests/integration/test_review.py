# SPDX-License-Identifier: GPL-2.0-or-later
"""The sheet of a month: everything is counted, once, in the right place; what is in a name is only text; and a journal
that does not go back far enough is told of first."""

import csv
import datetime
import html.parser
import io
import json
import os
import subprocess

import pytest
from sekisho_export import Entry, write_journal
from sekisho_world import program

BOOT = "5f0c1d2e3a4b45c68d7e9f0a1b2c3d4e"
IDS = {"write-denied": "6601ec7f17b44a1a88fb7cb3bb75a96e", "device-verdict": "9cb6e383ace74c0c84777362459b6ab4",
       "login-denied": "677a7578e417483abbae895477f3202a", "break-glass-used": "5d85628666b644eca60fbd9ec30b75b7",
       "agent-started": "5724eef373e04493b9ce014912202907",
       "connection-denied": "5e01d6eb3d63444bbd3e73c5c0f834c2", "network-interface-verdict": "d13e65fdd5fc47e29caf6249d883243a"}
EVIL = "<script>alert(1)</script>\"'&"


def record(when, event, **fields):
    """What the guard writes at WHEN, local time as in a sheet."""
    usec = int(datetime.datetime.fromisoformat(when).timestamp() * 1_000_000)
    trusted = {"_UID": "0", "_COMM": "sekishod", "_EXE": "/usr/sbin/sekishod", "_TRANSPORT": "journal",
               "_MACHINE_ID": "0" * 31 + "1", "PRIORITY": "4", "MESSAGE": event, "MESSAGE_ID": IDS[event],
               "SEKISHO_EVENT": event}
    names = {"SEKISHO_" + name.upper(): str(value) for name, value in fields.items()}
    return Entry([("__REALTIME_TIMESTAMP", str(usec).encode()), ("__MONOTONIC_TIMESTAMP", str(usec % 10**12).encode()),
                  ("_BOOT_ID", BOOT.encode()), *((name, value.encode()) for name, value in {**trusted, **names}.items())])


def denial(when, **fields):
    return record(when, "write-denied", **{"uid": 64001, "loginuid": 64001, "rule": "removable.default",
                                           "device_vendor": "0951", "device_product": "1666", "device_serial": "E0D5",
                                           "path": "/media/x", "exe": "/bin/cp", "count": 1, **fields})


def medium(when, serial, verdict="read-only"):
    return record(when, "device-verdict", device_vendor="0951", device_product="1666", device_serial=serial, verdict=verdict)


def review(path, *arguments, month="2026-11"):
    return subprocess.run([program("sekishoctl"), "review", f"--month={month}", f"--file={path}", *arguments],
                          check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture
def path(tmp_path):
    entries = [
        record("2026-10-05T09:00:00", "agent-started"),
        medium("2026-10-06T10:00:00", "E0D5"),
        denial("2026-10-30T10:00:00"),
        denial("2026-11-02T10:00:00"),
        denial("2026-11-02T10:05:00", count=24),
        denial("2026-11-07T10:00:00", loginuid=64002, uid=64002),  # a Saturday
        denial("2026-11-09T20:00:00", person=EVIL, rule="=1+1"),
        medium("2026-11-02T09:59:00", "E0D5"),
        medium("2026-11-10T11:00:00", "NEW1", "write"),
        record("2026-11-11T08:00:00", "login-denied", user="sato"),
        record("2026-11-11T08:01:00", "login-denied", user="sato"),
        record("2026-11-12T12:00:00", "break-glass-used", user="kinkyu", service="login", factors="password"),
        denial("2026-12-01T00:00:00"),
    ]
    forged = denial("2026-11-03T10:00:00", rule="forged").replaced("_UID", "1000")
    return write_journal(str(tmp_path / "month.journal"), [*entries, forged])


def test_everything_of_the_month_is_counted_and_nothing_else(path):
    sheet = json.loads(review(path, "--json"))
    assert sheet["remarks"] == []
    assert {row["event"]: row["times"] for row in sheet["events"]} == {
        "write-denied": 27, "device-verdict": 2, "login-denied": 2, "break-glass-used": 1}
    assert {row["rule"]: row["times"] for row in sheet["refused_by_rule"]} == {"removable.default": 26, "=1+1": 1}
    assert [row["times"] for row in sheet["refused_by_person"]] == [25, 1, 1]
    assert sheet["refused_by_person"][0]["person"] == "64001"
    assert {(row["device"], row["verdict"]) for row in sheet["media"]} == {
        ("0951:1666 E0D5", "read-only"), ("0951:1666 NEW1", "write")}
    assert [(row["person"], row["times"]) for row in sheet["logins_failed"]] == [("sato", 2)]
    assert [row["event"] for row in sheet["notable"]] == ["break-glass-used"]


def test_what_is_worth_a_question_is_pointed_at(path):
    signs = [(row["sign"], row["about"], row["times"]) for row in json.loads(review(path, "--json"))["signs"]]
    assert ("20 or more refused within an hour", "64001", 25) in signs
    assert ("medium seen for the first time", "0951:1666 NEW1", 1) in signs
    assert ("refused outside of Mon-Fri 08:30-17:15", "64002", 1) in signs
    assert len(signs) == 4  # and the one at eight in the evening


def test_a_journal_that_begins_within_the_month_is_told_of_first(path):
    assert "2026-10-05" in json.loads(review(path, "--json", month="2026-10"))["remarks"][0]
    assert review(path, month="2026-10").index("INCOMPLETE") < review(path, month="2026-10").index("Records by kind")


def test_a_journal_that_cannot_keep_records_for_as_long_as_the_policy_asks_says_so(world):
    settings = "/run/systemd/journald.conf.d/zz-sekisho-review.conf"
    with open(settings, "w", encoding="utf-8") as to:
        to.write("[Journal]\nStorage=volatile\n")
    world.undo(os.unlink, settings)
    for days, expected in ((366, ["366 days"]), (None, [])):
        world.write_policy(**({"records": {"keep-days": days}} if days else {}))
        told = json.loads(world.ctl("review", "--json", "--month=2999-01", f"--policy={world.policy_directory}").stdout)
        short = [remark for remark in told["remarks"] if "RECORDS ARE" in remark]
        assert len(short) == len(expected)
        assert all(words in remark for words, remark in zip(expected, short, strict=True))
    world.start_agent(records={"keep-days": 366})
    status = world.ctl("status", "--json", "--runtime-dir", world.runtime, check=False)
    assert status.returncode == 1
    assert any("RECORDS ARE" in finding and "366 days" in finding for finding in json.loads(status.stdout)["findings"])
    world.reload_policy()
    assert "RECORDS ARE" not in world.ctl("status", "--runtime-dir", world.runtime, check=False).stdout


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_shows_names_as_text_and_has_a_place_to_sign(path):
    page = Page(review(path, "--html"))
    assert "script" not in page.tags
    assert any(EVIL in text for text in page.text)
    assert "Seal" in page.text
    assert "Reviewer" in page.text


def test_no_cell_of_the_spreadsheet_is_a_formula(path):
    rows = list(csv.reader(io.StringIO(review(path, "--csv"), newline="")))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=1+1" in cells
    assert any(EVIL in cell for cell in cells)


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "2026-111", "26-11", "-026-01", "2026- 1"])
def test_what_is_no_month_is_refused(path, month):
    done = subprocess.run([program("sekishoctl"), "review", f"--month={month}", f"--file={path}"], stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_refused_connections_are_counted_by_destination_and_are_no_sign(tmp_path):
    refused = {"uid": 64001, "loginuid": 64001, "rule": "network.default", "exe": "/usr/bin/curl", "protocol": "tcp"}
    path = write_journal(str(tmp_path / "network.journal"), [
        record("2026-10-05T09:00:00", "agent-started"),
        record("2026-11-07T03:00:00", "connection-denied", **refused, destination="10.9.0.1", port=443, count=40),
        record("2026-11-08T03:00:00", "connection-denied", **refused, destination="10.9.0.1", port=443, count=2),
        record("2026-11-08T04:00:00", "connection-denied", **refused, destination="fd00::1", port=53, count=1),
        record("2026-11-09T09:00:00", "network-interface-verdict", network_interface="usb0", verdict="deny"),
        record("2026-11-09T09:00:00", "network-interface-verdict", network_interface="enp3s0", verdict="allow")])
    sheet = json.loads(review(path, "--json"))
    assert {row["destination"]: row["times"] for row in sheet["refused_by_destination"]} == {
        "10.9.0.1:443": 42, "[fd00::1]:53": 1}
    assert {row["rule"]: row["times"] for row in sheet["refused_by_rule"]} == {"network.default": 43}
    assert sheet["refused_by_device"] == [] and sheet["signs"] == []
    assert [row["what"] for row in sheet["notable"]] == ["usb0: deny"]

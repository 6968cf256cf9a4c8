# SPDX-License-Identifier: GPL-2.0-or-later
"""The chain of records: whoever takes one away, changes or inserts one is found out, and the guard's own end and
beginning are not mistaken for that."""

import json
import os

import pytest
from sekisho_bus import Bus
from sekisho_export import export, write_journal
from sekisho_login import People

MINUTE = 60_000_000


def verify(world, *arguments, faults=None):
    """What `sekishoctl audit verify` says, as an object; its exit status must agree with it."""
    result = world.ctl("audit", "verify", "--json", *arguments, check=False)
    assert result.stdout, result.stderr
    told = json.loads(result.stdout)
    assert result.returncode == (1 if told["faults"] else 0)
    if faults is not None:
        assert [(finding["finding"], finding["from"], finding["to"]) for finding in told["findings"]
                if finding["fault"]] == faults
    return told


def guarded_stick(world):
    """An agent that has had something to tell of."""
    stick = world.stick(attach=False)
    world.start_agent()
    stick.attach()
    world.journal.wait("superblock-guarded", mount=stick.mount("ro"))


def written_by(world, writer):
    """The entries of WRITER since the test began."""
    world.journal.barrier()
    # without a match, beside which --after-cursor= passes over one entry more
    return [entry for entry in export(f"--after-cursor={world.journal.cursor}")
            if entry.get("SEKISHO_CHAIN_WRITER") == writer]


def chain(world):
    """The agent's entries since the test began, in their order."""
    entries = written_by(world, "agent")
    assert len(entries) >= 5
    assert [entry.sequence for entry in entries] == list(range(entries[0].sequence, entries[0].sequence + len(entries)))
    return entries


@pytest.fixture
def written(world):
    """Entries of an agent that has ended."""
    guarded_stick(world)
    world.agent.stop()
    return chain(world)


def test_what_was_written_is_found_as_it_was(world, written):
    path = write_journal(world.new_path("good.journal"), written)
    told = verify(world, f"--file={path}", faults=[])
    assert told["records"] == len(written)
    assert told["chains"] == 1
    assert told["journal_files"] == 1
    assert told["journal_files_sealed"] == 0


def test_a_record_that_was_taken_away_is_missing(world, written):
    gone = written.pop(2)
    path = write_journal(world.new_path("gone.journal"), written)
    told = verify(world, f"--file={path}", faults=[("missing", gone.sequence, gone.sequence)])
    finding = next(one for one in told["findings"] if one["fault"])
    assert finding["writer"] == "agent"
    assert finding["chain"] == gone.get("SEKISHO_CHAIN_ID")
    assert export(f"--file={path}", f"--cursor={finding['cursor']}")[0].sequence == gone.sequence + 1


@pytest.mark.parametrize("field", ["MESSAGE", "SEKISHO_EVENT", "SEKISHO_POLICY_SERIAL", "PRIORITY", "MESSAGE_ID"])
def test_a_record_that_was_changed_is_found(world, written, field):
    changed = written[2]
    other = {"PRIORITY": "7", "SEKISHO_EVENT": "device-attached" if changed.get("SEKISHO_EVENT") != "device-attached"
             else "device-detached", "MESSAGE_ID": "0" * 32}.get(field, "1")
    written[2] = changed.replaced(field, other)
    path = write_journal(world.new_path("changed.journal"), written)
    told = verify(world, f"--file={path}")
    assert [(one["finding"], one["from"]) for one in told["findings"] if one["fault"]] == [("changed", changed.sequence)]


def test_a_field_that_was_added_or_taken_away_is_found(world, written):
    fields = written[2]
    for other in (fields.without("MESSAGE"), type(fields)(fields.fields + [("SEKISHO_REASON", b"a lie")])):
        path = write_journal(world.new_path("field.journal"), [*written[:2], other, *written[3:]])
        verify(world, f"--file={path}", faults=[("changed", fields.sequence, fields.sequence)])


def test_a_record_that_was_put_at_another_time_is_found(world, written):
    moved = written[2].replaced("__REALTIME_TIMESTAMP", str(written[2].time - 60 * MINUTE))
    path = write_journal(world.new_path("moved.journal"), [moved, *written[:2], *written[3:]])
    verify(world, f"--file={path}", faults=[("time-changed", moved.sequence, moved.sequence)])


def test_a_record_that_was_inserted_is_found(world, written):
    forged = written[3].replaced("MESSAGE", "nothing happened").replaced("__REALTIME_TIMESTAMP", str(written[3].time + 1))
    path = write_journal(world.new_path("inserted.journal"), [*written, forged])
    verify(world, f"--file={path}", faults=[("inserted", forged.sequence, forged.sequence)])


def test_a_record_in_no_chain_is_found(world, written):
    names = [name for name, _ in written[3].fields if name.startswith("SEKISHO_CHAIN") or
             name in ("SEKISHO_SEQUENCE", "SEKISHO_WRITTEN")]
    stray = written[3].without(*names).replaced("__REALTIME_TIMESTAMP", str(written[3].time + 1))
    path = write_journal(world.new_path("stray.journal"), [*written, stray])
    verify(world, f"--file={path}", faults=[("unchained", 0, 0)])


def test_what_the_journal_does_not_keep_any_more_is_told_as_such(world, written):
    path = write_journal(world.new_path("vacuumed.journal"), written[2:])
    told = verify(world, f"--file={path}", faults=[])
    assert ("lapsed", 1, written[2].sequence - 1) in [(one["finding"], one["from"], one["to"])
                                                      for one in told["findings"]]


def test_the_chain_goes_on_when_the_agent_was_killed(world):
    guarded_stick(world)
    world.agent.kill()
    world.journal.wait("agent-lost")
    world.start_agent()
    world.agent.stop()
    entries = chain(world)
    begins = [entry.get("SEKISHO_CHAIN_BEGIN") for entry in entries if entry.get("SEKISHO_CHAIN_BEGIN")]
    assert len(begins) == 2
    assert begins[1] in ("continued", "uncertain")
    verify(world, f"--file={write_journal(world.new_path('killed.journal'), entries)}", faults=[])


def test_the_keeper_has_a_chain_of_its_own(world):
    guarded_stick(world)
    world.agent.kill()
    world.journal.wait("agent-lost")
    entries = written_by(world, "keeper")
    assert entries[0].sequence == 1
    assert entries[0].get("SEKISHO_CHAIN_BEGIN") == "new"
    assert entries[0].get("SEKISHO_CHAIN_ID") != written_by(world, "agent")[0].get("SEKISHO_CHAIN_ID")
    verify(world, f"--file={write_journal(world.new_path('keeper.journal'), entries)}", faults=[])


def test_where_its_state_was_lost_the_agent_finds_the_chain_in_the_journal(world):
    guarded_stick(world)
    world.agent.stop()
    world.journal.barrier()
    os.unlink(f"{world.state}/chain")
    world.start_agent()
    world.agent.stop()
    entries = chain(world)
    assert [entry.get("SEKISHO_CHAIN_BEGIN") for entry in entries].count("found") >= 1
    told = verify(world, f"--file={write_journal(world.new_path('found.journal'), entries)}", faults=[])
    assert "recovered" in [one["finding"] for one in told["findings"]]


def test_records_that_were_cut_off_at_the_end_are_missing_from_what_the_agent_knows(world, written):
    # as an attacker leaves it: the journal without its last records, and the state that tells of them
    state = f"{world.state}/chain"
    with open(state) as file:
        version, name, sequence, link, word = file.read().split()
    assert int(sequence) == written[-1].sequence
    with open(state, "w") as file:
        file.write(f"{version} {name} {int(sequence) + 2:020d} {link} {word}\n")
    told = verify(world, f"--state-dir={world.state}", "--since=-1h")
    assert ("last-missing", int(sequence) + 1, int(sequence) + 2) in [
        (one["finding"], one["from"], one["to"]) for one in told["findings"]]


def test_logins_are_on_one_chain(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    world.start_agent(mfa={"factors": ["password", "totp"]})
    people = People(world, bus, ichiro=22101)
    people.enrol("ichiro")
    for _ in range(2):
        people.log_in("ichiro", "wrong", "000000")
    world.journal.wait_all("login-denied", lambda found: len(found) >= 2)
    entries = written_by(world, "logins")
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert {"factor-enrolled", "login-denied"} <= {entry.get("SEKISHO_EVENT") for entry in entries}
    verify(world, f"--file={write_journal(world.new_path('logins.journal'), entries)}", faults=[])
    del entries[1]
    verify(world, f"--file={write_journal(world.new_path('logins.journal'), entries)}", faults=[("missing", 2, 2)])

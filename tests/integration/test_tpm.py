# SPDX-License-Identifier: GPL-2.0-or-later
"""The highest serial in the TPM: what a copy of the file system, put back, does not lower."""

import json
import shutil
import time

import pytest

from sekisho_tpm import HELPER, INDEX, Tpm
from sekisho_wait import run, wait_until

FAILED = "highest serial in the TPM"


def write(world, serial):
    world.write_policy_text(f"version: 1\nserial: {serial}\nself-protection: {{process: false, state: false}}\n")


def status(world):
    return json.loads(world.ctl("status", "--runtime-dir", world.runtime, "--json", check=False).stdout)


def serial_in_force(world):
    return status(world)["policy"]["serial"]


def word(world):
    return status(world)["mechanisms"]["tpm"]


def failures(world):
    world.journal.barrier()
    return [record["SEKISHO_ERROR"] for record in world.journal.select("enforcement-failed") if record["SEKISHO_VERDICT"] == FAILED]


def start(world, tpm):
    return world.start_agent(f"--tpm={tpm if isinstance(tpm, str) else tpm.tcti}")


def holds(tpm, serial):
    wait_until(lambda: tpm.tell("read") == f"serial {serial}", f"the TPM holds serial {serial}")


def run_once(world, tpm, serial):
    """A life of the agent with that policy, until the TPM has it."""
    write(world, serial)
    start(world, tpm)
    holds(tpm, serial)
    world.agent.stop()


def restore(world, copy):
    shutil.rmtree(world.state)
    shutil.copytree(copy, world.state)


@pytest.fixture
def tpm(world):
    return Tpm(world)


@pytest.fixture
def rolled_back(world, tpm):
    """Serial 5 was in force, and all files are as they were under serial 4."""
    run_once(world, tpm, 4)
    copy = world.new_path("copy")
    shutil.copytree(world.state, copy)
    run_once(world, tpm, 5)
    restore(world, copy)
    write(world, 4)
    return copy


def test_a_copy_of_the_files_is_enough_where_the_tpm_is_not_asked(world, rolled_back):
    world.start_agent()
    assert serial_in_force(world) == 4
    assert word(world).startswith("left alone")


def test_a_copy_of_the_files_does_not_lower_the_serial(world, tpm, rolled_back):
    start(world, tpm)
    world.journal.wait("serial-lowered", policy_serial=5)
    assert "serial 4 is lower than 5, which was in force" in world.journal.wait("policy-refused")["SEKISHO_ERROR"]
    assert serial_in_force(world) == 0  # neither the one of the files nor the copy of the last good one
    assert word(world).startswith("ok: holds the highest serial")
    write(world, 6)
    world.agent.reload()
    assert serial_in_force(world) == 6
    holds(tpm, 6)


def test_it_does_not_at_later_starts_either(world, tpm, rolled_back):
    start(world, tpm)
    world.agent.stop()
    start(world, tpm)
    assert serial_in_force(world) == 0
    world.agent.stop()
    restore(world, rolled_back)  # also where the note was lowered again
    start(world, tpm)
    assert serial_in_force(world) == 0


def test_neither_files_nor_journal_need_know_of_it(world, tpm):
    assert tpm.tell("raise", "5") == "serial 5"
    write(world, 4)
    start(world, tpm)
    world.journal.wait("serial-lowered", policy_serial=5)
    assert serial_in_force(world) == 0


def test_what_is_put_in_force_while_the_agent_runs_is_in_the_tpm(world, tpm):
    write(world, 5)
    start(world, tpm)
    holds(tpm, 5)
    for serial in (6, 2026112101):
        write(world, serial)
        world.agent.reload()
        holds(tpm, serial)


def test_a_refused_policy_does_not_raise_it(world, tpm):
    write(world, 5)
    start(world, tpm)
    holds(tpm, 5)
    world.write_policy_text("version: 1\nserial: 9\nnonsense: true\n")
    world.agent.reload()
    write(world, 6)
    world.agent.reload()
    holds(tpm, 6)


def test_the_agent_never_maps_the_libraries_of_the_tpm(world, tpm):
    write(world, 5)
    start(world, tpm)
    holds(tpm, 5)
    with open(f"/proc/{world.agent.pid}/maps", encoding="utf-8") as maps:
        assert "tss2" not in maps.read()


def test_without_a_tpm_all_is_as_before_and_quiet(world):
    write(world, 5)
    start(world, "device:/dev/sekisho-has-no-tpm")
    assert serial_in_force(world) == 5
    assert word(world).startswith("none: this machine has no TPM")
    write(world, 6)
    world.agent.reload()
    assert serial_in_force(world) == 6
    assert failures(world) == []


def test_a_tpm_that_is_out_of_reach_is_told_and_changes_nothing_else(world, tpm):
    run_once(world, tpm, 5)
    tpm.unplug()
    write(world, 5)
    start(world, tpm)
    assert serial_in_force(world) == 5
    wait_until(lambda: word(world).startswith("failed: reaching it"), "the status says that the TPM failed")
    assert len(failures(world)) == 1
    write(world, 4)
    assert "is lower than 5" in world.agent.reload()["SEKISHO_ERROR"]  # the files hold


def test_a_tpm_that_does_not_answer_does_not_hold_up_the_start(world, tpm):
    tpm.hang()
    write(world, 5)
    begun = time.monotonic()
    start(world, tpm)
    assert time.monotonic() - begun < 15
    assert serial_in_force(world) == 5
    assert "timed out" in failures(world)[0]


def test_one_that_is_back_later_is_believed_then(world, tpm, rolled_back):
    tpm.unplug()
    start(world, tpm)
    assert serial_in_force(world) == 4  # the files are all there is
    wait_until(lambda: word(world).startswith("failed: reaching it"), "the status says that the TPM failed")
    tpm.plug()
    world.agent.reload()
    world.journal.wait("serial-lowered", policy_serial=5)
    assert "is lower than 5" in world.agent.reload()["SEKISHO_ERROR"]
    assert tpm.tell("read") == "serial 5"


def test_rubbish_is_told_and_written_over(world, tpm):
    tpm.define()
    tpm.write(b"sixteen bytes ??", world.new_path("rubbish"))
    assert tpm.tell("read") == "rubbish"
    write(world, 5)
    start(world, tpm)
    assert serial_in_force(world) == 5
    holds(tpm, 5)
    assert failures(world) == ["what it holds makes no sense"]
    wait_until(lambda: word(world).startswith("ok: holds the highest serial"), "the status says that the TPM has it")


def test_somebody_elses_index_is_left_as_it_is(world, tpm):
    tpm.define(8)
    tpm.write(b"not ours", world.new_path("other"))
    write(world, 5)
    start(world, tpm)
    assert serial_in_force(world) == 5
    assert word(world) == f"failed: index {INDEX} is somebody else's"
    assert "not ours" in tpm.read()


def test_a_counter_in_its_place_is_left_as_it_is(world, tpm):
    tpm.owner("nvdefine", INDEX, "-C", "o", "-s", "8", "-a", "authread|authwrite|no_da|nt=counter")
    assert "somebody else's" in tpm.tell("raise", "5")


def test_an_owner_with_a_password_makes_the_index_once(world, tpm):
    tpm.owner("changeauth", "-c", "owner", "secret")
    write(world, 5)
    start(world, tpm)
    wait_until(lambda: "its owner has a password" in word(world), "the status says what is missing")
    assert serial_in_force(world) == 5
    tpm.define(16, "-P", "secret")  # as sekishod(8) has it
    world.agent.reload()
    holds(tpm, 5)


def test_another_tpm_learns_from_the_files(world, tpm):
    run_once(world, tpm, 5)
    another = Tpm(world, "another")
    write(world, 4)
    start(world, another)
    assert serial_in_force(world) == 5  # the copy of the last good one
    holds(another, 5)
    world.journal.barrier()
    assert world.journal.select("serial-lowered") == []


def test_a_tpm_that_knows_more_counts_for_the_disk_of_another_machine(world, tpm):
    more = Tpm(world, "more")
    assert more.tell("raise", "7") == "serial 7"
    run_once(world, tpm, 5)
    start(world, more)
    assert serial_in_force(world) == 0
    assert more.tell("read") == "serial 7"


def test_the_program_says_what_is_wrong_with_its_arguments():
    for arguments in ([], ["read"], ["raise", "swtpm:"], ["raise", "swtpm:", "-1"], ["raise", "swtpm:", "18446744073709551616"],
                      ["lower", "swtpm:", "1"]):
        result = run([HELPER, *arguments], check=False)
        assert (result.returncode, result.stdout) == (2, "") and "Usage" in result.stderr

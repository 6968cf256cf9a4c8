# SPDX-License-Identifier: GPL-2.0-or-later
"""The highest serial, when the note of it is lost: what the journal says."""

import json
import os
import shutil

from sekisho_journal import send


def serial_in_force(world):
    return json.loads(world.ctl("status", "--runtime-dir", world.runtime, "--json", check=False).stdout)["policy"]["serial"]


def lose_the_state(world):
    world.agent.stop()
    shutil.rmtree(world.state)
    os.mkdir(world.state, 0o700)


def write(world, serial):
    world.write_policy_text(f"version: 1\nserial: {serial}\nself-protection: {{process: false, state: false}}\n")


def test_an_older_policy_is_refused_although_the_state_is_lost(world):
    write(world, 500)
    world.start_agent()
    world.journal.wait("policy-loaded", policy_serial=500)
    lose_the_state(world)
    write(world, 400)
    world.start_agent()
    record = world.journal.wait("serial-witnessed", policy_serial=500)
    assert record["SEKISHO_PATH"] == world.policy_directory
    assert "is lower than 500" in world.journal.wait("policy-refused")["SEKISHO_ERROR"]
    assert serial_in_force(world) == 0  # the built-in default
    write(world, 501)
    world.agent.reload()
    assert serial_in_force(world) == 501


def test_a_floor_that_makes_no_sense_is_made_anew(world):
    write(world, 500)
    world.start_agent()
    world.journal.wait("policy-loaded", policy_serial=500)
    lose_the_state(world)
    with open(os.path.join(world.state, "floor"), "w", encoding="utf-8") as file:
        file.write("nonsense\n")
    write(world, 499)
    world.start_agent()
    world.journal.wait("serial-witnessed", policy_serial=500)


def test_what_another_program_wrote_is_not_believed(world):
    send(MESSAGE="Policy in force", SEKISHO_EVENT="policy-loaded", SEKISHO_POLICY_SERIAL="9000",
         SEKISHO_PATH=world.policy_directory)
    world.journal.barrier()
    write(world, 500)
    world.start_agent()
    world.journal.wait("policy-loaded", policy_serial=500)
    assert world.journal.select("serial-witnessed") == []
    assert serial_in_force(world) == 500


def test_where_the_floor_is_the_journal_is_not_asked(world):
    write(world, 500)
    world.start_agent()
    world.journal.wait("policy-loaded", policy_serial=500)
    world.agent.stop()
    world.start_agent()
    world.journal.barrier()
    assert world.journal.select("serial-witnessed") == []

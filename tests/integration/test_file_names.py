# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files in records: left out, or in place of each a token by which it is found all the same."""

import json
import os
import stat

import pytest
from sekisho_world import rule_for
from test_approved_stick import GROUP, WRITTEN, open_in

NAME = "山田太郎 健康保険.xlsx"


def refused(world, how):
    stick = world.stick(attach=False, content={NAME: "was there before"})
    world.start_agent(removable={"default": "read-only", "devices": [rule_for(stick, groups=[GROUP])]},
                      records={"file-names": how})
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    for _ in range(3):
        assert open_in(world, world.machine.stranger, "append", f"{point}/{NAME}", WRITTEN) != "opened"
    return world.journal.wait("write-denied", uid=world.machine.stranger.uid), point


def tell(record):
    return json.dumps(record, ensure_ascii=False, default=str)


def test_masked_names_are_in_no_field(world):
    record, point = refused(world, "masked")
    assert record["SEKISHO_PATH"] == f"{point}/*.xlsx"
    assert "山田" not in tell(record) and "OBJECT_CMDLINE" not in record
    assert not os.path.exists(os.path.join(world.state, "names.key"))


def test_keyed_names_are_found_by_their_name(world):
    record, point = refused(world, "keyed")
    assert record["SEKISHO_PATH"].startswith(f"{point}/~") and record["SEKISHO_PATH"].endswith(".xlsx")
    assert "山田" not in tell(record) and "OBJECT_CMDLINE" not in record
    assert stat.S_IMODE(os.stat(os.path.join(world.state, "names.key")).st_mode) == 0o600
    world.agent.stop()  # what was counted is written
    world.journal.barrier()

    def found(name):
        answer = world.ctl("events", "--json", "--since", "-1h", "--state-dir", world.state, "--untrusted", "--name", name)
        return [one for one in json.loads(answer.stdout) if one["path"] == record["SEKISHO_PATH"]]

    assert sum(one.get("count", 1) for one in found(NAME)) == 3
    assert found("other.xlsx") == []


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_name_with_a_directory_is_refused_in_one_line(world, name):
    answer = world.ctl("events", "--name", name, check=False)
    assert answer.returncode == 2 and len(answer.stderr.splitlines()) == 1

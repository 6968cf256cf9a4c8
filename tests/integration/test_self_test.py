# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard tries itself: what nobody may write to is refused, and is loudly told of where it is not. Threat: a guard
that runs clean and protects nothing."""

import glob
import json
import os

from sekisho_wait import run, wait_until

SLOW = 90  # a minute is the shortest interval there is
OF_ITSELF = "/memfd:sekisho-self-test"


def status(world):
    with open(os.path.join(world.runtime, "status.json")) as file:
        return json.load(file)


def probes(world):
    test = status(world)["self_test"]
    return test["state"], {probe["name"]: probe for probe in test["probes"]}


def own_loops():
    found = []
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        with open(path) as file:
            if file.read().startswith(OF_ITSELF):
                found.append(path)
    return found


def links():
    return glob.glob("/sys/fs/bpf/sekisho/*/link_device_*")


def test_it_passes_at_start_and_says_by_what(world):
    stick = world.stick()
    world.start_agent(removable={"default": "read-only"})
    record = world.journal.wait("self-test-passed", cause="start")
    assert record["PRIORITY"] == "5" and "SEKISHO_ERROR" not in record
    state, found = probes(world)
    assert state == "passed"
    assert found["raw-write"]["state"] == found["file-system"]["state"] == "passed", found
    assert found["held-disks"]["state"] == "passed", found
    assert found["guarded-mounts"]["state"] == "not-probed", found
    assert found["connection"]["state"] == "not-probed", found
    assert stick.held


def test_its_own_disk_is_in_no_list_and_no_record_and_goes_again(world):
    others = {path.split("/")[3] for path in glob.glob("/sys/block/loop*/loop/backing_file")}
    world.start_agent(removable={"default": "read-only", "also-external": ["loop"]})
    world.journal.wait("self-test-passed", cause="start")
    assert not [device for device in status(world)["devices"] if OF_ITSELF in (device["serial"] or "")]
    wait_until(lambda: not own_loops(), "the loop device is given back")
    world.reload_policy(removable={"default": "read-only", "also-external": ["loop"]})
    world.journal.wait("self-test-passed", cause="policy")
    wait_until(lambda: not own_loops(), "the loop device is given back")
    world.agent.stop()
    world.journal.barrier()
    for event in ("device-attached", "device-verdict", "device-detached", "raw-write-denied", "write-denied", "superblock-guarded"):
        assert not world.journal.select(event, device=lambda name: name not in others), event


def test_the_number_it_had_is_writable_for_whoever_comes_next(world):
    world.start_agent(removable={"default": "read-only"})
    world.journal.wait("self-test-passed", cause="start")
    wait_until(lambda: not own_loops(), "the loop device is given back")
    number = run(["losetup", "--find"]).stdout.strip()
    assert run(["blockdev", "--getro", number], check=False).stdout.strip() in ("0", "")


def test_a_policy_that_lets_every_stick_be_written_to_is_tried_as_well(world):
    world.start_agent(removable={"default": "write"})
    world.journal.wait("self-test-passed", cause="start")


def test_who_only_watches_has_proved_nothing(world):
    world.start_agent(mode="monitor")
    wait_until(lambda: status(world)["self_test"], "the status has it")
    state, found = probes(world)
    assert state == "not-probed"
    assert {probe["state"] for probe in found.values()} == {"not-probed"}
    world.journal.barrier()
    assert not world.journal.select("self-test-passed")


def test_programs_that_somebody_took_away_are_found(world):
    world.start_agent(removable={"default": "read-only"})
    world.journal.wait("self-test-passed", cause="start")
    taken = links()
    assert taken, "the programs of the control group are not in force on this machine"
    for link in taken:
        os.unlink(link)
    world.write_policy(removable={"default": "read-only"})
    world.agent.reload()
    record = world.journal.wait("self-test-failed", cause="policy")
    assert record["PRIORITY"] == "1"
    assert "kernel-programs" in record["SEKISHO_ERROR"] and "raw-write" in record["SEKISHO_ERROR"]
    state, found = probes(world)
    assert state == "failed" and found["raw-write"]["what"] == "the programs in the kernel were not asked"
    shown = world.ctl("status", "--runtime-dir", world.runtime, check=False)
    assert shown.returncode == 1 and "SELF-TEST FAILED: kernel-programs" in shown.stdout
    report = world.ctl("inspect", "--json", "--runtime-dir", world.runtime, "--policy", world.policy_directory, check=False)
    line, = (line for line in json.loads(report.stdout)["lines"] if line["check"] == "self-test")
    assert line["result"] == "finding" and "kernel-programs" in line["evidence"]


def test_a_stick_that_somebody_let_go_is_found_at_the_next_interval(world):
    stick = world.stick()
    with stick.early_reader() as let_go:
        world.start_agent(**{"removable": {"default": "read-only"}, "self-test": {"every": 1}})
        world.journal.wait("self-test-passed", cause="start")
        assert stick.held
        let_go()
    record = world.journal.wait("self-test-failed", cause="interval", deadline=SLOW)
    assert "held-disks" in record["SEKISHO_ERROR"] and "not read-only" in record["SEKISHO_ERROR"]
    assert probes(world)[0] == "failed"


def test_a_guarded_mount_has_its_mark(world):
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=["nogroup"]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    world.reload_policy(**world.approving(stick, groups=["nogroup"]))
    world.journal.wait("self-test-passed", cause="policy")
    assert probes(world)[1]["guarded-mounts"]["state"] == "passed"

# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed policies that are put into the directory for them: taken if they count, put aside with a record if not."""

import json
import os
import shutil

import pytest
from sekisho_office import open_office
from sekisho_wait import wait_until


@pytest.fixture
def office(world, monkeypatch):
    return open_office(world, monkeypatch)


def incoming(world):
    return os.path.join(world.state, "incoming")


def put(world, path, name, mode=0o600):
    """Moves a copy in, as one does who wants nobody to see half of it. Where it lies then."""
    beside = world.new_path("copy")
    shutil.copy(path, beside)
    os.chmod(beside, mode)
    to = os.path.join(incoming(world), name)
    os.rename(beside, to)
    return to


def wait_gone(path):
    wait_until(lambda: not os.path.exists(path), f"{path} is taken away")


def refused(world, path):
    """The record about what was put there as PATH, which is put aside."""
    wait_until(lambda: os.path.exists(path + ".refused"), f"{path} is put aside")
    assert not os.path.exists(path)
    return world.journal.wait("policy-refused", path=path)


def test_a_signed_policy_that_is_moved_in_is_in_force_and_goes(world, office):
    serial = office.status()["serial"] + 10
    put_at = put(world, office.seal(office.bundle(serial, removable={"default": "deny"})), "next.bundle")
    world.journal.wait("policy-loaded", policy_serial=serial)
    wait_gone(put_at)
    assert os.listdir(incoming(world)) == []
    assert office.status()["serial"] == serial
    assert os.path.exists(os.path.join(world.policy_directory, "policy.bundle"))


def test_a_copy_that_is_closed_counts_as_well(world, office):
    serial = office.status()["serial"] + 10
    shutil.copy(office.seal(office.bundle(serial)), os.path.join(incoming(world), "next.bundle"))
    world.journal.wait("policy-loaded", policy_serial=serial)
    wait_gone(os.path.join(incoming(world), "next.bundle"))


def test_what_nobody_signed_whose_signature_counts_is_put_aside(world, office):
    before = office.status()["serial"]
    office.make_key("other")
    unsigned = put(world, office.bundle(before + 1), "unsigned.bundle")
    assert refused(world, unsigned)["SEKISHO_ERROR"]
    yaml = put(world, os.path.join(world.policy_directory, "10-test.yaml"), "yaml.bundle")
    refused(world, yaml)
    foreign = put(world, office.seal(office.bundle(before + 2, key="other")), "foreign.bundle")
    assert "not known here" in refused(world, foreign)["SEKISHO_ERROR"]
    assert office.status()["serial"] == before
    assert not os.path.exists(os.path.join(world.policy_directory, "policy.bundle"))


def test_an_older_one_is_put_aside(world, office):
    serial = office.status()["serial"] + 10
    office.install(office.bundle(serial))
    older = put(world, office.seal(office.bundle(serial - 1)), "older.bundle")
    assert "is lower than" in refused(world, older)["SEKISHO_ERROR"]
    assert office.status()["serial"] == serial


def test_what_others_can_write_is_not_read(world, office):
    serial = office.status()["serial"]
    sealed = office.seal(office.bundle(serial + 1))
    assert "owned by root" in refused(world, put(world, sealed, "open.bundle", mode=0o666))["SEKISHO_ERROR"]
    fifo = os.path.join(incoming(world), "fifo.bundle")
    os.mkfifo(world.new_path("fifo"), 0o600)
    os.rename(os.path.join(world.directory, [n for n in os.listdir(world.directory) if n.endswith("-fifo")][0]), fifo)
    assert "regular file" in refused(world, fifo)["SEKISHO_ERROR"]
    link = os.path.join(incoming(world), "link.bundle")
    os.symlink(sealed, world.new_path("link"))
    os.rename(os.path.join(world.directory, [n for n in os.listdir(world.directory) if n.endswith("-link")][0]), link)
    refused(world, link)
    assert os.path.exists(sealed)
    assert office.status()["serial"] == serial


def test_other_names_are_left_alone(world, office):
    serial = office.status()["serial"]
    sealed = office.seal(office.bundle(serial + 1))
    hidden, other = put(world, sealed, ".next.bundle"), put(world, sealed, "next.tmp")
    last = put(world, sealed, "next.bundle")  # events come in order
    wait_gone(last)
    assert os.path.exists(hidden) and os.path.exists(other)


def test_what_came_while_nobody_watched_is_taken_at_the_start(world, office):
    serial = office.status()["serial"]
    bundles = [office.seal(office.bundle(serial + i)) for i in (2, 1)]
    world.agent.stop()
    put(world, bundles[1], "1.bundle")
    put(world, bundles[0], "2.bundle")
    world.start_agent()
    for i in (1, 2):
        world.journal.wait("policy-loaded", policy_serial=serial + i)
    wait_until(lambda: os.listdir(incoming(world)) == [], "both are taken")
    assert json.loads(world.ctl("status", "--json", check=False).stdout)["policy"]["serial"] == serial + 2


def test_a_directory_that_others_write_to_is_not_watched(world, office):
    world.agent.stop()
    shared = world.new_path("shared")
    os.mkdir(shared)
    os.chmod(shared, 0o777)
    world.start_agent("--incoming", shared)
    world.journal.wait("enforcement-failed", mount=shared)
    assert world.agent.process.poll() is None


def test_it_can_be_switched_off(world, office):
    world.agent.stop()
    shutil.rmtree(incoming(world))
    world.start_agent("--incoming", "")
    assert not os.path.exists(incoming(world))

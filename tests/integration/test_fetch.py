# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed policies from a real HTTPS server: what is taken, what is not asked for twice, and what is refused."""

import json
import os

import pytest
from sekisho_office import open_office
from sekisho_server import Server


class Fetching:
    def __init__(self, world, office):
        self.world, self.office = world, office
        self.cache = world.new_path("cache")
        self.server = Server(office.directory)
        world.undo(self.server.close)

    def offer(self, serial, key="office", path="/policy", **sections):
        with open(self.office.seal(self.office.bundle(serial, key=key, **sections)), "rb") as file:
            self.server.files[path] = file.read()
        return serial

    def fetch(self, *options, url=None, ca=True):
        return self.world.ctl("policy", "fetch", url or self.server.url("/policy"), "--cache-dir", self.cache, "--policy",
                              self.world.policy_directory, *(["--ca", self.server.authority] if ca else []), *options,
                              check=False)

    def fails(self, because, **how):
        before = self.office.status()["serial"]
        result = self.fetch(**how)
        assert result.returncode == 2 and because in result.stderr, (result.returncode, result.stdout, result.stderr)
        assert result.stderr.count("\n") == 1
        assert self.office.status()["serial"] == before


@pytest.fixture
def fetching(world, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Fetching(world, open_office(world, monkeypatch))


def test_what_the_server_offers_is_put_in_force(world, fetching):
    serial = fetching.offer(fetching.office.status()["serial"] + 10, removable={"default": "deny"})
    result = fetching.fetch("--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["fetched"] and answer["installed"] and answer["serial"] == serial
    assert fetching.office.status()["serial"] == serial
    world.journal.wait("policy-loaded", policy_serial=serial)


def test_the_same_is_not_sent_twice(fetching):
    serial = fetching.offer(fetching.office.status()["serial"] + 10)
    assert fetching.fetch().returncode == 0
    again = fetching.fetch("--json")
    assert again.returncode == 0 and json.loads(again.stdout) == {"fetched": False, "installed": False}
    assert "If-None-Match" not in fetching.server.asked[0] and "If-None-Match" in fetching.server.asked[1]
    fetching.offer(serial + 1)
    assert fetching.fetch().returncode == 0
    assert fetching.office.status()["serial"] == serial + 1


def test_what_is_refused_is_refused_again(fetching):
    before = fetching.office.status()["serial"]
    fetching.office.make_key("other")
    fetching.offer(before + 1, key="other")
    for _ in range(2):
        result = fetching.fetch("--json")
        assert result.returncode == 1, result.stderr
        assert "not known here" in json.loads(result.stdout)["faults"][0]
    assert fetching.office.status()["serial"] == before
    assert not os.path.exists(fetching.cache)


def test_unsigned_policies_are_not_taken(fetching):
    with open(fetching.office.bundle(fetching.office.status()["serial"] + 1), "rb") as file:
        fetching.server.files["/policy"] = file.read()
    fetching.fails("is no signed bundle")


def test_a_server_that_nobody_vouches_for_is_not_asked(fetching):
    fetching.offer(fetching.office.status()["serial"] + 1)
    fetching.fails("certificate", ca=False)
    fetching.fails("certificate", url=fetching.server.url("/policy", host="127.0.0.1"))
    assert fetching.server.asked == []


def test_nothing_goes_without_tls(world, fetching):
    plain = Server(fetching.office.directory, tls=False)
    world.undo(plain.close)
    fetching.offer(fetching.office.status()["serial"] + 1)
    plain.files = fetching.server.files
    fetching.fails("has to begin with https://", url=plain.url("/policy"))
    fetching.server.moved["/moved"] = plain.url("/policy")
    fetching.fails("cannot be fetched", url=fetching.server.url("/moved"))
    assert plain.asked == []


def test_what_has_moved_is_followed(fetching):
    serial = fetching.offer(fetching.office.status()["serial"] + 1)
    fetching.server.moved["/moved"] = fetching.server.url("/policy")
    assert fetching.fetch(url=fetching.server.url("/moved")).returncode == 0
    assert fetching.office.status()["serial"] == serial
    fetching.server.moved["/round"] = fetching.server.url("/round")
    fetching.fails("cannot be fetched", url=fetching.server.url("/round"))


def test_more_than_a_policy_can_be_is_not_read(fetching):
    fetching.server.files["/policy"] = b"x" * (4 * 1024 * 1024 + 1)
    fetching.fails("larger than a policy can be")


def test_what_is_not_there_is_said(fetching):
    fetching.fails("status 404")
    fetching.server.close()
    fetching.fails("connect")

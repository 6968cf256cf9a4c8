# SPDX-License-Identifier: GPL-2.0-or-later
"""Where policies are made and signed, as the office does it: with keys of minisign's, for terminals of the tests."""

import json
import os
import subprocess

import yaml
from sekisho_bus import Bus


class Office:
    """Where policies are made and signed."""

    def __init__(self, world):
        self.world = world
        self.directory = world.new_path("office")
        os.makedirs(self.directory)
        self.keys = os.path.join(os.path.dirname(world.policy_directory), "keys.d")
        os.makedirs(self.keys, mode=0o700, exist_ok=True)
        self.make_key("office")
        self.trust("office")

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_key(self, name):
        subprocess.run(["minisign", "-G", "-W", "-p", self.path(f"{name}.pub"), "-s", self.path(f"{name}.key")],
                       check=True, stdout=subprocess.DEVNULL)

    def trust(self, name):
        with open(self.path(f"{name}.pub"), encoding="utf-8") as key:
            text = key.read()
        with open(os.path.join(self.keys, f"{name}.pub"), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(os.path.join(self.keys, f"{name}.pub"), 0o600)

    def bundle(self, serial, key="office", **sections):
        """A signed bundle with one file."""
        source = self.path(f"source-{serial}")
        os.makedirs(source, mode=0o700)
        with open(os.path.join(source, "10-office.yaml"), "w", encoding="utf-8") as file:
            yaml.safe_dump({"version": 1, "serial": serial, **sections}, file, allow_unicode=True)
        os.chmod(os.path.join(source, "10-office.yaml"), 0o600)
        bundle = self.path(f"{serial}.bundle")
        self.world.ctl("policy", "bundle", source, "--output", bundle)
        subprocess.run(["minisign", "-S", "-s", self.path(f"{key}.key"), "-m", bundle], check=True,
                       stdout=subprocess.DEVNULL)
        return bundle

    def seal(self, bundle):
        """The bundle and its signature as one file, beside it."""
        sealed = bundle.removesuffix(".bundle") + ".sealed"
        with open(sealed, "wb") as to:
            for part in (bundle + ".minisig", bundle):
                with open(part, "rb") as file:
                    to.write(file.read())
        os.chmod(sealed, 0o600)
        return sealed

    def install(self, bundle, check=True):
        result = self.world.ctl("policy", "install", bundle, "--policy", self.world.policy_directory, "--json",
                                check=check)
        assert result.returncode in (0, 1), result.stderr
        return json.loads(result.stdout)

    def status(self):
        return json.loads(self.world.ctl("status", "--json", check=False).stdout)["policy"]

    def refuse(self, bundle, because):
        before = self.status()["serial"]
        answer = self.install(bundle, check=False)
        assert not answer["installed"]
        assert because in answer["faults"][0], answer
        assert self.status()["serial"] == before


def open_office(world, monkeypatch, *arguments):
    """An agent on a bus of its own, which trusts the office's key."""
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    world.start_agent(*arguments, removable={"default": "read-only"})
    bus.wait_for_guard()
    office = Office(world)
    office.bus = bus
    return office

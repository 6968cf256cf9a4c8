# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd unit: how exposed it is, and what may never be in it."""

import re

import pytest

from sekisho_package import run, source

UNIT = source("packaging", "systemd", "sekishod.service")
# In tenths, as systemd 252 counts. What keeps it from less is in docs/hardening.md.
EXPOSURE = 36
# What the agent needs of all that the settings above it take away.
WRITABLE = {"/etc/sekisho", "/sys/devices", "/sys/bus", "-/sys/fs/fuse/connections", "-/sys/fs/bpf/sekisho",
            "-/sys/fs/bpf/sekisho-network"}


def settings():
    with open(UNIT, encoding="utf-8") as file:
        return re.findall(r"^([A-Za-z]+)=(.*)$", file.read(), re.MULTILINE)


def test_the_exposure_stays_low():
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", UNIT)


def test_nothing_is_writable_but_what_the_agent_writes():
    values = dict(settings())
    assert (values["ProtectSystem"], values["ProtectHome"], values["ProtectKernelTunables"]) == ("strict", "yes", "yes")
    assert {path for key, value in settings() if key == "ReadWritePaths" for path in value.split()} == WRITABLE


@pytest.mark.parametrize("name", ["PrivateDevices", "PrivateNetwork", "PrivateUsers", "ProtectProc", "ProcSubset"])
def test_what_would_take_the_devices_or_the_processes_out_of_its_sight_is_not_set(name):
    assert name not in dict(settings())


@pytest.mark.parametrize(("name", "value"), [
    ("KillMode", "process"),  # the keeper outlives the agent
    ("OOMPolicy", "continue"),
    ("RuntimeDirectoryPreserve", "yes"),  # notes of released disks, the keeper's socket
    ("Restart", "always"),
    ("StartLimitIntervalSec", "0"),
])
def test_what_holds_when_the_agent_dies_is_set(name, value):
    assert [found for key, found in settings() if key == name] == [value]


def test_every_setting_is_known_to_systemd(tmp_path):
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    # the programs and the manual are not installed here
    unit = tmp_path / "sekishod.service"
    unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text).replace("/usr/sbin/sekishod", "/bin/true"))
    checked = run("systemd-analyze", "verify", unit, check=False)
    assert [line for line in checked.stderr.splitlines() if "sekishod.service" in line] == []


FETCH = source("packaging", "systemd", "sekisho-fetch.service")
FETCH_EXPOSURE = 24


def test_what_fetches_is_exposed_less():
    run("systemd-analyze", "security", "--offline=true", f"--threshold={FETCH_EXPOSURE}", "--no-pager", FETCH)


def test_every_setting_of_what_fetches_is_known_to_systemd(tmp_path):
    for kind in ("service", "timer"):
        with open(source("packaging", "systemd", f"sekisho-fetch.{kind}"), encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"(?m)^Documentation=.*\n", "", text).replace("/usr/bin/sekishoctl", "/bin/true")
        (tmp_path / f"sekisho-fetch.{kind}").write_text(text)
    checked = run("systemd-analyze", "verify", tmp_path / "sekisho-fetch.timer", tmp_path / "sekisho-fetch.service",
                  check=False)
    assert [line for line in checked.stderr.splitlines() if "sekisho-fetch" in line] == []


EARLY = source("packaging", "systemd", "sekisho-network.service")
EARLY_EXPOSURE = 16


def test_what_closes_the_network_before_there_is_one_is_exposed_less():
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EARLY_EXPOSURE}", "--no-pager", EARLY)


def test_it_stands_before_the_network_and_after_whoever_flushes_every_table(tmp_path):
    with open(EARLY, encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"^([A-Za-z]+)=(.*)$", text, re.MULTILINE)
    assert ("Wants", "network-pre.target") in found
    assert any(key == "Before" and "network-pre.target" in value.split() for key, value in found)
    assert any(key == "After" and "nftables.service" in value.split() for key, value in found)
    assert any(key == "After" and "sekisho-network.service" in value.split() for key, value in settings())
    unit = tmp_path / "sekisho-network.service"
    unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text).replace("/usr/libexec/sekisho-network", "/bin/true"))
    checked = run("systemd-analyze", "verify", unit, check=False)
    assert [line for line in checked.stderr.splitlines() if "sekisho-network.service" in line] == []

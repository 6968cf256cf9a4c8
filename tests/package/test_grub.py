# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot snippet adds `bpf` to the kernel's security modules only where it is left out."""

import pytest

from sekisho_package import run, source

LEFT_OUT = 'CONFIG_BPF_LSM=y\nCONFIG_LSM="landlock,yama,apparmor"\n'
INCLUDED = 'CONFIG_BPF_LSM=y\nCONFIG_LSM="landlock,yama,apparmor,bpf"\n'
WITHOUT = '# CONFIG_BPF_LSM is not set\nCONFIG_LSM="landlock,yama,apparmor"\n'

CASES = {
    # name: (kernel, GRUB_CMDLINE_LINUX, ..._DEFAULT, what comes out of both)
    "the kernel's own list leaves it out": (LEFT_OUT, "", "quiet", " lsm=landlock,yama,apparmor,bpf|quiet"),
    "the kernel's own list has it": (INCLUDED, "", "quiet", "|quiet"),
    "the kernel has no such module": (WITHOUT, "", "quiet", "|quiet"),
    "no kernel is there": (None, "", "quiet", "|quiet"),
    "the command line leaves it out": (INCLUDED, "lsm=yama,apparmor", "quiet",
                                       "lsm=yama,apparmor lsm=yama,apparmor,bpf|quiet"),
    "the command line has it": (LEFT_OUT, "lsm=bpf,yama", "quiet", "lsm=bpf,yama|quiet"),
    "the default part leaves it out": (INCLUDED, "", "lsm=yama quiet", "|lsm=yama quiet lsm=yama,bpf"),
    "the default part has the last word": (INCLUDED, "lsm=bpf", "lsm=yama", "lsm=bpf|lsm=yama lsm=yama,bpf"),
    "a name that contains it is another": (INCLUDED, "lsm=bpfilter", "", "lsm=bpfilter lsm=bpfilter,bpf|"),
    "an empty list": (INCLUDED, "lsm=", "", "lsm= lsm=bpf|"),
    "security= chooses": (LEFT_OUT, "security=apparmor", "", "security=apparmor|"),
}


def evaluate(tmp_path, kernel, linux, default, agent="/bin/sh"):
    if kernel is not None:
        (tmp_path / "config-6.1.0-9-amd64").write_text(INCLUDED if kernel == LEFT_OUT else LEFT_OUT)
        (tmp_path / "config-6.1.0-10-amd64").write_text(kernel)  # the newest, though not in the alphabet
    script = f'set -eu; . {source("packaging/grub/sekisho.cfg")}; echo "$GRUB_CMDLINE_LINUX|$GRUB_CMDLINE_LINUX_DEFAULT"'
    return run("sh", "-c", script, environment={"SEKISHO_BOOT": str(tmp_path), "SEKISHO_AGENT": agent,
                                                "GRUB_CMDLINE_LINUX": linux,
                                                "GRUB_CMDLINE_LINUX_DEFAULT": default}).stdout.rstrip("\n")


@pytest.mark.parametrize("case", CASES)
def test_the_command_line(tmp_path, case):
    kernel, linux, default, expected = CASES[case]
    assert evaluate(tmp_path, kernel, linux, default) == expected


def test_nothing_is_added_once_the_agent_is_removed(tmp_path):
    assert evaluate(tmp_path, LEFT_OUT, "", "quiet", agent=str(tmp_path / "gone")) == "|quiet"

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said at a login while something of the policy is only recorded: to those whose login the policy guards."""

import pytest

STACK = "auth requisite pam_unix.so\nauth required {module}\naccount required {module}\nsession required {module}\n"
MFA = "{services: {login: required}, factors: [password, totp]}"
CALLS = ("auth", "acct", "cred", "open")
NOTICE = "Sekisho: "


def notices(world, code, more):
    world.stack("login", STACK)
    world.write_policy(MFA + "\n" + more)
    return [line for line in world.log_in(code=code, calls=CALLS).told if line.startswith(NOTICE)]


@pytest.mark.parametrize("more, told", [
    ("mode: monitor", "MONITORING ONLY on this terminal. What"),
    ("mode: monitor\nmonitor-until: 2099-12-31", "MONITORING ONLY on this terminal until 2099-12-31 23:59. What"),
    ("removable: {monitor: true, monitor-until: 2099-12-31, devices: [{name: r, match: {bus: usb}, access: deny, mode: monitor, "
     "monitor-until: 2098-12-31}]}", "monitoring only for 2 rules until 2099-12-31 23:59. What"),
    ("removable: {monitor: true}", "monitoring only for 1 rules. What")])
def test_it_is_said_with_its_end(world, more, told):
    told_lines = notices(world, world.enrol().code(), more)
    assert len(told_lines) == 1 and told_lines[0].startswith(NOTICE + told), told_lines


@pytest.mark.parametrize("more", ["mode: enforce", "mode: monitor\nmonitor-until: 2020-12-31"])
def test_it_is_not_said_when_it_is_over_or_never_was(world, more):
    assert notices(world, world.enrol().code(), more) == []

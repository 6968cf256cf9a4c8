# SPDX-License-Identifier: GPL-2.0-or-later
"""What the second factor adds to a login, apart from the person who types it."""

import os
import statistics

from sekisho_bus import Bus
from sekisho_login import STACK, SUCCESS, People
from tools import world_of

ROUNDS, LOGINS, DRIFT = 9, 9, 5
CALLS = ("auth", "acct")
UNIX = "".join(line for line in STACK.splitlines(keepends=True) if "pam_unix" in line)


def timed(people, service, *answers):
    login = people.log_in("sato", *answers, calls=CALLS, before=("timed",), service=service)
    assert login.codes == {"auth": SUCCESS, "acct": SUCCESS}, login.codes
    return login.took_ms


def one_round(people):
    """By turns: the medians of a login without and with the second factor."""
    people.issue("unenrol", "sato")
    totp = people.enrol("sato", drift=DRIFT)
    totp.code()  # the oldest: the half minute may end meanwhile
    pairs = [(timed(people, "unix"), timed(people, "login", totp.code())) for _ in range(LOGINS)]
    return [statistics.median(column) for column in zip(*pairs, strict=True)]


def totp(machine, figures):
    with world_of(machine) as world:
        bus = Bus(world).start()
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        try:
            world.start_agent(mfa={"factors": ["password", "totp"], "totp": {"drift": DRIFT}, "require-guard": True})
            bus.wait_for_guard()
            people = People(world, bus, sato=20102)
            people.stack("unix", UNIX)
            people.enrol("sato")
            rounds = [one_round(people) for _ in range(ROUNDS)]
        finally:
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
    figures.put_rounds("pam_unix_ms", [unix for unix, _ in rounds])
    figures.put_rounds("pam_totp_added_ms", [both - unix for unix, both in rounds])

# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody but emergencies gets in while no guard is in force: asked on a bus of the test's own, where a stand-in answers for
the guard, or by the lock where there is no bus."""

import contextlib
import fcntl
import os
import pathlib
import sys

import pytest
from conftest import PERM_DENIED, SUCCESS

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from sekisho_bus import Bus, FakeService  # noqa: E402

GUARD = "org.sekisho.Guard1"


class FakeGuard(FakeService):
    """Says WORD of itself, or nothing at all."""

    def __init__(self, around, bus, word, uid=0):
        self.word = word
        super().__init__(around, bus, GUARD, uid)

    def answer(self, member, body):
        return "silence" if self.word is None else ("s", (self.word,)) if member == "Presence" else None


class Around:
    """What a bus asks of the world it is in."""

    def __init__(self, directory):
        self._directory, self._stack, self._n = directory, contextlib.ExitStack(), 0
        self.undo, self.close = self._stack.callback, self._stack.close

    def new_path(self, what):
        self._n += 1
        return str(self._directory / f"{self._n}-{what}")


@pytest.fixture
def around(tmp_path):
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(0o755)
    around = Around(tmp_path)
    yield around
    around.close()


@pytest.fixture
def bus(world, around):
    bus = Bus(around).start()
    world.bus = bus.address
    world.let_go_of_lock()
    return bus


def expect_refused(world, login, reason):
    assert login.codes["auth"] == SUCCESS and login.codes["acct"] == PERM_DENIED, login.output
    record = [record for record in world.journal.records() if record["SEKISHO_EVENT"] == "login-denied"][0]
    assert record["SEKISHO_REASON"] == reason and record["SEKISHO_USER"] == "sato"


def test_a_guard_that_is_in_force_lets_people_in(world, around, bus):
    guard = FakeGuard(around, bus, "in-force")
    assert world.log_in(code=world.enrol().code()).allowed
    assert guard.all_calls == [("Presence", ())]


@pytest.mark.parametrize("word, reason", [("not-in-force", "no-guard"), ("none", "no-guard"), ("yes", "no-guard"),
                                          (None, "no-guard"), ("lockdown", "lockdown")])
def test_any_other_answer_lets_nobody_in(world, around, bus, word, reason):
    FakeGuard(around, bus, word)
    expect_refused(world, world.log_in(code=world.enrol().code()), reason)


def test_nobody_on_the_bus_lets_nobody_in_although_the_lock_is_held(world, bus):
    world.lock = world.hold_lock()
    expect_refused(world, world.log_in(code=world.enrol().code()), "no-guard")


def test_a_bus_that_hangs_lets_nobody_in(world, around, bus):
    FakeGuard(around, bus, "in-force")
    totp = world.enrol()
    bus.freeze()
    expect_refused(world, world.log_in(code=totp.code()), "no-guard")
    bus.thaw()


def test_a_name_that_is_not_roots_is_nobody(world, around, tmp_path):
    """On a bus whose configuration lets anybody have it."""
    open_bus = Bus(around, configuration=OPEN_BUS).start()
    world.bus = open_bus.address
    guard = FakeGuard(around, open_bus, "in-force", uid=20002)
    expect_refused(world, world.log_in(code=world.enrol().code()), "no-guard")
    assert guard.all_calls == []


OPEN_BUS = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
<!-- {polkit} {guard} --></busconfig>
"""


# -- where there is no bus


def test_the_agents_lock_counts_where_there_is_no_bus(world):
    assert world.log_in(code=world.enrol().code()).allowed


def release(world):
    world.let_go_of_lock()


def share(world):
    world.let_go_of_lock()
    world.lock = os.open(world.runtime / "lock", os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(world.lock, fcntl.LOCK_SH)


def replace(world):
    (world.runtime / "lock").unlink()
    (world.runtime / "lock").touch(mode=0o600)


def open_to_others(world):
    world.runtime.chmod(0o777)


def give_away(world):
    os.chown(world.runtime / "lock", 20002, 20002)


@pytest.mark.parametrize("spoil", [release, share, replace, open_to_others, give_away])
def test_a_lock_that_is_not_the_agents_counts_for_nothing(world, spoil):
    totp = world.enrol()
    spoil(world)
    expect_refused(world, world.log_in(code=totp.code()), "no-guard")


def test_the_look_at_the_lock_does_not_take_it(world):
    """An agent that starts while people log in finds it free."""
    totp = world.enrol()
    world.let_go_of_lock()
    assert not world.log_in(code=totp.code()).allowed
    world.lock = world.hold_lock()
    assert world.log_in(code=totp.code(step=1)).allowed


# -- what does not hang on it


def test_accounts_for_emergencies_get_in_with_a_record_of_their_own(world):
    world.write_policy("{factors: [password, totp], break-glass: [{user: kinkyu, factors: [password, recovery]}]}")
    code, *_ = world.issue("recovery-codes", "kinkyu")
    world.let_go_of_lock()
    assert world.log_in(user="kinkyu", code=code).allowed
    records = world.journal.records()
    assert [record["SEKISHO_EVENT"] for record in records] == ["login-allowed", "break-glass-used"]
    assert records[1]["SEKISHO_USER"] == "kinkyu" and records[1]["PRIORITY"] == "2"


def test_services_that_are_off_and_policies_that_do_not_require_it_do_without(world):
    totp = world.enrol()
    world.let_go_of_lock()
    world.write_policy("{factors: [password, totp], services: {account-only: off}}")
    assert world.log_in("account-only", calls=("acct",), answers=[]).codes == {"acct": SUCCESS}
    world.write_policy("{factors: [password, totp], require-guard: false}")
    assert world.log_in(code=totp.code()).allowed

# SPDX-License-Identifier: GPL-2.0-or-later
"""An emergency: everything external is denied at once, whatever was approved; people are kept out, but break-glass
accounts; it outlives the agent, and is on record with who and why."""

import json
import os

import pytest
from sekisho_bus import Bus, FakePolkit, FakeService, Refused
from sekisho_login import PERM_DENIED, SUCCESS, People
from sekisho_wait import wait_until
from sekisho_world import OPENERS

REASON = "情報持ち出しの疑い (incident 3)"
LIFTED = "調査終了"
SATO, KINKYU = 20102, 20108
MFA = {"factors": ["password", "totp"], "break-glass": [{"user": "kinkyu", "factors": ["password", "totp"]}]}


@pytest.fixture
def bus(world, monkeypatch):
    bus = Bus(world)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus.start()


@pytest.fixture
def stick(world, bus):
    """Approved for everybody, mounted, and written to."""
    stick = world.stick(attach=False)
    world.approval = world.approving(stick)
    world.start_agent(**world.approval)
    bus.wait_for_guard()
    stick.attach()
    stick.wait_held(False)
    stick.point = stick.mount("rw")
    assert append(world, stick) == "opened"
    return stick


def append(world, stick):
    return world.run_as(world.machine.stranger, [OPENERS, "open", "append", f"{stick.point}/file"]).stdout.strip()


def lockdown(world, *arguments, check=True):
    return world.ctl("lockdown", *arguments, check=check)


def shown(world):
    return json.loads(lockdown(world, "--json", "--runtime-dir", world.runtime, check=False).stdout)


def note(world):
    return os.path.join(world.state, "lockdown")


def is_mounted(stick):
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == stick.point for line in table)


def test_an_approved_stick_is_out_of_reach_at_once_and_lifted_again(world, stick):
    began = lockdown(world, "on", "--reason", REASON)
    assert "EMERGENCY LOCKDOWN" in began.stdout and REASON in began.stdout
    assert not is_mounted(stick), "nothing may be read either"
    stick.wait_held(True)
    assert stick.mount("rw", check=False) is None or append(world, stick) != "opened"
    record = world.journal.wait("lockdown-started")
    assert (record["SEKISHO_PURPOSE"], record["SEKISHO_CAUSE"], record["SEKISHO_UID"]) == (REASON, "command", "0")
    assert record["PRIORITY"] == "2"
    verdict = world.journal.wait("device-verdict", device_serial=stick.serial, verdict="deny")
    assert (verdict["SEKISHO_REASON"], verdict["SEKISHO_RULE"]) == ("lockdown", "lockdown")

    state = shown(world)
    assert (state["cause"], state["reason"], state["uid"], state["enforced"]) == ("command", REASON, 0, True)
    assert lockdown(world, check=False).returncode == 1
    status = world.ctl("status", "--runtime-dir", world.runtime, check=False)
    assert status.returncode == 1 and f"EMERGENCY LOCKDOWN: everything external is denied, and logins: {REASON}" in status.stdout
    assert "lockdown" in world.ctl("devices", "--runtime-dir", world.runtime, check=False).stdout
    explained = world.ctl("policy", "explain", "device", "--policy", world.policy_directory, "--runtime-dir", world.runtime,
                          stick.node, check=False)
    assert explained.returncode == 1 and "emergency lockdown" in explained.stdout

    ended = lockdown(world, "off", "--reason", LIFTED)
    assert "There is no lockdown." in ended.stdout
    assert world.journal.wait("lockdown-ended")["SEKISHO_PURPOSE"] == LIFTED
    assert shown(world) is None and not os.path.exists(note(world))
    stick.wait_held(False)
    stick.point = stick.mount("rw")
    assert append(world, stick) == "opened"


def test_who_writes_is_cut_off(world, stick):
    import subprocess

    writer = subprocess.Popen(["sh", "-c", f"exec >>{stick.point}/file && echo ready >&2 && read line && echo secret-9b2f"],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    world.undo(writer.kill)
    assert writer.stderr.readline() == "ready\n"
    lockdown(world, "on", "--reason", REASON)
    world.journal.wait("late-writer", device_serial=stick.serial)
    _, errors = writer.communicate("go\n")
    assert writer.returncode != 0 and errors
    stick.detach()
    assert not stick.contains("secret-9b2f")


def test_it_outlives_a_guard_that_is_killed(world, bus, stick):
    lockdown(world, "on", "--reason", REASON)
    world.agent.kill()
    assert stick.held
    world.start_agent(**world.approval)
    bus.wait_for_guard()
    again = world.journal.wait("lockdown-started", cause="start")
    assert again["SEKISHO_PURPOSE"] == REASON
    assert stick.held and shown(world)["reason"] == REASON
    assert bus.connect().call("Presence") == ("lockdown",)
    lockdown(world, "off", "--reason", LIFTED)
    stick.wait_held(False)


def test_a_note_that_cannot_be_read_is_a_lockdown(world, bus):
    with open(note(world), "w") as to:
        to.write("garbage")
    os.chmod(note(world), 0o600)
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick))
    bus.wait_for_guard()
    stick.attach()
    world.journal.wait("device-verdict", device_serial=stick.serial, verdict="deny")
    assert shown(world)["cause"] == "unreadable"
    assert world.journal.wait("lockdown-started", cause="unreadable")
    lockdown(world, "off", "--reason", LIFTED)
    stick.wait_held(False)


def test_a_policy_can_ask_for_it_and_no_command_lifts_that(world, bus, stick):
    world.reload_policy(lockdown=True, **world.approval)
    assert not is_mounted(stick)
    assert world.journal.wait("lockdown-started", cause="policy")
    assert shown(world)["cause"] == "policy"
    refused = lockdown(world, "off", "--reason", LIFTED, check=False)
    assert refused.returncode == 1 and "The policy asks for it" in refused.stdout
    lockdown(world, "on", "--reason", REASON)
    assert world.journal.wait("lockdown-started", cause="command")["SEKISHO_PURPOSE"] == REASON
    assert lockdown(world, "off", "--reason", LIFTED, check=False).returncode == 1
    world.reload_policy(**world.approval)
    assert shown(world)["cause"] == "command", "what was begun by command is lifted by command"
    assert stick.held
    assert "There is no lockdown." in lockdown(world, "off", "--reason", LIFTED).stdout
    stick.wait_held(False)
    world.reload_policy(lockdown=True, **world.approval)
    stick.wait_held(True)
    world.reload_policy(**world.approval)
    assert world.journal.wait("lockdown-ended", cause="policy")
    stick.wait_held(False)


def test_what_only_watches_by_policy_enforces_a_lockdown(world, bus, stick):
    world.reload_policy(mode="monitor", **world.approval)
    lockdown(world, "on", "--reason", REASON)
    assert not is_mounted(stick)
    stick.wait_held(True)
    lockdown(world, "off", "--reason", LIFTED)
    stick.wait_held(False)


def test_a_guard_that_was_started_to_watch_says_that_it_cannot(world, bus):
    world.start_agent("--monitor")
    bus.wait_for_guard()
    refused = lockdown(world, "on", "--reason", REASON, check=False)
    assert refused.returncode == 2 and "watch only" in refused.stderr
    assert not os.path.exists(note(world))


# -- people


def test_nobody_but_break_glass_accounts_logs_in(world, bus):
    people = People(world, bus, sato=SATO, kinkyu=KINKYU)
    world.start_agent(mfa=MFA)
    bus.wait_for_guard()
    codes = {account: people.enrol(account) for account in ("sato", "kinkyu")}
    lockdown(world, "on", "--reason", REASON)
    refused = people.log_in("sato", codes["sato"].code(), calls=("auth", "acct"))
    assert refused.codes["acct"] == PERM_DENIED
    assert world.journal.wait("login-denied", user="sato")["SEKISHO_REASON"] == "lockdown"
    assert people.log_in("kinkyu", codes["kinkyu"].code(), calls=("auth", "acct")).codes == {"auth": SUCCESS, "acct": SUCCESS}
    lockdown(world, "off", "--reason", LIFTED)


def test_nobody_logs_in_where_the_policy_asks_for_it(world, bus):
    people = People(world, bus, sato=SATO)
    world.start_agent(mfa=MFA, lockdown=True)
    bus.wait_for_guard()
    totp = people.enrol("sato")
    assert people.log_in("sato", totp.code(), calls=("auth",)).codes == {"auth": PERM_DENIED}
    assert world.journal.wait("login-denied", user="sato")["SEKISHO_REASON"] == "lockdown"


def test_nobody_logs_in_while_there_is_no_bus_to_ask_on(world, bus):
    people = People(world, bus, sato=SATO)
    world.start_agent(mfa=MFA)
    bus.wait_for_guard()
    totp = people.enrol("sato")
    lockdown(world, "on", "--reason", REASON)
    bus.kill()
    os.unlink(bus.socket)
    assert people.log_in("sato", totp.code(), calls=("auth", "acct")).codes["acct"] == PERM_DENIED
    assert world.journal.wait("login-denied", user="sato")["SEKISHO_REASON"] == "lockdown"


class FakeLogind(FakeService):
    def __init__(self, world, bus):
        super().__init__(world, bus, "org.freedesktop.login1")

    def answer(self, member, body):
        return (None, ())


def test_sessions_are_locked(world, monkeypatch):
    from sekisho_bus import CONFIGURATION

    own = '<policy user="root"><allow own="org.freedesktop.login1"/></policy><policy context="default">' \
          '<allow send_destination="org.freedesktop.login1"/></policy></busconfig>'
    bus = Bus(world, CONFIGURATION.replace("</busconfig>", own))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    bus.start()
    logind = FakeLogind(world, bus)
    world.start_agent()
    bus.wait_for_guard()
    lockdown(world, "on", "--reason", REASON)
    wait_until(lambda: ("LockSessions", ()) in logind.all_calls, "sessions are locked")
    lockdown(world, "off", "--reason", LIFTED)
    assert [member for member, _ in logind.all_calls].count("LockSessions") == 1


# -- who may


def test_others_are_refused_unless_polkit_lets_them(world, bus):
    world.start_agent()
    bus.wait_for_guard()
    polkit = FakePolkit(world, bus)
    stranger = bus.connect(world.machine.stranger.uid)
    for method in ("BeginLockdown", "EndLockdown"):
        with pytest.raises(Refused, match="AccessDenied"):
            stranger.call(method, "s", REASON)
    assert polkit.asked() == [("org.sekisho.guard1.lockdown", 0)] * 2
    assert shown(world) is None
    polkit.allowed.add("org.sekisho.guard1.lockdown")
    stranger.call("BeginLockdown", "s", REASON)
    assert shown(world)["reason"] == REASON
    assert stranger.call("EndLockdown", "s", LIFTED) == (True,)
    assert stranger.call("EndLockdown", "s", LIFTED) == (False,)


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "x" * 201])
def test_a_reason_is_needed(world, bus, reason):
    world.start_agent()
    bus.wait_for_guard()
    with pytest.raises(Refused, match="InvalidArgs"):
        bus.connect().call("BeginLockdown", "s", reason)
    result = lockdown(world, "on", "--reason", reason, check=False)
    assert result.returncode == 2 and "--reason" in result.stderr
    assert lockdown(world, "on", check=False).returncode == 2
    assert shown(world) is None


def test_what_a_draft_would_change_is_told_as_without_the_lockdown_and_says_so(world, stick):
    draft = world.write_policy_text("version: 1\nserial: 99\nremovable: {default: deny}\n", name="../draft.yaml")
    asked = {"diff": ["--runtime-dir", world.runtime, draft], "replay": ["--since=-1m", "--runtime-dir", world.runtime, draft]}
    said = "This terminal is locked down: what follows holds once that is lifted."
    for command in ("diff", "replay"):
        assert said not in world.ctl("policy", command, *asked[command], check=False).stdout
    lockdown(world, "on", "--reason", REASON)
    for command in ("diff", "replay"):
        assert world.ctl("policy", command, *asked[command], check=False).stdout.startswith(said + "\n"), command
        told = json.loads(world.ctl("policy", command, "--json", *asked[command], check=False).stdout)
        assert told["lockdown_ignored"] is True

# SPDX-License-Identifier: GPL-2.0-or-later
"""Who tries to reach what is not approved is refused in the very call, and is on record by program and person."""

import contextlib
import errno
import json
import os
import shutil
import socket
import subprocess
import time

import pytest
from sekisho_kernel import without_bpf_programs, without_packet_filter
from sekisho_network import Net, talk
from sekisho_wait import run, start, wait_until
from sekisho_world import hours_around

PINS = "/sys/fs/bpf/sekisho-network"
PYTHON = os.path.realpath("/usr/bin/python3")
PROGRAM_RULE = {"name": "利用者の道具", "to": "10.99.2.1", "protocol": "tcp", "ports": [443], "program": PYTHON}
APPROVED = {"allow": [{"name": "住民記録", "to": "10.99.1.0/24", "protocol": "tcp", "ports": [443]},
                      {"name": "業務", "to": "fd99:1::/64", "protocol": "tcp", "ports": [443]}]}
KNOCK = """
import errno, socket, sys
def name(error):
    return errno.errorcode.get(error, str(error))
to, port, kind, times = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
family = socket.AF_INET6 if ":" in to else socket.AF_INET
answers = set()
for _ in range(times):
    try:
        with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            if kind == "udp-send":
                client.sendto(b"x", (to, port))
            else:
                client.connect((to, port))
            answers.add("reached")
    except OSError as error:
        answers.add(name(error.errno))
print(" ".join(sorted(answers)))
"""

HOLD = """
import socket, sys
with socket.create_connection((sys.argv[1], 443), 5) as client:
    client.settimeout(5)
    for line in sys.stdin:
        try:
            client.sendall(line.encode())
            print("echo" if client.recv(100) == line.encode() else "closed", flush=True)
        except OSError as error:
            print(type(error).__name__, flush=True)
"""


@pytest.fixture
def net(world):
    net = Net()
    world.undo(net.close)
    world.agent_prefix = net.term.prefix
    net.servers = [net.server(area, port) for area in (net.inside, net.outside) for port in (443, 80)]
    net.wait_up()
    return net


def guard(world, *arguments, **network):
    agent = world.start_agent("--network", *arguments, zone="mynumber", network=network or APPROVED)
    if not word(world).startswith("ok"):
        pytest.skip(f"this kernel asks nobody: {word(world)}")
    return agent


def word(world):
    with open(os.path.join(world.runtime, "status.json")) as status:
        return json.load(status)["mechanisms"]["network-callers"]


def knock(world, net, person, to, port, kind="tcp", times=1):
    """What PERSON's program is told, in the terminal's network."""
    options = person.options()
    ids = ["setpriv", f"--reuid={options['user']}", f"--regid={options['group']}", "--clear-groups"]
    return run([*net.term.prefix, *ids, PYTHON, "-c", KNOCK, to, str(port), kind, str(times)]).stdout.strip()


def told(world, **fields):
    return sum(int(record["SEKISHO_COUNT"]) for record in world.journal.select("connection-denied", **fields))


def test_the_caller_is_refused_and_on_record_within_a_second(world, net):
    guard(world)
    stranger = world.machine.stranger
    wire = net.wire()
    assert knock(world, net, stranger, "10.99.1.1", 443) == "reached"
    assert knock(world, net, stranger, "fd99:1::1", 443) == "reached"
    for to, port, kind, operation in (("10.99.2.1", 443, "tcp", "connect"), ("10.99.1.1", 80, "tcp", "connect"),
                                      ("fd99:2::1", 443, "tcp", "connect"), ("::ffff:10.99.2.1", 80, "tcp", "connect"),
                                      ("203.0.113.9", 53, "udp-send", "send"), ("10.99.2.9", 9, "udp", "connect")):
        assert knock(world, net, stranger, to, port, kind) == "EPERM", (to, port, kind)
        began = time.monotonic()
        record = world.journal.wait("connection-denied", destination=to.removeprefix("::ffff:"), port=port,
                                    operation=operation, uid=stranger.uid)
        assert time.monotonic() - began < 1, (to, port, kind)
        assert record["SEKISHO_EXE"] == PYTHON and record["SEKISHO_VERDICT"] == "deny"
        assert record["SEKISHO_PROTOCOL"] == kind.split("-")[0] and int(record["SEKISHO_PID"]) > 1
        assert record["SEKISHO_RULE"] == "network.default" and record["SEKISHO_REASON"] == "default"
    assert wire.telling() == [], "and nothing was on the wire"
    world.journal.barrier()
    assert told(world) == 6


def test_a_rule_is_for_its_people_its_hours_and_its_program(world, net):
    stranger, member = world.machine.stranger, world.machine.member
    guard(world, allow=[{"name": "担当者", "to": "10.99.1.1", "protocol": "tcp", "ports": [443], "users": [str(member.name)]},
                        {"name": "夜間", "to": "10.99.1.1", "protocol": "tcp", "ports": [80], "hours": hours_around(inside=False)},
                        PROGRAM_RULE])
    assert knock(world, net, stranger, "10.99.1.1", 443) == "EPERM"
    record = world.journal.wait("connection-denied", port=443)
    assert (record["SEKISHO_RULE"], record["SEKISHO_REASON"]) == ("担当者", "not-this-person")
    assert knock(world, net, stranger, "10.99.1.1", 80) == "EPERM"
    record = world.journal.wait("connection-denied", port=80)
    assert (record["SEKISHO_RULE"], record["SEKISHO_REASON"]) == ("夜間", "outside-hours")
    assert knock(world, net, stranger, "10.99.2.1", 443) == "reached", "the packet filter knows the program"


def test_the_file_of_a_program_is_held_so_that_no_other_gets_its_number(world, net):
    program = os.path.join(world.directory, "tool")
    shutil.copy(PYTHON, program)
    agent = guard(world, allow=[{**PROGRAM_RULE, "program": program}])
    os.unlink(program)
    held = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{agent.pid}/fd") if entry.is_symlink()]
    assert f"{program} (deleted)" in held


class Held:
    """A connection by a program of its own, which is asked whether it still leads there."""

    def __init__(self, world, net, name):
        self.program = os.path.join(world.directory, name)
        shutil.copy(PYTHON, self.program)
        self.rule = {"name": name, "to": "10.99.2.1", "protocol": "tcp", "ports": [443], "program": self.program}
        self._world, self._net = world, net

    def open(self):
        self._process = start([*self._net.term.prefix, self.program, "-c", HOLD, "10.99.2.1"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._world.undo(self.close)
        assert self.ask() == "echo"

    def ask(self):
        self._process.stdin.write("x\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(10)


def test_a_connection_from_before_is_its_own_programs_by_the_next_policy(world, net):
    gone, stays = Held(world, net, "gone"), Held(world, net, "stays")
    guard(world, allow=[gone.rule, stays.rule])
    for one in (gone, stays):
        one.open()
    table = [*net.term.prefix, "nft", "-s", "list", "table", "inet", "sekisho"]
    before = run(table).stdout
    world.reload_policy(zone="mynumber", network={"allow": [stays.rule]})
    wait_until(lambda: run(table, check=False).stdout != before, "the new table is there")
    assert stays.ask() == "echo"
    assert gone.ask() != "echo", "the rule is another program's"


def test_a_flood_is_counted_to_the_last(world, net):
    guard(world)
    stranger, times = world.machine.stranger, 20000
    assert knock(world, net, stranger, "10.99.2.1", 443, "udp", times) == "EPERM"
    wait_until(lambda: world.journal.barrier() or told(world, uid=stranger.uid) >= times, "all are told", deadline=60)
    assert told(world) == times
    assert len(world.journal.select("connection-denied")) < 20


def test_a_new_policy_holds_at_once_and_monitor_mode_only_tells(world, net):
    guard(world)
    stranger = world.machine.stranger
    assert knock(world, net, stranger, "10.99.2.1", 443) == "EPERM"
    world.reload_policy(zone="mynumber", network={"allow": [*APPROVED["allow"], {"name": "新", "to": "10.99.2.0/24"}]})
    assert knock(world, net, stranger, "10.99.2.1", 443) == "reached"
    world.reload_policy(zone="mynumber", mode="monitor", network=APPROVED)
    assert knock(world, net, stranger, "10.99.2.1", 80) == "reached"
    world.journal.wait("connection-denied", destination="10.99.2.1", port=80, mode="monitor")
    world.reload_policy(zone="internet", network={"default": "allow"})
    assert knock(world, net, stranger, "10.99.2.1", 443, times=3) == "reached"
    record = world.journal.wait("connection-seen", destination="10.99.2.1", port=443)
    assert record["SEKISHO_EXE"] == PYTHON
    world.reload_policy(zone="internet")
    assert knock(world, net, stranger, "10.99.2.1", 80) == "reached"


def test_without_an_agent_it_stays_closed_and_the_next_one_tells_of_it(world, net):
    agent = guard(world)
    stranger = world.machine.stranger
    agent.kill()
    assert knock(world, net, stranger, "10.99.2.1", 443, times=5) == "EPERM"
    assert knock(world, net, stranger, "10.99.1.1", 443) == "reached"
    assert talk(net.term, "10.99.1.1", 443) == "echo"
    guard(world)
    wait_until(lambda: world.journal.barrier() or told(world, uid=stranger.uid) == 5, "what was refused is told")
    assert knock(world, net, stranger, "10.99.2.1", 443) == "EPERM"


def test_an_agent_started_by_hand_leaves_nothing_and_touches_no_other_network(world, net):
    agent = guard(world)
    with net.outside.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.connect(("10.99.2.2", 9))
    agent.stop()
    assert not os.path.exists(PINS)
    assert knock(world, net, world.machine.stranger, "10.99.2.1", 443) == "reached"


def probe(world):
    with open(os.path.join(world.runtime, "status.json")) as status:
        return {one["name"]: one for one in json.load(status)["self_test"]["probes"]}["connection"]


@pytest.mark.parametrize("arguments", [[], ["--network=filter"]], ids=["by the callers", "by the packet filter"])
def test_the_guard_tries_itself_and_keeps_that_to_itself(world, net, arguments):
    net.term.ip("route", "replace", "default", "via", "10.99.2.1")
    world.start_agent(*(arguments or ["--network"]), zone="mynumber", network=APPROVED)
    world.journal.wait("self-test-passed", cause="start")
    assert probe(world)["state"] == "passed", probe(world)
    world.reload_policy(zone="mynumber", network={"allow": [{"name": to, "to": to} for to in ("192.0.2.0/24", "2001:db8::/32")]})
    world.journal.wait("self-test-passed", cause="policy")
    assert probe(world)["state"] == "not-probed", probe(world)
    world.reload_policy(zone="mynumber", network={"default": "allow"})
    world.journal.wait_all("self-test-passed", lambda found: len(found) == 3)
    assert probe(world)["state"] == "not-probed", probe(world)
    world.journal.barrier()
    assert not world.journal.select("connection-denied") and not world.journal.select("connection-seen")


def test_a_lockdown_is_refused_in_the_call_although_the_policy_leaves_the_network_alone(world, net):
    guard(world)
    world.reload_policy(zone="mynumber")
    wait_until(lambda: knock(world, net, world.machine.member, "10.99.2.1", 443) == "reached", "it is left alone")
    world.reload_policy(zone="mynumber", lockdown=True)
    wait_until(lambda: knock(world, net, world.machine.member, "10.99.2.1", 443) == "EPERM", "the network is closed")
    record = world.journal.wait("connection-denied", destination="10.99.2.1", operation="connect")
    assert record["SEKISHO_RULE"] == "lockdown"
    assert word(world).startswith("ok")


def test_without_the_packet_filter_the_callers_are_refused_all_the_same(world, net):
    world.agent_prefix = net.term.prefix + without_packet_filter()
    guard(world)
    assert knock(world, net, world.machine.stranger, "10.99.2.1", 443) == "EPERM"
    assert knock(world, net, world.machine.stranger, "10.99.1.1", 443) == "reached"
    world.journal.wait("network-failed", error="Protocol not supported")
    with open(os.path.join(world.runtime, "status.json")) as status:
        assert json.load(status)["mechanisms"]["network"] == "failed: Protocol not supported"


def test_programs_of_an_earlier_version_give_way_where_the_new_ones_cannot_be_loaded(world, net):
    agent = guard(world)
    agent.kill()
    (version,) = os.listdir(PINS)
    os.rename(os.path.join(PINS, version), os.path.join(PINS, "0"))
    assert knock(world, net, world.machine.stranger, "10.99.2.1", 443) == "EPERM"
    world.agent_prefix = net.term.prefix + without_bpf_programs()
    world.start_agent("--network", zone="mynumber", network={"allow": [{"name": "新", "to": "10.99.2.0/24"}]})
    assert "cannot" in word(world) and not os.path.exists(PINS)
    world.journal.wait("network-failed", error=word(world))
    assert knock(world, net, world.machine.stranger, "10.99.2.1", 443) == "reached"
    assert talk(net.term, "10.99.1.1", 443) != "echo", "the packet filter refuses it"


def test_what_cannot_be_adopted_is_loaded_anew(world, net):
    agent = guard(world)
    agent.kill()
    (version,) = os.listdir(PINS)
    os.unlink(os.path.join(PINS, version, "heads"))
    guard(world)
    assert knock(world, net, world.machine.stranger, "10.99.2.1", 443) == "EPERM"
    assert knock(world, net, world.machine.stranger, "10.99.1.1", 443) == "reached"


def test_a_rule_on_trial_is_told_and_lets_through(world, net):
    member, stranger = world.machine.member, world.machine.stranger
    guard(world, allow=[{"name": name, "to": "10.99.2.1", "protocol": "tcp", "ports": [port], "users": [member.name],
                         "mode": "monitor", **more}
                        for port, name, more in ((443, "試行", {}), (80, "道具", {"program": PYTHON}))])
    for port, name in ((443, "試行"), (80, "道具")):
        assert knock(world, net, member, "10.99.2.1", port) == "reached"
        assert knock(world, net, stranger, "10.99.2.1", port) == "reached", name
        record = world.journal.wait("connection-denied", destination="10.99.2.1", operation="connect", rule=name)
        assert record["SEKISHO_MODE"] == "monitor" and record["SEKISHO_UID"] == str(stranger.uid)
    assert not world.journal.select("connection-denied", operation="connect", uid=member.uid)


OWN = ("10.99.1.2", "fd99:1::2")


def test_an_address_of_the_terminals_own_is_loopback(world, net):
    """As when printing to the terminal's own name."""
    guard(world)
    stranger = world.machine.stranger
    net.server(net.term, 631)
    wires = [net.wire(area) for area in (net.inside, net.outside)]
    for to in (*OWN, "::ffff:10.99.1.2"):
        for kind in ("tcp", "udp", "udp-send"):
            assert knock(world, net, stranger, to, 631, kind) == "reached", (to, kind)
    assert net.term.within(_ask_by_the_other, OWN[0]) == "EPERM", "bound to an interface it may be another machine's"
    net.term.ip("address", "add", "10.99.1.77/24", "dev", "inside0")
    wait_until(lambda: knock(world, net, stranger, "10.99.1.77", 631) == "reached", "a new address is known")
    net.term.ip("address", "delete", "10.99.1.77/24", "dev", "inside0")
    wait_until(lambda: knock(world, net, stranger, "10.99.1.77", 631) == "EPERM", "and forgotten")
    sent = [frame for wire in wires for frame in wire.frames()]
    assert not [frame.hex() for frame in sent if any(_goes_to(frame, own) for own in OWN)], "nothing was on the wire"


def test_an_own_address_is_reached_in_a_lockdown_and_not_what_another_one_has(world, net):
    guard(world)
    stranger = world.machine.stranger
    net.server(net.term, 631)
    world.reload_policy(zone="mynumber", lockdown=True, network=APPROVED)
    assert knock(world, net, stranger, "10.99.1.1", 443) == "EPERM"
    assert knock(world, net, stranger, OWN[0], 631) == "reached"


def _goes_to(frame, address):
    """Whether an Ethernet frame is a packet of IP to ADDRESS."""
    if ":" in address:
        return frame[12:14] == b"\x86\xdd" and frame[38:54] == socket.inet_pton(socket.AF_INET6, address)
    return frame[12:14] == b"\x08\x00" and frame[30:34] == socket.inet_pton(socket.AF_INET, address)


def _ask_by_the_other(to):
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"outside0")
        client.settimeout(2)
        try:
            client.connect((to, 631))
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
        return "reached"

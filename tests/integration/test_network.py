# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet filter: a terminal reaches what its policy approves and nothing else, whatever is tried; what is refused
is on record; and the filter is there when the agent is not."""

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sekisho_network import PAYLOAD, Net, talk
from sekisho_wait import run, wait_until
from sekisho_world import BUILD, hours_around

HELPER = os.path.join(BUILD, "libexec", "sekisho-network")
APPROVED = {"allow": [{"name": "住民記録", "to": "10.99.1.0/24", "protocol": "tcp", "ports": [443]},
                      {"name": "業務", "to": "fd99:1::/64", "protocol": "tcp", "ports": [443]},
                      {"name": "疎通", "to": "10.99.1.1", "protocol": "icmp"},
                      {"name": "時計", "to": "10.99.1.1", "protocol": "udp", "ports": [9000]}]}
REFUSED = ("Connection refused", "No route to host", "Permission denied", "Operation not permitted", "Connection reset by peer",
           "Network is unreachable")


@pytest.fixture
def net(world):
    net = Net()
    world.undo(net.close)
    world.agent_prefix = net.term.prefix
    net.servers = [net.server(area, port) for area in (net.inside, net.outside) for port in (443, 80, 9000)]
    net.servers.append(net.server(net.outside, 53))
    net.wait_up()
    return net


def guard(world, net, *arguments, **network):
    agent = world.start_agent("--network=filter", *arguments, zone="mynumber", network=network or APPROVED)
    net.unapproved = net.wire()
    return agent


def echo_request(net, to):
    """ICMP, whether it is answered."""
    with net.term.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
        client.settimeout(3)
        client.sendto(b"\x08\0\xf7\xfd\0\1\0\1", (to, 0))
        with contextlib.suppress(TimeoutError):
            return bool(client.recv(1000))
    return False


def table(net):
    return run([*net.term.prefix, "nft", "-s", "list", "table", "inet", "sekisho"], check=False)


def word(world):
    with open(os.path.join(world.runtime, "status.json")) as status:
        return json.load(status)["mechanisms"]["network"]


def test_what_is_approved_works_and_nothing_else_leaves(world, net):
    assert talk(net.term, "203.0.113.9", 443) == "echo", "without a guard the other area can be reached"
    guard(world, net)
    assert word(world).startswith("ok")
    assert talk(net.term, "10.99.1.1", 443) == "echo"
    assert talk(net.term, "fd99:1::1", 443) == "echo"
    assert talk(net.term, "10.99.1.1", 9000, socket.SOCK_DGRAM) == "echo"
    assert echo_request(net, "10.99.1.1")
    for to, port in (("10.99.2.1", 443), ("203.0.113.9", 443), ("fd99:2::1", 443), ("::ffff:10.99.2.1", 443),
                     ("10.99.1.1", 80), ("fd99:1::1", 80), ("2001:db8::1", 443)):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            assert talk(net.term, to, port, kind) in REFUSED, (to, port, kind)
    assert talk(net.term, "10.99.2.1", 53, socket.SOCK_DGRAM) in REFUSED, "another resolver"
    assert net.unapproved.telling() == []
    record = world.journal.wait("connection-denied", destination="203.0.113.9", port="443", protocol="tcp")
    assert record["SEKISHO_VERDICT"] == "deny" and record["SEKISHO_UID"] == "0"
    assert record["SEKISHO_RULE"] == "network.default" and record["SEKISHO_NETWORK_INTERFACE"] == "outside0"
    world.journal.wait("connection-denied", destination="fd99:2::1", protocol="udp")
    world.journal.wait("connection-denied", destination="10.99.1.1", port="80")


def test_very_many_approved_hosts_are_found_and_nothing_beside_them(world, net):
    many = [{"name": f"{version}-{i}", "to": to.format(i), "protocol": "tcp", "ports": [443]}
            for version, to in (("v4", "10.98.{}.1"), ("v6", "fd98:{:x}::/64")) for i in range(255)]
    many += [{"name": "v4", "to": "10.99.1.1", "protocol": "tcp", "ports": [443]},
             {"name": "v6", "to": "fd99:1::/64", "protocol": "tcp", "ports": [443]},
             {"name": "別", "to": "203.0.113.8/29", "protocol": "tcp", "ports": [443]}]
    guard(world, net, allow=many)
    found = table(net).stdout
    assert "vmap @to4_32" in found and "vmap @to6_64" in found, "they have maps of their own"
    for to in ("10.99.1.1", "fd99:1::1", "203.0.113.9"):
        assert talk(net.term, to, 443) == "echo"
    for to in ("10.99.1.9", "10.99.2.1", "fd99:2::1"):
        assert talk(net.term, to, 443) in REFUSED, to
    assert talk(net.term, "10.99.1.1", 80) in REFUSED


def test_an_interface_with_the_number_of_loopback_for_a_name_is_not_taken_for_it(world, net):
    net.term.ip("link", "add", "1", "type", "bridge")
    net.term.ip("link", "set", "1", "up")
    server = net.server(net.term, 8443)
    guard(world, net)
    assert 'oif "lo" accept' in table(net).stdout
    assert talk(net.term, "127.0.0.1", 8443) == "echo"
    assert server.heard


def link_local(net):
    text = net.outside.ip("-6", "address", "show", "dev", "term0", "scope", "link")
    address = text.split("inet6 ")[1].split("/")[0]
    return address, net.term.within(socket.if_nametoindex, "outside0")


def test_no_other_way_of_sending_leads_out(world, net):
    guard(world, net)
    with contextlib.ExitStack() as stack:
        def new(*kind):
            return stack.enter_context(net.term.socket(*kind))

        def refused(function, *arguments):
            with contextlib.suppress(OSError):
                function(*arguments)

        local, index = link_local(net)
        refused(new(socket.AF_INET6, socket.SOCK_DGRAM).sendto, PAYLOAD, (local, 443, 0, index))
        refused(new(socket.AF_INET6, socket.SOCK_DGRAM).sendto, PAYLOAD, ("ff02::1", 443, 0, index))
        refused(new(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE).sendto, PAYLOAD, ("10.99.2.1", 443))
        # raw: a protocol of nobody's, an echo request with something in it, and a whole packet with its header
        refused(new(socket.AF_INET, socket.SOCK_RAW, 253).sendto, PAYLOAD, ("10.99.2.1", 0))
        refused(new(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto,
                b"\x08\0\0\0\0\1\0\1" + PAYLOAD, ("10.99.2.1", 0))
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + 8 + len(PAYLOAD), 1, 0, 64, 17, 0,
                             socket.inet_aton("10.99.2.2"), socket.inet_aton("10.99.2.1"))
        udp = struct.pack("!HHHH", 68, 443, 8 + len(PAYLOAD), 0)
        refused(new(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto, header + udp + PAYLOAD,
                ("10.99.2.1", 0))
        # fragments: a datagram longer than the link's, and the second part of one whose first never comes
        refused(new(socket.AF_INET, socket.SOCK_DGRAM).sendto, PAYLOAD * 200, ("10.99.2.1", 443))
        tail = bytearray(header)
        tail[6:8] = struct.pack("!H", 100)
        refused(new(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto, bytes(tail) + PAYLOAD,
                ("10.99.2.1", 0))
        # a route of the sender's own, by an approved host
        sourced = new(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            sourced.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS,
                               b"\x83\x07\x04" + socket.inet_aton("10.99.1.1") + b"\0")
        inside = net.wire(net.inside)
        refused(sourced.sendto, PAYLOAD, ("10.99.2.1", 9000))
        assert not [frame for frame in inside.frames() if PAYLOAD in frame]
        with contextlib.suppress(OSError):
            refused(new(socket.AF_INET, socket.SOCK_STREAM, 132).connect, ("10.99.2.1", 443))  # SCTP
        bound = new(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"outside0")
        refused(bound.sendto, PAYLOAD, ("10.99.1.1", 443))  # an approved place, but by TCP alone
    run([*net.term.prefix, "unshare", "--user", "--map-root-user", "--net", "true"])
    assert net.unapproved.telling() == []
    world.journal.wait("connection-denied", destination="10.99.2.1", protocol="icmp")


def test_another_route_does_not_make_another_place_an_approved_one(world, net):
    guard(world, net)
    net.term.ip("route", "replace", "default", "via", "10.99.2.1", "metric", "5")
    net.term.ip("route", "add", "198.51.100.0/24", "via", "10.99.1.1")
    inside = net.wire(net.inside)
    assert talk(net.term, "198.51.100.7", 443) in REFUSED
    assert net.unapproved.telling() == [] and not [frame for frame in inside.frames() if PAYLOAD in frame]


def test_a_connection_from_before_is_cut(world, net):
    world.start_agent("--network=filter", zone="internet", network={"default": "allow"})
    with net.term.socket() as client:
        client.settimeout(5)
        client.connect(("10.99.2.1", 443))
        client.send(b"before")
        assert client.recv(100) == b"before"
        world.reload_policy(zone="mynumber", network=APPROVED)
        wait_until(lambda: "policy drop" in table(net).stdout, "the new table is there")
        wire = net.wire()
        with pytest.raises(OSError):
            client.send(PAYLOAD)
            client.recv(100)
        assert not [frame for frame in wire.frames() if PAYLOAD in frame]


def test_who_asks_from_an_unapproved_place_gets_no_answer(world, net):
    guard(world, net)
    server = net.server(net.term, 7000)
    assert talk(net.outside, "10.99.2.2", 7000, deadline=1) != "echo"
    assert talk(net.inside, "10.99.1.2", 7000) == "echo", "an approved place may ask"
    assert net.unapproved.telling() == []
    assert server.heard == [PAYLOAD]


def test_what_passes_through_goes_nowhere(world, net):
    guard(world, net)
    net.term.within(lambda: open("/proc/sys/net/ipv4/ip_forward", "w").write("1"))
    net.inside.ip("route", "add", "10.99.2.0/24", "via", "10.99.1.2")
    assert talk(net.inside, "10.99.2.1", 443, deadline=1) != "echo"
    assert net.unapproved.telling() == []
    world.journal.wait("connection-denied", destination="10.99.2.1", operation="forward")


def test_people_and_hours(world, net):
    member, stranger = world.machine.member, world.machine.stranger
    guard(world, net, allow=[
        {"name": "課税課", "to": "10.99.1.1", "protocol": "tcp", "ports": [443], "users": [member.name]},
        {"name": "時間外", "to": "10.99.1.9", "protocol": "tcp", "hours": hours_around(inside=False)},
        {"name": "時間内", "to": "10.99.1.0/24", "protocol": "tcp", "ports": [80], "hours": hours_around()}])
    script = ("import socket,sys; s=socket.create_connection((sys.argv[1],int(sys.argv[2])),3);"
              "s.send(b'x'); print(s.recv(1))")

    def tries(person, to, port):
        return run([*net.term.prefix, "setpriv", f"--reuid={person.uid}", f"--regid={person.gid}", "--clear-groups",
                    "/usr/bin/python3", "-c", script, to, str(port)], check=False, cwd="/").returncode == 0

    assert tries(member, "10.99.1.1", 443) and not tries(stranger, "10.99.1.1", 443)
    assert tries(stranger, "10.99.1.1", 80), "within hours, for everybody"
    assert not tries(member, "10.99.1.9", 80)
    record = world.journal.wait("connection-denied", rule="課税課", uid=str(stranger.uid))
    assert record["SEKISHO_REASON"] == "not-this-person"
    assert world.journal.wait("connection-denied", rule="時間外")["SEKISHO_REASON"] == "outside-hours"


SENDER = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 30) as to:
    to.sendall(bytes(int(sys.argv[3])))
"""
MUCH = 4 << 20


def listen(area, address):
    listener = area.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen()
    listener.settimeout(20)
    return listener


def read_slowly(listener):
    """How much comes by the next connection, until it ends or is cut."""
    connection, n = listener.accept()[0], 0
    with connection, contextlib.suppress(OSError):
        connection.settimeout(20)
        while data := connection.recv(65536):
            n += len(data)
            time.sleep(0.01)
    return n


def test_what_a_program_leaves_unsent_at_its_end_arrives(world, net):
    member = world.machine.member
    guard(world, net, allow=[{"name": "課税課", "to": "10.99.1.1", "protocol": "tcp", "users": [member.name]},
                             {"name": "任意", "to": "10.99.1.9", "users": [member.name]}])
    for to in ("10.99.1.1", "10.99.1.9"):
        with listen(net.inside, (to, 8000)) as listener, ThreadPoolExecutor() as pool:
            read = pool.submit(read_slowly, listener)
            run([*net.term.prefix, "setpriv", f"--reuid={member.uid}", f"--regid={member.gid}", "--clear-groups",
                 "/usr/bin/python3", "-c", SENDER, to, "8000", str(MUCH)], cwd="/")
            assert not read.done(), "it ends before all is sent"
            assert read.result() == MUCH
    world.journal.barrier()
    assert not world.journal.select("connection-denied")


def test_what_others_left_unsent_before_is_cut(world, net):
    world.start_agent("--network=filter", zone="internet", network={"default": "allow"})
    with listen(net.inside, ("10.99.1.1", 8000)) as listener, net.term.socket() as client:
        client.connect(("10.99.1.1", 8000))
        client.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 8 * MUCH:
                sent += client.send(bytes(65536))
        world.reload_policy(zone="mynumber", network={"allow": [
            {"name": "課税課", "to": "10.99.1.1", "protocol": "tcp", "users": [world.machine.member.name]}]})
        wait_until(lambda: "policy drop" in table(net).stdout, "the new table is there")
        client.close()
        assert read_slowly(listener) < sent


def test_who_flushes_the_filter_is_on_record_and_it_comes_back(world, net):
    guard(world, net)
    before = table(net).stdout
    run([*net.term.prefix, "nft", "flush", "ruleset"])
    record = world.journal.wait("network-guard-lost")
    assert record["SEKISHO_EXE"] == "nft"
    wait_until(lambda: table(net).stdout == before, "the table is as it was")
    run([*net.term.prefix, "nft", "insert", "rule", "inet", "sekisho", "output", "accept"])
    wait_until(lambda: table(net).stdout == before, "what was added is gone")
    assert talk(net.term, "10.99.2.1", 443) in REFUSED
    world.journal.wait("connection-denied", destination="10.99.2.1")
    world.journal.barrier()
    assert len(world.journal.select("network-guard-lost")) == 2, "our own changes are nobody's"


def test_a_table_that_could_not_be_put_in_force_is_tried_again(world, net):
    run(["mount", "--bind", "/usr/bin/false", HELPER])
    undo = contextlib.ExitStack()
    undo.callback(run, ["umount", HELPER], check=False)
    world.undo(undo.close)
    guard(world, net)
    assert word(world).startswith("failed") and table(net).returncode != 0
    undo.close()
    wait_until(lambda: talk(net.term, "10.99.2.1", 443) in REFUSED, "the table is there")
    wait_until(lambda: word(world).startswith("ok"), "the status says so")
    world.journal.barrier()
    assert len(world.journal.select("network-failed")) == 1, "it is told once"


def test_the_filter_outlives_the_agent_and_a_clean_end_by_hand_leaves_nothing(world, net):
    agent = guard(world, net)
    agent.kill()
    assert talk(net.term, "10.99.2.1", 443) in REFUSED
    assert talk(net.term, "10.99.1.1", 443) == "echo"
    agent = world.start_agent("--network=filter")
    agent.stop()
    assert table(net).returncode != 0 and talk(net.term, "10.99.2.1", 443) == "echo"


def test_without_a_section_and_without_being_told_nothing_is_filtered(world, net):
    world.start_agent("--network=filter", zone="mynumber")
    assert table(net).returncode != 0 and word(world).startswith("off")
    world.agent.stop()
    world.start_agent(zone="mynumber", network=APPROVED)
    assert table(net).returncode != 0 and word(world).startswith("left alone")


def test_monitor_refuses_nothing_and_tells(world, net):
    guard(world, net, "--monitor")
    assert talk(net.term, "10.99.2.1", 443) == "echo"
    record = world.journal.wait("connection-denied", destination="10.99.2.1", port="443")
    assert record["SEKISHO_MODE"] == "monitor" and record["SEKISHO_VERDICT"] == "allow"


def test_a_rule_on_trial_lets_through_whom_it_would_refuse(world, net):
    guard(world, net, default="allow", allow=[
        {"name": "試行", "to": "10.99.2.1", "protocol": "tcp", "users": [world.machine.member.name], "mode": "monitor"},
        {"name": "本番", "to": "10.99.1.1", "protocol": "tcp", "users": [world.machine.member.name]}])
    assert talk(net.term, "10.99.2.1", 443) == "echo" and talk(net.term, "10.99.1.1", 443) in REFUSED
    record = world.journal.wait("connection-denied", destination="10.99.2.1", port="443", rule="試行")
    assert record["SEKISHO_MODE"] == "monitor" and record["SEKISHO_VERDICT"] == "allow"
    assert not world.journal.select("connection-seen", destination="10.99.2.1")
    world.reload_policy(zone="mynumber", lockdown=True, network={"allow": [
        {"name": "試行", "to": "10.99.2.1", "protocol": "tcp", "users": [world.machine.member.name], "mode": "monitor"}]})
    wait_until(lambda: talk(net.term, "10.99.2.1", 443) in REFUSED, "a lockdown is enforced all the same")


def test_default_allow_tells_each_destination_once(world, net):
    guard(world, net, default="allow", allow=APPROVED["allow"])
    for _ in range(5):
        assert talk(net.term, "10.99.2.1", 443) == "echo"
    assert talk(net.term, "10.99.2.1", 80) == "echo" and talk(net.term, "10.99.1.1", 443) == "echo"
    world.journal.wait("connection-seen", destination="10.99.2.1", port="80")
    world.journal.barrier()
    assert len(world.journal.select("connection-seen", destination="10.99.2.1", port="443")) == 1
    assert not world.journal.select("connection-seen", destination="10.99.1.1")
    assert not world.journal.select("connection-denied")


def test_a_lockdown_closes_everything_but_loopback(world, net):
    guard(world, net)
    world.reload_policy(zone="mynumber", lockdown=True, network=APPROVED)
    wait_until(lambda: talk(net.term, "10.99.1.1", 443) in REFUSED, "the network is closed")
    assert talk(net.term, "127.0.0.1", 1) == "Connection refused"
    assert net.unapproved.telling() == []


def test_a_lockdown_closes_also_what_was_only_watched_or_left_alone(world, net):
    world.start_agent("--network=filter", zone="mynumber", mode="monitor", network=APPROVED)
    assert talk(net.term, "10.99.2.1", 443) == "echo"
    world.reload_policy(zone="mynumber", mode="monitor", lockdown=True, network=APPROVED)
    wait_until(lambda: talk(net.term, "10.99.2.1", 443) in REFUSED, "the network is closed")
    assert talk(net.term, "10.99.1.1", 443) in REFUSED
    world.reload_policy(zone="mynumber")
    wait_until(lambda: talk(net.term, "10.99.1.1", 443) == "echo", "it is left alone again")
    world.reload_policy(zone="mynumber", lockdown=True)
    wait_until(lambda: talk(net.term, "10.99.1.1", 443) in REFUSED, "the network is closed")


def test_no_refusal_is_lost_from_the_count(world, net):
    guard(world, net)
    attempts = 50000

    def flood():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for _ in range(attempts):
                with contextlib.suppress(OSError):
                    client.sendto(b"x", ("10.99.2.1", 999))

    net.term.within(flood)

    def counted(found):
        return sum(int(record.get("SEKISHO_COUNT", 1)) for record in found) >= attempts

    found = world.journal.wait_all("connection-denied", counted, deadline=60, destination="10.99.2.1", port="999")
    assert sum(int(record.get("SEKISHO_COUNT", 1)) for record in found) == attempts
    assert len(found) < 100
    assert net.unapproved.telling() == []


def early(world, net):
    return run([*net.term.prefix, HELPER, "--policy", world.policy_directory, "--state-dir", world.state, "early"],
               check=False)


def test_the_start_of_the_machine(world, net):
    assert early(world, net).returncode == 0 and table(net).returncode != 0, "nothing was ever in force"
    agent = guard(world, net)
    agent.kill()
    run([*net.term.prefix, "nft", "flush", "ruleset"])
    assert early(world, net).returncode == 0
    assert talk(net.term, "10.99.2.1", 443) in REFUSED and talk(net.term, "10.99.1.1", 443) == "echo"
    # what is configured cannot be read, nor what was in force: closed, since it was guarded
    world.write_policy_text("version: [")
    for name in os.listdir(world.state):
        if "last" in name:
            run(["rm", "-rf", os.path.join(world.state, name)])
    assert early(world, net).returncode == 0
    assert talk(net.term, "10.99.1.1", 443) in REFUSED
    # and open, if it was not
    run([*net.term.prefix, HELPER, "remove"])
    with open(os.path.join(world.state, "network"), "w") as to:
        to.write("off\n")
    assert early(world, net).returncode != 0 and table(net).returncode != 0


class Names:
    """A resolver that says what it is told to, with a life of a second."""

    def __init__(self, net, address):
        self.answers, self.asked = {}, []
        self.socket = net.inside.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                data, peer = self.socket.recvfrom(4096)
                if not data:
                    return
                name, at = [], 12
                while data[at]:
                    name.append(data[at + 1:at + 1 + data[at]].decode())
                    at += 1 + data[at]
                kind = struct.unpack("!H", data[at + 1:at + 3])[0]
                self.asked.append(".".join(name))
                found = self.answers.get(".".join(name), []) if kind == 1 else []
                reply = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0) + data[12:at + 5]
                for address in found:
                    reply += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(address)
                self.socket.sendto(reply, peer)


@pytest.fixture
def names(net):
    net.inside.ip("address", "add", "10.99.1.53/24", "dev", "term0")
    names = Names(net, "10.99.1.53")
    threading.Thread(target=names.serve, daemon=True).start()
    yield names
    with contextlib.suppress(OSError):
        names.socket.shutdown(socket.SHUT_RDWR)
    names.socket.close()


def test_names_are_asked_of_the_approved_resolver(world, net, names):
    names.answers["gw.example.jp"] = ["10.99.1.9"]
    guard(world, net, resolvers=["10.99.1.53"],
          allow=[{"name": "名前", "to": "gw.example.jp", "protocol": "tcp", "ports": [443]},
                 {"name": "ない", "to": "gone.example.jp", "protocol": "tcp", "ports": [443]}])
    wait_until(lambda: talk(net.term, "10.99.1.9", 443) == "echo", "the name's address is approved")
    assert talk(net.term, "10.99.1.1", 443) in REFUSED
    assert set(names.asked) == {"gw.example.jp", "gone.example.jp"}
    record = world.journal.wait("network-failed", destination="gone.example.jp")
    assert record["SEKISHO_ERROR"]
    wait_until(lambda: word(world) == "in force, but names cannot be resolved: 1", "the status says so")
    names.answers = {"gw.example.jp": ["10.99.1.1"], "gone.example.jp": ["10.99.2.1"]}
    world.agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: talk(net.term, "10.99.1.1", 443) == "echo", "the new address is approved")
    assert talk(net.term, "10.99.1.9", 443) in REFUSED


def test_the_next_agent_knows_the_names_before_anybody_answers(world, net, names):
    names.answers["gw.example.jp"] = ["10.99.1.1"]
    guard(world, net, resolvers=["10.99.1.53"],
          allow=[{"name": "名前", "to": "gw.example.jp", "protocol": "tcp", "ports": [443]}])
    wait_until(lambda: talk(net.term, "10.99.1.1", 443) == "echo", "the name's address is approved")
    world.agent.kill()
    names.answers = {}
    world.start_agent("--network=filter")
    assert talk(net.term, "10.99.1.1", 443) == "echo"
    world.agent.kill()
    with open(os.path.join(world.runtime, "network-names"), "w") as to:
        to.write("gw.example.jp nonsense\n")
    world.start_agent("--network=filter")
    world.journal.wait("network-failed", destination="gw.example.jp", error="what was remembered of it is broken")
    assert talk(net.term, "10.99.1.1", 443) in REFUSED


def test_what_the_unit_leaves_the_agent_is_enough(world, net):
    world.confined = True
    guard(world, net)
    assert word(world).startswith("ok"), world.tell()
    assert talk(net.term, "10.99.2.1", 443) in REFUSED and talk(net.term, "10.99.1.1", 443) == "echo"
    world.journal.wait("connection-denied", destination="10.99.2.1", port="443", uid="0")
    run([*net.term.prefix, "nft", "flush", "ruleset"])
    world.journal.wait("network-guard-lost")
    wait_until(lambda: table(net).returncode == 0, "the table is there again")

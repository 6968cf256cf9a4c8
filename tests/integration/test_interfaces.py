# SPDX-License-Identifier: GPL-2.0-or-later
"""Network interfaces in a network namespace of their own: which come up, and what leaves by those that may not. What
crosses a cable is looked at from its other end."""

import contextlib
import json
import os
import re
import struct

import pytest

from sekisho_kernel import without_packet_filter
from sekisho_wait import run, start, wait_until
from sekisho_world import BUILD

NAMESPACE, OUTSIDE = "sekisho-inside", "sekisho-outside"


class Net:
    """Two namespaces with cables between them: INSIDE is the terminal, OUTSIDE whoever listens."""

    def __init__(self, undo):
        self._undo = undo
        for name in (NAMESPACE, OUTSIDE):
            run(["ip", "netns", "add", name])
            undo(run, ["ip", "netns", "delete", name], check=False)
        run(["ip", "-n", OUTSIDE, "link", "set", "lo", "up"])

    def ip(self, *words, check=True):
        return run(["ip", "-n", NAMESPACE, *words], check=check)

    def inside(self, *argv, check=True, **options):
        return run(["nsenter", f"--net=/run/netns/{NAMESPACE}", *argv], check=check, **options)

    def cable(self, name):
        """A cable from interface NAME to one of the same name outside, which is up."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", name, "netns", OUTSIDE)
        run(["ip", "-n", OUTSIDE, "link", "set", name, "up"])
        return Tap(self, name, self._undo)

    def shown(self, name):
        shown = self.ip("-j", "link", "show", "dev", name, check=False)
        return json.loads(shown.stdout)[0] if shown.returncode == 0 else None

    def is_up(self, name):
        return "UP" in self.shown(name)["flags"]

    def held(self):
        """The interfaces that the packet filter holds, out and in; each chain bears the name of its own."""
        listed = self.inside("nft", "list", "ruleset").stdout
        found = {"egress": set(), "ingress": set()}
        pattern = r'type filter hook (egress|ingress) device "([^"]+)" priority [^;]*; policy (\w+);'
        table = listed.partition("table netdev sekisho_interfaces")[2].partition("\n}")[0]
        for way, device, policy in re.findall(pattern, table):
            assert policy == "drop"
            found[way].add(device)
        return found

    def send(self, name, ethertype=0x88B5):
        """One frame by a packet socket, past every protocol. Returns the error's name or None."""
        code = ("import socket,struct,sys\n"
                "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,0)\n"
                "try:\n s.bind((sys.argv[1],0));s.send(b'\\xff'*6+b'\\x02\\0\\0\\0\\0\\x66'+struct.pack('!H',int(sys.argv[2]))"
                "+b'taken out'*8)\nexcept OSError as e: print(e.strerror)")
        return self.inside("/usr/bin/python3", "-c", code, name, str(ethertype)).stdout.strip() or None


class Tap:
    """The outer end of a cable: every frame that comes out of it."""

    def __init__(self, net, name, undo):
        self.name = name
        reader = ("import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3))\n"
                  "s.bind((sys.argv[1],0));print('ready',flush=True)\n"
                  "while True:\n f,a=s.recvfrom(65535)\n if a[2]!=4: print(f.hex(),flush=True)\n")
        self._file = os.path.join("/tmp", f"sekisho-frames-{os.getpid()}-{name}")
        with open(self._file, "wb") as to:
            self._process = start(["nsenter", f"--net=/run/netns/{OUTSIDE}", "/usr/bin/python3", "-c", reader, name],
                                  stdout=to)
        undo(self._end)
        wait_until(lambda: self._lines()[:1] == ["ready"], "the cable is listened to")

    def _end(self):
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._file)

    def _lines(self):
        with open(self._file) as file:
            return file.read().split()

    def frames(self):
        return [bytes.fromhex(line) for line in self._lines()[1:]]

    def heard(self, ethertype=0x88B5):
        return any(frame[12:14] == struct.pack("!H", ethertype) for frame in self.frames())


@pytest.fixture
def net(world):
    net = Net(world.undo)
    world.agent_prefix = ["nsenter", f"--net=/run/netns/{NAMESPACE}"]
    return net


def policy(*allow, default="deny", **more):
    """A network section in which these are approved, by name or by a match."""
    rules = [{"name": f"rule {number}", "match": {"interface": match} if isinstance(match, str) else match}
             for number, match in enumerate(allow)]
    interfaces = {"allow": rules} if rules else {}
    if default:
        interfaces["default"] = default
    return {"network": {"default": "allow", "interfaces": interfaces}, **more}


def verdict(world, name, **fields):
    return world.journal.wait("network-interface-verdict", network_interface=name, **fields)


def test_a_refused_interface_stays_down_and_an_approved_one_works(world, net):
    good, bad = net.cable("good"), net.cable("bad")
    net.ip("link", "set", "bad", "up")
    wait_until(bad.frames, "it was up and spoke before there was a guard")  # neighbour discovery
    world.start_agent("--network", **policy("good"))
    verdict(world, "bad", verdict="deny", interface_kind="virtual", interface_driver="veth")
    wait_until(lambda: not net.is_up("bad"), "it is down")
    assert net.held() == {"egress": {"bad"}, "ingress": {"bad"}}

    before = len(bad.frames())
    net.ip("link", "set", "good", "up")
    wait_until(lambda: net.shown("good")["operstate"] == "UP", "the approved one has a carrier")
    assert net.send("good") is None
    wait_until(good.heard, "what is sent by the approved one arrives")
    net.ip("link", "set", "bad", "up")
    verdict(world, "bad", verdict="deny", cause="set-up")
    wait_until(lambda: not net.is_up("bad"), "it is down again")
    assert len(bad.frames()) == before


def test_who_sets_it_up_again_and_again_gets_no_frame_out(world, net):
    bad = net.cable("bad")
    world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    sender = ("import fcntl,socket,struct,time\nend=time.monotonic()+3\nn=0\n"
              "c=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
              "up=struct.pack('16sh14x',b'bad',0x1043)\n"  # IFF_UP, RUNNING, BROADCAST, MULTICAST
              "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,0)\n"
              "while time.monotonic()<end:\n"
              " fcntl.ioctl(c,0x8914,up)\n"  # SIOCSIFFLAGS
              " for e in (b'\\x88\\xb5',b'\\x08\\x06',b'\\x88\\xcc'):\n"
              "  try:\n   s.bind(('bad',0));s.send(b'\\xff'*6+b'\\x02\\0\\0\\0\\0\\x66'+e+b'taken out'*8);n+=1\n"
              "  except OSError as e: n+=e.errno==105\nprint(n)")
    tries = int(net.inside("/usr/bin/python3", "-c", sender).stdout)
    wait_until(lambda: not net.is_up("bad"), "it is down in the end")
    assert not bad.frames(), [frame.hex() for frame in bad.frames()][:5]
    # ENOBUFS: it was up, and the packet filter took the frame
    assert tries > 0
    # and the journal was not flooded by it
    assert len(world.journal.select(lambda value: value == "network-interface-verdict")) <= 6


def test_a_new_interface_is_judged_as_it_comes_and_by_the_name_it_gets(world, net):
    world.start_agent("--network", **policy("good*"))
    cable = net.cable("good1")
    net.ip("link", "set", "good1", "up")
    wait_until(lambda: net.shown("good1")["operstate"] == "UP", "it comes up")
    assert net.send("good1") is None
    wait_until(cable.heard, "what is sent arrives")
    net.ip("link", "set", "good1", "down")
    net.ip("link", "set", "good1", "name", "other")
    verdict(world, "other", verdict="deny", cause="judged-anew")
    wait_until(lambda: net.held()["egress"] == {"other"}, "it is held by its new name")
    net.ip("link", "set", "other", "up")
    wait_until(lambda: not net.is_up("other"), "it is down")
    net.ip("link", "set", "other", "name", "good2")
    verdict(world, "good2", verdict="allow", cause="judged-anew")
    wait_until(lambda: net.is_up("good2"), "it is as it was before it was refused")
    assert net.held()["egress"] == set()


def test_bridges_go_by_their_ports(world, net):
    net.cable("good")
    net.cable("bad")
    world.start_agent("--network", **policy("good", "br0"))
    verdict(world, "bad", verdict="deny")
    net.ip("link", "add", "br0", "type", "bridge")
    net.ip("link", "set", "br0", "up")
    net.ip("link", "set", "bad", "master", "br0")
    verdict(world, "br0", verdict="deny", cause="judged-anew")
    wait_until(lambda: not net.is_up("br0"), "a bridge with a refused port alone is down")
    net.ip("link", "set", "good", "master", "br0")
    verdict(world, "br0", verdict="allow", cause="judged-anew")
    wait_until(lambda: net.is_up("br0"), "with an approved port it is up again")
    assert net.held()["egress"] == {"bad"}


@pytest.mark.parametrize("mode", ["tap", "tun"])
def test_zone_mynumber_has_no_tunnels_unless_they_are_named(world, net, mode):
    world.start_agent("--network", **policy(default=None, zone="mynumber"))
    net.ip("tuntap", "add", "mode", mode, "name", "leak0")
    verdict(world, "leak0", verdict="deny", interface_driver="tun")
    net.ip("link", "set", "leak0", "up")
    wait_until(lambda: not net.is_up("leak0"), "it is down")
    net.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    net.ip("link", "set", "veth0", "up")
    assert net.is_up("veth0")  # of the terminal itself
    world.reload_policy(**policy("leak*", default=None, zone="mynumber"))
    verdict(world, "leak0", verdict="allow", cause="judged-anew")
    wait_until(lambda: net.is_up("leak0"), "the named one comes up")


@pytest.mark.parametrize("zone", ["lgwan", "internet"])
def test_other_zones_approve_everything_unless_they_say_so(world, net, zone):
    world.start_agent("--network", **policy(default=None, zone=zone))
    net.ip("tuntap", "add", "mode", "tap", "name", "tap0")
    net.ip("link", "set", "tap0", "up")
    net.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    world.journal.barrier()
    assert net.is_up("tap0") and net.held()["egress"] == set()


def test_without_a_network_section_nothing_is_held(world, net):
    net.cable("any")
    world.start_agent("--network", zone="mynumber")
    net.ip("link", "set", "any", "up")
    net.ip("tuntap", "add", "mode", "tap", "name", "tap0")
    net.ip("link", "set", "tap0", "up")
    world.journal.barrier()
    assert net.is_up("any") and net.is_up("tap0") and net.held()["egress"] == set()
    assert not world.journal.select(lambda value: value == "network-interface-verdict")
    assert os.path.exists(os.path.join(world.state, "links-not-guarded"))
    world.reload_policy(**policy())
    verdict(world, "any", verdict="deny")
    wait_until(lambda: not net.is_up("any"), "with one it is down")
    assert not os.path.exists(os.path.join(world.state, "links-not-guarded"))


def test_monitor_mode_records_and_holds_nothing(world, net):
    net.cable("any")
    net.ip("link", "set", "any", "up")
    world.start_agent("--network", **policy(mode="monitor"))
    verdict(world, "any", verdict="deny", mode="monitor")
    world.journal.barrier()
    assert net.is_up("any") and net.held()["egress"] == set()


def test_what_is_held_stays_so_without_the_agent_and_the_next_one_takes_over(world, net):
    cable = net.cable("bad")
    agent = world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    agent.kill()
    net.ip("link", "set", "bad", "up")
    for ethertype in (0x88B5, 0x0806, 0x88CC, 0x0800, 0x86DD):
        net.send("bad", ethertype)
    run(["ip", "-n", OUTSIDE, "link", "set", "bad", "address", "02:00:00:00:00:77"])  # so that something is said
    assert not cable.frames()
    assert net.held()["egress"] == {"bad"}
    world.start_agent("--network", **policy("bad"))
    wait_until(lambda: net.held()["egress"] == set(), "another policy lets it go")
    assert net.send("bad") is None
    wait_until(cable.heard, "what is sent arrives")


@pytest.mark.parametrize("what", [["flush", "ruleset"], ["delete", "table", "netdev", "sekisho_interfaces"],
                                  ["add", "table", "netdev", "sekisho_interfaces", "{", "flags", "dormant;", "}"]])
def test_whoever_takes_the_packet_filter_away_gets_it_back(world, net, what):
    cable = net.cable("bad")
    world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    net.inside("nft", *what)
    world.journal.wait("network-guard-lost")
    wait_until(lambda: net.held() == {"egress": {"bad"}, "ingress": {"bad"}}, "it is held again")
    net.ip("link", "set", "bad", "up")
    net.send("bad")
    wait_until(lambda: not net.is_up("bad"), "it is down")
    assert not cable.frames()


def test_a_rule_that_lets_frames_through_does_not_stay(world, net):
    cable = net.cable("bad")
    world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    net.inside("nft", "add", "chain", "netdev", "sekisho_interfaces", "mine",
               "{ type filter hook egress device bad priority 5; policy accept; }")
    world.journal.wait("network-guard-lost")
    wait_until(lambda: net.inside("nft", "list", "table", "netdev", "sekisho_interfaces").stdout.count("chain") == 2, "it is as it was")
    net.ip("link", "set", "bad", "up")
    net.send("bad")
    wait_until(lambda: not net.is_up("bad"), "it is down")
    assert not cable.frames()


def test_router_advertisements_by_a_refused_one_change_nothing(world, net):
    net.cable("bad")
    world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    sender = ("import socket,struct\ns=socket.socket(socket.AF_INET6,socket.SOCK_RAW,58)\n"
              "s.setsockopt(41,18,255)\n"
              "s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_MULTICAST_IF,socket.if_nametoindex('bad'))\n"
              "ra=struct.pack('!BBHBBHII',134,0,0,64,0,1800,0,0)+struct.pack('!BBBBIII16s',3,4,64,0xc0,3600,3600,0,"
              "socket.inet_pton(socket.AF_INET6,'2001:db8:99::'))\n"
              "for _ in range(20): s.sendto(ra,('ff02::1',0,0,socket.if_nametoindex('bad')))\n")
    net.ip("link", "set", "bad", "up")
    run(["nsenter", f"--net=/run/netns/{OUTSIDE}", "/usr/bin/python3", "-c", sender], check=False)
    wait_until(lambda: not net.is_up("bad"), "it is down")
    assert "2001:db8:99" not in net.ip("-6", "route", "show", "table", "all").stdout
    assert "2001:db8:99" not in net.ip("-6", "address").stdout


def test_removing_the_package_lets_go_of_all(world, net):
    cable = net.cable("bad")
    agent = world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    agent.kill()
    net.inside(os.path.join(BUILD, "libexec", "sekisho-network"), "remove")
    assert net.held() == {"egress": set(), "ingress": set()}
    net.ip("link", "set", "bad", "up")
    assert net.send("bad") is None
    wait_until(cable.heard, "what is sent arrives")


def test_one_that_was_started_by_hand_leaves_nothing_and_without_being_told_to_does_nothing(world, net):
    net.cable("any")
    net.ip("link", "set", "any", "up")
    agent = world.start_agent(**policy())
    world.journal.barrier()
    assert net.is_up("any") and net.held()["egress"] == set()
    agent.stop()
    agent = world.start_agent("--network", **policy())
    wait_until(lambda: not net.is_up("any"), "it is down")
    agent.stop()
    assert net.is_up("any") and net.held()["egress"] == set()


def test_the_status_lists_interfaces_with_their_verdicts(world, net):
    net.cable("good")
    net.cable("bad")
    world.start_agent("--network", **policy("good"))
    verdict(world, "bad", verdict="deny")

    def listed():
        with open(os.path.join(world.runtime, "status.json")) as status:
            return {item["name"]: (item["verdict"], item["rule"]) for item in json.load(status)["interfaces"]}

    wait_until(lambda: listed().get("bad") == ("deny", "interfaces.default"), "the status has it")
    assert listed()["good"] == ("allow", "rule 0")
    assert listed()["lo"][0] == "allow"


def test_without_the_packet_filter_it_is_set_down_all_the_same(world, net):
    net.cable("bad")
    net.ip("link", "set", "bad", "up")
    world.agent_prefix += without_packet_filter()
    world.start_agent("--network", **policy())
    verdict(world, "bad", verdict="deny")
    wait_until(lambda: not net.is_up("bad"), "it is down")
    world.journal.wait("network-failed", network_interface="bad")
    net.ip("link", "set", "bad", "up")
    wait_until(lambda: not net.is_up("bad"), "it is down again")

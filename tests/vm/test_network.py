# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal with two network cards, one of which the policy approves, and with USB adapters that are plugged in: what
crosses each cable is captured outside of it, from power-on until it is off."""

import json
import time

import pytest

import sekisho_vm_image
from sekisho_vm_lab import POLICY, STAFF, UNIT, Lab
from sekisho_vm_network import ATTEMPTS, Area, describe
from sekisho_wait import Late, wait_until

GOOD_MAC, BAD_MAC, USB_MAC = "52:54:00:20:00:01", "52:54:00:99:00:01", "52:54:00:77:00:01"
# Both cards and whatever else comes are set up by DHCP and router advertisements, as soon as they are there.
EVERY_CARD = "[Match]\nName=en* eth* usb*\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\nLLDP=yes\nEmitLLDP=yes\n"
APPROVED = {"name": "the card of the section", "match": {"driver": "virtio_net"}}
ASK_AGAIN = 20
USB = {"interfaces": {"communications": "allow", "cdc-data": "allow"}}  # so that an adapter makes an interface


def rules(area):
    return [{"name": "business server", "to": area.prefix + ".0/24"}]


@pytest.fixture(scope="session")
def guest_lab():
    try:
        lab = Lab()
    except sekisho_vm_image.Unavailable as why:
        pytest.exit(f"SKIPPED: {why}", returncode=77)
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def areas(guest_lab):
    directory = guest_lab.machine.directory
    good, bad = Area(directory, "10.20.0", GOOD_MAC), Area(directory, "10.99.0", BAD_MAC, "e1000")
    yield good, bad
    for area in (good, bad):
        area.close()


def network_policy(lab, area, allow=(APPROVED,), usb=None, **more):
    network = {"default": "deny", "allow": rules(area), "interfaces": {"default": "deny", "allow": list(allow)}}
    return lab.policy_text(usb=usb or USB, zone="mynumber", network=network, **more)


@pytest.fixture(scope="session")
def booted(guest_lab, areas):
    """Installed in one life of the machine, and captured in the next, from its first instruction."""
    good, bad = areas
    machine = guest_lab.wake().machine
    bad.plug(machine.qmp, bad.card, "pci.0")
    guest_lab.guest.write("/etc/systemd/network/50-lab.network", EVERY_CARD)
    # two drivers know QEMU's adapter, and this one gives it an address of its own
    guest_lab.guest.write("/etc/modprobe.d/lab.conf", "blacklist cdc_subset\n")
    guest_lab.guest.write(POLICY, network_policy(guest_lab, good), "600")
    guest_lab.guest.run("systemctl", "--quiet", "enable", "systemd-networkd.service")
    guest_lab.guest.run("systemctl", "--quiet", "disable", "systemd-networkd-wait-online.service", check=False)
    guest_lab.wait_guard()
    guest_lab.guest.run("systemctl", "reload", UNIT)
    guest_lab.journal.wait("network-interface-verdict", verdict="deny", interface_driver="e1000")
    guest_lab.sync()
    machine.power_off()
    machine.arguments += good.arguments() + bad.arguments()
    for area in areas:
        area.forget()
        area.server.received.clear()
    machine.power_on().boot()
    guest_lab.guest.until("networkctl --json=short status | grep -q 10.20.0", "the approved card has an address", 120)
    return guest_lab


def interface_of(lab, mac):
    """The name of the card with this address in the guest, or None."""
    links = json.loads(lab.guest.run("ip", "-j", "link").stdout)
    return next((link["ifname"] for link in links if link.get("permaddr", link["address"]) == mac), None)


def plugged_in(lab, area):
    """The name that udev has left to the adapter of AREA: it comes with the kernel's, and gets another."""
    wait_until(lambda: interface_of(lab, area.mac), "the guest has an interface of it", 60)
    lab.guest.run("udevadm", "settle")
    return interface_of(lab, area.mac)


def wait_address(lab, area):
    """It is asked for again now and then: networkd waits up to a minute before it repeats what was lost."""
    asked = time.monotonic()

    def has_address():
        nonlocal asked
        link = next((link for link in json.loads(lab.guest.run("ip", "-j", "address").stdout)
                     if link.get("permaddr", link.get("address")) == area.mac), None)
        if link and time.monotonic() - asked > ASK_AGAIN:
            lab.guest.run("networkctl", "reconfigure", link["ifname"], check=False)
            asked = time.monotonic()
        return link and any(one["local"].startswith(area.prefix + ".") for one in link["addr_info"])

    try:
        wait_until(has_address, "it has an address", 120)
    except Late as late:
        raise Late(f"{late}\n" + lab.guest.ask(
            "ip address; networkctl; sekishoctl status; "
            f"journalctl -b -u {UNIT} -u systemd-networkd -o short-monotonic --no-pager | tail -40")) from late


def nothing_left_by(area):
    leaked = area.sent()
    assert not leaked, f"{len(leaked)} frames left by the unapproved way:\n" + "\n".join(map(describe, leaked[:20]))


def attempt(lab, area, name, person=None):
    """Every way out by one interface; what became of each."""
    argv = ["python3", "-c", ATTEMPTS, name, area.gateway, area.prefix.replace("10.", "fd00:").replace(".0", "::2"),
            str(area.server.port)]
    if person:
        argv = ["runuser", "-u", person, "--", *argv]
    return json.loads(lab.guest.run(*argv, deadline=120).stdout)


def test_the_guard_is_in_force(lab):
    assert lab.guest.run("sekishoctl", "status", check=False).status == 0, lab.guest.ask(
        f"sekishoctl status; journalctl -b -u {UNIT} -u sekisho-network.service -o short-monotonic --no-pager | tail -60")
    mechanisms = json.loads(lab.guest.run("sekishoctl", "status", "--json").stdout)["mechanisms"]
    assert mechanisms["network-callers"].startswith("ok"), "this kernel takes the programs that are asked by callers"


def test_the_approved_server_answers_and_the_other_card_is_silent_since_power_on(lab, areas):
    good, bad = areas
    told = lab.guest.run("python3", "-c", "import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),10)\n"
                         "s.send(b'hello');print(s.recv(99).decode())", good.gateway, good.server.port, check=False)
    assert "heard" in told.stdout, told.stderr
    assert b"hello" in good.server.received
    name = interface_of(lab, BAD_MAC)
    lab.recorded("network-interface-verdict", network_interface=name, verdict="deny", interface_driver="e1000")
    assert "UP" not in json.loads(lab.guest.run("ip", "-j", "link", "show", name).stdout)[0]["flags"]
    assert good.sent()  # the captures capture
    nothing_left_by(bad)


@pytest.mark.parametrize("person", [None, STAFF])
def test_no_way_out_by_the_refused_card(lab, areas, person):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    lab.guest.sh(f"ip link set {name} up; ip address add 10.99.0.15/24 dev {name}; "
                 f"ip route add default via {bad.gateway} dev {name} metric 1; true")
    done = attempt(lab, bad, name, person)
    assert any(done.values()), done
    nothing_left_by(bad)
    assert not bad.server.received


def test_root_who_sets_it_up_without_pause_gets_nothing_out(lab, areas):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    pressing = lab.guest.start(["sh", "-c", f"for i in $(seq 300); do ip link set {name} up; done"], deadline=200)
    attempt(lab, bad, name)
    lab.guest.wait(pressing, 200)
    lab.recorded("network-interface-verdict", network_interface=name, cause="set-up")
    nothing_left_by(bad)


def test_names_and_addresses_do_not_make_it_another(lab, areas):
    good, bad = areas
    name = interface_of(lab, BAD_MAC)
    lab.guest.sh(f"ip link set {name} down; ip link set {name} address 52:54:00:20:00:02; "
                 f"ip link set {name} name en-other; ip link set en-other up", check=False)
    lab.recorded("network-interface-verdict", network_interface="en-other", verdict="deny")
    attempt(lab, bad, "en-other")
    lab.guest.sh(f"ip link set en-other down; ip link set en-other address {BAD_MAC}; "
                 f"ip link set en-other name {name}", check=False)
    nothing_left_by(bad)


@pytest.mark.parametrize("kind", ["vlan id 5", "macvlan", "ipvlan"])
def test_what_stands_on_it_is_refused_as_it_is(lab, areas, kind):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    lab.guest.run("ip", "link", "add", "link", name, "name", "on-top", "type", *kind.split())
    try:
        lab.recorded("network-interface-verdict", network_interface="on-top", verdict="deny")
        lab.guest.sh(f"ip link set {name} up; ip link set on-top up; ip address add 10.99.0.16/24 dev on-top; true")
        attempt(lab, bad, "on-top")
    finally:
        lab.guest.run("ip", "link", "delete", "on-top", check=False)
    nothing_left_by(bad)


@pytest.mark.parametrize("kind", ["bridge", "bond"])
def test_as_a_port_it_is_held_all_the_same(lab, areas, kind):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    lab.guest.run("ip", "link", "add", "over", "type", kind)
    try:
        lab.guest.sh(f"ip link set {name} down; ip link set {name} master over; ip link set {name} up; "
                     "ip link set over up; ip address add 10.99.0.17/24 dev over; true")
        attempt(lab, bad, "over")
        lab.guest.run("ip", "link", "set", name, "nomaster", check=False)
    finally:
        lab.guest.run("ip", "link", "delete", "over", check=False)
    nothing_left_by(bad)


def test_moved_to_another_namespace_it_comes_back(lab, areas):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    lab.guest.run("ip", "netns", "add", "away")
    try:
        lab.guest.run("ip", "link", "set", name, "netns", "away")
        lab.guest.sh(f"ip -n away link set {name} up; ip -n away address add 10.99.0.18/24 dev {name}; true")
        lab.recorded("network-interface-verdict", network_interface=name, cause="moved-to-a-namespace")
        wait_until(lambda: interface_of(lab, BAD_MAC), "it is back", 60)
        assert not lab.guest.ask("ip -n away -br link | grep -v ^lo")
    finally:
        lab.guest.run("ip", "netns", "delete", "away", check=False)
    attempt(lab, bad, interface_of(lab, BAD_MAC))
    leaked = bad.sent()
    # between its going and its coming back the kernel of the other namespace may have said that it is there
    assert not [frame for frame in leaked if b"taken out" in frame], list(map(describe, leaked))
    bad.passed_over = len(leaked)


def test_an_adapter_that_is_plugged_in_stays_silent(lab, areas):
    good, bad = areas
    area = Area(lab.machine.directory, "10.77.0", USB_MAC)
    try:
        area.plug(lab.machine.qmp)
        try:
            record = lab.recorded("network-interface-verdict", interface_kind="usb", verdict="deny")
            assert record["SEKISHO_DEVICE_VENDOR"] == "0525"
            name = plugged_in(lab, area)
            lab.guest.sh(f"ip link set {name} up; ip address add 10.77.0.15/24 dev {name}; true")
            attempt(lab, area, name)
            nothing_left_by(area)
        finally:
            area.pull(lab.machine.qmp)
    finally:
        area.close()


def test_plugged_in_while_the_agent_is_away_it_stays_silent_too(lab, areas):
    area = Area(lab.machine.directory, "10.78.0", "52:54:00:78:00:01")
    lab.guest.run("systemctl", "stop", UNIT)
    try:
        area.plug(lab.machine.qmp)
        try:
            name = plugged_in(lab, area)
            lab.guest.sh(f"ip link set {name} up; ip address add 10.78.0.15/24 dev {name}; true")
            attempt(lab, area, name)
            nothing_left_by(area)
            lab.guest.run("systemctl", "start", UNIT)
            lab.recorded("network-interface-verdict", network_interface=name, verdict="deny")
            attempt(lab, area, name)
            nothing_left_by(area)
        finally:
            area.pull(lab.machine.qmp)
    finally:
        lab.guest.run("systemctl", "start", UNIT)
        area.close()


def test_radio_is_known_as_such(lab, areas):
    lab.guest.run("modprobe", "mac80211_hwsim", "radios=1")
    try:
        record = lab.recorded("network-interface-verdict", interface_kind="wifi", verdict="deny")
        name = record["SEKISHO_NETWORK_INTERFACE"]
        lab.guest.run("ip", "link", "set", name, "up", check=False)
        lab.guest.until(f"! ip link show {name} | grep -q '[<,]UP[,>]'", "it is down")
    finally:
        lab.guest.run("modprobe", "-r", "mac80211_hwsim")


def test_killed_again_and_again_it_lets_nothing_out(lab, areas):
    _, bad = areas
    name = interface_of(lab, BAD_MAC)
    before = len(bad.sent())
    killing = lab.guest.start(["sh", "-c", f"for i in $(seq 10); do systemctl kill -s KILL --kill-whom=main {UNIT}; "
                               f"ip link set {name} up; sleep 0.3; done"], deadline=200)
    attempt(lab, bad, name)
    lab.guest.wait(killing, 200)
    lab.wait_guard()
    assert len(bad.sent()) == before, list(map(describe, bad.sent()[before:]))


def test_an_approved_adapter_works(lab, areas):
    good, _ = areas
    area = Area(lab.machine.directory, "10.79.0", "52:54:00:79:00:01")
    usb = {"name": "approved adapter", "match": {"mac": area.mac}}
    lab.guest.write(POLICY, network_policy(lab, area, (APPROVED, usb)), "600")
    lab.guest.run("systemctl", "reload", UNIT)
    try:
        area.plug(lab.machine.qmp)
        try:
            wait_address(lab, area)
            assert area.sent()
        finally:
            area.pull(lab.machine.qmp)
    finally:
        area.close()
        lab.guest.write(POLICY, network_policy(lab, good), "600")
        lab.guest.run("systemctl", "reload", UNIT)


def test_nothing_leaves_while_it_is_switched_off(guest_lab, areas, booted):
    """The last one: the machine is off afterwards."""
    _, bad = areas
    before = len(bad.sent())
    guest_lab.machine.power_off()
    assert len(bad.sent()) == before, list(map(describe, bad.sent()[before:]))

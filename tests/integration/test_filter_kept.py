# SPDX-License-Identifier: GPL-2.0-or-later
"""Who changes the packet filter in a way that is hard to hear of is heard of."""

import contextlib
import socket
import struct
import subprocess

import pytest
from sekisho_network import Net
from sekisho_wait import run, start, stop, wait_until

APPROVED = {"allow": [{"name": "住民記録", "to": "10.99.1.0/24", "protocol": "tcp", "ports": [443]}]}
NETFILTER, TABLES = 12, 7  # linux/netlink.h; NFNLGRP_NFTABLES
SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
NEWGEN, PROC_PID, PROC_NAME = 10 << 8 | 15, 2, 3  # linux/netfilter/nf_tables.h


@pytest.fixture
def net(world):
    net = Net()
    world.undo(net.close)
    world.agent_prefix = net.term.prefix
    net.wait_up()
    return net


def nft(net, *arguments, **options):
    return run([*net.term.prefix, "nft", *arguments], **options)


def table(net):
    return nft(net, "-s", "list", "table", "inet", "sekisho", check=False).stdout


def transactions(data):
    """The number and the name of who made each."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind == NEWGEN:
            attributes, at = {}, 20
            while at + 4 <= length:
                size, what = struct.unpack_from("=HH", data, at)
                attributes[what] = data[at + 4:at + size]
                at += (size + 3) & ~3
            yield struct.unpack(">I", attributes[PROC_PID])[0], attributes[PROC_NAME].rstrip(b"\0").decode()
        data = data[(length + 3) & ~3:]


class Listener:
    def __init__(self, world, net):
        self._socket = net.term.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
        world.undo(self._socket.close)
        self._socket.settimeout(20)
        self._socket.bind((0, 0))
        self._socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, TABLES)

    def wait_for(self, program):
        while True:
            for pid, name in transactions(self._socket.recv(1 << 20)):
                if name == program:
                    return pid


@contextlib.contextmanager
def process_numbered(pid, argv):
    """A process with that number, which does as ARGV when it is told to."""
    for _ in range(2000):
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write(str(pid - 1))
        process = start(["sh", "-c", 'read -r go && exec "$@"', "sh", *argv], stdin=subprocess.PIPE)
        if process.pid == pid:
            break
        stop(process)
    else:
        pytest.fail(f"no process gets the number {pid}")
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(20)


def test_who_has_the_number_of_the_agents_own_helper_is_on_record(world, net):
    listener = Listener(world, net)
    world.start_agent("--network=filter", zone="mynumber", network=APPROVED)
    pid = listener.wait_for("sekisho-network")
    before = table(net)
    with process_numbered(pid, [*net.term.prefix, "nft", "insert", "rule", "inet", "sekisho", "output", "accept"]) as process:
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert process.wait(20) == 0
    assert world.journal.wait("network-guard-lost")["SEKISHO_PID"] == str(pid)
    wait_until(lambda: table(net) == before, "the table is as it was")

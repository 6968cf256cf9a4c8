# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guard of the network costs who talks to an approved destination, one of ten thousand. Two terminals with the
same links stand beside each other: one has an agent, its packet filter, and its programs at the control group; the other has
nothing. One thread goes from one to the other at every single connect and chunk, so that both see the same moments.
Twice: without any wire, which bounds the price from above, and over one like an office's."""

import contextlib
import os
import socket
import statistics
import struct
import subprocess
import time

from sekisho_network import Net
from sekisho_wait import run, start, stop, wait_until
from sekisho_world import BUILD
from tools import world_of

PREFIXES, ROUNDS, CONNECTS, BATCH, PORT = 10_000, 15, 1000, 100, 443
ROOM, CHUNK, CHUNKS, LAN_CHUNK, LAN_CHUNKS = 1 << 17, 1 << 17, 2000, 1 << 22, 10
WIRE = os.path.join(BUILD, "tests", "sekisho-wire")
MBIT, ONE_WAY_US = 1000, 100
GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")  # where the agent looks for the group of all processes, in this order
OVER = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
LATE = struct.pack("ll", 10, 0)  # SO_RCVTIMEO, SO_SNDTIMEO: unlike Python's own they add no system call
NO_GOODBYE = struct.pack("ii", 1, 0)  # SO_LINGER: closing leaves nothing behind that grows from round to round


class Group:
    """A control group, which is that of all processes to the agent."""

    def __init__(self):
        self.root = next((path for path in GROUPS if os.path.exists(f"{path}/cgroup.controllers")), None)
        assert self.root, "there is no unified control group"
        self.path = f"{self.root}/sekisho-bench-{os.getpid()}"
        os.mkdir(self.path)

    @property
    def prefix(self):
        return ["unshare", "--mount", "sh", "-c", OVER, "sh", self.path, self.root]

    @contextlib.contextmanager
    def inside(self):
        """What is made meanwhile belongs to it: the kernel asks the group that a socket was made in."""
        self._move(self.path)
        try:
            yield
        finally:
            self._move(self.root)

    @staticmethod
    def _move(path):
        with open(f"{path}/cgroup.procs", "w") as to:
            to.write("0")

    def close(self):
        wait_until(lambda: not open(f"{self.path}/cgroup.procs").read(), "the control group is empty")
        os.rmdir(self.path)


class Lan(Net):
    """A terminal whose link to the inside is of 1 Gbit/s, and whose answers are there 0.2 ms later."""

    def __init__(self, name):
        self._wires = []
        super().__init__(name)

    def join(self, area, name):
        if name != "inside0":
            super().join(area, name)
            return
        wire = start(["taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), WIRE, self.term.path, name, area.path, "term0", MBIT, ONE_WAY_US], stdout=subprocess.PIPE)
        self._wires.append(wire)
        assert wire.stdout.readline() == b"ready\n", "there is no wire"

    def close(self):
        for wire in self._wires:
            stop(wire)
            wire.stdout.close()
        super().close()


class Terminal:
    """One of the two, and the server that it talks to."""

    def __init__(self, net, group=None):
        self.net, self.group = net, group
        self.listener = net.inside.socket()
        self.listener.bind(("10.99.1.1", PORT))
        self.listener.listen(2 * BATCH)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, LATE)  # and what it accepts

    def sockets(self, number):
        with self.group.inside() if self.group else contextlib.nullcontext():
            made = self.net.term.within(lambda: [socket.socket() for _ in range(number)])
        for client in made:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_GOODBYE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, LATE)
        return made

    def connected(self):
        client, = self.sockets(1)
        client.connect(("10.99.1.1", PORT))
        return client, self.listener.accept()[0]


def approved(machine, figures):
    connects, chunks = _measured(machine, Net, CHUNK, CHUNKS)
    figures.put_rounds("connect_us", [plain / 1000 for _, plain in connects])
    figures.put_rounds("connect_added_us", [(guarded - plain) / 1000 for guarded, plain in connects])
    figures.put_rounds("connect_ratio", [guarded / plain for guarded, plain in connects])
    figures.put_rounds("network_throughput_ratio", [plain / guarded for guarded, plain in chunks])


def approved_lan(machine, figures):
    connects, chunks = _measured(machine, Lan, LAN_CHUNK, LAN_CHUNKS)
    figures.put_rounds("connect_lan_us", [plain / 1000 for _, plain in connects])
    figures.put_rounds("connect_lan_ratio", [guarded / plain for guarded, plain in connects])
    figures.put_rounds("network_throughput_lan_mbit", [LAN_CHUNK * 8000 / plain for _, plain in chunks])
    figures.put_rounds("network_throughput_lan_ratio", [plain / guarded for guarded, plain in chunks])


def _measured(machine, link, size, number):
    """Of each round the ns of a connect, and of a chunk of SIZE, of which there are NUMBER: guarded and plain."""
    with contextlib.ExitStack() as undo:
        world = undo.enter_context(world_of(machine))
        group = Group()
        undo.callback(group.close)
        nets = [undo.enter_context(contextlib.closing(link(tag))) for tag in ("guarded", "plain")]
        for net in nets:
            net.wait_up()
        world.agent_prefix = [*nets[0].term.prefix, *group.prefix]
        world.write_policy_text(_policy())
        agent = world.start_agent("--network")
        undo.callback(agent.close)
        terminals = Terminal(nets[0], group), Terminal(nets[1])
        _check(*terminals)
        undo.enter_context(_undisturbed())
        return ([_connects(terminals) for _ in range(ROUNDS)],
                [_chunks(terminals, size, number) for _ in range(ROUNDS)])


@contextlib.contextmanager
def _undisturbed():
    """The caller's thread goes before everybody else's, on another processor than the wires."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, allowed)


def _policy():
    rules = [f"    - {{name: r{i}, to: 10.{100 + i // 250}.{i % 250}.0/25, protocol: tcp, ports: [{PORT}]}}"
             for i in range(PREFIXES - 1)]
    rules.append(f"    - {{name: last, to: 10.99.1.0/24, protocol: tcp, ports: [{PORT}]}}")
    return "\n".join(["version: 1\nserial: 1\nzone: internet\nnetwork:\n  allow:", *rules]) + "\n"


def _refusal(terminal, address):
    """What becomes of a connect to where nobody listens and nothing is approved."""
    client, = terminal.sockets(1)
    with client:
        client.settimeout(3)
        try:
            client.connect((address, PORT))
        except OSError as error:
            return type(error)
    return None


def _check(guarded, plain):
    """Both guards are in force in the one terminal, and nothing is in the other."""
    for terminal, tables in ((guarded, True), (plain, False)):
        listed = run([*terminal.net.term.prefix, "nft", "list", "tables"]).stdout
        assert ("inet sekisho\n" in listed) == tables, listed
    assert _refusal(guarded, "10.99.1.9") is ConnectionRefusedError  # in the approved prefix, by the server's host
    assert _refusal(guarded, "10.99.2.1") is PermissionError  # by the programs: the filter would send a reset
    assert _refusal(plain, "10.99.2.1") is ConnectionRefusedError


def _by_turns(number, terminals, turn):
    """The ns of each TURN in each of TERMINALS; who begins changes each time."""
    times = [[], []]
    for i in range(number):
        for which in (0, 1) if i % 2 else (1, 0):
            before = time.perf_counter_ns()
            turn(terminals[which])
            times[which].append(time.perf_counter_ns() - before)
    return times


def _connects(terminals):
    """The median ns of connect(2), guarded and plain. Without a wire the whole handshake is made within the call, by the
    caller's processor."""
    times = [[], []]
    for _ in range(CONNECTS // BATCH):
        kept = [terminal.sockets(BATCH) for terminal in terminals]
        found = _by_turns(BATCH, [iter(made) for made in kept], lambda left: next(left).connect(("10.99.1.1", PORT)))
        for mine, more in zip(times, found):
            mine += more
        for terminal, made in zip(terminals, kept):
            for client in made:
                client.close()
                terminal.listener.accept()[0].close()
    return [statistics.median(mine) for mine in times]


def _chunks(terminals, size, number):
    """The median ns in which a chunk is sent and received. What is to be sent is always ahead of what came."""
    data, room = bytes(size), bytearray(ROOM)
    pairs = [terminal.connected() for terminal in terminals]

    def turn(pair):
        client, server = pair
        left = size
        sent = 0
        while left:
            if sent < size:
                with contextlib.suppress(BlockingIOError):
                    sent += client.send(memoryview(data)[sent:], socket.MSG_DONTWAIT)
            left -= server.recv_into(room)

    try:
        return [statistics.median(mine) for mine in _by_turns(number, pairs, turn)]
    finally:
        for client, server in pairs:
            client.close()
            server.close()

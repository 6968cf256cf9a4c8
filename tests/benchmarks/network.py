# SPDX-License-Identifier: GPL-2.0-or-later
"""What the packet filter costs who talks to an approved destination, one of ten thousand: in network namespaces, by
turns with and without it."""

import contextlib
import socket
import statistics
import threading
import time

from sekisho_network import Net
from sekisho_wait import run, wait_until
from tools import world_of

PREFIXES, ROUNDS, CONNECTS, CHUNK, CHUNKS, PORT = 10_000, 9, 2000, 1 << 20, 1500, 443


def approved(machine, figures):
    with world_of(machine) as world, contextlib.closing(Net()) as net:
        world.agent_prefix = net.term.prefix
        listener = _sink(net)
        net.wait_up()
        world.start_agent("--network", zone="internet")
        rounds = {False: [], True: []}
        for number in range(ROUNDS):
            for guarded in (False, True) if number % 2 else (True, False):
                _guard(world, net, guarded)
                rounds[guarded].append((_connect(net), _throughput(net)))
        listener.close()
    pairs = list(zip(rounds[True], rounds[False]))
    figures.put_rounds("connect_us", [plain[0] / 1000 for _, plain in pairs])
    figures.put_rounds("connect_ratio", [guarded[0] / plain[0] for guarded, plain in pairs])
    figures.put_rounds("network_throughput_ratio", [guarded[1] / plain[1] for guarded, plain in pairs])


def _guard(world, net, guarded):
    """The text is written here: it is long, and the same but for its serial."""
    rules = [f"    - {{name: r{i}, to: 10.{100 + i // 250}.{i % 250}.0/25, protocol: tcp, ports: [{PORT}]}}"
             for i in range(PREFIXES - 1)]
    rules.append(f"    - {{name: last, to: 10.99.1.0/24, protocol: tcp, ports: [{PORT}]}}")
    world._serial += 1
    text = [f"version: 1\nserial: {world._serial}\nzone: internet", *(["network:\n  allow:", *rules] if guarded else [])]
    world.write_policy_text("\n".join(text) + "\n")
    assert world.agent.reload()["SEKISHO_EVENT"] == "policy-loaded"
    wait_until(lambda: _has_table(net) == guarded, "the packet filter is as the policy says")


def _has_table(net):
    return run([*net.term.prefix, "nft", "list", "table", "inet", "sekisho"], check=False).returncode == 0


def _sink(net):
    """Takes in what comes and says nothing."""
    listener = net.inside.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("10.99.1.1", PORT))
    listener.listen(4096)

    def drain(connection):
        buffer = bytearray(CHUNK)
        with connection, contextlib.suppress(OSError):
            while connection.recv_into(buffer):
                pass
            connection.send(b"!")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                threading.Thread(target=drain, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def _connect(net):
    """The median ns of connect(2)."""
    def times():
        found = []
        for _ in range(CONNECTS):
            with socket.socket() as client:
                before = time.perf_counter_ns()
                client.connect(("10.99.1.1", PORT))
                found.append(time.perf_counter_ns() - before)
                client.shutdown(socket.SHUT_WR)
                client.recv(1)
        return found

    return statistics.median(net.term.within(times))


def _throughput(net):
    """Bytes in a second, until the last one has been taken."""
    def send():
        data = bytes(CHUNK)
        with socket.socket() as client:
            client.connect(("10.99.1.1", PORT))
            before = time.perf_counter()
            for _ in range(CHUNKS):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
            return CHUNKS * CHUNK / (time.perf_counter() - before)

    return net.term.within(send)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal between two areas: a network namespace for the agent and the people at it, and one for each area, with
real servers and somebody who listens on the wire. Nothing of the machine's own network is touched."""

import contextlib
import ctypes
import os
import socket
import struct
import threading

from sekisho_wait import run, wait_until

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
ETH_ARP, ETH_IPV4, ETH_IPV6 = 0x0806, 0x0800, 0x86DD
PACKET_OUTGOING = 4
# What a link needs and says nothing: neighbour and router discovery, multicast listeners.
QUIET_ICMPV6 = {131, 132, 133, 135, 136, 143}
PAYLOAD = b"\xe4\xbd\x8f\xe6\xb0\x91 resident record 4f7a"
_libc = ctypes.CDLL(None, use_errno=True)


class Area:
    """A network namespace. What is made within() it stays in it, wherever it is used."""

    def __init__(self, name):
        self.name, self.path = name, f"/run/netns/{name}"
        run(["ip", "netns", "add", name])
        self.ip("link", "set", "lo", "up")

    def close(self):
        run(["ip", "netns", "delete", self.name], check=False)

    def ip(self, *arguments):
        return run(["ip", "-n", self.name, *arguments]).stdout

    @property
    def prefix(self):
        return ["nsenter", f"--net={self.path}"]

    def within(self, function, *arguments):
        """FUNCTION's result; it runs in a thread that is in this namespace."""
        box = {}

        def body():
            try:
                with open(self.path, "rb") as namespace:
                    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                box["result"] = function(*arguments)
            except BaseException as error:  # the caller's
                box["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if "error" in box:
            raise box["error"]
        return box.get("result")

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        return self.within(socket.socket, family, kind, protocol)


class Server:
    """Listens for TCP and UDP on every address of AREA, answers with what it gets, and remembers who came."""

    def __init__(self, area, port):
        self.area, self.port, self.heard = area, port, []
        self._stopping = False
        self.tcp = area.socket(socket.AF_INET6)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("::", port))
        self.tcp.listen(64)
        self.udp = area.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.udp.bind(("::", port))
        self._threads = [threading.Thread(target=body, daemon=True) for body in (self._accept, self._receive)]
        for thread in self._threads:
            thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while not self._stopping:
                connection, _ = self.tcp.accept()
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                self.heard.append(data)
                connection.sendall(data)

    def _receive(self):
        with contextlib.suppress(OSError):
            while not self._stopping:
                data, peer = self.udp.recvfrom(65536)
                if not self._stopping:
                    self.heard.append(data)
                    self.udp.sendto(data, peer)

    def close(self):
        self._stopping = True
        for listener in (self.tcp, self.udp):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


class Wire:
    """Every frame that comes to an interface from its other end."""

    def __init__(self, area, interface):
        self.socket = area.within(self._open, interface)

    @staticmethod
    def _open(interface):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        wire.bind((interface, ETH_P_ALL))
        wire.setblocking(False)
        return wire

    def frames(self):
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, address = self.socket.recvfrom(65536)
                if address[2] != PACKET_OUTGOING:
                    found.append(frame)
        return found

    def telling(self):
        """The frames that tell anybody anything."""
        return [frame.hex() for frame in self.frames() if not is_quiet(frame)]

    def close(self):
        self.socket.close()


def is_quiet(frame):
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == ETH_ARP:
        return len(frame) <= 60
    if kind != ETH_IPV6 or PAYLOAD in frame:
        return False
    number, at = frame[20], 54
    if number == 0:  # hop-by-hop, before multicast listener reports
        number, at = frame[54], 54 + 8 * (frame[55] + 1)
    return number == 58 and frame[at] in QUIET_ICMPV6


class Net:
    """`term`, where the agent is, with `inside0` and `outside0`; `inside` (10.99.1.1, fd99:1::1) and `outside`
    (10.99.2.1, fd99:2::1, and whatever else, by the default route) at their other ends."""

    def __init__(self, name="net"):
        """NAME tells several apart."""
        self._undo = contextlib.ExitStack()
        tag = f"{name}-{os.getpid()}"
        try:
            self.term, self.inside, self.outside = (self._area(f"sekisho-{what}-{tag}")
                                                    for what in ("term", "inside", "outside"))
            self._link(self.inside, "inside0", "1")
            self._link(self.outside, "outside0", "2")
            self.outside.ip("address", "add", "203.0.113.9/32", "dev", "lo")
            self.term.ip("route", "add", "default", "via", "10.99.2.1")
            self.term.ip("-6", "route", "add", "default", "via", "fd99:2::1")
            self.inside.ip("address", "add", "10.99.1.9/24", "dev", "term0")
        except BaseException:
            self.close()
            raise

    def _area(self, name):
        area = Area(name)
        self._undo.callback(area.close)
        return area

    def join(self, area, name):
        """Two ends without any wire between them: NAME in the terminal, term0 in AREA."""
        run(["ip", "link", "add", name, "netns", self.term.name, "type", "veth", "peer", "name", "term0", "netns",
             area.name])

    def _link(self, area, name, number):
        self.join(area, name)
        for where, link, host in ((self.term, name, 2), (area, "term0", 1)):
            where.ip("address", "add", f"10.99.{number}.{host}/24", "dev", link)
            where.ip("address", "add", f"fd99:{number}::{host}/64", "dev", link, "nodad")
            where.ip("link", "set", link, "up")

    def server(self, area, port):
        server = Server(area, port)
        self._undo.callback(server.close)
        return server

    def wire(self, area=None):
        wire = Wire(area or self.outside, "term0")
        self._undo.callback(wire.close)
        return wire

    def wait_up(self):
        """Until a link-local address is there, and nobody else may have it."""
        for area, link in ((self.term, "inside0"), (self.term, "outside0"), (self.outside, "term0")):
            wait_until(lambda area=area, link=link: "tentative" not in (
                text := area.ip("-6", "address", "show", "dev", link)) and "fe80" in text, f"{link} is up")

    def close(self):
        self._undo.close()


def talk(area, to, port, kind=socket.SOCK_STREAM, deadline=3):
    """Sends PAYLOAD and returns what comes back: "echo", or the name of what went wrong."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with area.socket(family, kind) as client:
        client.settimeout(deadline)
        try:
            client.connect((to, port))
            client.send(PAYLOAD)
            return "echo" if client.recv(65536) == PAYLOAD else "nothing"
        except OSError as error:
            return type(error).__name__ if not error.errno else os.strerror(error.errno)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks around a guest: each is an area of its own, with an address server, router advertisements and a gateway
behind which real servers of this machine answer. What crosses the cable is written down by QEMU, outside the guest."""

import contextlib
import itertools
import os
import socket
import struct
import threading

PCAP_MAGIC = 0xA1B2C3D4
_numbers = itertools.count(1)


class Server:
    """Answers on a port of this machine's loopback, which a guest reaches at its area's gateway: every connection gets
    a line back, every datagram an answer. What came in is kept."""

    def __init__(self):
        self.received = []
        self._changed = threading.Condition()
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for serve in (self._accept, self._answer):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        for sock in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _take(self, data):
        with self._changed:
            self.received.append(data)
            self._changed.notify_all()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection):
        self._take(b"")
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                self._take(data)
                connection.sendall(b"heard\n")

    def _answer(self):
        with contextlib.suppress(OSError):
            while True:
                data, who = self._udp.recvfrom(4096)
                if not who:
                    return  # shut down
                self._take(data)
                self._udp.sendto(b"heard\n", who)


class Area:
    """One network, and the card by which the guest is in it. PREFIX is 10.20.0, ADDRESS the card's own."""

    def __init__(self, directory, prefix, mac, card="virtio-net-pci"):
        self.id = f"area{next(_numbers)}"
        self.prefix, self.mac, self.card = prefix, mac, card
        self.capture = os.path.join(directory, self.id + ".pcap")
        self.server = Server()

    def close(self):
        self.server.close()

    @property
    def gateway(self):
        return self.prefix + ".2"

    @property
    def netdev(self):
        number = self.prefix.split(".")[1]
        return {"type": "user", "id": self.id, "net": self.prefix + ".0/24", "ipv6-prefix": f"fd00:{number}::",
                "ipv6-prefixlen": 64}

    def arguments(self):
        """Those of a machine that has the card from power-on."""
        netdev = ",".join(f"{key}={value}" if key != "type" else value for key, value in self.netdev.items())
        return ["-netdev", netdev, "-device", f"{self.card},netdev={self.id},mac={self.mac}",
                "-object", f"filter-dump,id={self.id}-dump,netdev={self.id},file={self.capture}"]

    def plug(self, qmp, card="usb-net", bus="usb.0"):
        """A USB adapter, or another card, while the machine runs."""
        netdev = dict(self.netdev)
        qmp.run("netdev_add", **netdev)
        qmp.run("object-add", **{"qom-type": "filter-dump", "id": self.id + "-dump", "netdev": self.id,
                                 "file": self.capture})
        qmp.run("device_add", driver=card, id=self.id + "-dev", bus=bus, netdev=self.id, mac=self.mac)

    def pull(self, qmp):
        qmp.run("device_del", id=self.id + "-dev")
        qmp.wait_event("DEVICE_DELETED", device=self.id + "-dev")
        qmp.run("object-del", id=self.id + "-dump")
        qmp.run("netdev_del", id=self.id)

    # What crossed the cable.

    def frames(self):
        return list(read_pcap(self.capture)) if os.path.exists(self.capture) else []

    def sent(self):
        """Frames that the guest's end put on the cable, whatever address they bear: all that are not the other
        end's, which QEMU gives 52:55:... and 52:56:..."""
        return [frame for frame in self.frames() if frame[6:8] not in (b"\x52\x55", b"\x52\x56")]

    def forget(self):
        """Before a boot: the next capture begins anew."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.capture)


def read_pcap(path):
    """The frames of a capture that may still be written to."""
    with open(path, "rb") as file:
        header = file.read(24)
        if len(header) < 24:
            return
        assert struct.unpack("<I", header[:4])[0] == PCAP_MAGIC, "no capture of QEMU's"
        while len(head := file.read(16)) == 16:
            length = struct.unpack("<IIII", head)[2]
            frame = file.read(length)
            if len(frame) < length:
                return
            yield frame


def describe(frame):
    """A frame in a few words, for who reads what leaked."""
    kind = int.from_bytes(frame[12:14], "big")
    names = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x88CC: "LLDP"}
    text = f"{frame[6:12].hex(':')} > {frame[:6].hex(':')} {names.get(kind, hex(kind))}"
    if kind == 0x0800:
        text += f" {socket.inet_ntoa(frame[26:30])} > {socket.inet_ntoa(frame[30:34])} protocol {frame[23]}"
    elif kind == 0x86DD:
        text += (f" {socket.inet_ntop(socket.AF_INET6, frame[22:38])} > "
                 f"{socket.inet_ntop(socket.AF_INET6, frame[38:54])} next {frame[20]}")
    return text + f", {len(frame)} bytes"


# In the guest: one attempt of each kind towards a gateway, by an interface; what became of each as JSON.
ATTEMPTS = r'''
import json, os, socket, struct, sys
interface, address, address6, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
index = socket.if_nametoindex(interface)
done = {}

def attempt(name, function):
    try:
        function()
        done[name] = None
    except OSError as error:
        done[name] = type(error).__name__ if error.errno is None else os.strerror(error.errno)

def connect(family, kind, to, protocol=0, bind=False):
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(3)
        if bind:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.connect(to)
        sock.send(b"taken out")

def packet(ethertype):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind((interface, 0))
        sock.send(b"\xff" * 6 + b"\x52\x54\x00\x66\x66\x66" + struct.pack("!H", ethertype) + b"taken out" * 8)

def bypass():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.setsockopt(263, 20, 1)  # PACKET_QDISC_BYPASS
        sock.bind((interface, 0))
        sock.send(b"\xff" * 6 + b"\x52\x54\x00\x66\x66\x66\x88\xb5" + b"taken out" * 8)

attempt("tcp", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, (address, port)))
attempt("tcp-bound", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, (address, port), bind=True))
attempt("udp", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, (address, port), bind=True))
attempt("dns", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, (address, 53), bind=True))
attempt("icmp", lambda: connect(socket.AF_INET, socket.SOCK_RAW, (address, 0), socket.IPPROTO_ICMP, bind=True))
attempt("sctp", lambda: connect(socket.AF_INET, socket.SOCK_RAW, (address, 0), 132, bind=True))
attempt("raw", lambda: connect(socket.AF_INET, socket.SOCK_RAW, (address, 0), 255, bind=True))
attempt("udp6", lambda: connect(socket.AF_INET6, socket.SOCK_DGRAM, (address6, port), bind=True))
attempt("link-local", lambda: connect(socket.AF_INET6, socket.SOCK_DGRAM, ("fe80::2", port, 0, index)))
attempt("multicast6", lambda: connect(socket.AF_INET6, socket.SOCK_DGRAM, ("ff02::1", port, 0, index)))
attempt("arp", lambda: packet(0x0806))
attempt("lldp", lambda: packet(0x88CC))
attempt("packet", lambda: packet(0x88B5))
attempt("packet-bypass", bypass)
print(json.dumps(done))
'''

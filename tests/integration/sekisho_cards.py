# SPDX-License-Identifier: GPL-2.0-or-later
"""A card reader with cards: the real pcscd with vsmartcard's reader in software, whose cards are connections to it."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import threading

from sekisho_ports import reserve_ports
from sekisho_wait import run, start, stop, wait_until

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
CONFIGURATION = 'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port:#x}\nLIBPATH {driver}\nCHANNELID {port:#x}\n'
SLOTS = 2
ATR = bytes.fromhex("3b00")
GET_ATR = 4
# In a namespace where its socket, whose path is built in, is in a directory of the test's.
PCSCD = 'mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$0" /run/pcscd && exec "$@"'


class Card(threading.Thread):
    """In the reader as long as it is connected. It says what it is (vpcd's protocol: a length of two bytes, and as much),
    and does nothing else."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._socket = socket.create_connection(("127.0.0.1", port))
        self.start()

    def run(self):
        with contextlib.suppress(OSError), self._socket.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                asked = stream.read(struct.unpack(">H", head)[0])
                if asked == bytes([GET_ATR]):
                    self._socket.sendall(struct.pack(">H", len(ATR)) + ATR)

    def take_out(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()


class Reader:
    """Two slots. Clients find pcscd by ENVIRONMENT."""

    names = [f"Virtual PCD 00 0{slot}" for slot in range(SLOTS)]

    def __init__(self, world):
        self._world, self.process = world, None
        self._directory = world.new_path("pcscd")
        os.mkdir(self._directory, 0o755)
        self.environment = {"PCSCLITE_CSOCK_NAME": os.path.join(self._directory, "pcscd.comm")}
        self._port = reserve_ports(world, SLOTS, "0.0.0.0")[0]
        self._configuration = world.new_path("reader.conf.d")
        os.mkdir(self._configuration)
        with open(os.path.join(self._configuration, "virtual"), "w") as to:
            to.write(CONFIGURATION.format(port=self._port, driver=DRIVER))
        world.undo(self.stop)

    def start(self):
        with open(self._world.new_path("pcscd.log"), "wb") as log:
            self.process = start(["unshare", "--mount", "--propagation", "private", "sh", "-c", PCSCD, self._directory,
                                  "pcscd", "--foreground", "--config", self._configuration],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._listens, "the reader is there")
        return self

    def _listens(self):
        assert self.process.poll() is None, "pcscd ended"
        listening = run(["ss", "-Hltn"]).stdout
        return os.path.exists(self.environment["PCSCLITE_CSOCK_NAME"]) and all(
            f":{self._port + slot} " in listening for slot in range(SLOTS))

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def put_in(self, slot=0):
        card = Card(self._port + slot)
        self._world.undo(card.take_out)
        wait_until(lambda: self._has_card(slot), "pcscd has seen the card")
        return card

    def _has_card(self, slot):
        listed = run(["opensc-tool", "--list-readers"], environment=self.environment).stdout
        return re.search(rf"^{slot} +Yes ", listed, re.MULTILINE)

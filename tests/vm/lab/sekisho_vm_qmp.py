# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's machine protocol: commands and their answers, and the events in between."""

import json
import socket
import time

from sekisho_wait import Late, remaining, wait_until


class Refused(AssertionError):
    """QEMU would not do it."""


class Qmp:
    def __init__(self, path, alive, deadline=30):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wait_until(lambda: not alive() or self._connects(path), "QEMU listens", deadline)
        assert alive(), "QEMU ended at once"
        self._pending = b""
        self.events = []
        self._message(time.monotonic() + deadline)  # its greeting
        self.run("qmp_capabilities")

    def _connects(self, path):
        try:
            self._socket.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def close(self):
        self._socket.close()

    def _message(self, until):
        while b"\n" not in self._pending:
            self._socket.settimeout(max(0.001, remaining(until)))
            try:
                chunk = self._socket.recv(1 << 16)
            except TimeoutError as error:
                raise Late("QEMU does not answer") from error
            if not chunk:
                raise EOFError("QEMU has closed its socket")
            self._pending += chunk
        line, self._pending = self._pending.split(b"\n", 1)
        return json.loads(line)

    def run(self, command, deadline=30, **arguments):
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        until = time.monotonic() + deadline
        while True:
            message = self._message(until)
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise Refused(f"{command} {arguments}: {message['error']['desc']}")
            else:
                return message["return"]

    def wait_event(self, name, deadline=30, **data):
        """Takes the first such event out of those that have come, or comes back with it once it comes."""
        until = time.monotonic() + deadline
        while True:
            for event in self.events:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    self.events.remove(event)
                    return event
            message = self._message(until)
            if "event" in message:
                self.events.append(message)

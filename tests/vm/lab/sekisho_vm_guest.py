# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands in the guest, through a virtio-serial port. Several may run at a time."""

import itertools
import json
import os
import socket
import threading

from sekisho_wait import DEADLINE, Late, wait_until

BOOT_DEADLINE = float(os.environ.get("SEKISHO_TEST_BOOT_DEADLINE", "180"))  # emulated, on a machine that does other things as well


class Result:
    def __init__(self, answer):
        self.status, self.stdout, self.stderr = answer["status"], answer["stdout"], answer["stderr"]


class Lines:
    """A thread that takes lines from a socket of QEMU's and hands each to a function."""

    def __init__(self, path, take):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self._take = take
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self.socket.makefile("rb") as lines:
            try:
                for line in lines:
                    try:
                        message = json.loads(line)
                    except ValueError:
                        continue  # a line that a power cut or a reboot broke off
                    self._take(message)
            except OSError:
                pass  # QEMU is gone

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join()
        self.socket.close()


class Guest:
    def __init__(self, path):
        self._changed = threading.Condition()
        self._answers, self._ids = {}, itertools.count(1)
        self._boots = 0
        self._lines = Lines(path, self._take)

    def close(self):
        self._lines.close()

    def _take(self, message):
        with self._changed:
            if message["id"] == 0:
                self._boots += 1
            self._answers[message["id"]] = message
            self._changed.notify_all()

    @property
    def boots(self):
        """How often the guest has come up."""
        return self._boots

    def wait_boot(self, after, deadline=BOOT_DEADLINE):
        """Until it has come up more than AFTER times."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._boots > after, deadline):
                raise Late(f"the guest is not up within {deadline:g} s")

    def start(self, argv, deadline=60, **more):
        """Begins a command; the number is for wait()."""
        return self._ask({"argv": [str(word) for word in argv], "deadline": deadline, **more})

    def start_write(self, path, user, text, deadline=60):
        """Somebody begins to write TEXT (None: without end) to a file; the number is for written()."""
        return self._ask({"write": {"path": path, "user": user, "text": text}, "deadline": deadline})

    def _ask(self, request):
        number = next(self._ids)
        self._lines.socket.sendall(json.dumps({"id": number, **request}).encode() + b"\n")
        return number

    def wait(self, number, deadline=60):
        return Result(self._answer(number, deadline))

    def read(self, path):
        """What a file says, without a process in the guest; None if it cannot be read."""
        return self._answer(self._ask({"read": path}), DEADLINE + 30)["content"]

    def written(self, number, deadline=60):
        """What became of it: {"error": None or a name, "at": when}."""
        return self._answer(number, max(deadline, DEADLINE) + 30)

    def _answer(self, number, deadline):
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._answers, deadline):
                raise Late(f"the guest has not answered within {deadline:g} s")
            return self._answers.pop(number)

    def run(self, *argv, check=True, deadline=60, **more):
        deadline = max(deadline, DEADLINE)
        result = self.wait(self.start(argv, deadline, **more), deadline + 30)
        if check and result.status != 0:
            raise AssertionError(f"in the guest: {' '.join(map(str, argv))}: exit {result.status}\n"
                                 f"{result.stdout}{result.stderr}")
        return result

    def sh(self, script, *arguments, **more):
        return self.run("sh", "-c", script, "sh", *arguments, **more)

    def ask(self, script, **more):
        """What a line of shell says, whatever its status."""
        return self.sh(script, check=False, **more).stdout.strip()

    def until(self, script, what, deadline=60, arguments=()):
        """Until a line of shell, asked again and again, succeeds; returns what it says then."""
        def succeeds():
            result = self.sh(script, *arguments, check=False)
            return (result.stdout.strip() or " ") if result.status == 0 else None

        return wait_until(succeeds, what, deadline)

    def write(self, path, text, mode="644", then="true"):
        """A file, all of it or none; THEN is a line of shell."""
        self.sh(f'umask 077 && cat >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1" && {then}', path, mode, input=text)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A throw-away Debian that has booted: systemd as its first process, in namespaces of its own."""

import contextlib
import ctypes
import json
import os
import re
import select
import signal
import subprocess
import time

from sekisho_package import run

DEADLINE = float(os.environ.get("SEKISHO_TEST_DEADLINE", "30"))
PR_SET_PDEATHSIG = 1
SIGRTMIN_POWEROFF = signal.SIGRTMIN + 4  # systemd(1)
_libc = ctypes.CDLL(None)


def wait_until(question, what, deadline=DEADLINE):
    """Asks QUESTION until its answer is true and returns the answer; for states that nothing announces."""
    until = time.monotonic() + deadline
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < until, f"not within {deadline:g} s: {what}"
        select.select([], [], [], 0.05)


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Container:
    """CHROOT, booted. Its own network, and of this machine's devices only DEVICES."""

    def __init__(self, chroot, devices=()):
        self._undo = contextlib.ExitStack()
        self.log = chroot.path("/root/console.log")
        with open(self.log, "wb") as log:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--capability=all",
                 "--system-call-filter=@known", "--console=pipe", "--directory", chroot.root, *(f"--bind={device}" for device in devices), "--boot"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        try:
            self.first = wait_until(self._find_first, "the first process")
            wait_until(self._is_up, "the machine is up")
        except BaseException as failure:
            self.close()
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"it does not boot: {failure}\n{log.read()[-4000:]}") from failure

    def _find_first(self):
        assert self._nspawn.poll() is None, "systemd-nspawn has ended"
        with open(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == "systemd":
                        return child
        return None

    def _is_up(self):
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in ("running", "degraded")

    def close(self):
        if getattr(self, "first", None) and self._nspawn.poll() is None:
            os.kill(int(self.first), SIGRTMIN_POWEROFF)
        try:
            self._nspawn.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    def run(self, *argv, **options):
        return run("nsenter", "--target", self.first, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                   "--", *argv, **options)

    def show(self, unit, *names):
        """Properties of a unit; the value alone if one is asked for."""
        said = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        found = dict(line.split("=", 1) for line in said.splitlines())
        return found[names[0]] if len(names) == 1 else found

    def records(self, **fields):
        said = self.run("journalctl", "--quiet", "--output=json", "--all",
                        *(f"{name}={value}" for name, value in fields.items()), check=False).stdout
        return [json.loads(line) for line in said.splitlines()]

    def wait_record(self, **fields):
        return wait_until(lambda: self.records(**fields), f"a record with {fields}")[-1]

    def tell(self):
        """What the journal has of the service, with the fields of its own."""
        said = self.run("journalctl", "--quiet", "--unit=sekishod.service", "--output=verbose", "--all", check=False).stdout
        return "\n".join(line.strip() for line in said.splitlines()
                         if re.match(r"\s+(MESSAGE|SEKISHO_(EVENT|PATH|MOUNT|FSTYPE|EXE|ERROR|RULE|VERDICT))=", line))[-6000:]

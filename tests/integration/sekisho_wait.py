# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting with a deadline, and running commands with one: nothing in the suite sleeps or waits for ever."""

import ctypes
import os
import select
import signal
import subprocess
import time

DEADLINE = float(os.environ.get("SEKISHO_TEST_DEADLINE", "30"))
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Late(AssertionError):
    """What was waited for did not happen in time."""


def remaining(until):
    return max(0.0, until - time.monotonic())


def wait_until(question, what, deadline=DEADLINE):
    """Asks QUESTION until its answer is true and returns the answer; for states that nothing announces."""
    deadline = max(deadline, DEADLINE)  # a slow machine is given more, by its environment
    until = time.monotonic() + deadline
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() >= until:
            raise Late(f"not within {deadline:g} s: {what}")
        select.select([], [], [], 0.02)


def die_with_parent():
    """In a new child: end when the test run ends, however that comes about."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, **options):
    """A process that does not outlive the test run."""
    return subprocess.Popen([str(a) for a in argv], preexec_fn=die_with_parent, **options)


def run(argv, check=True, deadline=DEADLINE, **options):
    """Runs a command to its end; its output is in the result. Text, C locale, no input."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    environment = dict(os.environ, LC_ALL="C.UTF-8", **options.pop("environment", {}))
    argv = [str(a) for a in argv]
    deadline = max(deadline, DEADLINE)
    try:
        result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                timeout=deadline, env=environment, **options)
    except subprocess.TimeoutExpired as expired:
        raise Late(f"still running after {deadline:g} s: {' '.join(argv)}") from expired
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def stop(process, with_signal=signal.SIGTERM, deadline=DEADLINE):
    """Ends PROCESS, the hard way if it must be, and returns its exit status; says so if it had to be hard."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        return process.wait(deadline)
    except subprocess.TimeoutExpired as expired:
        process.kill()
        process.wait()
        raise Late(f"did not end within {deadline:g} s of signal {with_signal}: {process.args}") from expired

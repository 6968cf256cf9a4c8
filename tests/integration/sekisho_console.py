# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody at the machine itself."""

import os

import pytest
from sekisho_wait import run
from sekisho_world import program

TAKE = """
import fcntl, os, sys, termios
os.setsid()
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(fd, termios.TIOCSCTTY, 1)
os.dup2(fd, 0)  # the last one to close a terminal takes it from its session
os.execv(sys.argv[2], ['sekishoctl', *sys.argv[3:]])
"""


def console():
    """The name of a console of the machine."""
    for name in ("tty63", "tty12", "hvc0", "ttyS0"):
        if os.path.exists(f"/dev/{name}"):
            return name
    pytest.skip("this machine has no console")


def on_console(*arguments):
    """sekishoctl with a console of the machine as its controlling terminal."""
    return run(["/usr/bin/python3", "-c", TAKE, f"/dev/{console()}", program("sekishoctl"), *arguments], check=False)

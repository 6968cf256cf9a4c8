# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a test needs a Debian to install in: made once, cached, unpacked anew for each."""

import os
import signal

import pytest

import sekisho_package
from sekisho_chroot import Chroot, Unavailable


def end_early(*_):
    raise KeyboardInterrupt  # so that fixtures are still taken down


def pytest_sessionstart():
    signal.signal(signal.SIGTERM, end_early)
    if os.geteuid() != 0:
        pytest.exit("SKIPPED: needs root (chroots, containers)", returncode=sekisho_package.EXIT_SKIPPED)


@pytest.fixture
def chroot():
    try:
        chroot = Chroot(sekisho_package.deb())
    except Unavailable as why:
        pytest.exit(f"SKIPPED: {why}", returncode=sekisho_package.EXIT_SKIPPED)
    yield chroot
    chroot.close()

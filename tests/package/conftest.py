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


def make_chroot(**options):
    try:
        return Chroot(sekisho_package.deb(), **options)
    except Unavailable as why:
        pytest.exit(f"SKIPPED: {why}", returncode=sekisho_package.EXIT_SKIPPED)


@pytest.fixture
def chroot():
    chroot = make_chroot()
    yield chroot
    chroot.close()


@pytest.fixture
def whole_chroot():
    """One without layers, of which the agent in it could see the upper one only, and not trust it."""
    chroot = make_chroot(copy=True)
    yield chroot
    chroot.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the container's journal has to say."""
    outcome = yield
    report = outcome.get_result()
    container = getattr(item, "funcargs", {}).get("container")
    if container and report.when == "call" and report.failed:
        report.sections.append(("the container's journal", container.tell()))

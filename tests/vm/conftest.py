# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest for a test file: each boot costs half a minute and more."""

import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lab"), os.path.join(os.path.dirname(HERE), "integration")]

import sekisho_vm_image  # noqa: E402
import sekisho_vm_lab  # noqa: E402

EXIT_SKIPPED = 77  # ctest's SKIP_RETURN_CODE, set in CMakeLists.txt


def end_early(*_):
    raise KeyboardInterrupt  # so that fixtures are still taken down


def pytest_sessionstart():
    signal.signal(signal.SIGTERM, end_early)
    missing = sekisho_vm_lab.missing()
    if missing:
        pytest.exit(f"SKIPPED: {missing}", returncode=EXIT_SKIPPED)


@pytest.fixture(scope="session")
def guest_lab():
    """A guest that is not switched on yet."""
    try:
        lab = sekisho_vm_lab.Lab()
    except sekisho_vm_image.Unavailable as why:
        pytest.exit(f"SKIPPED: {why}", returncode=EXIT_SKIPPED)
    yield lab
    lab.close()


@pytest.fixture
def lab(booted):
    """The running guest; the file's own `booted` says how it comes up."""
    yield booted
    booted.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the guest had to say."""
    outcome = yield
    report = outcome.get_result()
    arguments = getattr(item, "funcargs", {})
    lab = arguments.get("lab") or arguments.get("guest_lab")
    if lab and report.failed and lab.machine.process:
        report.sections.append(("guest", lab.machine.tell()))

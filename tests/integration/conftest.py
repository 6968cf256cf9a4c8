# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine for a test file, one world for a test."""

import os
import signal

import pytest

from sekisho_machine import Machine
from sekisho_world import World, program

EXIT_SKIPPED = 77  # ctest's SKIP_RETURN_CODE, set in CMakeLists.txt
# AddressSanitizer keeps 256 MiB of what was freed back unless told otherwise, and so hides what a test of memory looks for.
os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64")


def end_early(*_):
    raise KeyboardInterrupt  # so that fixtures are still taken down


def pytest_sessionstart():
    signal.signal(signal.SIGTERM, end_early)
    missing = None
    if os.geteuid() != 0:
        missing = "needs root (loop devices, mounts, fanotify)"
    elif not os.path.exists("/dev/loop-control"):
        missing = "this kernel has no loop devices"
    elif not os.path.exists(program("sekishod")):
        missing = f"there is no {program('sekishod')}"
    if missing:
        pytest.exit(f"SKIPPED: {missing}", returncode=EXIT_SKIPPED)


@pytest.fixture(scope="session")
def machine():
    machine = Machine()
    yield machine
    machine.close()


@pytest.fixture
def world(machine):
    world = World(machine)
    yield world
    world.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the journal and the agent had to say."""
    outcome = yield
    report = outcome.get_result()
    world = getattr(item, "funcargs", {}).get("world")
    if world and report.when == "call" and report.failed:
        try:
            world.journal.barrier()
        except AssertionError:
            pass
        report.sections.append(("Sekisho", world.tell()))

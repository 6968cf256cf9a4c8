# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of faults share: attackers and what became of their attempts, a supervisor in place of the
service manager, and looks at the agent's processes."""

import contextlib
import errno
import os
import random
import re
import signal
import subprocess
import time

import pytest
from sekisho_machine import GROUP
from sekisho_wait import Late, wait_until
from sekisho_world import BUILD, Agent, read

ATTACKERS = os.path.join(BUILD, "tests", "sekisho-attackers")
HANG_MSEC = 1000  # longer than this nobody is kept waiting, whatever has failed
NO_TIMEOUT = {"7": 0xffffffff, "73": 0}  # third argument of poll() on x86-64, and of ppoll() where that is all there is
MARKER = "a leak 6f1c9d"


def is_sanitized(path):
    """Whether AddressSanitizer allocates for the program at PATH. It ends a program that it has no memory for."""
    with open(path, "rb") as file:
        return b"__asan_init" in file.read()


class Attack:
    """Processes of one person that try to write MARKER to PATH until finish(), or COUNT times each."""

    def __init__(self, world, person, path, processes=4, count=None, marker=MARKER):
        self.argv = [ATTACKERS, path, marker, str(processes), *([str(count)] if count else [])]
        self._began, self.seconds = time.monotonic(), None
        self.process = world.start_as(person, self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "started\n", f"{self.argv} does not start\n{world.tell()}"

    def finish(self, deadline=30):
        """Ends it; its totals by name."""
        try:
            self.process.stdin.close()
            self.process.wait(deadline)  # communicate() would pass over what came together with "started"
            self.seconds = time.monotonic() - self._began
            output = self.process.stdout.read()
        except subprocess.TimeoutExpired:
            raise Late(f"{self.argv} hangs in {', '.join(self._places())}") from None
        return {name: int(value) if value.isdigit() else value for name, value in re.findall(r"(\w+)=(\S+)", output)}

    def _places(self):
        children = read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
        return [read(f"/proc/{child}/wchan") or "user space" for child in children]


def assert_refused(totals, hang_msec=HANG_MSEC):
    """Every attempt was refused, and none took long."""
    assert totals["attempts"] > 0
    assert totals["opened"] == 0, totals
    assert totals["written"] == 0, totals
    assert totals["slowest_msec"] < hang_msec, totals


def conditional(world, **limits):
    """An agent, and a stick, mounted, on which the members of a group may write."""
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP], **limits))
    stick.attach()
    stick.wait_held(False)
    return stick, mounted(world, stick, "rw")


def mounted(world, stick, options):
    point = stick.mount(options)
    world.journal.wait("superblock-guarded", mount=point)
    return point


def assert_unwritten(*sticks):
    """Unplugged, and what is on them as the disk below has it."""
    for stick in sticks:
        stick.detach()
        assert not stick.contains(MARKER), f"{stick.image} has what was tried"


def counted(records):
    return sum(int(record.get("SEKISHO_COUNT", "1")) for record in records)


def wait_counted(world, number, deadline=60, **fields):
    """The records of refused writes, once they add up to NUMBER."""
    def enough(found):
        return counted(found) >= number

    return world.journal.wait_all("write-denied", enough, deadline=deadline, **fields)


def keepers(agent_pid):
    """Of a living agent; those that live."""
    found = []
    for task in os.listdir(f"/proc/{agent_pid}/task"):
        for child in read(f"/proc/{agent_pid}/task/{task}/children").split():
            if re.match(r"\d+ \(sekisho-keeper\) [^Z]", read(f"/proc/{child}/stat")):
                found.append(int(child))
    return found


def wait_keeper(agent_pid):
    return wait_until(lambda: keepers(agent_pid), "the agent has a keeper")[0]


def sleeps_for_good(pid):
    """Whether the process is in poll() without a timeout, by what proc(5) tells of its system call."""
    words = read(f"/proc/{pid}/syscall").split()
    return len(words) > 3 and int(words[3], 16) & 0xffffffff == NO_TIMEOUT.get(words[0])


def suspend_keeper(world):
    """Returns what has it go on, which the end of this world does as well."""
    keeper = wait_keeper(world.agent.pid)

    def go_on():
        with contextlib.suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGCONT)

    os.kill(keeper, signal.SIGSTOP)
    world.undo(go_on)
    return go_on


def kill(pid):
    """Ends PID; returns once it is gone, or waits for nothing but its parent."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: re.match(r"\d+ \(.*\) Z|$", read(f"/proc/{pid}/stat")), f"{pid} is dead")


def rss_kib(*pids):
    return sum(int(re.search(r"^VmRSS:\s+(\d+)", read(f"/proc/{pid}/status"), re.MULTILINE)[1]) for pid in pids)


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class MemoryGroup:
    """A control group for the agents that start from now on, whose memory can be made short. By whichever version
    this machine has."""

    def __init__(self, world):
        name = os.path.basename(world.directory)
        if "memory" in read("/sys/fs/cgroup/cgroup.controllers").split():
            self.path, self._limit, self._usage = f"/sys/fs/cgroup/{name}", "memory.max", "memory.current"
        elif os.path.isdir("/sys/fs/cgroup/memory"):
            self.path = f"/sys/fs/cgroup/memory/{name}"
            self._limit, self._usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            pytest.skip("this machine has no control group for memory")
        os.mkdir(self.path)
        world.undo(self._remove)
        world.agent_prefix = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', f"{self.path}/cgroup.procs"]

    def _remove(self):
        for pid in read(f"{self.path}/cgroup.procs").split():
            kill(int(pid))
        wait_until(lambda: not read(f"{self.path}/cgroup.procs"), "the control group is empty")
        os.rmdir(self.path)

    def _write(self, name, value):
        with open(os.path.join(self.path, name), "w") as to:
            to.write(str(value))

    def squeeze(self, spare):
        """Leaves SPARE bytes to be had."""
        def limited():
            try:
                self._write(self._limit, int(read(f"{self.path}/{self._usage}")) + spare)
            except OSError as error:
                if error.errno != errno.EBUSY:  # more is in use meanwhile
                    raise
                return False
            return True

        wait_until(limited, "the limit is set")

    def relax(self):
        self._write(self._limit, "max" if self._limit == "memory.max" else -1)

    def failures(self):
        """How often memory was refused."""
        events = dict(line.split() for line in read(f"{self.path}/memory.events").splitlines())
        return int(events.get("max", 0)) + int(read(f"{self.path}/memory.failcnt") or 0)


class Supervisor:
    """Starts the agent anew whenever it is gone, as the service manager does."""

    def __init__(self, world):
        self.world = world
        self._ready = world.agent  # the last that said so
        world.undo(self._end)

    def _end(self):
        if self.world.agent:
            self.world.agent.close()

    def ensure(self):
        """An agent, perhaps one that is starting still."""
        if self.world.agent is None or self.world.agent.process.poll() is not None:
            if self.world.agent:
                self.world.agent.close()
            self.world.agent = Agent(self.world)
        return self.world.agent

    def wait_in_force(self):
        """An agent that has said that it is ready. One that lost the race for its predecessor's lock is
        started again."""
        def is_ready():
            if self._ready and self._ready is self.world.agent and self._ready.process.poll() is None:
                return True
            try:
                self._ready = self.ensure()
                self._ready.wait_ready()
            except AssertionError:
                if self._ready.process.poll() is None:
                    raise
                return False
            return True

        wait_until(is_ready, "an agent is in force again")
        return self.world.agent

    def kill_again_and_again(self, times, interval, kill_it):
        """KILL_IT(agent) at a random moment of each INTERVAL (seconds), in whatever state it is then."""
        chance = random.Random(1)
        for _ in range(times):
            agent = self.ensure()
            with contextlib.suppress(subprocess.TimeoutExpired):
                agent.process.wait(interval * chance.uniform(0.5, 1.5))
            kill_it(agent)
            agent.process.wait()
        return self.wait_in_force()

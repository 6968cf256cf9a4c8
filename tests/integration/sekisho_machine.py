# SPDX-License-Identifier: GPL-2.0-or-later
"""What the whole machine has once: a journal, a udev daemon, the people of the tests. What is there is used;
what is missing is made and taken down again. One run at a time, by a lock."""

import contextlib
import fcntl
import glob
import grp
import os
import pwd
import shutil
import signal
import tempfile
import uuid

import sekisho_journal
from sekisho_wait import run, start, stop, wait_until

LOCK = "/run/lock/sekisho-tests.lock"
RULES = "/run/udev/rules.d"
OUR_RULES = ("05-sekisho-test.rules", "10-sekisho.rules")
JOURNALD = "/lib/systemd/systemd-journald"
UDEVD = "/lib/systemd/systemd-udevd"
LOOP_CTL_REMOVE = 0x4C81
PINS = "/sys/fs/bpf/sekisho"
NETWORK_PINS = "/sys/fs/bpf/sekisho-network"
PREFIX = "sekisho-test-"  # of every temporary directory
# Loop devices of the tests have numbers that nobody else takes: held for a stick by a udev rule, and plain.
STICK_LOOPS = range(6800, 6900)
PLAIN_LOOPS = range(6900, 7000)

GROUP = "sekisho-test-zeimu"
MEMBER = "sekisho-test-member"
STRANGER = "sekisho-test-stranger"


def make_directory(undo, path):
    """mkdir -p, and away with what was made, as far as it is empty then."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        os.mkdir(directory, 0o755)
        undo.callback(_remove_if_empty, directory)


def _remove_if_empty(directory):
    with contextlib.suppress(OSError):
        os.rmdir(directory)


def unlink(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_pins():
    """What an agent has left in force in the kernel goes with the names of it."""
    for pins in (PINS, NETWORK_PINS):
        shutil.rmtree(pins, ignore_errors=True)


class Person:
    """Somebody by numbers, as processes know them."""

    def __init__(self, name, uid=0, gid=0, groups=()):
        self.name, self.uid, self.gid, self.groups = name, uid, gid, tuple(groups)

    def options(self, *more_groups):
        return {"user": self.uid, "group": self.gid, "extra_groups": [*self.groups, *more_groups]}


class Machine:
    def __init__(self):
        self._undo = contextlib.ExitStack()
        try:
            self._lock()
            self._sweep()
            self.journald = self._journal()
            self.udevd = self._udev()
            self._people()
        except BaseException:
            self.close()
            raise

    def close(self):
        self._undo.close()

    def _lock(self):
        lock = self._undo.enter_context(open(LOCK, "w"))

        def taken():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        wait_until(taken, f"another run lets go of {LOCK}", deadline=600)

    @staticmethod
    def _sweep():
        """A run that was killed may have left mounts, rules and loop devices behind. Nobody else of the tests is
        there, by the lock; what is not ours is left alone."""
        remove_pins()
        below = os.path.join(tempfile.gettempdir(), PREFIX)
        with open("/proc/self/mountinfo") as table:
            points = [line.split()[4] for line in table]
        for point in reversed([point for point in points if point.startswith(below)]):
            run(["umount", "--lazy", point], check=False)
        for name in OUR_RULES:
            path = os.path.join(RULES, name)
            with contextlib.suppress(FileNotFoundError):
                with open(path) as rules:
                    ours = below in rules.read() or "test" in name
                if ours:
                    unlink(path)
        with open("/dev/loop-control", "r+b", buffering=0) as control:
            for number in (*STICK_LOOPS, *PLAIN_LOOPS):
                try:
                    with open(f"/sys/block/loop{number}/loop/backing_file") as backing:
                        ours = PREFIX in backing.read()
                except FileNotFoundError:
                    ours = os.path.exists(f"/sys/block/loop{number}")
                if not ours:
                    continue
                run(["losetup", "--detach", f"/dev/loop{number}"], check=False)
                with contextlib.suppress(OSError):
                    fcntl.ioctl(control, LOOP_CTL_REMOVE, number)
        for directory in glob.glob(glob.escape(below) + "*"):
            shutil.rmtree(directory, ignore_errors=True)

    def _journal(self):
        """Returns our own journald, or None if the machine has one."""
        if sekisho_journal.answers():
            return None
        undo = self._undo
        if not os.path.exists("/etc/machine-id"):
            with open("/etc/machine-id", "w") as to:
                to.write(uuid.uuid4().hex + "\n")
            undo.callback(unlink, "/etc/machine-id")
        for directory in ("/run/systemd/journal", "/run/systemd/journald.conf.d"):
            make_directory(undo, directory)
        had = set(os.listdir("/run/systemd/journal"))
        undo.callback(self._clear_journal_sockets, had)
        if not os.path.exists("/run/log/journal"):
            undo.callback(shutil.rmtree, "/run/log/journal", True)
        settings = "/run/systemd/journald.conf.d/sekisho-test.conf"
        with open(settings, "w") as to:
            to.write("[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\nAudit=\n"
                     "ForwardToSyslog=no\nForwardToWall=no\n")
        undo.callback(unlink, settings)
        return self._start_journald()

    def _start_journald(self):
        journald = self._daemon([JOURNALD])
        wait_until(sekisho_journal.answers, "journald listens")
        return journald

    @contextlib.contextmanager
    def without_journal(self):
        """Only where it is ours."""
        stop(self.journald)
        try:
            yield
        finally:
            self.journald = self._start_journald()

    @staticmethod
    def _clear_journal_sockets(had):
        for name in set(os.listdir("/run/systemd/journal")) - had:
            path = os.path.join("/run/systemd/journal", name)
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)

    def _udev(self):
        """Returns our own udevd, or None if the machine has one."""
        if self._udev_answers():
            return None
        make_directory(self._undo, "/run/udev")
        if not os.path.exists("/run/udev/control"):
            self._undo.callback(unlink, "/run/udev/control")
        return self._start_udevd()

    @staticmethod
    def _udev_answers():
        return run(["udevadm", "control", "--ping", "--timeout=5"], check=False).returncode == 0

    def _start_udevd(self):
        udevd = self._daemon([UDEVD])
        wait_until(self._udev_answers, "udevd listens")
        return udevd

    @contextlib.contextmanager
    def without_udev(self):
        """Only where it is ours."""
        stop(self.udevd)
        try:
            yield
        finally:
            self.udevd = self._start_udevd()

    def _daemon(self, argv):
        log = self._undo.enter_context(open(os.devnull, "r+b"))
        process = start(argv, stdin=log, stdout=log, stderr=log)

        def end():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
            stop(process)

        self._undo.callback(end)
        return process

    def _people(self):
        def forget(name):
            run(["userdel", name], check=False)

        for name in (MEMBER, STRANGER):
            forget(name)
        run(["groupdel", GROUP], check=False)
        run(["groupadd", "--system", GROUP])
        self._undo.callback(run, ["groupdel", GROUP], check=False)
        people = {}
        for name in (MEMBER, STRANGER):
            run(["useradd", "--system", "--no-create-home", "--no-user-group", "--gid", "nogroup",
                 "--shell", "/usr/sbin/nologin", name])
            self._undo.callback(forget, name)
            entry = pwd.getpwnam(name)
            people[name] = Person(name, entry.pw_uid, entry.pw_gid)
        people[MEMBER].groups = (grp.getgrnam(GROUP).gr_gid,)
        run(["usermod", "--append", "--groups", GROUP, MEMBER])
        self.root = Person("root")
        self.member, self.stranger = people[MEMBER], people[STRANGER]

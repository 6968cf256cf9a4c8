# SPDX-License-Identifier: GPL-2.0-or-later
"""The world of one test: its sticks, its policy, its agent with private directories, the real udev rules, the
real journal. Everything that is made is taken down by close(), in reverse, also after a failure."""

import contextlib
import datetime
import json
import os
import queue
import re
import shutil
import signal
import socket
import threading
import tempfile

import pytest
import yaml

import sekisho_stick
from sekisho_journal import Journal
from sekisho_machine import PLAIN_LOOPS, PREFIX, RULES, STICK_LOOPS, make_directory, remove_pins, unlink
from sekisho_wait import Late, run, start, stop, wait_until

NETLINK_AUDIT = 9
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(ROOT, "build"))


def read(path):
    with contextlib.suppress(OSError), open(path, errors="replace") as file:
        return file.read()
    return ""


def program(name):
    return os.path.join(BUILD, "bin", name)


OPENERS = os.path.join(BUILD, "tests", "sekisho-openers")


def hours_around(now=None, inside=True):
    """A window of an hour and a half, in the grammar of a policy's `hours`, that has NOW in its middle or is
    half a day away."""
    middle = (now or datetime.datetime.now()) + datetime.timedelta(hours=0 if inside else 12)
    beside = datetime.timedelta(minutes=45)
    return f"Mon-Sun {middle - beside:%H:%M}-{middle + beside:%H:%M}"


class Agent:
    def __init__(self, world, arguments=()):
        self.world = world
        self.log = world.new_path("sekishod.log")
        notify = world.new_path("notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(notify)
        self._said = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        with open(self.log, "wb") as log:
            self.process = start([*world.confinement(notify), program("sekishod"), "--policy", world.policy_directory, "--state-dir", world.state,
                                  "--runtime-dir", world.runtime, *arguments],
                                 env=dict(os.environ, NOTIFY_SOCKET=notify, LC_ALL="C.UTF-8"), stdout=log, stderr=log)

    def close(self):
        if self.process.poll() is None:
            stop(self.process)
        with contextlib.suppress(OSError):  # of one that was closed before, by whoever started another
            self._notify.shutdown(socket.SHUT_RDWR)

    def _listen(self):
        """As a service manager does: a few messages that nobody takes would stop the agent."""
        with self._notify:
            while message := self._notify.recv(4096):
                self._said.put(message)

    def wait_ready(self):
        def said():
            if self.process.poll() is not None:
                raise AssertionError(f"sekishod ended with {self.process.returncode}\n{self.tell()}")
            try:
                return b"READY=1" in self._said.get(timeout=0.2)
            except queue.Empty:
                return False

        wait_until(said, "sekishod says READY=1")

    @property
    def pid(self):
        return self.process.pid

    def reload(self):
        """SIGHUP; returns the record of how that went, once what is in force then is enforced."""
        journal = self.world.journal
        journal.barrier()
        before = len(journal.select(is_reload))
        self.process.send_signal(signal.SIGHUP)
        self.wait_ready()
        return journal.wait_all(is_reload, lambda found: len(found) > before)[-1]

    def stop(self):
        """The clean way; it must end by itself with 0."""
        status = stop(self.process)
        assert status == 0, f"sekishod ended with {status}\n{self.tell()}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tell(self):
        with open(self.log, errors="replace") as log:
            return "sekishod says:\n" + log.read()[-4000:]


# The directory, the capabilities, what of it is needed, "--", a command: what is needed is kept aside while
# everything of that directory is covered, as ProtectHome= does it.
CONFINE = """
set -e
directory=$1 capabilities=$2
shift 2
mount -t tmpfs none /mnt
mkdir /mnt/all
mount --rbind "$directory" /mnt/all
mount -t tmpfs none "$directory"
while [ "$1" != -- ]; do
    name=${1##*/}
    if [ -d "/mnt/all/$name" ]; then mkdir "$directory/$name"; else : >"$directory/$name"; fi
    mount --bind "/mnt/all/$name" "$directory/$name"
    shift
done
shift
umount --lazy /mnt
mount -o remount,bind,ro /
exec setpriv --bounding-set="-all$capabilities" --no-new-privs "$@"
"""


def capabilities_of_the_unit():
    """As setpriv(1) takes them: a comma before each, a plus, the name without its beginning."""
    unit = read(os.path.join(ROOT, "packaging", "systemd", "sekishod.service"))
    names = " ".join(re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)).split()
    assert names
    return "".join(",+" + name.removeprefix("CAP_").lower() for name in names)


def is_reload(value):
    return value in ("policy-loaded", "policy-refused")


class World:
    def __init__(self, machine):
        self.machine = machine
        self._undo = contextlib.ExitStack()
        self._serial, self._names = 0, 0
        self.agent, self.confined = None, False
        self.agent_prefix = []  # a command that runs the agent's
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        self.directory = tempfile.mkdtemp(prefix=PREFIX)
        self._undo.callback(shutil.rmtree, self.directory, True)
        os.chmod(self.directory, 0o755)
        self.runtime, self.state = os.path.join(self.directory, "run"), os.path.join(self.directory, "state")
        self.policy_directory = os.path.join(self.directory, "policy.d")
        for directory in (self.runtime, self.state, self.policy_directory):
            os.mkdir(directory, 0o755)
        self.journal = Journal()
        self._undo.callback(self.journal.close)
        self._undo.callback(remove_pins)
        self._rules()

    def close(self):
        self._undo.close()

    def undo(self, function, *arguments, **options):
        """Have FUNCTION called when this world ends."""
        self._undo.callback(function, *arguments, **options)

    def new_path(self, what):
        self._names += 1
        return os.path.join(self.directory, f"{self._names:02}-{what}")

    def tell(self):
        return self.journal.tell() + ("\n" + self.agent.tell() if self.agent else "")

    # -- udev

    def _rules(self):
        """The project's own rules, for this build and this runtime directory; and a rule of the tests that says
        which loop devices stand for sticks: those of their own numbers, from when something is plugged in."""
        undo = self._undo
        make_directory(undo, RULES)
        others = [name for name in os.listdir(RULES) if "sekisho-hold" in read(os.path.join(RULES, name))]
        assert not others, f"{others} in {RULES} hold devices already: another agent's world is there"
        undo.callback(run, ["udevadm", "control", "--reload"], check=False)
        low, high = STICK_LOOPS[0] // 100, STICK_LOOPS[-1] // 100
        assert low == high
        self._install("05-sekisho-test.rules",
                      f'SUBSYSTEM=="block", KERNEL=="loop{low}[0-9][0-9]|loop{low}[0-9][0-9]p*", '
                      'TEST=="/sys/block/%k/loop/backing_file", ENV{SEKISHO_EXTERNAL}="1"\n'
                      f'SUBSYSTEM=="block", KERNEL=="loop{low}[0-9][0-9]p*", ENV{{SEKISHO_EXTERNAL}}="1"\n')
        self._install("10-sekisho.rules", self._project_rules())
        run(["udevadm", "control", "--reload"])

    def _install(self, name, text):
        path = os.path.join(RULES, name)
        assert not os.path.exists(path), f"{path} is there already: not ours to replace"
        self._undo.callback(unlink, path)
        with open(path, "w") as to:
            to.write(text)

    def _project_rules(self):
        with open(os.path.join(ROOT, "packaging", "udev", "10-sekisho.rules.in")) as template:
            rules = template.read()
        assert "@SEKISHO_HOLD_COMMAND@" in rules
        return rules.replace("@SEKISHO_HOLD_COMMAND@", f"{program('sekisho-hold')} --runtime-dir {self.runtime}")

    # -- sticks

    def stick(self, name="stick", fstype="ext4", plain=False, partitioned=False, content=None, attach=True):
        """A new stick. PLAIN: no udev rule knows that it is one."""
        image = self.new_path(name + ".img")
        sekisho_stick.make_image(image, fstype, partitioned, content)
        stick = sekisho_stick.Stick(self, image, fstype, PLAIN_LOOPS if plain else STICK_LOOPS, partitioned)
        self._undo.callback(stick.detach)
        return stick.attach() if attach else stick

    def loop_over(self, path):
        """A loop device over PATH (a node, or a file on a stick) that no rule of the tests knows of."""
        over = sekisho_stick.Stick(self, path, "ext4", PLAIN_LOOPS, False)
        self._undo.callback(over.detach)
        return over.attach()

    # -- policy and agent

    def write_policy(self, name="10-test.yaml", **sections):
        """Replaces the drop-in NAME; version and a rising serial are filled in."""
        self._serial += 1
        sections.setdefault("without-lsm", "gate")  # else nobody writes where approval is for some
        sections.setdefault("self-protection", {"process": False, "state": False})  # tests do to it what they like
        text = yaml.safe_dump({"version": 1, "serial": self._serial, **sections}, allow_unicode=True, sort_keys=False)
        return self.write_policy_text(text, name)

    def write_policy_text(self, text, name="10-test.yaml"):
        path = os.path.join(self.policy_directory, name)
        with open(path, "w") as to:
            to.write(text)
        os.chmod(path, 0o600)
        return path

    def start_agent(self, *arguments, **sections):
        """Starts sekishod, with these policy sections if any are given, and waits until it is ready."""
        if sections:
            self.write_policy(**sections)
        self.agent = Agent(self, arguments)
        self._undo.callback(self.agent.close)
        self.agent.wait_ready()
        return self.agent

    def confinement(self, *needed):
        """What stands before an agent that is to have a mount namespace and no more capabilities than the unit
        gives it. Of this world's directory it sees its own directories and NEEDED, and no mount."""
        if not self.confined:
            return self.agent_prefix
        return [*self.agent_prefix, "unshare", "--mount", "--propagation", "slave", "sh", "-c", CONFINE, "sh", self.directory,
                capabilities_of_the_unit(), self.runtime, self.state, self.policy_directory, *needed, "--"]

    @staticmethod
    def approving(stick, **limits):
        """The policy sections that approve STICK with these limits; everything else is for reading."""
        return {"removable": {"default": "read-only", "devices": [rule_for(stick, **limits)]}}

    def reload_policy(self, **sections):
        """A new policy for the running agent, which must take it."""
        self.write_policy(**sections)
        record = self.agent.reload()
        assert record["SEKISHO_EVENT"] == "policy-loaded", self.tell()

    def ctl(self, *arguments, check=True, **options):
        return run([program("sekishoctl"), *arguments], check=check, **options)

    def asks_about_nodes(self):
        """Whether the kernel asks the running agent about opens of device nodes (older kernels do)."""
        with open(os.path.join(self.runtime, "status.json")) as status:
            return json.load(status)["mechanisms"]["device-nodes"].startswith("ok")

    def need_audit(self):
        """Refusals by a read-only file system are learnt from the kernel's audit messages."""
        with contextlib.suppress(OSError):
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT).close()
            return
        pytest.skip("this kernel has no audit")

    # -- people

    def run_as(self, person, argv, groups=(), **options):
        return run(argv, check=options.pop("check", False), cwd="/", **person.options(*groups), **options)

    def start_as(self, person, argv, groups=(), **options):
        process = start(argv, cwd="/", **person.options(*groups), **options)
        self._undo.callback(_end, process)
        return process


    def suspend(self, process):
        process.send_signal(signal.SIGSTOP)
        self._undo.callback(self.resume, process)

    @staticmethod
    def resume(process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)


def _end(process):
    if process.poll() is None:
        with contextlib.suppress(Late):
            stop(process, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(BrokenPipeError):  # what was still to be written has no reader any more
            if pipe:
                pipe.close()


def rule_for(stick, name="test stick", access="write", **more):
    """A rule of `removable.devices` for one stick."""
    return {"name": name, "match": {"serial": stick.serial, "bus": "loop"}, "access": access, **more}

# SPDX-License-Identifier: GPL-2.0-or-later
"""Root against the guard itself, on a kernel with BPF LSM: refused and recorded, but for the service manager and for a
maintenance that was begun on the console."""

import json

import pytest
from sekisho_vm_lab import UNIT
from sekisho_wait import wait_until

POLICY = {"zone": "mynumber", "self-protection": {"process": True, "state": True, "policy": True}}

# In the guest, as root: each attack by name, with the error it met (null: none).
ATTACKS = r"""
import ctypes, errno, json, os, resource, signal, sys

agent, keeper = int(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
BPF, BPFFS, UNIT = "/sys/fs/bpf/sekisho", "/sys/fs/bpf", "/sys/fs/cgroup/system.slice/sekishod.service"
answers = {}

def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")

def write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)

def attack(name, function, *arguments):
    try:
        function(*arguments)
        answers[name] = None
    except OSError as error:
        answers[name] = errno.errorcode[error.errno]

for who, pid in (("agent", agent), ("keeper", keeper)):
    for sent in ("SIGKILL", "SIGSTOP", "SIGTERM", "SIGHUP"):
        attack(f"{sent} {who}", os.kill, pid, getattr(signal, sent))
    attack(f"attach {who}", lambda: call(libc.ptrace(16, pid, 0, 0)))
    attack(f"seize {who}", lambda: call(libc.ptrace(0x4206, pid, 0, 0)))
    attack(f"memory {who}", lambda: os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR)))
    attack(f"prlimit {who}", resource.prlimit, pid, resource.RLIMIT_NOFILE, (3, 3))
    attack(f"renice {who}", os.setpriority, os.PRIO_PROCESS, pid, 19)
    attack(f"scheduler {who}", os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0))

version = os.path.join(BPF, sorted(os.listdir(BPF))[0])
pins = [os.path.join(directory, name) for directory, _, names in os.walk(version) for name in names]
protection = [pin for pin in pins if pin.endswith("/protection")][0]
attack("remove a pin", os.unlink, pins[0])
attack("remove the map", os.unlink, protection)
attack("move a pin", os.rename, protection, BPFFS + "/away")
attack("move the pins", os.rename, version, BPFFS + "/away")
attack("move the directory", os.rename, BPF, BPFFS + "/away")
attack("unmount", lambda: call(libc.umount2(BPFFS.encode(), 2)))

class Attribute(ctypes.Structure):
    _fields_ = [("path", ctypes.c_uint64), ("rest", ctypes.c_uint64 * 15)]

class Identity(ctypes.Structure):
    _fields_ = [("first", ctypes.c_uint32), ("next", ctypes.c_uint32), ("rest", ctypes.c_uint64 * 15)]

def bpf(command, attribute):
    result = libc.syscall(321, command, ctypes.byref(attribute), ctypes.sizeof(attribute))
    call(result)
    return result

text = ctypes.create_string_buffer(protection.encode())
attack("open the map", lambda: os.close(bpf(7, Attribute(ctypes.addressof(text)))))

def maps_by_id():
    at, refused = 0, 0
    while True:
        identity = Identity(at)
        try:
            bpf(12, identity)
        except OSError:
            break
        at = identity.next
        try:
            os.close(bpf(14, Identity(at)))
        except OSError as error:
            refused += error.errno == errno.EPERM
    return refused

answers["maps refused by id"] = maps_by_id()

state, run = "/var/lib/sekisho", "/run/sekisho"
kept = os.path.join(state, "last-good", os.listdir(os.path.join(state, "last-good"))[0])
attack("make a state file", lambda: os.close(os.open(state + "/restored", os.O_CREAT | os.O_WRONLY)))
attack("move the state", os.rename, state, "/var/lib/away")
attack("edit the last good policy", write, kept, b"")
attack("remove the last good policy", os.unlink, kept)
attack("remove the status", os.unlink, run + "/status.json")
attack("edit the status", write, run + "/status.json", b"")
attack("write a maintenance", lambda: os.close(os.open(run + "/maintenance", os.O_CREAT | os.O_WRONLY)))
attack("release a disk", lambda: os.close(os.open(run + "/released/8:0", os.O_CREAT | os.O_WRONLY)))
attack("remove the policy", os.unlink, "/etc/sekisho/policy.d/lab.yaml")
attack("edit the policy", write, "/etc/sekisho/policy.d/lab.yaml", b"")
attack("add a policy", lambda: os.close(os.open("/etc/sekisho/policy.d/99.yaml", os.O_CREAT | os.O_WRONLY)))
attack("kill the group", write, UNIT + "/cgroup.kill", b"1")
attack("freeze the group", write, UNIT + "/cgroup.freeze", b"1")
attack("join the group", write, UNIT + "/cgroup.procs", str(os.getpid()).encode())
attack("starve the group", write, UNIT + "/memory.max", b"4096")
print(json.dumps(answers))
"""

# A command with a console of the machine as its controlling terminal.
AT_CONSOLE = r"""
import fcntl, os, sys, termios
if os.getsid(0) != os.getpid():
    os.setsid()
fd = os.open("/dev/tty9", os.O_RDWR)
fcntl.ioctl(fd, termios.TIOCSCTTY, 1)
os.dup2(fd, 0)  # the last one to close a terminal takes it from its session
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="session")
def booted(guest_lab):
    guest_lab.machine.kernel_options = "lsm=landlock,lockdown,yama,integrity,apparmor,bpf"
    guest_lab.machine.power_on().boot()
    return guest_lab


@pytest.fixture
def protected(lab):
    """The guard as its policy protects it, with nothing lifted."""
    state = shown(lab)
    if state["maintenance"]:
        lab.guest.run("sekishoctl", "maintenance", "off")
    if not state["policy"]:
        lab.policy(**POLICY)
    assert shown(lab)["holds"], lab.guest.run("sekishoctl", "status", check=False).stdout
    lab.journal.forget()
    return lab


def shown(lab):
    return json.loads(lab.guest.run("sekishoctl", "maintenance", "--json", check=False).stdout)


def at_console(lab, *argv, **more):
    return lab.guest.run("python3", "-c", AT_CONSOLE, *argv, **more)


def keeper_of(lab, agent):
    return wait_until(lambda: lab.guest.run("pgrep", "-P", agent, check=False).stdout.split()[:1] or None,
                      "the guard has a keeper")[0]


def test_root_can_neither_end_nor_change_it(protected):
    lab = protected
    agent = lab.wait_guard()
    keeper = keeper_of(lab, agent)
    answers = json.loads(lab.guest.run("python3", "-c", ATTACKS, agent, keeper).stdout)
    maps = answers.pop("maps refused by id")
    # procfs says EACCES of memory that may not be looked at
    through = {name: answer for name, answer in answers.items()
               if answer != ("EACCES" if name.startswith("memory") else "EPERM")}
    assert not through, through
    assert maps >= 10
    assert (lab.wait_guard(), keeper_of(lab, agent)) == (agent, keeper)
    lab.journal.barrier()
    records = lab.journal.select("guard-touched")
    assert {record["PRIORITY"] for record in records} == {"2"}
    assert {"signal", "trace", "set-limit", "unmount", "change-map", "unlink", "rename"} <= {
        record["SEKISHO_OPERATION"] for record in records}
    assert {record["SEKISHO_UID"] for record in records} == {"0"}
    assert any("python3" in record.get("SEKISHO_EXE", "") for record in records)
    assert not lab.journal.select("agent-lost") and not lab.journal.select("agent-stopped")


def test_the_service_manager_reloads_restarts_and_ends_it_and_there_is_no_gap(protected):
    lab = protected
    before = lab.wait_guard()
    lab.guest.run("systemctl", "reload", UNIT)
    lab.journal.wait("policy-loaded")
    attempts = lab.guest.start(["sh", "-c", "n=0; while [ ! -e /run/sekisho-lab-stop ]; do "
                                "(: >/run/sekisho/lab-was-here) 2>/dev/null && n=$((n + 1)); done; echo $n"], deadline=300)
    lab.guest.run("systemctl", "restart", UNIT)
    restarted = lab.wait_guard(other_than=before)
    lab.guest.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", UNIT)
    ended = lab.wait_guard(other_than=restarted)
    lab.guest.run("touch", "/run/sekisho-lab-stop")
    assert int(lab.guest.wait(attempts, 60).stdout) == 0
    assert shown(lab)["holds"]
    assert lab.guest.run("kill", "-KILL", ended, check=False).status != 0
    keeper = keeper_of(lab, ended)
    assert lab.guest.run("kill", "-KILL", keeper, check=False).status != 0


def test_a_maintenance_from_the_console_lifts_it_and_ends_by_itself(protected):
    lab = protected
    assert lab.guest.run("sekishoctl", "maintenance", "on", "--reason", "from afar", check=False).status == 2
    at_console(lab, "sekishoctl", "maintenance", "on", "--reason", "driver update", "--minutes", "1")
    record = lab.journal.wait("maintenance-started")
    assert (record["SEKISHO_TERMINAL"], record["SEKISHO_PURPOSE"], record["PRIORITY"]) == ("tty9", "driver update", "4")
    before = lab.wait_guard()
    lab.guest.run("kill", "-KILL", before)
    after = lab.wait_guard(other_than=before)
    assert shown(lab)["maintenance"]["reason"] == "driver update", "it outlives the agent"
    lab.guest.run("touch", "/etc/sekisho/policy.d/note", "/var/lib/sekisho/note")
    lab.guest.run("rm", "/etc/sekisho/policy.d/note", "/var/lib/sekisho/note")
    lab.journal.wait("maintenance-ended", deadline=120, cause="time")
    wait_until(lambda: shown(lab)["holds"], "it is protected again")
    assert lab.guest.run("kill", "-KILL", after, check=False).status != 0
    assert lab.guest.run("touch", "/etc/sekisho/policy.d/note", check=False).status != 0
    lab.journal.wait("guard-touched", operation="signal")


def test_who_is_locked_out_puts_the_policies_aside_on_the_console(protected):
    lab = protected
    answer = json.loads(at_console(lab, "sekishoctl", "policy", "restore", "--json").stdout)
    assert answer["guard"] == "taken"
    assert lab.journal.wait("maintenance-started")["SEKISHO_PURPOSE"] == "sekishoctl policy restore"
    lab.journal.wait("maintenance-ended", cause="command")
    lab.journal.wait("policy-restored")
    state = shown(lab)
    assert state["holds"] and state["process"] and not state["policy"], "the built-in default protects"


def test_it_is_removed_in_a_maintenance_only(protected):
    lab = protected
    refused = lab.guest.run("dpkg", "--remove", "sekisho", check=False, deadline=120)
    assert refused.status != 0
    assert "sekishoctl maintenance on" in refused.stderr + refused.stdout
    assert lab.guest.run("sekishoctl", "maintenance", check=False).status == 1, "it goes on"
    lab.guest.run("test", "-d", "/sys/fs/bpf/sekisho")
    at_console(lab, "sekishoctl", "maintenance", "on", "--reason", "removal")
    lab.guest.run("dpkg", "--remove", "sekisho", deadline=120)
    assert lab.guest.run("test", "-e", "/sys/fs/bpf/sekisho", check=False).status != 0
    lab.guest.run("touch", "/var/lib/sekisho/note")

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guard costs where its programs are in the kernel. All of it in an emulated guest: ratios say something
about any machine, times do not."""

from footprint import put_footprint
from guest import PINS, TOOL
from latencies import milliseconds
from sekisho_vm_devices import MIB, Medium
from sekisho_vm_lab import GROUP, UNIT

ROUNDS = 5
OPEN_COUNT, CREATE_COUNT, CREATE_BYTES = 20_000, 500, 4096
STICK, LARGE_MIB, WRITE_COUNT = 256 * MIB, 64, 3
DENIED_ROUNDS, DENIED_COUNT, REFUSED_COUNT = 5, 30, 300
HOLD_ROUNDS, HOLD_COUNT, HOLD_LOOP = 3, 40, 6800
PLUGS, RAW_PLUGS, RESTARTS = 7, 20, 5
IDLE_ROUNDS, IDLE_SECONDS = 1, 60.0
INTERNAL = "/var/tmp/bench-file"
IMAGE = "/var/tmp/bench-image"


class Sticks:
    """One that others may write to, one that the caller may, and one that nobody may."""

    def __init__(self, guest):
        self.guest, lab = guest, guest.lab
        self.others = Medium(lab.machine, "usb-storage", "ext4")
        self.own = Medium(lab.machine, "usb-storage", "ext4", size=STICK)
        self.nobodys = Medium(lab.machine, "usb-storage", "ext4")
        lab.machine.media += [self.others, self.own, self.nobodys]
        lab.policy([rule(self.others, groups=[GROUP]), rule(self.own, users=["root"])])
        for medium in (self.others, self.own):
            medium.plug()
            medium.wait_node()
            medium.wait_held(False)
        self.nobodys.plug()
        self.nobodys.wait_node()
        self.nobodys.wait_held(True)

    def mount(self):
        """Where the first and the second are; held or not, by whoever the guard was before."""
        for medium in (self.others, self.own):
            self.guest.lab.guest.run("blockdev", "--setrw", medium.node, check=False)
            medium.wait_held(False)
        return [self.guest.lab.mount(medium, "rw", check=True) for medium in (self.others, self.own)]

    def mount_nobodys(self):
        """For reading; what tells of refusals by a read-only volume is in the kernel then."""
        guest = self.guest.lab.guest
        point = self.guest.lab.mount(self.nobodys, "ro", check=True)
        guest.until(f"ls {PINS}/*/link_tell_open", "the programs that tell of read-only volumes are attached")
        return point

    def unmount(self, points):
        for point in points:
            self.guest.lab.guest.run("umount", point)


def rule(medium, **whom):
    return {"name": medium.serial, "match": {"serial": medium.serial}, "access": "write", **whom}


def ratios(guest, figures):
    """All of it with and without the guard by turns, in an order that changes."""
    sticks = Sticks(guest)
    guest.lab.guest.sh(f"echo internal >{INTERNAL}")
    found, with_stick, starts, running = {True: [], False: []}, [], [], True
    for number in range(ROUNDS):
        for guarded in (number % 2 == 0, number % 2 == 1):
            if running and not guarded:
                guest.guard_off()
            elif guarded and not running:
                starts.append(guest.guard_on())
            running = guarded
            points = sticks.mount()
            found[guarded].append(_opens_and_writes(guest, *points))
            if guarded:
                points.append(sticks.mount_nobodys())
                with_stick.append(_open(guest, "read", INTERNAL))
            sticks.unmount(points)
    if not running:
        guest.guard_on()
    guest.lab.clear()
    for name in found[True][0]:
        figures.put_rounds(name, [a[name] / b[name] for a, b in zip(found[True], found[False])])
    figures.put_rounds("open_internal_with_stick_lsm_ratio",
                       [a / b["open_internal_lsm_ratio"] for a, b in zip(with_stick, found[False])])
    figures.put_rounds("start_to_ready_lsm_ms", starts)


def _open(guest, how, path):
    return guest.measure("open", how, path, OPEN_COUNT)[0]


def _opens_and_writes(guest, others, own):
    """By the name of the ratio: times, and one throughput."""
    guest.lab.guest.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
    return {"open_internal_lsm_ratio": _open(guest, "read", INTERNAL),
            "write_open_internal_lsm_ratio": _open(guest, "write", INTERNAL),
            "open_guarded_lsm_ratio": _open(guest, "read", f"{others}/file"),
            "create_approved_lsm_ratio": guest.measure("create", own, CREATE_COUNT, CREATE_BYTES)[0],
            "write_approved_lsm_ratio": 1 / guest.measure("write", f"{own}/large", LARGE_MIB, WRITE_COUNT)[0]}


def denials(guest, figures):
    """The agent folds by program what is refused on many paths, so each round has a program of its own."""
    sticks, rounds, refusals = Sticks(guest), [], []
    guest.guard_off()
    points = sticks.mount()
    guest.lab.guest.sh(f'cd "$1" && for i in $(seq 0 {DENIED_COUNT - 1}); do echo nothing >$i; done', points[0])
    sticks.unmount(points)
    guest.guard_on()
    points = sticks.mount()
    for number in range(DENIED_ROUNDS):
        tool = f"{TOOL}-{number}"
        guest.lab.guest.run("cp", TOOL, tool)
        rounds.append(milliseconds(guest.measure("denied", DENIED_COUNT, points[0], tool=tool)))
        refusals.append(guest.measure("refused", f"{points[0]}/0", REFUSED_COUNT, tool=tool)[0] / 1000)
    sticks.unmount(points)
    guest.lab.clear()
    figures.put_p99("denial_to_journal_lsm_p99_ms", rounds)
    figures.put_rounds("denial_lsm_us", refusals)


def hold(guest, figures):
    """Loop devices stand for sticks, as on this machine: a hundred of the emulated ones would take too long."""
    rounds = []
    guest.lab.policy()
    guest.lab.guest.write("/etc/udev/rules.d/05-sekisho-bench.rules",
                          f'SUBSYSTEM=="block", KERNEL=="loop{HOLD_LOOP}", TEST=="/sys/block/%k/loop/backing_file", '
                          'ENV{SEKISHO_EXTERNAL}="1"\n')
    guest.lab.guest.sh(f"udevadm control --reload; modprobe loop; truncate -s 16M {IMAGE}")
    for _ in range(HOLD_ROUNDS):
        rounds.append(milliseconds(guest.measure("hold", HOLD_LOOP, IMAGE, HOLD_COUNT)))
        guest.lab.guest.run("udevadm", "settle")
    figures.put_p99("uevent_to_read_only_lsm_p99_ms", rounds)


def plugged(guest, figures):
    """An unapproved USB stick: nothing has judged it yet, and the kernel refuses all the same."""
    medium = Medium(guest.lab.machine, "usb-storage", "ext4")
    guest.lab.policy()
    rounds = [guest.measure_plug(medium, "raw") for _ in range(RAW_PLUGS)]
    figures.put_p99("uevent_to_enforced_lsm_p99_ms", [rounds])


def usb(guest, figures):
    """The same approved stick: ours from the disk's message until it is let go, usbguard's from the device's."""
    medium = Medium(guest.lab.machine, "usb-storage", "ext4")
    guest.lab.policy([rule(medium)])
    figures.put_rounds("uevent_to_approved_lsm_ms",
                       [guest.measure_plug(medium, "uevent", "block", "disk", "ro", "1", "0") for _ in range(PLUGS)])
    if not guest.has_usbguard:
        return
    guest.guard_off()
    guest.lab.guest.write("/etc/usbguard/rules.conf", f'allow serial "{medium.serial}"\n', "600")
    guest.lab.guest.run("systemctl", "start", "usbguard.service")
    figures.put_rounds("uevent_to_authorised_usbguard_ms",
                       [guest.measure_plug(medium, "uevent", "usb", "usb_device", "authorized", "1") for _ in range(PLUGS)])
    guest.lab.guest.run("systemctl", "stop", "usbguard.service")
    guest.let_in_usb()
    guest.guard_on()


def restarts(guest, figures):
    """The programs are in the kernel already and stay."""
    rounds = []
    for _ in range(RESTARTS):
        guest.lab.guest.run("systemctl", "stop", UNIT)
        rounds.append(guest.guard_on())
    figures.put_rounds("restart_to_ready_lsm_ms", rounds)


def idle(guest, figures):
    """With a stick mounted that others may write to."""
    sticks = Sticks(guest)
    points = sticks.mount()
    guest.lab.journal.barrier()
    rounds = [guest.footprint(IDLE_SECONDS) for _ in range(IDLE_ROUNDS)]
    sticks.unmount(points)
    guest.lab.clear()
    put_footprint(figures, rounds, "_lsm")
    figures.put_rounds("maps_lsm_mib", [found["maps_mib"] for found in rounds])


BENCHMARKS = [
    (ratios, ["open_internal_lsm_ratio", "open_internal_with_stick_lsm_ratio", "write_open_internal_lsm_ratio",
              "open_guarded_lsm_ratio", "create_approved_lsm_ratio", "write_approved_lsm_ratio",
              "start_to_ready_lsm_ms"]),
    (restarts, ["restart_to_ready_lsm_ms"]),
    (denials, ["denial_lsm_us", "denial_to_journal_lsm_p99_ms"]),
    (hold, ["uevent_to_read_only_lsm_p99_ms"]),
    (plugged, ["uevent_to_enforced_lsm_p99_ms"]),
    (idle, ["agent_rss_lsm_mib", "keeper_rss_lsm_mib", "maps_lsm_mib", "agent_idle_wakeups_lsm_per_min",
            "agent_idle_cpu_lsm_ms_per_min"]),
    (usb, ["uevent_to_approved_lsm_ms", "uevent_to_authorised_usbguard_ms"]),
]

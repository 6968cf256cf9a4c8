# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard in the kernel, on Debian's own kernel and real hardware as far as a stick knows: the whole catalogue of
attacks, the agent gone or dying all the time, another version of the programs, and what is recorded of it all."""

import itertools

import pytest

from sekisho_vm_attacks import Attacks
from sekisho_vm_lab import GROUP, OTHER, POLICY, ROOT, STAFF, UNIT
from sekisho_wait import wait_until

PINS = "/sys/fs/bpf/sekisho"
# What of the catalogue is quick and reaches every hook.
SOME = "write*,create*,append*,truncate*,mkdir*,mknod*,symlink*,link*,rename*,unlink*,rmdir*,raw*"


@pytest.fixture(scope="session")
def booted(guest_lab):
    return guest_lab.wake()


@pytest.fixture(scope="session")
def attacks(booted):
    return Attacks(booted)


def rule(medium, **more):
    return {"name": "some", "match": {"serial": medium.serial}, "access": "write", **more}


def guard_of(lab, point):
    """What holds the file system mounted there, as the status says."""
    return lab.guest.ask(f"sekishoctl status | awk '$1 == \"{point}\" {{ print $4 }}'")


def plugged(lab, medium):
    medium.plug()
    medium.wait_node()
    point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
    lab.recorded("superblock-guarded", mount=point)
    return point


def test_the_kernels_own_programs_hold_it(lab):
    assert "hooks" in lab.guest.ask("sekishoctl status | grep ^lsm")


@pytest.mark.parametrize("person", [ROOT, OTHER])
@pytest.mark.parametrize("approved_for", ["nobody", "others"])
def test_nothing_leaks_over_the_whole_catalogue(lab, attacks, approved_for, person):
    uid = lab.uid(person)
    medium = attacks.stick(uid)
    lab.policy([rule(medium, groups=[GROUP])] if approved_for == "others" else [])
    point = plugged(lab, medium)
    assert guard_of(lab, point) == ("lsm" if approved_for == "others" else "lsm+read-only")
    outcomes = attacks.run(medium, point, uid, *(["--unmount", "--machine-wide"] if person == ROOT else []))
    assert "leaked" not in outcomes and "hung" not in outcomes and "failed" not in outcomes, outcomes
    assert len(outcomes["held"]) > 150


@pytest.mark.parametrize("approved_for", ["nobody", "others"])
def test_what_was_prepared_before_the_guard_leaks_nothing(lab, attacks, approved_for):
    medium = attacks.stick(0)
    lab.policy([rule(medium)])
    medium.plug()
    medium.wait_node()
    medium.wait_held(False)
    point = lab.mount(medium, check=True)
    lab.guest.write("/root/strict", lab.policy_text([rule(medium, groups=[GROUP])] if approved_for == "others" else []))
    outcomes = attacks.run(medium, point, 0, "--unmount", "--only", "before-*", "--guard",
                           f"cp /root/strict {POLICY} && sekishoctl reload >&2")
    assert "leaked" not in outcomes and "hung" not in outcomes and "failed" not in outcomes, outcomes
    assert len(outcomes["held"]) > 10


def test_each_attempt_on_a_read_only_stick_is_recorded_with_its_name(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy()
    point = plugged(lab, medium)
    tries = {"create": ("touch new", "new"), "mkdir": ("mkdir made", "made"), "symlink": ("ln -s target name", "name"),
             "link": ("ln file second", "second"), "rename": ("mv file other", "file"),
             "unlink": ("rm -f file", "file"), "rmdir": ("python3 -c 'import os; os.rmdir(\"empty\")'", "empty"),
             "setattr": ("chmod 600 file", "file"), "open-write": ("python3 -c 'import os; os.open(\"file\", os.O_WRONLY)'", "file"),
             "mknod": ("mkfifo pipe", "pipe"),
             "truncate": ("python3 -c 'import os; os.truncate(\"file\", 1)'", "file"),
             "setxattr": ("python3 -c 'import os; os.setxattr(\"file\", \"user.x\", b\"1\")'", "file")}
    for operation, (command, name) in tries.items():
        lab.guest.sh(f"cd {point} && {command}", check=False)
        record = lab.recorded("write-denied", None, medium, operation=operation, path=f"{point}/{name}")
        assert record["SEKISHO_UID"] == "0" and record["SEKISHO_RULE"] == "removable.default"
    lab.unmount(point)
    lab.sync()
    assert not medium.changed


def test_with_the_agent_gone_the_verdicts_stand(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])])
    point = plugged(lab, medium)
    lab.guest.run("systemctl", "stop", UNIT)
    try:
        for person in (ROOT, OTHER):
            assert lab.write(f"{point}/file", person)["error"] == "EPERM"
            assert lab.guest.run("runuser", "-u", person, "--", "mkdir", f"{point}/made", check=False).status != 0
        assert lab.write(medium.node)["error"] == "EPERM"
        assert lab.write(f"{point}/file", STAFF)["error"] is None
    finally:
        lab.guest.run("systemctl", "start", UNIT)
    lab.recorded("write-denied", None, medium, uid=lab.uid(OTHER))  # what happened meanwhile


def test_killed_all_the_time_under_attack_it_leaks_nothing(lab, attacks):
    held, shared = attacks.stick(0), attacks.stick(0)
    lab.policy([rule(shared, groups=[GROUP])])
    points = [plugged(lab, medium) for medium in (held, shared)]
    lab.guest.run("rm", "-f", "/run/sekisho-lab-stop")
    killer = lab.guest.start(["sh", "-c", "n=0; while [ ! -e /run/sekisho-lab-stop ]; do "
                              f"p=$(systemctl show -P MainPID {UNIT}); [ $p = 0 ] || {{ kill -9 $p && n=$((n + 1)); }}; "
                              "sleep 0.05; done; echo $n"], deadline=600)
    for medium, point in itertools.chain(*itertools.repeat(list(zip((held, shared), points)), 2)):
        outcomes = attacks.run(medium, point, 0, "--only", SOME)
        assert "leaked" not in outcomes and "hung" not in outcomes, outcomes
    lab.guest.run("touch", "/run/sekisho-lab-stop")
    assert int(lab.guest.wait(killer, 60).stdout) > 10
    lab.wait_guard()
    assert lab.write(f"{points[1]}/file", STAFF)["error"] is None
    assert lab.write(f"{points[1]}/file", OTHER)["error"] == "EPERM"


def test_another_version_of_the_programs_takes_over_without_a_gap(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])], **{"zone": "internet"})  # where pins may be touched by root
    point = plugged(lab, medium)
    version = lab.guest.ask(f"ls {PINS}")
    lab.guest.run("rm", "-f", "/run/sekisho-lab-stop")
    attempts = lab.guest.start(["sh", "-c", f"n=0; while [ ! -e /run/sekisho-lab-stop ]; do mkdir {point}/made "
                                "2>/dev/null && n=$((n + 1)); done; echo $n"], deadline=120)
    lab.guest.run("systemctl", "stop", UNIT)
    lab.guest.run("mv", f"{PINS}/{version}", f"{PINS}/0000000000000000")
    lab.guest.run("systemctl", "start", UNIT)
    wait_until(lambda: lab.guest.ask(f"ls {PINS}") == version, "the older programs are gone", 30)
    lab.guest.run("touch", "/run/sekisho-lab-stop")
    assert int(lab.guest.wait(attempts, 60).stdout) == 0
    assert lab.write(f"{point}/file", STAFF)["error"] is None


def test_hours_end_although_nobody_is_there_to_say_so(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    now = lab.guest.ask("date +%H:%M")
    hour, minute = map(int, now.split(":"))
    end = (hour * 60 + minute + 1) % (24 * 60)
    lab.policy([rule(medium, hours=f"{now}-{end // 60:02d}:{end % 60:02d}")])
    point = plugged(lab, medium)
    lab.guest.run("date", "--set", f"{now}:40")  # not to wait for a minute; the agent hears of it
    assert lab.write(f"{point}/file", STAFF)["error"] is None
    lab.guest.run("systemctl", "stop", UNIT)
    try:
        wait_until(lambda: lab.write(f"{point}/file", STAFF)["error"] == "EPERM", "the hours have ended", 60)
        assert lab.guest.ask("date +%H:%M") >= f"{end // 60:02d}:{end % 60:02d}"
    finally:
        lab.guest.run("systemctl", "start", UNIT)


def test_out_of_sight_in_another_mount_namespace_it_is_held(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])])
    medium.plug()
    medium.wait_node()
    medium.wait_held(False)
    script = 'mount -t tmpfs none /mnt && touch /mnt/inner && mkdir /mnt/p && mount "$1" /mnt/p && ! touch /mnt/p/new'
    lab.guest.run("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", medium.node)
    record = lab.recorded("write-denied", None, medium, operation="create")
    assert record["SEKISHO_PATH"].endswith("/new")


def test_a_flood_of_refusals_is_counted_to_the_last(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, groups=[GROUP])])
    point = plugged(lab, medium)
    each, processes = 2500, 8
    script = (f"import os\nfor p in range({processes}):\n if os.fork() == 0:\n  for i in range({each}):\n   try: "
              f"os.open('{point}/flood', os.O_WRONLY | os.O_CREAT)\n   except PermissionError: pass\n   else: "
              f"os._exit(1)\n  os._exit(0)\nassert all(os.wait()[1] == 0 for p in range({processes}))")
    lab.guest.run("python3", "-c", script, deadline=120)

    def count(records):
        return sum(int(record["SEKISHO_COUNT"]) for record in records)

    records = lab.journal.wait_all("write-denied", lambda found: count(found) >= each * processes, 60,
                                   device_serial=medium.serial, operation="create")
    assert count(records) == each * processes

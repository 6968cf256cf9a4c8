# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed service in a Debian that has booted: in time, confined, and there again after whatever happens."""

import os
import re

import pytest

from sekisho_container import Container, wait_until
from sekisho_package import deb, has, run

UNIT = "sekishod.service"
STICK = "/mnt"
POLICY = """\
version: 1
serial: 1
without-lsm: gate
removable:
  default: read-only
  devices:
    - name: the disk of this test
      match: {{bus: loop, serial: "{image}"}}
      access: write
      users: [daemon]
"""

pytestmark = pytest.mark.skipif(not has("systemd-nspawn"), reason="there is no systemd-nspawn")


@pytest.fixture
def disk(whole_chroot, tmp_path):
    """A loop device with a file system, and the mark that makes it external, for the agent of the container."""
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    run("mke2fs", "-q", "-t", "ext4", image)
    run("debugfs", "-w", "-R", "set_inode_field / mode 040777", image)
    node = run("losetup", "--find", "--show", image).stdout.strip()
    whole_chroot.copy_in(deb())
    whole_chroot.run("dpkg", "--install", f"/root/{os.path.basename(deb())}")
    with open(whole_chroot.path("/etc/sekisho/policy.d/10-test.yaml"), "w", encoding="utf-8",
              opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(POLICY.format(image=image))
    number = os.stat(node).st_rdev
    # the container has no udevd: what its database would say of the disk
    with open(whole_chroot.path("/usr/lib/tmpfiles.d/disk.conf"), "w", encoding="utf-8") as file:
        file.write(f"f /run/udev/data/b{os.major(number)}:{os.minor(number)} 0644 root root - "
                   "I:1\\nE:SEKISHO_EXTERNAL=1\\n\n")
    yield node
    run("blockdev", "--setrw", node, check=False)
    run("losetup", "--detach", node)


@pytest.fixture
def container(whole_chroot, disk):
    container = Container(whole_chroot, [disk])
    yield container
    container.close()


def main_pid(container):
    """As the container counts; 0 while there is none."""
    return int(container.show(UNIT, "MainPID"))


def send(container, signal, pid):
    container.run("sh", "-c", f"kill -{signal} {pid}")


def keepers(container):
    found = container.run("sh", "-c", "grep -lx sekisho-keeper /proc/[0-9]*/comm", check=False).stdout
    return {int(pid) for pid in re.findall(r"/proc/(\d+)/comm", found)}


def state(container, pid):
    return container.run("sed", "-n", r"s/^State:\t\(.\).*/\1/p", f"/proc/{pid}/status", check=False).stdout.strip()


def status(container, pid, name):
    return container.run("sed", "-n", rf"s/^{name}:\t//p", f"/proc/{pid}/status").stdout.strip()


def wait_another(container, before):
    """The service is in force again, with another main process."""
    def there():
        shown = container.show(UNIT, "MainPID", "ActiveState", "SubState")
        return (shown["ActiveState"], shown["SubState"]) == ("active", "running") and int(shown["MainPID"]) != before \
            and int(shown["MainPID"])
    return wait_until(there, "the service runs again")


def test_it_is_in_force_before_anybody_can_log_in(container):
    def since(unit, name):
        return int(container.show(unit, name))

    in_force = since(UNIT, "ActiveEnterTimestampMonotonic")
    assert in_force > 0
    for unit in ("sysinit.target", "systemd-logind.service", "systemd-user-sessions.service", "dbus.service"):
        began = since(unit, "InactiveExitTimestampMonotonic")
        assert began >= in_force, unit
    assert container.show(UNIT, "Result", "NRestarts") == {"Result": "success", "NRestarts": "0"}


def test_it_is_confined_and_has_a_mount_namespace_of_its_own(container):
    pid = main_pid(container)
    assert (status(container, pid, "NoNewPrivs"), status(container, pid, "Seccomp")) == ("1", "2")
    wanted = {"sys_admin": 21, "sys_ptrace": 19, "dac_read_search": 2, "kill": 5, "audit_control": 30, "audit_read": 37,
              "sys_chroot": 18, "net_admin": 12}
    assert int(status(container, pid, "CapBnd"), 16) == sum(1 << bit for bit in wanted.values())
    spaces = {container.run("readlink", f"/proc/{one}/ns/mnt").stdout for one in (1, pid)}
    assert len(spaces) == 2
    options = {point: options.split(",") for point, options in mounts(container, pid)}
    assert "ro" in options["/"] and "ro" in options["/sys"]
    assert "rw" in options["/run/sekisho"] and "rw" in options["/var/lib/sekisho"]


def mounts(container, pid):
    """Where the process sees mounts, and how."""
    table = container.run("cat", f"/proc/{pid}/mountinfo").stdout
    return [line.split()[4:6] for line in table.splitlines()]


def mount_disk(container, disk):
    container.run("mount", disk, STICK)
    container.wait_record(SEKISHO_EVENT="superblock-guarded", SEKISHO_MOUNT=STICK)


def write(container, user, name):
    """What dd has to say; nothing if it could write."""
    return container.run("setpriv", "--reuid", user, "--clear-groups", "dd", "if=/etc/os-release", f"of={STICK}/{name}",
                         "status=none", check=False).stderr


def refused(container):
    """Root is not among those who may: by the gate, or by what is read-only underneath."""
    said = write(container, "root", "refused")
    return "Operation not permitted" in said or "Read-only file system" in said


def test_confined_it_still_guards_and_tells_who_tried(container, disk):
    mount_disk(container, disk)
    assert write(container, "daemon", "allowed") == ""
    assert refused(container)
    record = container.wait_record(SEKISHO_EVENT="write-denied", SEKISHO_UID="0")
    assert (record["SEKISHO_EXE"], record["SEKISHO_PATH"]) == ("/usr/bin/dd", f"{STICK}/refused")


def test_what_is_denied_is_unmounted_for_everybody(container, disk):
    container.run("sed", "-i", "/devices:/,$d; s/: read-only/: deny/; s/^serial: 1/serial: 2/",
                  "/etc/sekisho/policy.d/10-test.yaml")
    container.run("systemctl", "reload", UNIT)
    container.wait_record(SEKISHO_EVENT="policy-loaded", SEKISHO_PATH="/etc/sekisho/policy.d")
    container.run("mount", "-o", "ro", disk, STICK)
    container.wait_record(SEKISHO_EVENT="superblock-guarded", SEKISHO_MOUNT=STICK, SEKISHO_VERDICT="deny")
    pid = main_pid(container)
    for process in (1, pid):
        wait_until(lambda process=process: STICK not in dict(mounts(container, process)), "nobody sees the mount")


def test_unmounted_it_is_let_go_by_the_agent_and_its_namespace(container, disk):
    mount_disk(container, disk)
    container.run("umount", STICK)
    assert STICK not in dict(mounts(container, main_pid(container)))
    os.close(os.open(disk, os.O_RDONLY | os.O_EXCL))  # refused while any mount of it is left anywhere


def test_the_keeper_outlives_a_killed_agent_and_the_next_one_comes(container, disk):
    mount_disk(container, disk)
    pid = main_pid(container)
    [keeper] = keepers(container)
    # stopped, it cannot end by itself: what ended it then would be the service manager
    send(container, "STOP", keeper)
    send(container, "KILL", pid)
    wait_another(container, pid)
    assert state(container, keeper) == "T"
    send(container, "CONT", keeper)
    wait_until(lambda: keeper not in keepers(container), "the keeper hands over")
    assert refused(container)


def test_an_agent_that_hangs_is_replaced(container):
    container.run("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
    container.run("sh", "-c", f"printf '[Service]\\nWatchdogSec=1s\\n' >/run/systemd/system/{UNIT}.d/quick.conf")
    container.run("systemctl", "daemon-reload")
    container.run("systemctl", "restart", UNIT)
    pid = main_pid(container)
    send(container, "STOP", pid)
    wait_another(container, pid)
    container.wait_record(SEKISHO_EVENT="agent-lost")


def next_version(tmp_path):
    """The same package with a higher version."""
    tree = tmp_path / "next"
    run("dpkg-deb", "--raw-extract", deb(), tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", control.read_text()))
    run("dpkg-deb", "--root-owner-group", "--build", tree, tmp_path / "next.deb")
    return tmp_path / "next.deb"


def test_an_upgrade_goes_from_one_agent_to_the_next(whole_chroot, container, disk, tmp_path):
    mount_disk(container, disk)
    package = whole_chroot.copy_in(next_version(tmp_path))
    pid = main_pid(container)
    container.run("dpkg", "--unpack", package)
    assert main_pid(container) == pid, "the agent is stopped while files are exchanged"
    assert refused(container)
    container.run("dpkg", "--configure", "sekisho")
    assert wait_another(container, pid)
    assert refused(container)
    assert container.show(UNIT, "Result") == "success"


def test_remove_stops_and_holds_and_purge_takes_all_away(container, disk):
    container.run("dpkg", "--remove", "sekisho")
    assert container.show(UNIT, "ActiveState", "LoadState")["ActiveState"] in ("inactive", "failed")
    assert container.records(SEKISHO_EVENT="agent-stopped")
    assert run("blockdev", "--getro", disk).stdout.strip() == "1"
    container.run("dpkg", "--purge", "sekisho")
    assert run("blockdev", "--getro", disk).stdout.strip() == "0"
    for path in ("/run/sekisho", "/var/lib/sekisho", "/etc/sekisho"):
        assert container.run("test", "-e", path, check=False).returncode != 0, path
    assert keepers(container) == set()
    assert container.run("systemctl", "--failed", "--no-legend").stdout == ""

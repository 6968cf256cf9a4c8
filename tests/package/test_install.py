# SPDX-License-Identifier: GPL-2.0-or-later
"""Installed and purged, a Debian is what it was before."""

import contextlib
import os

import pytest

from sekisho_package import deb, run

# What dpkg and others keep of every package that ever was, by design.
KEPT = {
    "/var/lib/dpkg/status", "/var/lib/dpkg/status-old", "/var/lib/dpkg/lock", "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/diversions-old", "/var/lib/dpkg/triggers/Lock", "/var/lib/dpkg/info/format",
    "/var/cache/debconf/config.dat-old", "/var/cache/debconf/templates.dat-old",  # pam-auth-update asks by debconf
    "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/cache/ldconfig/aux-cache", "/etc/ld.so.cache",
}


def install(chroot):
    return chroot.run("dpkg", "--install", chroot.copy_in(deb()))


def test_purge_leaves_nothing(chroot):
    package = chroot.copy_in(deb())
    before = chroot.files()
    chroot.run("dpkg", "--install", package)
    assert "/usr/sbin/sekishod" in chroot.files()
    # what an administrator and the agent write
    for path in ("/etc/sekisho/policy.d/10-site.yaml", "/var/lib/sekisho/last-good/10-site.yaml",
                 "/run/sekisho/released/8:16"):
        os.makedirs(os.path.dirname(chroot.path(path)), exist_ok=True)
        with open(chroot.path(path), "w", encoding="utf-8") as file:
            file.write("version: 1\n")
    chroot.run("dpkg", "--purge", "sekisho")
    after = chroot.files()
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} - KEPT == set()


def test_it_is_enabled_and_its_policy_is_for_root_alone(chroot):
    install(chroot)
    assert chroot.run("systemctl", "is-enabled", "sekishod.service").stdout.strip() == "enabled"
    for path in ("/etc/sekisho", "/etc/sekisho/policy.d"):
        assert os.stat(chroot.path(path)).st_mode & 0o777 == 0o700


def test_the_programs_find_their_libraries(chroot):
    install(chroot)
    assert chroot.run("/usr/sbin/sekishod", "--version").stdout.startswith("sekishod ")
    assert chroot.run("/usr/bin/sekishoctl", "--version").stdout.startswith("sekishoctl ")
    missing = chroot.run("ldd", "/usr/lib/udev/sekisho-hold").stdout
    assert "libudev" in missing and "not found" not in missing


def test_the_examples_are_good_policies(chroot):
    install(chroot)
    for zone in ("mynumber", "lgwan", "internet"):
        chroot.run("sekishoctl", "policy", "check", f"/usr/share/sekisho/examples/{zone}.yaml")


def test_remove_keeps_the_policy_and_a_disabled_guard_stays_disabled(chroot):
    install(chroot)
    policy = chroot.path("/etc/sekisho/policy.d/10-site.yaml")
    with open(policy, "w", encoding="utf-8") as file:
        file.write("version: 1\nserial: 1\n")
    chroot.run("systemctl", "disable", "sekishod.service")
    chroot.run("dpkg", "--remove", "sekisho")
    assert not os.path.exists(chroot.path("/usr/lib/udev/rules.d/10-sekisho.rules"))
    assert os.path.exists(policy)
    install(chroot)
    assert chroot.run("systemctl", "is-enabled", "sekishod.service", check=False).stdout.strip() == "disabled"
    assert os.path.exists(policy)


@pytest.fixture
def disk(tmp_path):
    """A disk of this machine that the helper holds: a loop device."""
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(1 << 20))
    node = run("losetup", "--find", "--show", image).stdout.strip()
    run("blockdev", "--setro", node)
    yield node
    run("blockdev", "--setrw", node, check=False)
    run("losetup", "--detach", node)


def is_held(node):
    return run("blockdev", "--getro", node).stdout.strip() == "1"


@pytest.mark.parametrize(("property_", "held_after"), [
    ("SEKISHO_HELD", False), ("SEKISHO_EXTERNAL", False), ("OF_OTHERS", True)])
def test_purge_lets_go_what_was_held_and_nothing_else(chroot, disk, property_, held_after):
    install(chroot)
    chroot.bind("/sys")
    chroot.bind("/dev")
    number = os.stat(disk).st_rdev
    data = chroot.path("/run/udev/data")
    os.makedirs(data, exist_ok=True)
    with open(f"{data}/b{os.major(number)}:{os.minor(number)}", "w", encoding="utf-8") as file:
        file.write(f"E:ID_TYPE=disk\nE:{property_}=1\n")
    chroot.run("dpkg", "--remove", "sekisho")
    assert is_held(disk)
    chroot.run("dpkg", "--purge", "sekisho")
    assert is_held(disk) == held_after
    with contextlib.suppress(FileNotFoundError):
        assert os.listdir(chroot.path("/run/sekisho")) == []

# SPDX-License-Identifier: GPL-2.0-or-later
"""A stick of which the register asks encryption, on a kernel that has dm-crypt."""

import pytest

from sekisho_vm_lab import GROUP, OTHER, STAFF, TEXT
from sekisho_wait import wait_until

SECRET = "printf %s lab-passphrase"
OPEN = f'{SECRET} | cryptsetup open --type luks2 --key-file=- "$1" labcrypt'


@pytest.fixture(scope="session")
def booted(guest_lab):
    return guest_lab.wake()


def close(lab):
    lab.unmount("/mnt/labcrypt")
    lab.guest.sh("cryptsetup close labcrypt")


def rule(medium, **more):
    return {"name": "encrypted", "match": {"serial": medium.serial}, "access": "write", **more}


def test_only_the_encrypted_volume_on_it_is_written_to(lab):
    medium = lab.medium("usb-storage", "ext4", plug=False)
    lab.policy([rule(medium, encrypted="required", groups=[GROUP])])
    medium.plug()
    medium.wait_node()
    # with a bare file system on it: for reading
    assert medium.held
    point = lab.mount(medium, "rw") or lab.mount(medium, "ro", check=True)
    assert lab.write(f"{point}/file", STAFF)["error"] in ("EPERM", "EROFS")
    lab.unmount(point)
    lab.sync()
    assert not medium.changed

    # an admin makes it one: the policy says nothing of encryption for as long as that takes
    lab.policy([rule(medium)])
    medium.wait_held(False)
    lab.guest.sh(f'wipefs --all --quiet "$1" && {SECRET} | cryptsetup luksFormat --batch-mode --type luks2 '
                 f'--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file=- "$1" && {OPEN} && '
                 'mke2fs -q -t ext4 -E root_owner=0:0 /dev/mapper/labcrypt && mkdir -p /mnt/labcrypt && '
                 'mount /dev/mapper/labcrypt /mnt/labcrypt && touch /mnt/labcrypt/file && '
                 'chmod 666 /mnt/labcrypt/file', medium.node, deadline=180)
    close(lab)
    lab.policy([rule(medium, encrypted="required", groups=[GROUP])])

    lab.guest.sh(OPEN, medium.node, deadline=120)
    wait_until(lambda: medium.held, "the disk under an open mapping is held", 30)
    assert lab.write(medium.node)["error"] in ("EPERM", "EACCES", "EROFS")
    lab.guest.sh("mount /dev/mapper/labcrypt /mnt/labcrypt")
    record = lab.recorded("superblock-guarded", mount="/mnt/labcrypt")
    assert record["SEKISHO_DEVICE_SERIAL"] == medium.serial, "the disk that decides is named, not the mapping"
    attempt = lab.write("/mnt/labcrypt/file", OTHER, "by-somebody-else")
    assert attempt["error"] == "EPERM"
    record = lab.recorded("write-denied", attempt, medium, uid=lab.uid(OTHER), path="/mnt/labcrypt/file")
    assert record["SEKISHO_RULE"] == "encrypted"
    assert lab.write("/mnt/labcrypt/file", STAFF)["error"] is None
    close(lab)
    assert not medium.contains(TEXT), "what was written is on it in another form"
    lab.guest.sh(f'{OPEN} && mount -o ro /dev/mapper/labcrypt /mnt/labcrypt', medium.node, deadline=120)
    assert TEXT in lab.guest.sh("cat /mnt/labcrypt/file").stdout
    close(lab)

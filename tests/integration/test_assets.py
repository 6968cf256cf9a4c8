# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that must not leave the terminal: who has one open writes nothing to an approved stick."""

import os
import subprocess
import sys

import pytest
from sekisho_world import rule_for

LABEL = "特定個人情報"
BIG = 4 * 1024 * 1024  # more than a pipe holds: who reads it has it open while the other end begins


@pytest.fixture
def place(world):
    """A directory with a big file, world readable, and an approved stick that everybody may write to."""
    directory = world.new_path("juki")
    os.makedirs(directory)
    for name, size in (("big", BIG), ("small", 16)):
        with open(os.path.join(directory, name), "wb") as to:
            to.write(b"\0" * size)
    other = world.new_path("other")
    with open(other, "wb") as to:
        to.write(b"free")
    return directory, other


def start(world, directory, export="never", **more):
    stick = world.stick(attach=False)
    world.start_agent(removable={"default": "read-only", "devices": [rule_for(stick)]},
                      assets=[{"name": "juki", "class": LABEL, "paths": [directory], "export": export}], **more)
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    return point


def shell(command):
    return subprocess.run(["/bin/bash", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=60, start_new_session=True)


HELD = {
    "cp": "cp {source}/big {point}/out",
    "cp of a small file": "cp {source}/small {point}/out",
    "dd": "dd if={source}/big of={point}/out status=none",
    "redirection": "cat < {source}/small > {point}/out",
    "pipe": "cat {source}/big | {{ head -c 1 > /dev/null; cat > {point}/out; }}",
    "pipe through a filter": "cat {source}/big | {{ head -c 1 > /dev/null; gzip > {point}/out; }}",
    "tar pipeline": "tar cf - -C {source} . | {{ head -c 512 > /dev/null; cat > {point}/out; }}",
    "child of who has it open": "exec 3< {source}/small; cp {other} {point}/out 3<&-",
    "mapping": sys.executable + " -c 'import mmap; f = open(\"{source}/small\", \"rb\"); "
               "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); f.close(); open(\"{point}/out\", \"wb\").write(m[:])'",
    "existing file": "dd if={source}/small of={point}/existing conv=notrunc status=none",
}


@pytest.mark.parametrize("way", list(HELD))
def test_who_has_it_open_does_not_write(world, place, way):
    directory, other = place
    point = start(world, directory)
    subprocess.run(["cp", other, f"{point}/existing"], check=True)
    result = shell(HELD[way].format(source=directory, point=point, other=other))
    assert "Operation not permitted" in result.stderr, result.stderr
    assert not os.path.exists(f"{point}/out") or os.path.getsize(f"{point}/out") == 0
    with open(f"{point}/existing", "rb") as existing:
        assert existing.read() == b"free"
    record = world.journal.wait("write-denied", reason="labelled-source")
    assert (record["SEKISHO_LABEL"], record["SEKISHO_RULE"]) == (LABEL, "juki")


def test_what_was_closed_before_is_not_held(world, place):
    """As docs/threat-model.md says: what a program remembers is no open file."""
    directory, _ = place
    point = start(world, directory)
    code = f"data = open('{directory}/small', 'rb').read(); open('{point}/out', 'wb').write(data)"
    assert subprocess.run([sys.executable, "-c", code], check=False, start_new_session=True).returncode == 0
    assert os.path.getsize(f"{point}/out") == 16


def test_other_files_are_written(world, place):
    directory, other = place
    point = start(world, directory)
    result = shell(f"cp {other} {point}/out && cat {directory}/small > /dev/null")
    assert result.returncode == 0, result.stderr
    assert os.path.getsize(f"{point}/out") == 4


def test_a_recorded_export_goes_ahead_with_its_label(world, place):
    directory, _ = place
    point = start(world, directory, export="record")
    assert shell(f"cp {directory}/small {point}/out").returncode == 0
    record = world.journal.wait("labelled-write", path=f"{point}/out")
    assert (record["SEKISHO_LABEL"], record["SEKISHO_VERDICT"]) == (LABEL, "allow")
    assert os.path.getsize(f"{point}/out") == 16


def test_assets_of_a_new_policy_hold_on_a_stick_that_is_mounted(world, place):
    directory, _ = place
    stick = world.stick(attach=False)
    sections = {"removable": {"default": "read-only", "devices": [rule_for(stick)]}}
    world.start_agent(**sections)
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    assert shell(f"cp {directory}/small {point}/before").returncode == 0
    world.reload_policy(**sections, assets=[{"name": "juki", "paths": [directory], "export": "never"}])
    assert "Operation not permitted" in shell(f"cp {directory}/small {point}/out").stderr
    world.reload_policy(**sections)
    assert shell(f"cp {directory}/small {point}/after").returncode == 0

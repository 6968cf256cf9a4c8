# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way onto a volume that sekisho-attacks knows: first on volumes without a guard, where each has to leak (or
the test proves nothing), then on guarded ones. What today's guard lets through is listed here, one reason each: the
test fails if anything else leaks, and also if what is listed does not any more."""

import grp
import json
import os
import subprocess

import pytest
import sekisho_stick
from sekisho_machine import GROUP, PLAIN_LOOPS, STICK_LOOPS
from sekisho_wait import run
from sekisho_world import BUILD

ATTACKS = os.path.join(BUILD, "tests", "sekisho-attacks")
HELD, LEAKED = 0, 1
DEADLINE = 300
CATALOGUE = json.loads(run([ATTACKS, "--list", "--json"]).stdout) if os.path.exists(ATTACKS) else []
PREPARED = [attack["name"] for attack in CATALOGUE if "prepared" in attack["needs"]]

def known(why, names):
    return {name: why for name in names.split()}


# Root takes the read-only flag from the disk, by a descriptor for reading: nobody gets one.
UNDOING = "release-by-ring release-by-worker release-and-remount release-and-mkdir raw-release-and-write release-and-mount-anew"

# On a medium that some may write, by somebody who may not. Contents are held, whatever the way of opening.
LEAKS_OF_NAMES = {
    **known("the refused open has made its file already: empty, with its name", """
        create-read create-write create-read-write create-exclusive create-append create-truncate create-closed-mode
        create-setuid creat creat-call openat-create openat2-create create-through-proc rename-from-outside
        uring-create abi32-open-create abi32-creat core-dump user-namespace-overlay"""),
    **known("fanotify asks about opens only, and a name is made without one", """
        mkdir mkdirat long-name symlink symlink-target symlink-target-longest link link-through-proc
        mknod-file mknod-pipe mknod-socket mknod-whiteout bind-socket user-namespace-names
        uring-mkdir uring-symlink uring-link abi32-mkdir abi32-symlink abi32-link abi32-mknod"""),
    **known("fanotify asks about opens only, and a name is changed or removed without one", """
        rename rename-over rename-directory rename-into rename-exchange rename-no-replace rename-whiteout
        unlink unlink-link rmdir rmdir-unlinkat bitmap-of-names
        uring-rename uring-unlink uring-rmdir abi32-rename abi32-unlink abi32-rmdir"""),
    **known("fanotify asks about opens only, and truncation by path is none", """
        truncate truncate-longer truncate-through-proc abi32-truncate abi32-truncate64"""),
    **known("fanotify asks about opens only, and times and modes are set without one", """
        times times-now times-of-link times-of-directory times-of-reader times-of-path utime utimes access-time
        mode mode-of-directory mode-of-reader mode-of-path mode-of-descriptor group abi32-chmod abi32-utime"""),
    **known("fanotify asks about opens only, and attributes are set by path or through a reader", """
        attribute attribute-name attribute-large attribute-lsetxattr attribute-setxattrat attribute-of-directory
        attribute-of-reader attribute-of-directory-reader attribute-of-path attribute-removed
        attribute-removed-by-reader access-list access-list-default
        uring-setxattr uring-fsetxattr abi32-setxattr"""),
    **known("fanotify asks about opens only, and these ioctls take a reader's descriptor", """
        flags flags-of-directory extended-flags file-setattr deduplicate subvolume"""),
}
LEAKS_OF_NAMES_TO_ROOT = {
    **LEAKS_OF_NAMES,
    **known("fanotify asks about opens only: what of names and attributes is root's alone", """
        link-descriptor mknod-character mknod-block owner owner-of-link owner-of-reader owner-of-path
        attribute-trusted attribute-trusted-of-link attribute-security file-capability overlay"""),
    **known("fanotify asks about opens only, and these ioctls take a reader's descriptor",
            "label trim snapshot received-subvolume"),
}
# By root, where the kernel asks nobody about opens of device nodes: such a medium is not read-only underneath.
LEAKS_OF_NODES = known("the disk is let go, and the kernel asks nobody about opens of its nodes", """
    raw-write raw-write-direct raw-write-disk raw-mapping raw-splice raw-reopened-reader raw-made-node
    raw-made-node-of-disk raw-made-node-on-tmpfs raw-other-devtmpfs raw-discard raw-zero-out raw-punch-hole
    raw-partition-added raw-release-and-write""")
# A loop device over the node of a mounted file system: some file systems keep it off, at times.
MAYBE_OF_NODES = {"loop-over-node", "loop-over-node-direct", "loop-over-reader"}


def plant(directory, uid=0):
    os.mkdir(directory)
    os.chmod(directory, 0o777)
    run([ATTACKS, "--plant", directory, "--uid", str(uid)])


def attackable(world, fstype="ext4", uid=0, plain=False, partitioned=False, attach=True, options=()):
    """A stick with the tree that the attacks need, owned by UID."""
    source = world.new_path("planted")
    plant(source, uid)
    image = world.new_path("attacked.img")
    with open(image, "wb") as to:
        to.truncate({"ext4": 32, "xfs": 320, "btrfs": 256}[fstype] * sekisho_stick.MIB)
    offset = sekisho_stick.PARTITION_START if partitioned else 0
    if partitioned:
        run(["sfdisk", "--quiet", "--label", "dos", image], input=f"start={offset // 512}, type=83\n")
    if options:
        run(["mke2fs", "-q", "-F", "-t", "ext4", *options, "-E", "root_owner=0:0", "-d", source, image])
    else:
        sekisho_stick.make_file_system(image, fstype, source, offset)
    if fstype == "xfs":
        sekisho_stick.fill_xfs(image, source)
    stick = sekisho_stick.Stick(world, image, fstype, PLAIN_LOOPS if plain else STICK_LOOPS, partitioned)
    world.undo(stick.detach)
    return stick.attach() if attach else stick


def command(stick, point, *arguments, uid=0, groups=()):
    who = ["--uid", str(uid), *(word for group in groups for word in ("--group", str(group)))] if uid else []
    return [ATTACKS, "--json", "--image", stick.image, "--node", stick.node, *who, *arguments, point]


def attack(stick, point, *arguments, **who):
    """Runs the catalogue; returns the verdicts by name."""
    result = run(command(stick, point, *arguments, **who), check=False, deadline=DEADLINE)
    assert result.returncode in (HELD, LEAKED), (result.returncode, result.stdout, result.stderr)
    found = json.loads(result.stdout)
    assert found["hung"] == found["failed"] == 0
    assert (result.returncode == LEAKED) == (found["leaked"] > 0 or found["elsewhere"] > 0)
    assert found["elsewhere"] == 0, result.stderr
    return {one["name"]: one for one in found["attacks"]}


def assert_leaks_are(found, expected, maybe=()):
    leaked = {name for name, one in found.items() if one["verdict"] == "leaked"}
    tried = {name for name, one in found.items() if one["verdict"] != "impossible"}
    more = sorted(leaked - expected.keys() - set(maybe))
    assert not more, "these leaked and are not known to: " + "; ".join(
        f"{name} ({','.join(found[name]['evidence'])}: {found[name]['detail']})" for name in more)
    fewer = sorted((expected.keys() & tried) - leaked)
    assert not fewer, "these are known to leak and were held: " + "; ".join(
        f"{name} ({found[name]['error']})" for name in fewer)


# mke2fs's options: other blocks, and no checksums, allow what the first volume makes impossible
UNGUARDED = [("ext4", ()), ("ext4", ("-b", "4096", "-O", "^metadata_csum,^uninit_bg")), ("xfs", ()), ("btrfs", ())]


@pytest.mark.parametrize("who", ["root", "stranger"])
@pytest.mark.parametrize("fstype, options", UNGUARDED, ids=["ext4", "ext4-4k", "xfs", "btrfs"])
def test_without_a_guard_every_attack_leaks(world, fstype, options, who):
    person = getattr(world.machine, who)
    stick = attackable(world, fstype, person.uid, plain=True, options=options)
    point = stick.mount("rw")
    more = ["--machine-wide", "--unmount"] if who == "root" else []
    result = run(command(stick, point, "--self-check", *more, uid=person.uid, groups=[grp.getgrnam("disk").gr_gid]),
                 check=False, deadline=DEADLINE)
    assert result.returncode == 0, (result.stdout, result.stderr)
    found = json.loads(result.stdout)
    assert found["leaked"] > 100
    assert found["held"] == 0


def test_without_a_guard_a_partition_leaks_as_well(world):
    stick = attackable(world, plain=True, partitioned=True)
    point = stick.mount("rw")
    result = run(command(stick, point, "--self-check", "--unmount", "--only", "raw-*,write,mkdir"), check=False,
                 deadline=DEADLINE)
    assert result.returncode == 0, (result.stdout, result.stderr)
    verdicts = {one["name"]: one["verdict"] for one in json.loads(result.stdout)["attacks"]}
    assert verdicts["raw-partition-replaced"] == verdicts["raw-partition-added"] == "leaked"


@pytest.mark.parametrize("who", ["root", "stranger"])
@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
@pytest.mark.parametrize("agent", [False, True], ids=["without the agent", "with the agent"])
def test_a_medium_that_nobody_may_write(world, agent, fstype, who):
    person = getattr(world.machine, who)
    if agent:
        world.start_agent()
    stick = attackable(world, fstype, person.uid)
    stick.wait_held(True)
    before = stick.sha256()
    point = stick.mount("ro")
    if agent:
        world.journal.wait("superblock-guarded", mount=point)
    more = ["--machine-wide", "--unmount"] if who == "root" else []
    found = attack(stick, point, "--skip", UNDOING.replace(" ", ","), *more, uid=person.uid,
                   groups=[grp.getgrnam("disk").gr_gid])
    assert_leaks_are(found, {})
    stick.detach()
    assert stick.sha256() == before


@pytest.mark.parametrize("who", ["root", "stranger", "member"])
@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_a_medium_for_some_that_this_kernel_cannot_keep_from_others(world, fstype, who):
    """Unless the policy is content with the gate, nobody writes: names and attributes would be open to all."""
    person = getattr(world.machine, who)
    stick = attackable(world, fstype, person.uid, attach=False)
    world.start_agent(**{"without-lsm": "read-only"}, **world.approving(stick, groups=[GROUP]))
    if world.journal.wait("agent-started").get("SEKISHO_ERROR") is None:
        pytest.skip("this kernel has BPF LSM, which tells people apart")
    stick.attach()
    verdict = world.journal.wait("device-verdict", device=os.path.basename(stick.disk))
    assert (verdict["SEKISHO_VERDICT"], verdict["SEKISHO_REASON"]) == ("read-only", "needs-lsm")
    stick.wait_held(True)
    before = stick.sha256()
    point = stick.mount("ro")
    world.journal.wait("superblock-guarded", mount=point)
    found = attack(stick, point, "--skip", UNDOING.replace(" ", ","), uid=person.uid,
                   groups=[grp.getgrnam("disk").gr_gid])
    assert_leaks_are(found, {})
    stick.detach()
    assert stick.sha256() == before


def test_root_who_undoes_what_holds_it(world):
    """Each on a stick of its own: after one of them the volume is writable."""
    world.start_agent()
    found = {}
    for name in UNDOING.split():
        stick = attackable(world)
        stick.wait_held(True)
        point = stick.mount("ro")
        world.journal.wait("superblock-guarded", mount=point)
        found.update(attack(stick, point, "--unmount", "--only", name))
        stick.detach()
    assert_leaks_are(found, {})


@pytest.mark.parametrize("who", ["root", "stranger"])
def test_what_was_there_before_the_guard(world, who):
    """Descriptors, mappings, handles of a time when the volume could be written: the agent starts in between."""
    person = getattr(world.machine, who)
    stick = attackable(world, uid=person.uid, plain=True)
    point = stick.mount("rw")
    process = world.start_as(world.machine.root, command(stick, point, "--wait", "--only", ",".join(PREPARED),
                                                         uid=person.uid, groups=[grp.getgrnam("disk").gr_gid]),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "prepared\n"
    world.start_agent(removable={"also-external": ["loop"], "default": "read-only"})
    world.journal.wait("superblock-guarded", mount=point)
    output, _ = process.communicate("go\n", timeout=DEADLINE)
    found = {one["name"]: one for one in json.loads(output)["attacks"]}
    assert_leaks_are(found, {})


@pytest.mark.parametrize("who", ["root", "stranger"])
@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs"])
def test_a_medium_that_only_others_may_write(world, fstype, who):
    person = getattr(world.machine, who)
    stick = attackable(world, fstype, person.uid, attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    found = attack(stick, point, uid=person.uid)
    if who == "stranger":
        assert_leaks_are(found, LEAKS_OF_NAMES)
    elif world.asks_about_nodes():
        assert_leaks_are(found, LEAKS_OF_NAMES_TO_ROOT)
    else:
        assert_leaks_are(found, {**LEAKS_OF_NAMES_TO_ROOT, **LEAKS_OF_NODES}, MAYBE_OF_NODES)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A refused write as a Japanese helpdesk reads it: sekishoctl events, and the journal's own explanation."""

import os
import pathlib
import shutil
import subprocess

import pytest
from sekisho_machine import GROUP
from sekisho_world import OPENERS

SOURCE = pathlib.Path(__file__).parents[2]
CATALOGS = "var/lib/systemd/catalog"


@pytest.fixture
def session(tmp_path):
    """The environment of a Japanese session, which this machine need not be set up for. glibc 2.36 never frees the list that
    setlocale() makes of LOCPATH."""
    subprocess.run(["localedef", "-i", "ja_JP", "-f", "UTF-8", tmp_path / "ja_JP.UTF-8"], check=True)
    return {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": "ja_JP.UTF-8",
            "SEKISHO_LOCALE_DIR": os.environ["SEKISHO_BUILD"] + "/locale",
            "ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + ":detect_leaks=0"}


@pytest.fixture
def catalogs(tmp_path):
    """The compiled catalogs, in a root of their own."""
    root = tmp_path / "root"
    for directory in ("usr/lib/systemd/catalog", CATALOGS):
        (root / directory).mkdir(parents=True)
    for catalog in (SOURCE / "packaging/catalog").glob("*.catalog"):
        shutil.copy(catalog, root / "usr/lib/systemd/catalog")
    subprocess.run(["journalctl", "--update-catalog", f"--root={root}"], check=True)
    return root


@pytest.fixture
def refused(world):
    """The record of a write that was refused."""
    stick = world.stick(attach=False)
    world.start_agent(**world.approving(stick, groups=[GROUP]))
    stick.attach()
    stick.wait_held(False)
    point = stick.mount("rw")
    world.journal.wait("superblock-guarded", mount=point)
    world.run_as(world.machine.stranger, [OPENERS, "open", "write", f"{point}/file"])
    return world.journal.wait("write-denied", device_serial=stick.serial)


def explained(session, catalogs, record):
    """journalctl -x reads the machine's catalogs: a namespace of its own has ours in their place."""
    script = f'mkdir -p /{CATALOGS} && mount --bind "$1" /{CATALOGS} && exec journalctl -x -n 1 --no-pager --cursor="$2"'
    return subprocess.run(["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh",
                           str(catalogs / CATALOGS), record["__CURSOR"]], env=session, capture_output=True,
                          text=True, encoding="utf-8", check=True).stdout


def test_a_refusal_is_explained_in_japanese(session, catalogs, refused):
    told = explained(session, catalogs, refused)
    assert f"Subject: 書き込みを拒否しました: {refused['SEKISHO_PATH']}" in told
    assert f"規則「{refused['SEKISHO_RULE']}」({refused['SEKISHO_RULE_ORIGIN']})、理由 not-this-person。" in told
    assert "対応: " in told and "@SEKISHO_" not in told


def test_a_refusal_is_explained_in_english(session, catalogs, refused):
    told = explained({**session, "LC_ALL": "C.UTF-8"}, catalogs, refused)
    assert f"Subject: Writing was refused: {refused['SEKISHO_PATH']}" in told
    assert "What to do: " in told


def test_events_and_status_speak_japanese(world, session, refused):
    told = subprocess.run([f"{os.environ['SEKISHO_BUILD']}/bin/sekishoctl", "events", "--device",
                           refused["SEKISHO_DEVICE_SERIAL"]], env=session, capture_output=True, text=True,
                          encoding="utf-8", check=True).stdout
    assert told.splitlines()[0].split() == ["日時", "種類", "利用者", "内容", "機器", "規則", "回数"]
    assert "書き込み拒否" in told and refused["SEKISHO_PATH"] in told
    status = subprocess.run([f"{os.environ['SEKISHO_BUILD']}/bin/sekishoctl", "status", "--runtime-dir", world.runtime],
                            env=session, capture_output=True, text=True, encoding="utf-8", check=False).stdout
    assert "強制中" in status and "読み書き可" in status and "都度判定" in status
    assert "正常: 許可イベント (スレッド単位)" in status

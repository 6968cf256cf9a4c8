# SPDX-License-Identifier: GPL-2.0-or-later
"""The catalog of translations is whole, and sekishoctl speaks it."""

import json
import os
import re
import subprocess
import unicodedata

import pytest

BUILD = os.environ["SEKISHO_BUILD"]
KANA = re.compile("[ぁ-んァ-ヶ一-龠]")


def ctl(*arguments, **environment):
    result = subprocess.run([f"{BUILD}/bin/sekishoctl", *arguments], capture_output=True, text=True, encoding="utf-8",
                            env={"SEKISHO_LOCALE_DIR": f"{BUILD}/locale", "PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo",
                                 "LC_ALL": "C.UTF-8", **environment}, check=False)
    return result.returncode, result.stdout, result.stderr


def japanese(*arguments):
    """LANGUAGE needs no generated locale; test_a_japanese_session has one."""
    return ctl(*arguments, LANGUAGE="ja")


def test_the_catalog_has_every_text_and_nothing_fuzzy():
    result = subprocess.run(["packaging/po/update", "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr + "packaging/po/update brings it up to date"


def test_the_check_notices_a_text_that_is_not_translated(tmp_path):
    subprocess.run(["cp", "-r", "agent", "pam_module", "policy", tmp_path], check=True)
    (tmp_path / "packaging").mkdir()
    subprocess.run(["cp", "-r", "packaging/po", tmp_path / "packaging"], check=True)
    with open(tmp_path / "agent/ctl/main.c", "a", encoding="utf-8") as source:
        source.write('const char *news(void) { return _("something new %s"); }\n')
    for arguments, told in ((["--check"], "out of date"), ([], "something new")):
        result = subprocess.run([tmp_path / "packaging/po/update", *arguments], capture_output=True, text=True,
                                check=False)
        assert result.returncode == 1 and told in result.stderr, result.stderr


@pytest.fixture(scope="session")
def locales(tmp_path_factory):
    """A directory for LOCPATH with ja_JP.UTF-8, which the machine need not have."""
    directory = tmp_path_factory.mktemp("locales")
    subprocess.run(["localedef", "-i", "ja_JP", "-f", "UTF-8", directory / "ja_JP.UTF-8"], check=True)
    return str(directory)


def test_a_japanese_session_is_answered_in_japanese(locales):
    # glibc 2.36 never frees the list that setlocale() makes of LOCPATH
    status, out, _ = ctl("--help", LOCPATH=locales, LC_ALL="ja_JP.UTF-8", ASAN_OPTIONS="detect_leaks=0")
    assert status == 0 and out.startswith("使い方: sekishoctl")


def test_a_session_without_that_locale_is_answered_in_english():
    for environment in ({}, {"LC_ALL": "C", "LANGUAGE": "ja"}, {"LANGUAGE": "ja", "SEKISHO_LOCALE_DIR": "/nonexistent"}):
        assert ctl("--help", **environment)[1].startswith("Usage: sekishoctl"), environment


@pytest.mark.parametrize("command", ["", "status", "devices", "events", "policy", "policy check", "policy explain device",
                                     "policy explain open"])
def test_help_is_japanese_and_names_the_same_options(command):
    words = [*command.split(), "--help"]
    told = japanese(*words)[1]
    assert KANA.search(told)
    options = re.compile(r"(?<![\w-])-{1,2}[a-z][a-z-]*")
    assert sorted(set(options.findall(told))) == sorted(set(options.findall(ctl(*words)[1])))


def test_slips_of_the_pen_are_told_in_japanese():
    for arguments in (["nonsense"], ["events", "--event", "nonsense"], ["policy"], ["events", "--since", "never"],
                      ["events", "--all"], ["policy", "explain", "open"]):
        status, _, err = japanese(*arguments)
        assert status == 2 and KANA.search(err), (arguments, err)


def test_faults_of_a_policy_are_told_in_japanese(tmp_path):
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\nserial: [1]\nremovable: {default: foo}\nmode: enforce\nmode: enforce\n")
    policy.chmod(0o600)
    status, out, _ = japanese("policy", "check", str(policy))
    assert status == 1
    assert out.splitlines() == [
        f"{policy}:2:9: リストです。整数が必要です",
        f'{policy}:3:22: "foo" はここでは使えません。次のいずれかが必要です: deny, read-only, write',
        f"{policy}:5:1: キー「mode」が二重に書かれています (最初は 4 行目)。一度だけ書いてください",
    ]


EXPLAIN = ("policy", "explain", "open", "--user", "0", "--vendor", "0951", "--product", "1666", "--serial", "E0D55EA574",
           "--policy", "policy/examples/mynumber.yaml", "--at", "2026-11-20 09:00")


def test_a_verdict_is_told_in_japanese_with_reason_and_conditions():
    status, out, _ = japanese(*EXPLAIN)
    assert status == 1
    assert "書き込めません。ほかの人に対して許可されたものです。" in out
    assert "グループ zeimu; 月-金 08:30-17:15; 2027-03-31 まで" in out


STATUS = {"version": "1", "pid": 1, "started": 1795217415, "mode": "enforce", "zone": "mynumber", "policy": None,
          "mechanisms": {"keeper": "off", "fanotify": "ok: permission events, asked by thread"},
          "devices": [{"name": "sdb", "bus": "usb", "external": True, "access": "read-only", "rule": "removable.default",
                       "enforced": True, "vendor": "0951", "product": "1666", "serial": "E0"}],
          "superblocks": [{"mount": "/media/課税課", "fstype": "vfat", "access": "deny", "guard": "gate+read-only",
                           "rule": "removable.default"}]}


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def test_tables_stand_straight_with_wide_characters(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps(STATUS))
    _, out, _ = japanese("devices", "--runtime-dir", str(tmp_path))
    heading, row = out.splitlines()[:2]
    assert (heading.split()[4], row.split()[4]) == ("許可", "読み取り専用")
    assert width(heading[:heading.index("許可")]) == width(row[:row.index("読み取り専用")])
    assert width(heading[:heading.index("規則")]) == width(row[:row.index("removable.default")])


def test_status_is_told_in_japanese(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps(STATUS))
    _, out, _ = japanese("status", "--runtime-dir", str(tmp_path))
    for expected in ("マイナンバー利用事務系", "正常: 許可イベント", "停止", "都度判定+読み取り専用", "拒否"):
        assert expected in out, expected
    for word in ("in force", "read-only", "deny", "mynumber"):
        assert word not in out, word


def test_answers_for_programs_are_the_same_in_every_language(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps(STATUS))
    bad = tmp_path / "p.yaml"
    bad.write_text("version: 1\n")
    bad.chmod(0o600)
    runtime = ("--runtime-dir", str(tmp_path))
    for arguments in (["status", *runtime], ["devices", *runtime], ["policy", "check", str(bad)],
                      ["policy", "check", "policy/examples/mynumber.yaml"], EXPLAIN):
        assert japanese(*arguments, "--json")[:2] == ctl(*arguments, "--json")[:2], arguments

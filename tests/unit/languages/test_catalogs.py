# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's catalogs explain every record there is, in both languages."""

import pathlib
import re
import shutil
import subprocess

import pytest
from test_translations import KANA, locales  # noqa: F401 (a fixture)

HEADER = pathlib.Path("policy/event.h").read_text(encoding="utf-8")
EVENTS = {identity: word for word, identity in re.findall(r'X\(EVENT_\w+, "([a-z-]+)", "([0-9a-f]{32})"', HEADER)
          if word != "none"}
FIELDS = set(re.findall(r'#define FIELD_\w+\s+"(SEKISHO_\w+)"', HEADER))
CATALOGS = {"en": "packaging/catalog/sekisho.catalog", "ja": "packaging/catalog/sekisho.ja.catalog"}


def entries(path):
    """(MESSAGE_ID, headers, body) of each entry."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for block in re.split(r"^-- ", text, flags=re.MULTILINE)[1:]:
        identity, rest = block.split("\n", 1)
        head, body = rest.split("\n\n", 1)
        yield identity, dict(line.split(": ", 1) for line in head.splitlines()), body


@pytest.mark.parametrize("language", CATALOGS)
def test_every_record_is_explained_once_and_nothing_else(language):
    assert len(EVENTS) >= 16
    assert sorted(identity for identity, _, _ in entries(CATALOGS[language])) == sorted(EVENTS)


@pytest.mark.parametrize("language", CATALOGS)
def test_each_entry_has_subject_cause_and_what_to_do(language):
    cause, todo = {"en": ("\nCause: ", "\nWhat to do: "), "ja": ("\n原因: ", "\n対応: ")}[language]
    for identity, headers, body in entries(CATALOGS[language]):
        assert headers["Subject"] and headers["Defined-By"] == "Sekisho", EVENTS[identity]
        assert headers["Documentation"].startswith("man:sekishod(8)"), EVENTS[identity]
        assert cause in body and todo in body and body.index(cause) < body.index(todo), EVENTS[identity]
        assert bool(KANA.search(body)) == (language == "ja"), EVENTS[identity]


def test_placeholders_are_fields_of_ours_and_the_same_in_both_languages():
    placeholders = {}
    for language, path in CATALOGS.items():
        for identity, headers, body in entries(path):
            found = set(re.findall(r"@(\w+)@", headers["Subject"] + body))
            assert found <= FIELDS, EVENTS[identity]
            assert placeholders.setdefault(identity, found) == found, (language, EVENTS[identity])


def test_the_journal_compiles_them_and_chooses_by_language(tmp_path, locales):  # noqa: F811
    catalogs = tmp_path / "usr/lib/systemd/catalog"
    catalogs.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    for path in CATALOGS.values():
        shutil.copy(path, catalogs)
    compiled = subprocess.run(["journalctl", "--update-catalog", f"--root={tmp_path}"], capture_output=True, text=True,
                              check=True)
    assert compiled.stderr == ""
    for environment, language in (({"LC_ALL": "C.UTF-8"}, "en"), ({"LC_ALL": "ja_JP.UTF-8", "LOCPATH": locales}, "ja")):
        dump = subprocess.run(["journalctl", f"--root={tmp_path}", "--dump-catalog"], capture_output=True, text=True,
                              encoding="utf-8", env={"PATH": "/usr/bin:/bin", **environment}, check=True).stdout
        for identity, headers, body in entries(CATALOGS[language]):
            assert f"-- {identity}\n" in dump
            assert f"Subject: {headers['Subject']}\n" in dump
            assert body.strip() in dump

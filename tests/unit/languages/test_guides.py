# SPDX-License-Identifier: GPL-2.0-or-later
"""What the helpdesk guides say can be typed, and they leave nothing out."""

import pathlib
import re
import shlex
import subprocess

import pytest
from test_catalogs import EVENTS
from test_translations import BUILD, ctl, japanese

GUIDES = ["docs/helpdesk.md", "docs/helpdesk.ja.md"]
REASONS = re.findall(r'X\(REASON_\w+, "([a-z-]+)"', pathlib.Path("policy/verdict.h").read_text(encoding="utf-8"))
# what only an installed terminal with these people on it can answer
NOT_HERE = re.compile("no such user|there is no journal|cannot open the journal|the guard is not running|No such file")


def text(guide):
    return pathlib.Path(guide).read_text(encoding="utf-8")


def commands(guide):
    blocks = re.findall(r"^```sh\n(.*?)^```", text(guide), flags=re.MULTILINE | re.DOTALL)
    quoted = [words for words in re.findall(r"`(sekishoctl [^`]*)`", text(guide))]
    return [shlex.split(line) for line in "".join(blocks).splitlines() + quoted]


def test_both_guides_have_the_same_commands():
    assert [c for c in commands(GUIDES[0])] == [c for c in commands(GUIDES[1])]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_is_taken(guide, tmp_path):
    taken = 0
    for program, *arguments in commands(guide):
        if program == "journalctl":
            tried = subprocess.run(["journalctl", "-D", str(tmp_path), *arguments], capture_output=True, text=True,
                                   check=False)
            assert tried.returncode == 0, (arguments, tried.stderr)
            continue
        assert program == "sekishoctl"
        if arguments[0] == "events":
            arguments = [*arguments, "--directory", str(tmp_path)]
        if arguments[0] in ("status", "devices"):
            arguments = [*arguments, "--runtime-dir", str(tmp_path)]
        status, _, err = ctl(*arguments)
        assert status == 0 or not err or NOT_HERE.search(err), (arguments, err)
        taken += 1
    assert taken >= 10


@pytest.mark.parametrize("guide", GUIDES)
def test_every_event_and_every_reason_is_in_its_table(guide):
    for word in [*EVENTS.values(), *REASONS]:
        assert re.search(rf"^\|.*`{word}`.*\|.*\|$", text(guide), flags=re.MULTILINE), word


def test_the_japanese_guide_names_events_as_the_screen_does():
    catalog = pathlib.Path("packaging/po/ja.po").read_text(encoding="utf-8")
    for word in EVENTS.values():
        shown = re.search(rf'msgctxt "event"\nmsgid "{word}"\nmsgstr "(.*)"', catalog).group(1)
        assert re.search(rf"^\| {re.escape(shown)} \| `{word}` \|", text(GUIDES[1]), flags=re.MULTILINE), word


def test_the_readme_leads_to_the_guides():
    readme = text("README.md")
    for guide in GUIDES:
        assert f"({guide})" in readme


def test_the_marks_that_the_guides_explain_are_those_that_are_shown():
    assert BUILD and japanese("--help")[0] == 0
    catalog = pathlib.Path("packaging/po/ja.po").read_text(encoding="utf-8")
    for mark, told in (("NOT BY THE GUARD", "Sekisho の記録ではありません"), ("only watched", "監視のみ")):
        assert f"%s ({mark})" in catalog and f"%s ({told})" in catalog
        assert f"({mark})" in text(GUIDES[0]) and f"({told})" in text(GUIDES[1])

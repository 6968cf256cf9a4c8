# SPDX-License-Identifier: GPL-2.0-or-later
"""An inspection of a terminal with a running guard: text, JSON and a page, with evidence for each line."""

import html.parser
import json
import os
import stat

import pytest
from sekisho_wait import run
from sekisho_world import BUILD, program

HOSTILE = '<script>alert("x")</script>&amp;'


class Page(html.parser.HTMLParser):
    """Checks that what is opened is closed, and keeps the rows of the lines."""

    VOID = {"meta"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.rows, self.language = [], [], [], None
        self._cell = None

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "html":
            self.language = dict(attributes)["lang"]
        if tag == "tr" and dict(attributes).get("id", "").startswith("line-"):
            self.rows.append((dict(attributes)["class"], []))
        if tag == "td" and self.rows:
            self._cell = ""
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "td" and self._cell is not None:
            self.rows[-1][1].append(self._cell)
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data


@pytest.fixture
def scene(world):
    """A guard with a policy that leaves much open, and PAM files that prove nothing."""
    world.pam = world.new_path("pam.d")
    os.mkdir(world.pam, 0o755)
    with open(os.path.join(world.pam, "login"), "w") as to:
        to.write("auth required pam_unix.so\naccount required pam_unix.so\n")
    stick = world.stick(attach=False)
    policy = world.approving(stick)
    policy["removable"]["devices"][0]["name"] = HOSTILE
    world.start_agent(contact="情報政策課 内線 2345", **policy,
                      mfa={"factors": ["password", "totp"], "services": {"login": "required"}, "exempt": ["root"]})
    world.journal.wait("self-test-passed")  # its line does not change any more
    return world


def inspect(world, *arguments, environment=()):
    return run(["env", *environment, program("sekishoctl"), "inspect", "--policy", world.policy_directory, "--state-dir", world.state,
                "--runtime-dir", world.runtime, "--directory", world.pam, *arguments], check=False)


def lines_of(report, check):
    found = [line for line in report["lines"] if line["check"] == check]
    assert found and all(line["clause"] and line["what"] and line["evidence"] for line in found)
    return found


def results_of(report, check):
    return {line["result"] for line in lines_of(report, check)}


def test_each_line_has_its_clause_result_and_evidence(scene):
    result = inspect(scene, "--json")
    assert result.returncode == 1, result.stderr
    report = json.loads(result.stdout)
    assert report["findings"] > 0 and not report["ok"]
    assert report["in_order"] + report["findings"] + report["cannot_tell"] == len(report["lines"])
    assert results_of(report, "guard") == {"ok"}
    assert "mode enforce" in lines_of(report, "guard")[0]["evidence"]
    assert results_of(report, "policy") == {"ok"} and results_of(report, "policy-files") == {"ok"}
    assert "finding" not in results_of(report, "mechanism") or any(
        line["evidence"].startswith(("audit", "network")) for line in lines_of(report, "mechanism") if line["result"] == "finding")
    assert results_of(report, "holder") == {"finding"} and HOSTILE in lines_of(report, "holder")[0]["evidence"]
    assert results_of(report, "mfa-exempt") == {"finding"} and "root" in lines_of(report, "mfa-exempt")[0]["evidence"]
    assert results_of(report, "contact") == {"ok"} and "内線 2345" in lines_of(report, "contact")[0]["evidence"]
    assert results_of(report, "pam") == {"finding"}
    assert results_of(report, "lockdown") == {"ok"}


def test_files_that_others_can_read_are_found(scene):
    os.chmod(scene.directory, 0o755)
    path = os.path.join(scene.policy_directory, os.listdir(scene.policy_directory)[0])
    os.chmod(path, 0o644)
    report = json.loads(inspect(scene, "--json").stdout)
    assert results_of(report, "files") == {"finding"} and path in lines_of(report, "files")[0]["evidence"]
    for directory in (scene.policy_directory, scene.state):
        os.chmod(directory, 0o700)
    assert results_of(json.loads(inspect(scene, "--json").stdout), "files") == {"ok"}


def test_a_guard_that_is_gone_is_a_finding(scene):
    scene.agent.kill()
    result = inspect(scene, "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert results_of(report, "guard") == {"finding"}
    assert not [line for line in report["lines"] if line["check"] == "mechanism"]


def test_the_text_is_for_people(scene):
    result = inspect(scene)
    assert result.returncode == 1
    assert "FINDING" in result.stdout and "6(3)①" in result.stdout and "The guard is in force" in result.stdout


def japanese(world):
    path = world.new_path("locale")
    os.mkdir(path)
    run(["localedef", "-i", "ja_JP", "-f", "UTF-8", os.path.join(path, "ja_JP.UTF-8")])
    return [f"LOCPATH={path}", "LC_ALL=ja_JP.UTF-8", f"SEKISHO_LOCALE_DIR={os.path.abspath(BUILD)}/locale"]


@pytest.mark.parametrize("code, heading, result_word", [("en", "Inspection of a terminal", "FINDING"), ("ja", "端末点検報告書", "指摘")])
def test_the_page_is_whole_and_takes_names_for_text(scene, code, heading, result_word):
    path = scene.new_path("inspection.html")
    result = inspect(scene, "--output", path, environment=japanese(scene) if code == "ja" else ())
    assert result.returncode == 1 and not result.stdout
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [] and page.language == code and heading in text and result_word in text
    assert "script" not in page.tags and "<script" not in text and "http://" not in text and "https://" not in text
    report = json.loads(inspect(scene, "--json").stdout)
    assert [(result, cells[1]) for result, cells in page.rows] == [(line["result"], line["clause"]) for line in report["lines"]]
    assert any(HOSTILE in cells[4] for _, cells in page.rows)
    assert all(cells[4] for _, cells in page.rows)


def test_a_page_that_cannot_be_written_is_a_failure(scene):
    result = inspect(scene, "--output", "/nonexistent/inspection.html")
    assert result.returncode == 2 and "/nonexistent/inspection.html" in result.stderr

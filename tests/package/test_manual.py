# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages as man(1) reads them."""

import gzip
import os

import pytest

from sekisho_package import BUILD, run

PAGES = ["sekishod.8", "sekishoctl.1", "sekisho-policy.5"]


@pytest.mark.parametrize("page", PAGES)
def test_man_shows_the_page_without_a_warning(page):
    shown = run("man", "--local-file", "--warnings", os.path.join(BUILD, "docs", page), environment={"MANWIDTH": "80"})
    assert shown.stderr == ""
    name, section = page.rsplit(".", 1)
    assert shown.stdout.splitlines()[0].lower().startswith(f"{name}({section})")
    assert "SYNOPSIS" in shown.stdout or section == "5"


@pytest.mark.parametrize("page", PAGES)
def test_the_installed_page_is_the_built_one(page):
    built = os.path.join(BUILD, "docs", page)
    with open(built, "rb") as plain, gzip.open(built + ".gz") as packed:
        assert packed.read() == plain.read()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_name_line_for_apropos(page):
    parsed = run("lexgrog", "--man", os.path.join(BUILD, "docs", page)).stdout
    assert f'"{page.rsplit(".", 1)[0]} - ' in parsed

# SPDX-License-Identifier: GPL-2.0-or-later
"""The Ansible role is well formed."""

import glob

import pytest
import yaml

from sekisho_package import has, run, source

ROLE = source("packaging", "ansible")


def test_every_file_is_yaml():
    files = glob.glob(ROLE + "/**/*.yml", recursive=True)
    assert len(files) >= 5
    for name in files:
        with open(name, encoding="utf-8") as file:
            assert yaml.safe_load(file), name


def test_yamllint_has_nothing_to_say():
    if not has("yamllint"):
        pytest.skip("there is no yamllint")
    assert run("yamllint", "--strict", ".", cwd=ROLE).stdout == ""


def test_ansible_takes_the_playbook():
    if not has("ansible-playbook"):
        pytest.skip("there is no ansible-playbook")
    listed = run("ansible-playbook", "--inventory", "localhost,", "--list-tasks", "site.yml", cwd=ROLE).stdout
    assert "Ask whether the guard is in force" in listed


def test_a_signed_policy_goes_where_the_guard_looks_for_it():
    with open(ROLE + "/roles/sekisho/tasks/bundle.yml", encoding="utf-8") as file:
        tasks = yaml.safe_load(file)
    block = next(task["block"] for task in tasks if "block" in task)
    copied, moved = block[0]["ansible.builtin.copy"]["dest"], block[1]["ansible.builtin.command"]["argv"]
    assert moved == ["mv", copied, "/var/lib/sekisho/incoming/ansible.bundle"]
    assert block[0]["ansible.builtin.copy"]["mode"] == "0600"

# SPDX-License-Identifier: GPL-2.0-or-later
"""sekishoctl pam check: Debian's own stacks, with and without holes. Each way in that it shows is walked in libpam."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import CTL, MODULE, MS_BIND, PROGRAM, libc, mount, pam_check, system_call

DEBIAN = pathlib.Path(__file__).parent / "debian12"
POLICY = """version: 1
serial: 1
mfa:
  services: {cron: off}
  factors: [password, totp]
"""
WITH_AUTH = {"gdm-password", "login", "other", "polkit-1", "sshd", "su", "su-l", "sudo", "sudo-i"}
WITH_SESSION = WITH_AUTH - {"polkit-1", "sudo", "sudo-i"}
OURS = "auth\trequired\tpam_sekisho.so"
UNIX = "auth\t[success=1 default=ignore]\tpam_unix.so nullok"
ACCOUNT = "account\trequired\tpam_sekisho.so\n"
# a line that begins as a comment: libpam reads it in pieces of 1023 bytes
LONG = "# " + "-" * 1021 + "auth sufficient pam_localuser.so\n"

# file, what is replaced there, by what, which stacks of whom it opens, and whose answer does
HOLES = {
    "sufficient before": ("common-auth", UNIX, "auth sufficient pam_unix.so", "auth", WITH_AUTH, "pam_unix.so"),
    "jump too far": ("common-auth", "success=1", "success=3", "auth", WITH_AUTH, "pam_unix.so"),
    "optional": ("common-auth", OURS, "auth optional pam_sekisho.so", "auth", WITH_AUTH, "pam_sekisho.so"),
    "sufficient": ("common-auth", OURS, "auth sufficient pam_sekisho.so", "auth", WITH_AUTH, "pam_sekisho.so"),
    "one of its denials ignored": ("common-auth", OURS, "auth [success=ok maxtries=ignore default=bad] pam_sekisho.so", "auth",
                                   WITH_AUTH, "pam_sekisho.so"),
    "taken out": ("common-auth", OURS, "#" + OURS, "auth", WITH_AUTH, "pam_unix.so"),
    "line continued": ("common-auth", "pam_permit.so\n", "pam_permit.so \\\n", "auth", WITH_AUTH, "pam_unix.so"),
    "behind a comment": ("common-auth", UNIX, LONG + UNIX, "auth", WITH_AUTH, "pam_localuser.so"),
    "denial forgotten": ("common-auth", "auth\toptional\t\t\tpam_cap.so", "auth [default=reset] pam_cap.so\nauth optional pam_permit.so",
                         "auth", WITH_AUTH, "pam_cap.so"),
    "finger": ("gdm-password", "@include common-auth", "auth sufficient pam_fprintd.so\n@include common-auth", "auth",
               {"gdm-password"}, "pam_fprintd.so"),
    "root is everybody": ("sudo", "@include common-auth", "auth sufficient pam_rootok.so\n@include common-auth", "auth", {"sudo"},
                          "pam_rootok.so"),
    "wheel": ("su", "@include common-auth", "auth sufficient pam_wheel.so trust\n@include common-auth", "auth", {"su", "su-l"},
              "pam_wheel.so"),
    "group": ("sshd", "@include common-auth", "auth [success=done default=ignore] pam_succeed_if.so user ingroup x\n@include common-auth",
              "auth", {"sshd"}, "pam_succeed_if.so"),
    "jump into": ("polkit-1", "@include common-auth", "auth [success=4 default=ignore] pam_wheel.so\n@include common-auth", "auth",
                  {"polkit-1"}, "pam_wheel.so"),
    "jump over a substack": ("sudo", "@include common-auth", "auth [success=1 default=ok] pam_env.so\nauth substack common-auth\n"
                             "auth optional pam_group.so", "auth", {"sudo"}, "pam_env.so"),
    "upper case": ("login", "@include common-auth", "AUTH Sufficient pam_localuser.so\n@include common-auth", "auth", {"login"},
                   "pam_localuser.so"),
    "no stack of its own": ("other", "@include common-auth", "auth required pam_unix.so", "auth", {"other"}, "pam_unix.so"),
    "password expired": ("common-account", ACCOUNT + "account\t[", "account\t[", "account", WITH_AUTH, "pam_unix.so"),
    "account too late": ("common-account", ACCOUNT, "", "account", WITH_AUTH, "pam_unix.so"),
    "local users": ("login", "@include common-account", "account sufficient pam_localuser.so\n@include common-account", "account",
                    {"login"}, "pam_localuser.so"),
    "session not told": ("common-session", "session\trequired\tpam_sekisho.so", "#", "session", WITH_SESSION, "pam_systemd.so"),
    "session cut short": ("common-session", "optional\t\t\tpam_systemd.so", "sufficient pam_systemd.so", "session", WITH_SESSION,
                          "pam_systemd.so"),
}


@pytest.fixture
def stacks(tmp_path):
    shutil.copytree(DEBIAN, tmp_path / "pam.d")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    for path in [tmp_path / "policy.yaml", *(tmp_path / "pam.d").iterdir()]:
        path.chmod(0o644)
    return tmp_path / "pam.d"


def check(stacks, *arguments):
    return pam_check("--directory", stacks, "--policy", stacks.parent / "policy.yaml", *arguments)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text, text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def verdicts(found, kind):
    """Services whose stack of a type is of that verdict."""
    return {(service["service"], stack["type"]) for service in found["services"] for stack in service.get("stacks", ())
            if stack["verdict"] == kind}


def walk(stacks, service, stack):
    """What libpam says where each module on the way returns what is written there."""
    call, event = {"auth": ("auth", "auth"), "account": ("acct", "acct"), "session": ("open", "open_session")}[stack["type"]]
    copy = stacks.parent / "walked"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(stacks, copy)
    for step in stack["path"]:
        path = copy / pathlib.Path(step["file"]).name
        lines = path.read_text(encoding="utf-8").split("\n")
        number, module = step["line"] - 1, step["module"]
        assert module in lines[number], (step, lines[number])
        lines[number] = re.sub(re.escape(module) + r"[^\\]*", f"pam_debug.so {event}={step['returns']} ", lines[number])
        path.write_text("\n".join(lines), encoding="utf-8")
    mount(copy, "/etc/pam.d", flags=MS_BIND)  # Debian's libpam includes from there alone
    try:
        result = subprocess.run([PROGRAM, "/etc/pam.d", service, "nobody", call], capture_output=True, text=True, check=False)
    finally:
        system_call(libc.umount2(b"/etc/pam.d", 2), "umount")
    return int(re.search(rf"^{call} (\d+)$", result.stdout, re.MULTILINE).group(1))


def test_debians_stacks_with_the_profile_are_proven(stacks):
    status, found = check(stacks)
    assert status == 0 and found["ok"] and not found["findings"] and not found["notes"], found
    assert {service["service"]: service["verdict"] for service in found["services"]} == {
        **dict.fromkeys(WITH_AUTH, "proven"), "cron": "off"}
    assert verdicts(found, "accepted") == {("su", "auth"), ("su-l", "auth")}
    assert verdicts(found, "not-called") == {(name, "session") for name in WITH_AUTH - WITH_SESSION}


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_is_found_and_is_one(stacks, name):
    file, old, new, kind, services, module = HOLES[name]
    if name == "account too late":  # where Debian's own profiles would have it
        edit(stacks / file, "# end of", ACCOUNT + "# end of")
    edit(stacks / file, old, new)
    status, found = check(stacks)
    assert status == 1 and not found["ok"]
    assert verdicts(found, "open") == {(service, kind) for service in services}, found
    for service in found["services"]:
        for stack in service.get("stacks", ()):
            if stack["verdict"] != "open":
                continue
            assert any(step["module"] == module for step in stack["path"]), stack
            assert walk(stacks, service["service"], stack) == {"success": 0, "new_authtok_reqd": 12}[stack["result"]], stack


@pytest.mark.parametrize("change", [
    ("gdm-password", "@include common-auth", "auth substack common-auth"),
    ("gdm-password", "@include common-auth", "auth include common-auth"),
    ("gdm-password", "auth    optional        pam_gnome_keyring.so", "-auth [success=ok default=ignore] pam_gnome_keyring.so"),
    ("common-auth", OURS, "auth [success=ok default=die] pam_sekisho.so"),
    ("common-auth", OURS, "auth [SUCCESS=ok] pam_sekisho.so"),  # libpam knows no such word, and denies
    ("sshd", "@include common-auth", "auth [success=die default=ignore] pam_localuser.so\n@include common-auth"),
    ("login", "@include common-auth", "auth sufficient pam_deny.so\n@include common-auth"),
    ("login", "@include common-auth", "auth requisite pam_none_such.so\n@include common-auth"),
    ("login", "auth       optional   pam_faildelay", "auth sufficient \\\n# nothing\nauth pam_faildelay")])
def test_what_is_no_hole_is_none(stacks, change):
    file, old, new = change
    edit(stacks / file, old, new)
    status, found = check(stacks)
    if "sufficient \\" in new:  # "auth" is the module's name then, which may return anything
        assert status == 1 and verdicts(found, "open") == {("login", "auth")}
    else:
        assert status == 0, found


def test_what_is_off_is_not_proven(stacks):
    status, found = check(stacks, "cron")
    assert status == 0 and [service["verdict"] for service in found["services"]] == ["off"] and len(found["notes"]) == 1, found


def test_strict_accepts_nothing(stacks):
    status, found = check(stacks, "--strict")
    assert status == 1
    assert verdicts(found, "open") == {("su", "auth"), ("su-l", "auth")} | {(name, "session") for name in WITH_AUTH - WITH_SESSION}


def test_a_service_without_a_file_that_is_asked_for_goes_by_other_and_it_is_said(stacks):
    status, report = check(stacks, "kscreenlocker")
    service, = report["services"]
    assert status == 0 and service["verdict"] == "proven" and service["goes_by"] == "other"
    assert [note["message"] for note in report["notes"]] == ['\'kscreenlocker\' has no file of its own: PAM goes by "other"']
    assert "goes_by" not in check(stacks, "login")[1]["services"][0]
    edit(stacks / "other", "@include common-auth", "auth required pam_unix.so")
    status, report = check(stacks, "kscreenlocker")
    assert status == 1 and report["services"][0]["verdict"] == "open"
    (stacks / "other").unlink()
    status, report = check(stacks, "kscreenlocker")
    assert report["services"][0]["verdict"] == "refused" and "goes_by" not in report["services"][0]


@pytest.mark.parametrize("name", ["", "../login", "common-auth", "Login"])
def test_what_no_service_can_be_called_is_refused(stacks, name):
    result = subprocess.run([CTL, "pam", "check", name, "--directory", stacks], capture_output=True, text=True, check=False,
                            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result


def test_services_without_a_file_go_by_other(stacks):
    (stacks.parent / "policy.yaml").write_text(POLICY.replace("cron: off", "cron: off, screen: required"), encoding="utf-8")
    edit(stacks / "other", "@include common-auth", "auth required pam_unix.so")
    assert verdicts(check(stacks, "screen")[1], "open") == {("screen", "auth")}
    (stacks / "other").unlink()
    assert [service["verdict"] for service in check(stacks, "screen")[1]["services"]] == ["refused"]


@pytest.mark.parametrize("text, verdict", [("@include none-such\n", "refused"), ("auth required \\\n", "refused"),
                                           ("auth include\n", "refused"), ("auth include loop\n", "unknown")])
def test_what_libpam_refuses_or_nobody_can_tell(stacks, text, verdict):
    (stacks / "loop").write_text(text, encoding="utf-8")
    status, found = check(stacks, "loop")
    assert status == 1 and found["services"][0]["verdict"] == verdict and found["notes"], found


def test_who_else_can_write(stacks):
    common = stacks / "common-auth"
    common.chmod(0o666)
    os.chown(stacks / "sudo", 65534, 0)
    status, found = check(stacks)
    assert status == 1 and {finding["file"] for finding in found["findings"]} == {str(common), str(stacks / "sudo")}
    common.chmod(0o644)
    os.chown(stacks / "sudo", 0, 0)
    (stacks.parent / "moved").mkdir()
    common.rename(stacks.parent / "moved/common-auth")
    common.symlink_to("../moved/common-auth")
    assert check(stacks)[0] == 0
    (stacks.parent / "moved").chmod(0o777)
    assert [finding["file"] for finding in check(stacks)[1]["findings"]] == [str(stacks.parent / "moved")]
    (stacks.parent / "moved").chmod(0o1777)  # as /tmp: nobody replaces what is another one's
    assert check(stacks)[0] == 0


@pytest.mark.parametrize("argument, finding", [("dir=/tmp/mine", True), ("policy=/tmp/mine", True), ("run=/x", True), ("state=/x", True), ("nouserok", True),
                                               ("dir=/var/lib/sekisho/login", False), ("password=stack", False)])
def test_arguments_of_the_module(stacks, argument, finding):
    edit(stacks / "common-auth", "pam_sekisho.so", "pam_sekisho.so " + argument)
    status, found = check(stacks)
    assert status == int(finding) and len(found["findings"]) == int(finding), found
    assert len(found["notes"]) == int(argument == "password=stack")


def test_the_module_has_to_be_there(stacks):
    status, found = pam_check("--directory", stacks, "--policy", stacks.parent / "policy.yaml", "--module-dir", stacks.parent)
    assert status == 1 and {finding["line"] for finding in found["findings"]} and MODULE.exists()


def test_another_file_of_its_name_is_not_it(stacks):
    shutil.copy(MODULE, stacks.parent / "pam_sekisho.so")
    for path, status in ((stacks.parent / "pam_sekisho.so", 1), (MODULE, 0)):
        (stacks / "mine").write_text(f"auth required {path}\naccount required {path}\n", encoding="utf-8")
        assert check(stacks, "mine")[0] == status, path


@pytest.mark.parametrize("says, findings", [
    ("usepam yes\nkbdinteractiveauthentication yes\nauthenticationmethods publickey,keyboard-interactive", 0),
    ("usepam yes\nkbdinteractiveauthentication yes\npubkeyauthentication yes\nauthenticationmethods any", 1), ("usepam no", 1), (None, 1)])
def test_sshd_is_asked(stacks, says, findings):
    """One that says what it is told to, in the place of sshd's directory."""
    programs = stacks.parent / "sbin"
    programs.mkdir()
    (programs / "sshd").write_text("#!/bin/sh\n[ \"$1\" = -T ] || exit 2\n" + (f"printf '{says}\\n'" if says else "exit 1"), encoding="utf-8")
    (programs / "sshd").chmod(0o755)
    mount(programs, "/usr/sbin", flags=MS_BIND)
    mount(stacks, "/etc/pam.d", flags=MS_BIND)
    try:
        status, found = pam_check("sshd", "--policy", stacks.parent / "policy.yaml")
    finally:
        for place in (b"/etc/pam.d", b"/usr/sbin"):
            system_call(libc.umount2(place, 2), "umount")
    assert found["services"][0]["verdict"] == "proven" and len(found["findings"]) == findings, found
    assert status == bool(findings)


def test_people_are_shown_the_way(stacks):
    edit(stacks / "sudo", "@include common-auth", "auth sufficient pam_rootok.so\n@include common-auth")
    result = subprocess.run([CTL, "pam", "check", "sudo", "--directory", stacks, "--policy", stacks.parent / "policy.yaml",
                             "--module-dir", MODULE.parent], capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"})
    assert result.returncode == 1 and result.stdout.splitlines()[:4] == [
        "sudo: OPEN", "  auth: a way in that pam_sekisho has not agreed to:",
        f"    {stacks}/sudo:6: pam_rootok.so returns success -> done", "    the program is told: success"]


@pytest.mark.parametrize("arguments", [["none such/"], ["--directory", "/nonexistent"], ["--directory", "/etc/passwd"],
                                       ["--policy", "/nonexistent"]])
def test_what_cannot_be_looked_at_is_trouble(stacks, arguments):
    result = subprocess.run([CTL, "pam", "check", "--directory", stacks, "--policy", stacks.parent / "policy.yaml", *arguments],
                            capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"})
    assert result.returncode == 2 and not result.stdout and len(result.stderr.splitlines()) == 1, result

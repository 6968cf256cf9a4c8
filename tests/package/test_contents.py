# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in the packages, and that Debian's own checker has nothing to say."""

import sysconfig

import pytest

from sekisho_package import deb, has, newest, run

# Path, and mode as `dpkg-deb --contents` shows it.
CONTENTS = {
    "/usr/sbin/sekishod": "-rwxr-xr-x",
    "/usr/bin/sekishoctl": "-rwxr-xr-x",
    "/usr/libexec/sekisho-fetch": "-rwxr-xr-x",
    "/usr/libexec/sekisho-network": "-rwxr-xr-x",
    "/usr/libexec/sekisho-tpm": "-rwxr-xr-x",
    "/usr/lib/systemd/system/sekisho-network.service": "-rw-r--r--",
    "/usr/lib/udev/sekisho-hold": "-rwxr-xr-x",
    "/usr/lib/udev/sekisho-hold-link": "-rwxr-xr-x",
    "/usr/lib/udev/rules.d/10-sekisho.rules": "-rw-r--r--",
    "/usr/lib/udev/rules.d/11-sekisho-links.rules": "-rw-r--r--",
    "/usr/lib/systemd/system/sekishod.service": "-rw-r--r--",
    "/usr/lib/systemd/system/sekisho-fetch.service": "-rw-r--r--",
    "/usr/lib/systemd/system/sekisho-fetch.timer": "-rw-r--r--",
    "/usr/lib/systemd/system-preset/90-sekisho.preset": "-rw-r--r--",
    "/usr/share/pam-configs/sekisho": "-rw-r--r--",
    "/usr/share/pam-configs/sekisho-session": "-rw-r--r--",
    f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/security/pam_sekisho.so": "-rw-r--r--",
    f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/security/pam_sekisho/card.so": "-rw-r--r--",
    f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/security/pam_sekisho/fido2.so": "-rw-r--r--",
    "/usr/share/man/man8/pam_sekisho.8.gz": "-rw-r--r--",
    "/etc/sekisho/": "drwx------",
    "/etc/sekisho/keys.d/": "drwx------",
    "/etc/sekisho/policy.d/": "drwx------",
    "/etc/default/grub.d/sekisho.cfg": "-rw-r--r--",
    "/etc/default/sekisho-fetch": "-rw-r--r--",
    "/usr/share/sekisho/sekisho-policy.schema.json": "-rw-r--r--",
    "/usr/share/sekisho/examples/mynumber.yaml": "-rw-r--r--",
    "/usr/share/sekisho/fleet/upload.conf": "-rw-r--r--",
    "/usr/share/sekisho/fleet/remote.conf": "-rw-r--r--",
    "/usr/share/sekisho/fleet/remote-socket.conf": "-rw-r--r--",
    "/usr/share/sekisho/fleet/stunnel.conf": "-rw-r--r--",
    "/usr/share/man/man8/sekishod.8.gz": "-rw-r--r--",
    "/usr/share/man/man1/sekishoctl.1.gz": "-rw-r--r--",
    "/usr/share/man/man5/sekisho-policy.5.gz": "-rw-r--r--",
    "/usr/share/locale/ja/LC_MESSAGES/sekisho.mo": "-rw-r--r--",
    "/usr/lib/systemd/catalog/sekisho.catalog": "-rw-r--r--",
    "/usr/lib/systemd/catalog/sekisho.ja.catalog": "-rw-r--r--",
    "/usr/share/doc/sekisho/copyright": "-rw-r--r--",
    "/usr/share/doc/sekisho/changelog.gz": "-rw-r--r--",
}


def contents():
    """Path: (mode, owner)."""
    found = {}
    for line in run("dpkg-deb", "--contents", deb()).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        found[path.split(" -> ")[0].removeprefix(".")] = (mode, owner)
    return found


def test_everything_is_where_it_belongs():
    found = contents()
    assert {path: found.get(path, ("absent",))[0] for path in CONTENTS} == CONTENTS


def test_everything_belongs_to_root():
    assert {owner for _, owner in contents().values()} == {"root/root"}


def test_nobody_but_root_can_change_what_is_installed():
    assert [path for path, (mode, _) in contents().items() if mode[0] != "l" and (mode[5] == "w" or mode[8] == "w")] == []


def test_everything_in_etc_is_kept_through_upgrades():
    declared = run("dpkg-deb", "--info", deb(), "conffiles").stdout.split()
    assert sorted(declared) == sorted(path for path in contents() if path.startswith("/etc/") and path[-1] != "/")


def test_the_udev_rule_names_the_helper_that_is_installed(tmp_path):
    run("dpkg-deb", "--extract", deb(), tmp_path)
    rule = (tmp_path / "usr/lib/udev/rules.d/10-sekisho.rules").read_text()
    assert 'IMPORT{program}="/usr/lib/udev/sekisho-hold"' in rule


def test_lintian_has_nothing_to_say():
    if not has("lintian"):
        pytest.skip("there is no lintian")
    said = run("lintian", "--fail-on", "error,warning", deb(), check=False, deadline=180)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_rpm_has_the_same_files():
    if not has("rpmbuild"):
        pytest.skip("there is no rpmbuild")
    listed = set(run("rpm", "--query", "--package", "--list", newest("sekisho-*.rpm")).stdout.splitlines())
    assert [path for path in CONTENTS if path.rstrip("/") not in listed] == []
    # directories of others, which may be links elsewhere
    assert listed & {"/etc", "/etc/default", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib/udev",
                     "/usr/lib/udev/rules.d", "/usr/lib/systemd", "/usr/lib/systemd/system", "/usr/lib/systemd/catalog",
                     "/usr/share/man", "/usr/share/locale"} == set()
    configuration = run("rpm", "--query", "--package", "--configfiles", newest("sekisho-*.rpm")).stdout.split()
    assert {"/etc/default/grub.d/sekisho.cfg", "/etc/default/sekisho-fetch"} <= set(configuration)

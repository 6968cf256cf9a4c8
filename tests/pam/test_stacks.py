# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets in, by every stack of the manual, and by those that are mistakes."""

import json
import subprocess

import pytest
from conftest import AUTH_ERR, CRED_ERR, MAXTRIES, NEW_AUTHTOK_REQD, PASSWORD, PERM_DENIED, SUCCESS


def events(world):
    return [record["SEKISHO_EVENT"] for record in world.journal.records()]


@pytest.mark.parametrize("stack", ["login", "debian", "required"])
def test_password_and_code_let_in(world, stack):
    totp = world.enrol()
    login = world.log_in(stack, code=totp.code())
    assert login.codes == {"auth": SUCCESS, "acct": SUCCESS, "cred": SUCCESS}, login.output
    assert len(login.prompts) == 2
    record, = world.journal.records()
    assert record["SEKISHO_EVENT"] == "login-allowed" and record["SEKISHO_FACTORS"] == "password,totp"
    assert record["SEKISHO_USER"] == "sato" and record["SEKISHO_UID"] == "20001" and record["uid"] == 0
    assert record["SEKISHO_SERVICE"] == stack and record["SEKISHO_RULE"] == "mfa.default"


@pytest.mark.parametrize("stack", ["login", "debian", "required", "sufficient", "first", "alone", "nullok", "keys"])
@pytest.mark.parametrize("password, right", [(PASSWORD, False), ("wrong", True), ("wrong", False), ("", True)])
def test_one_of_them_is_not_enough(world, stack, password, right):
    totp = world.enrol()
    code = totp.code() if right else totp.wrong()
    for answers in ([password, code], [code, password], [code], [password], []):
        login = world.log_in(stack, answers=answers)
        assert not login.allowed, (answers, login.output)
    assert "login-allowed" not in events(world)


def test_a_stack_in_which_a_sufficient_line_passes_us_by_lets_nobody_in(world):
    totp = world.enrol()
    for stack in ("sufficient", "keys"):
        login = world.log_in(stack, answers=[PASSWORD, totp.code()])
        assert login.codes["auth"] == SUCCESS and login.codes["acct"] == PERM_DENIED, login.output
        record, = world.journal.records()
        assert record["SEKISHO_EVENT"] == "login-denied" and "passed by" in record["SEKISHO_ERROR"]


def test_a_wrong_password_that_the_stack_ignores_is_no_factor(world):
    """With the right code it would be one kind taken for two."""
    totp = world.enrol()
    world.stack("optional", "auth optional pam_unix.so\nauth required {module}\naccount required {module}\n")
    assert not world.log_in("optional", code=totp.code(), password="wrong").allowed
    assert not world.log_in("sufficient", code=totp.code(step=1), password="wrong").allowed
    assert "login-allowed" not in events(world)


def test_another_password_module_is_believed_only_if_the_stack_is_said_to_deny(world):
    totp = world.enrol()
    asks = "auth required pam_exec.so expose_authtok quiet /bin/true\n"
    rest = "auth required {module}%s\naccount required {module}%s\n"
    world.stack("other-module", asks + rest % ("", ""))
    world.stack("other-module-said", asks + rest % (" password=stack", " password=stack"))
    assert not world.log_in("other-module", code=totp.code()).allowed
    assert world.log_in("other-module-said", code=totp.code(step=1)).allowed


def test_a_login_without_authentication_is_denied_as_by_ssh_keys(world):
    world.enrol()
    login = world.log_in("account-only", calls=("acct",), answers=[])
    assert login.codes == {"acct": PERM_DENIED} and login.prompts == []
    assert events(world) == ["login-denied"]


def test_services_that_are_off_need_no_authentication(world):
    world.write_policy("{factors: [password, totp], services: {account-only: off}}")
    login = world.log_in("account-only", calls=("acct",), answers=[])
    assert login.codes == {"acct": SUCCESS}


def test_what_one_person_has_proven_is_not_anothers(world):
    totp = world.enrol()
    login = world.log_in(code=totp.code(), calls=("auth", "user=suzuki", "acct", "cred"))
    assert login.codes["auth"] == SUCCESS and login.codes["acct"] == PERM_DENIED and login.codes["cred"] == CRED_ERR


def test_an_authentication_that_fails_takes_an_earlier_one_back(world):
    totp = world.enrol()
    login = world.log_in(calls=("auth", "auth", "acct"), answers=[PASSWORD, totp.code(), PASSWORD, totp.wrong()])
    assert login.codes["auth"] != SUCCESS and login.codes["acct"] == PERM_DENIED, login.output


def test_an_expired_password_passes_nobody_by(world):
    """A key of ssh in place of the auth stack. pam_unix's line ends Debian's account stack then."""
    totp = world.enrol("kigire")
    login = world.log_in("debian", "kigire", calls=("acct",))
    assert login.codes["acct"] == PERM_DENIED, login.output
    login = world.log_in("debian", "kigire", code=totp.code())
    assert login.codes["auth"] == SUCCESS and login.codes["acct"] == NEW_AUTHTOK_REQD, login.output


def test_empty_passwords_count_for_nothing(world):
    totp = world.enrol("nopass")
    for stack in ("nullok", "debian"):
        for answers in ([totp.code()], ["", totp.code()]):
            assert not world.log_in(stack, "nopass", answers=answers).allowed
    assert "login-allowed" not in events(world)


def test_a_code_is_taken_once(world):
    totp = world.enrol()
    code = totp.code()
    assert world.log_in(code=code).allowed
    again = world.log_in(code=code)
    assert again.codes["auth"] == AUTH_ERR
    records = world.journal.records()
    assert [r["SEKISHO_EVENT"] for r in records[:3]] == ["login-allowed", "factor-failed", "login-denied"]
    assert records[1]["SEKISHO_RESULT"] == "replayed" and records[1]["SEKISHO_FACTOR"] == "totp"


def test_an_older_code_is_not_taken_after_a_newer_one(world):
    totp = world.enrol()
    assert world.log_in(code=totp.code(step=1)).allowed
    assert not world.log_in(code=totp.code(step=0)).allowed
    assert not world.log_in(code=totp.code(step=-1)).allowed


def test_a_code_is_taken_once_by_processes_that_race(world):
    totp = world.enrol()
    racers = [subprocess.Popen(world.command("login", "sato", "wait", "auth", "acct", answers=[PASSWORD, totp.code()]),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for racer in racers:
        assert racer.stdout.readline() == "waiting\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    outputs = [racer.communicate(timeout=60)[0] for racer in racers]
    assert sum("auth 0\n" in output for output in outputs) == 1, outputs


@pytest.mark.parametrize("options", [("--algorithm", "SHA256"), ("--algorithm", "SHA512", "--digits", "8"), ("--digits", "8")])
def test_other_algorithms_and_lengths(world, options):
    totp = world.enrol("sato", *options)
    assert world.log_in(code=totp.code()).allowed


def test_clocks_may_differ_by_the_drift_of_the_policy(world):
    totp = world.enrol()
    assert not world.log_in(code=totp.code(step=-3)).allowed
    world.write_policy("{factors: [password, totp], totp: {drift: 5}}")
    assert world.log_in(code=totp.code(step=-3)).allowed


def test_a_flood_of_guesses_has_to_wait_even_with_the_right_code(world):
    totp = world.enrol()
    world.write_policy("{factors: [password, totp], limits: {tries: 3, wait: 600, wait-max: 600}}")
    for _ in range(3):
        assert world.log_in(code=totp.wrong()).codes["auth"] == AUTH_ERR
    login = world.log_in(code=totp.code())
    assert login.codes["auth"] == MAXTRIES and "Try again in" in login.told[0]
    world.journal.records()
    world.issue("unenrol", "sato", "totp")
    assert world.log_in(code=world.enrol().code()).allowed


def test_nobody_learns_who_exists_or_is_enrolled(world):
    world.enrol("sato")
    outcomes = {}
    for user in ("sato", "suzuki", "nobody-of-that-name"):
        login = world.log_in("required", user, answers=["wrong", "000000"])
        outcomes[user] = (login.prompts, login.told, login.codes["auth"] != SUCCESS)
    assert len({str(outcome) for outcome in outcomes.values()}) == 1, outcomes


def test_what_was_typed_as_a_name_is_not_recorded(world):
    world.log_in("required", "my-secret-password", answers=["x", "000000"])
    records = world.journal.records()
    assert records and all("my-secret" not in json.dumps(record) for record in records)


def test_codes_and_passwords_are_in_no_record(world):
    totp = world.enrol()
    right, wrong = totp.code(), totp.wrong()
    world.log_in(code=wrong)
    world.log_in(code=right)
    told = json.dumps(world.journal.records())
    assert PASSWORD not in told and wrong not in told and right not in told


def test_a_record_of_su_is_roots(world):
    totp = world.enrol()
    login = world.log_in(code=totp.code(), before=("seteuid",))
    assert login.allowed, login.output
    record, = world.journal.records()
    assert record["uid"] == 0


def test_without_a_conversation_nobody_gets_in(world):
    totp = world.enrol()
    for option in ("no-conv", "break-conv"):
        assert not world.log_in("alone", code=totp.code(), before=(option,)).allowed
    assert not world.log_in(answers=[PASSWORD]).allowed
    assert "login-allowed" not in events(world)


def test_rules_go_by_place(world):
    totp = world.enrol()
    world.write_policy("{factors: [password, totp], rules: [{name: far, from: [remote], login: deny}, "
                       "{name: zeimu, groups: [zeimu], services: [debian], login: off}]}")
    assert not world.log_in(code=totp.code(), before=("rhost=192.0.2.1",)).allowed
    record = world.journal.records()[-1]
    assert record["SEKISHO_RULE"] == "far" and record["SEKISHO_REMOTE_HOST"] == "192.0.2.1"
    assert world.log_in("debian").allowed
    assert world.log_in(code=totp.code()).allowed


def test_who_cannot_mend_it_is_told_whom_to_ask(world):
    totp = world.enrol()
    world.write_policy("{factors: [password, totp], rules: [{name: far, from: [remote], login: deny}]}\ncontact: 情報政策課")
    assert world.log_in(code=totp.code(), before=("rhost=192.0.2.1",)).told == ["Contact: 情報政策課"] * 2
    assert world.log_in(code=totp.code(), password="wrong", before=("rhost=192.0.2.1",), calls=("auth",)).told == []
    assert world.log_in(code=totp.wrong(), calls=("auth",)).told == []


def test_who_is_exempt_needs_the_password(world):
    world.write_policy("{factors: [password, totp], exempt: [konbini]}")
    assert world.log_in(user="konbini").allowed
    assert not world.log_in(user="konbini", password="wrong").allowed
    assert not world.log_in("keys", "konbini", answers=[]).allowed


def test_recovery_codes_are_taken_once_each(world):
    first, *rest = world.issue("recovery-codes", "sato")
    assert len(rest) == 7 and len({first, *rest}) == 8
    assert world.log_in(code=first.lower().replace("-", " ")).allowed
    assert not world.log_in(code=first).allowed
    assert world.log_in(code=rest[0]).allowed
    assert json.loads(world.ctl("factors", "sato", "--json")[1])["recovery_left"] == 6
    assert [r["SEKISHO_FACTORS"] for r in world.journal.records() if r["SEKISHO_EVENT"] == "login-allowed"] == [
        "password,recovery"] * 2


def test_new_recovery_codes_replace_the_old(world):
    old = world.issue("recovery-codes", "sato", "--number", "1")[0]
    world.issue("recovery-codes", "sato", "--number", "1")
    assert not world.log_in(code=old).allowed


def test_a_substitute_serves_until_its_time_and_is_counted(world):
    status, out, _ = world.ctl("substitute", "sato", "--for-hours", "2", "--by", "kacho")
    record, = world.journal.records()
    assert status == 0 and record["SEKISHO_EVENT"] == "substitute-issued" and record["SEKISHO_BY"] == "kacho"
    code = out.strip()
    assert world.log_in(code=code).allowed and world.log_in(code=code).allowed
    told = json.loads(world.ctl("factors", "sato", "--json")[1])
    assert told["substitute_uses"] == 2 and told["substitute_by"] == "kacho"
    line = next(line for line in world.file().read_text().splitlines() if line.startswith("substitute"))
    words = line.split()
    words[1:3] = ["1000", "2000"]
    world.file().write_text(world.file().read_text().replace(line, " ".join(words)))
    world.journal.records()
    assert not world.log_in(code=code).allowed
    assert world.journal.records()[0]["SEKISHO_RESULT"] == "expired"


def test_nobody_locks_the_account_for_emergencies(world):
    world.write_policy("{factors: [password, totp], limits: {tries: 1, wait: 3600, wait-max: 3600}, "
                       "break-glass: [{user: kinkyu, factors: [password, recovery]}]}")
    codes = world.issue("recovery-codes", "kinkyu")
    for _ in range(6):
        world.log_in(user="kinkyu", code="123456")
        world.log_in(user="kinkyu", code="R0AAAA-AAAA-AAAA")
    line = next(line for line in world.counted("kinkyu").splitlines() if line.startswith("failures recovery"))
    words = line.split()
    words[4] = str(int(words[4]) - 6)  # five seconds at most, and they are over
    text = world.file("kinkyu").read_text()
    world.file("kinkyu").write_text(text.replace("\nend\n", f"\n{' '.join(words)}\nend\n"))
    world.progress("kinkyu").unlink()
    (world.store / "generations/kinkyu").write_text("1\n")
    assert world.log_in(user="kinkyu", code=codes[0]).allowed
    assert not world.log_in(user="kinkyu", code=world.enrol("kinkyu").code()).allowed  # not its factor


def test_names_with_other_characters_have_files_of_their_own(world):
    totp = world.enrol("ta.naka")
    assert (world.store / "factors/ta%2Enaka").exists()
    assert world.log_in(user="ta.naka", code=totp.code()).allowed

# SPDX-License-Identifier: GPL-2.0-or-later
"""The first days, in which one factor does for who has none to add: what people are told, when it is over, and that no
clock and no file brings it back."""

import re
import time

import pytest
from conftest import AUTH_ERR, AUTHINFO_UNAVAIL, BUILD

DAY = 86400
OVER = "You have no second factor, and the time to have one enrolled is over: you cannot log in without."
UNTIL = re.compile(r"You have no second factor yet\. Have one enrolled: from (\S+ \S+) on you cannot log in without\.")


@pytest.fixture
def world(world):
    world.write_policy("{factors: [password, totp], grace: {days: 2}}\ncontact: 情報政策課 内線 2345")
    world.issue("recovery-codes", "suzuki")  # so that there is a store
    return world


def seen(world, *, first=None, last=None):
    """Moves what the store has of earlier logins, in seconds from now; returns what it has."""
    text = world.file().read_text()
    for name, offset in (("first-seen", first), ("last-seen", last)):
        if offset is not None:
            text, n = re.subn(rf"^{name} \d+$", f"{name} {int(time.time()) + offset}", text, flags=re.MULTILINE)
            assert n == 1
    world.file().write_text(text)
    return {name: int(value) for name, value in re.findall(r"^((?:first|last)-seen) (\d+)$", text, re.MULTILINE)}


def expect_over(world):
    login = world.log_in(code="123456")
    assert not login.allowed and login.codes["auth"] == AUTH_ERR
    assert login.told[:2] == [OVER, "To have one enrolled, ask: 情報政策課 内線 2345"], login.output
    assert world.journal.records()[-1]["SEKISHO_EVENT"] == "login-denied"


def test_who_has_nothing_gets_in_and_is_told_until_when_and_whom_to_ask(world):
    before = int(time.time())
    login = world.log_in()
    after = int(time.time())
    assert login.allowed and len(login.prompts) == 1, login.output
    told = UNTIL.fullmatch(login.told[0])
    ends = [time.strftime("%Y-%m-%d %H:%M", time.localtime(at + 2 * DAY)) for at in (before, after)]
    assert told and told.group(1) in ends
    assert login.told[1] == "To have one enrolled, ask: 情報政策課 内線 2345"
    record, = world.journal.records()
    assert record["SEKISHO_REASON"] == "grace" and record["SEKISHO_FACTORS"] == "password"


def test_the_days_count_from_the_first_login(world):
    assert world.log_in().allowed
    first = seen(world)["first-seen"]
    seen(world, first=-DAY, last=-DAY)
    login = world.log_in()
    assert login.allowed
    end = time.mktime(time.strptime(UNTIL.fullmatch(login.told[0]).group(1), "%Y-%m-%d %H:%M"))
    assert abs(end - (first + DAY)) <= 120  # to the minute
    assert seen(world)["first-seen"] <= first - DAY + 60


def test_after_the_days_the_password_alone_is_denied_and_the_person_told_why(world):
    assert world.log_in().allowed
    world.journal.records()
    seen(world, first=-2 * DAY - 1, last=-DAY)
    expect_over(world)
    assert not world.log_in().allowed


def test_who_does_not_know_the_password_is_told_nothing_of_it(world):
    assert world.log_in().allowed
    seen(world, first=-3 * DAY, last=-3 * DAY)
    for stack in ("login", "required"):
        login = world.log_in(stack, answers=["wrong", "123456"])
        assert not login.allowed and OVER not in login.told


def test_an_enrolment_ends_it_at_once(world):
    assert world.log_in().allowed
    totp = world.enrol()
    assert not world.log_in().allowed
    login = world.log_in(code=totp.code())
    assert login.allowed and login.told == []


def test_who_was_enrolled_in_time_or_after_it_gets_in(world):
    assert world.log_in().allowed
    seen(world, first=-3 * DAY, last=-3 * DAY)
    assert not world.log_in().allowed
    assert world.log_in(code=world.enrol().code()).allowed


@pytest.mark.parametrize("first, last", [(DAY, DAY), (-DAY, DAY), (-60, 7200)])
def test_a_clock_that_was_set_back_ends_it(world, first, last):
    """The store knows of a login that is yet to come."""
    assert world.log_in().allowed
    world.journal.records()
    seen(world, first=first, last=last)
    expect_over(world)


def test_a_clock_that_was_put_right_by_minutes_does_not(world):
    assert world.log_in().allowed
    seen(world, first=-60, last=600)
    assert world.log_in().allowed
    assert seen(world)["last-seen"] > time.time() + 500  # and the later one stays


def test_the_first_login_is_not_forgotten_by_taking_files_away_or_putting_them_back(world):
    assert world.log_in().allowed
    early = world.file().read_text()
    assert world.log_in().allowed
    world.journal.records()
    for text in (None, early):
        if text is None:
            world.file().unlink()
        else:
            world.file().write_text(text)
            world.file().chmod(0o600)
        login = world.log_in()
        assert login.codes["auth"] == AUTHINFO_UNAVAIL, login.output
        assert "older edition" in world.journal.records()[0]["SEKISHO_ERROR"]


def test_taking_the_enrolment_away_does_not_begin_the_days_anew(world):
    assert world.log_in().allowed
    world.enrol()
    seen(world, first=-3 * DAY, last=-3 * DAY)
    world.issue("unenrol", "sato", "totp")
    expect_over(world)


def test_a_store_that_cannot_be_written_to_lets_nobody_in_by_it(world):
    temporary = world.store / "factors/.sato.new"
    temporary.mkdir()
    (temporary / "x").touch()
    assert world.log_in().codes["auth"] == AUTHINFO_UNAVAIL


def test_people_are_told_in_japanese(world):
    language = {"LANGUAGE": "ja", "SEKISHO_LOCALE_DIR": str(BUILD / "locale")}
    login = world.log_in(environment=language)
    assert login.allowed and re.fullmatch(r"二つ目の要素がまだ登録されていません。\d{4}-\d\d-\d\d \d\d:\d\d までに登録してください。.*", login.told[0])
    assert login.told[1] == "登録の依頼先: 情報政策課 内線 2345"
    seen(world, first=-3 * DAY, last=-3 * DAY)
    assert "登録の期限が過ぎた" in world.log_in(code="123456", environment=language).told[0]

"""People are added on the command line, and a password that was made up is printed once."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from scm.core import clock, passwords, staff
from scm.core.db import Database
from scm.core.staff import Person
from scm.core.users import Role
from web import cli
from web.commands import demo_people

PASSWORD = "four words are enough"


@pytest.fixture
def scm(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command line on a new company; a call gives the exit code and what was printed."""
    monkeypatch.setenv("SCM_DATABASE_URL", database_url)

    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = cli.main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    assert run("init")[0] == 0
    return run


def person(url: str, username: str) -> tuple[Person | None, str]:
    """The person of that name, and which of some passwords lets them in."""
    database = Database(url)
    try:
        with database.unit_of_work(write=False) as session:
            found = {one.username: one for one in staff.everybody(session, now=clock.wall_now())}.get(username)
            fits = [p for p in (PASSWORD,) if found and passwords.matches(session, user_id=found.user_id, password=p)]
            return found, "".join(fits)
    finally:
        database.dispose()


def test_a_person_is_added_with_the_password_of_the_input(
    scm: Callable[..., tuple[int, str, str]], database_url: str
) -> None:
    options = ("--role", "buyer", "--role", "approver", "--display-name", "Ada Hill", "--locale", "zh_CN")
    code, out, _ = scm("user", "add", "ada", *options, given=f"{PASSWORD}\n")
    assert (code, out) == (0, "ada may sign in as approver, buyer\n")
    ada, fits = person(database_url, "ada")
    assert ada is not None and fits == PASSWORD
    assert (ada.display_name, ada.roles, ada.locale) == ("Ada Hill", frozenset({Role.BUYER, Role.APPROVER}), "zh_CN")


def test_a_password_is_made_up_when_none_is_given_and_printed_once(
    scm: Callable[..., tuple[int, str, str]], database_url: str
) -> None:
    code, out, _ = scm("user", "add", "ada", "--role", "planner")
    made_up = out.splitlines()[1].removeprefix("password: ")
    assert code == 0 and len(made_up) >= 16
    code, out, _ = scm("user", "password", "ada", given=f"{PASSWORD}\n")
    assert code == 0 and "password:" not in out
    assert person(database_url, "ada")[1] == PASSWORD


@pytest.mark.parametrize(
    ("arguments", "given", "code", "words"),
    [
        (("add", "planner", "--role", "buyer"), PASSWORD, 1, "the user name planner is taken"),
        (("add", "Ada", "--role", "buyer"), PASSWORD, 2, "small letters"),
        (("add", "ada", "--role", "buyer"), "short", 2, "10 to 200"),
        (("password", "nobody"), PASSWORD, 1, "no active user nobody"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    scm: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], given: str, code: int, words: str
) -> None:
    refused, _, err = scm("user", *arguments, given=f"{given}\n")
    assert refused == code and words in err


def test_a_real_company_has_no_password_and_never_gets_the_demos(
    scm: Callable[..., tuple[int, str, str]], database_url: str
) -> None:
    admin, _ = person(database_url, "admin")
    assert admin is not None and not admin.has_password
    database = Database(database_url)
    try:
        with database.unit_of_work(write=True) as session, pytest.raises(Exception, match="not created as a simulated"):
            demo_people.give_passwords(session, now=clock.wall_now())
    finally:
        database.dispose()


def test_a_site_is_opened_once(scm: Callable[..., tuple[int, str, str]], database_url: str) -> None:
    code, said, _ = scm("site", "add", "north", "--bins", "3", "--name", "Northern store")
    assert (code, said) == (0, "NORTH is open with 3 bins: give it lanes, and its people their site\n")
    code, _, refusal = scm("site", "add", "north")
    assert code == 1 and "NORTH exists already" in refusal
    assert scm("site", "add", "a b")[0] == 2

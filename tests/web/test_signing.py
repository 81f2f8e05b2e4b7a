"""Signing in: sessions that end everywhere, cookies that scripts cannot read, and guessing that is slowed down."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import clock, passwords, sign_in, users
from scm.core.passwords import BadPassword, LoginThrottle
from scm.core.sign_in import LoginSession
from scm.master import setup
from tests.loop.company import Company
from tests.web.visitor import PASSWORD, Visitor, give_passwords, signed_in, text_of
from web.app import create_app


def test_a_session_ends_in_the_database_and_not_only_in_the_browser(company: Company) -> None:
    visitor = signed_in(company.database, "planner")
    cookie = visitor.client.get_cookie("scm_session")
    assert cookie is not None
    stolen = Visitor(visitor.app)
    stolen.client.set_cookie("scm_session", cookie.value)
    stolen.get("/account")
    visitor.post("/logout", status=303)
    assert stolen.client.get("/account").status_code == 302


def test_signing_in_gives_a_new_cookie_and_keeps_nothing_of_the_old_one(company: Company) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    visitor.get("/login")
    before = visitor.client.get_cookie("scm_session")
    visitor.sign_in("planner")
    first = visitor.client.get_cookie("scm_session")
    visitor.post("/logout", status=303)
    visitor.sign_in("planner")
    second = visitor.client.get_cookie("scm_session")
    assert before is not None and first is not None and second is not None
    assert len({before.value, first.value, second.value}) == 3
    with company.reading() as session:
        assert session.scalar(sa.select(sa.func.count(sa.distinct(LoginSession.token_hash)))) == 2
        stored = " ".join(session.scalars(sa.select(LoginSession.token_hash)))
    assert second.value not in stored and len(stored.split()[0]) == 64


def test_the_cookie_is_for_this_site_only_and_out_of_reach_of_scripts(company: Company) -> None:
    give_passwords(company.database, "planner")
    plain = create_app(company.database).test_client().get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in plain and "SameSite=Lax" in plain and "Secure" not in plain
    secure = create_app(company.database, https=True).test_client().get("/login").headers["Set-Cookie"]
    assert "Secure" in secure


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(company: Company) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    visitor.get("/login")
    told = []
    for name in ("planner", "nobody-of-that-name", "system", ""):
        answer = visitor.post("/login", username=name, password="wrong password")
        assert answer.status_code == 403
        told.append(re.sub(r"csrf_token.*?>|f-\w+-\w+", "", text_of(answer.get_data(as_text=True))))
    assert len(set(told)) == 1 and "the user name or the password is wrong" in told[0]


def test_guessing_is_slowed_down_and_the_right_password_does_not_help_meanwhile(company: Company) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    visitor.get("/login")
    for _ in range(passwords.ATTEMPTS_BY_NAME):
        assert visitor.post("/login", username="planner", password="wrong").status_code == 403
    answer = visitor.post("/login", username="planner", password=PASSWORD)
    assert answer.status_code == 429
    assert "wait 15 minutes" in text_of(answer.get_data(as_text=True))
    with company.writing() as session:
        session.execute(
            sa.update(LoginThrottle).values(since=clock.wall_now() - passwords.WINDOW - timedelta(seconds=1))
        )
    assert visitor.post("/login", username="planner", password=PASSWORD).status_code == 303


def test_one_address_cannot_try_many_names(company: Company) -> None:
    now = clock.wall_now()
    with company.writing() as session:
        for number in range(passwords.ATTEMPTS_BY_ADDRESS):
            passwords.count_attempt(session, username=f"name{number}", address="198.51.100.7", now=now)
        with pytest.raises(passwords.TooManyAttempts):
            passwords.count_attempt(session, username="another", address="198.51.100.7", now=now)
        passwords.count_attempt(session, username="another", address="198.51.100.8", now=now)


def test_the_right_password_forgets_the_attempts(company: Company) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    visitor.get("/login")
    for _ in range(3):
        for _ in range(passwords.ATTEMPTS_BY_NAME - 1):
            visitor.post("/login", username="planner", password="wrong")
        visitor.sign_in("planner")
        visitor.post("/logout", status=303)


def test_a_new_password_signs_every_other_browser_out(company: Company) -> None:
    app = create_app(company.database)
    here, there = signed_in(company.database, "planner", app=app), Visitor(app).sign_in("planner")
    here.post("/account/password", old=PASSWORD, new="another long one 7", status=303)
    here.get("/account")
    assert there.client.get("/account").status_code == 302
    assert here.post("/account/password", old=PASSWORD, new="and another 12").status_code == 403


def test_an_administrators_reset_and_a_deactivation_end_all_sessions(company: Company) -> None:
    visitor = signed_in(company.database, "planner")
    with company.writing() as session:
        system = users.actor(session, username="system")
        sign_in.reset_password(session, username="planner", new=PASSWORD, actor=system, now=clock.wall_now())
    assert visitor.client.get("/account").status_code == 302
    visitor.sign_in("planner")
    with company.writing() as session:
        session.execute(sa.update(users.User).where(users.User.username == "planner").values(active=False))
    assert visitor.client.get("/account").status_code == 302


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaaa", "planner", "x" * 201, "abababababab", "tab\tand more of it"]
)
def test_a_plain_password_is_refused(session: Session, password: str) -> None:
    with pytest.raises(BadPassword):
        passwords.set_password(session, user_id=1, username="planner", password=password, now=clock.wall_now())


def test_passwords_are_kept_as_argon2id(company: Company) -> None:
    give_passwords(company.database, "planner")
    with company.reading() as session:
        user_id = setup.load(session).users["planner"].user_id
        stored = session.scalar(sa.select(passwords.Credential.password_hash))
        assert stored is not None and stored.startswith("$argon2id$") and PASSWORD not in stored
        assert passwords.matches(session, user_id=user_id, password=PASSWORD)
        assert not passwords.matches(session, user_id=user_id, password=PASSWORD + " ")
        assert not passwords.matches(session, user_id=None, password=PASSWORD)


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_server(company: Company, wanted: str) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    visitor.get("/login")
    answer = visitor.post("/login", username="planner", password=PASSWORD, next=wanted)
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_page_somebody_wanted_comes_after_signing_in(company: Company) -> None:
    give_passwords(company.database, "planner")
    visitor = Visitor(create_app(company.database))
    answer = visitor.client.get("/account?x=1")
    assert answer.location == "/login?next=/account?x%3D1"
    visitor.get(answer.location)
    assert visitor.post("/login", username="planner", password=PASSWORD, next="/account?x=1").location == "/account?x=1"

"""An administrator keeps people and settings; a password is shown once and works."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core.users import User
from scm.master import companies
from tests.loop.company import Company
from tests.web.visitor import Visitor, signed_in, text_of
from web.app import create_app


@pytest.fixture
def admin(company: Company) -> Visitor:
    """The administrator's browser."""
    return signed_in(company.database, "admin", app=create_app(company.database))


def password_in(page: str) -> str:
    [found] = re.findall(r"<code translate=\"no\">([^<]+)</code>", page)
    return str(found)


def test_a_person_is_added_and_signs_in_with_the_password_that_was_shown(admin: Visitor) -> None:
    fields: dict[str, Any] = {"username": "ada", "display_name": "Ada Hill", "locale": "zh_CN"}
    answer = admin.post("/admin/users/new", status=200, data={"role": ["buyer", "sales"]}, **fields)
    password = password_in(answer.text)
    assert "Ada Hill" in text_of(admin.get("/admin/users"))
    ada = Visitor(admin.app).sign_in("ada", password)
    assert 'lang="zh-CN"' in ada.get("/master")
    ada.get("/admin/users", status=403)
    assert password not in admin.get("/admin/users/ada")
    admin.post("/admin/users/new", status=409, data={"role": ["buyer"]}, **fields)
    admin.post("/admin/users/new", status=400, data={"role": ["system"]}, **fields | {"username": "bob"})


def test_roles_change_and_who_believes_the_old_ones_is_told(admin: Visitor) -> None:
    name: dict[str, Any] = {"display_name": "A buyer"}
    admin.post("/admin/users/buyer", status=303, data={"believed": ["buyer"], "role": ["buyer", "sales"]}, **name)
    refused = admin.post("/admin/users/buyer", data={"believed": ["buyer"], "role": ["planner"]}, **name)
    assert refused.status_code == 409 and "buyer, sales by now" in text_of(refused.text)
    itself = admin.post("/admin/users/admin", data={"believed": ["admin"], "role": ["sales"]}, display_name="A")
    assert itself.status_code == 403
    assert admin.post("/admin/users/system/let-go").status_code == 403


def test_who_is_let_go_is_out_at_once_and_may_be_taken_back(admin: Visitor, company: Company) -> None:
    buyer = signed_in(company.database, "buyer", app=admin.app)
    admin.post("/admin/users/buyer/let-go", status=303)
    assert buyer.client.get("/master").status_code == 302
    with company.reading() as session:
        assert session.scalar(sa.select(User.active).where(User.username == "buyer")) is False
    admin.post("/admin/users/buyer/take-back", status=303)
    assert "may sign in" in text_of(admin.get("/admin/users/buyer"))


def test_a_reset_ends_sessions_and_its_password_works(admin: Visitor, company: Company) -> None:
    buyer = signed_in(company.database, "buyer", app=admin.app)
    page = admin.post("/admin/users/buyer/password", status=200, partial=True)
    assert buyer.client.get("/master").status_code == 302
    buyer.sign_in("buyer", password_in(page.text))
    admin.post("/admin/users/buyer/end-sessions", status=303)
    assert buyer.client.get("/master").status_code == 302


def test_a_form_sent_twice_shows_no_password_that_does_not_work(admin: Visitor) -> None:
    first = admin.post("/admin/users/buyer/password", status=200, key="one key")
    again = admin.post("/admin/users/buyer/password", status=303, key="one key")
    assert password_in(first.text) and again.headers["Location"].endswith("/admin/users/buyer")


def test_the_company_is_renamed_and_speaks_to_who_has_not_chosen(admin: Visitor, company: Company) -> None:
    page = admin.get("/admin/settings")
    assert "Small company" in page and "2026" in page
    old: dict[str, Any] = {"believed_name": "Small company", "believed_locale": ""}
    admin.post("/admin/settings", status=303, name="Grown company", locale="zh_CN", **old)
    admin.post("/admin/settings", status=409, name="Other", locale="", **old)
    with company.reading() as session:
        assert companies.only(session).name == "Grown company"
    assert 'lang="zh-CN"' in admin.get("/master")

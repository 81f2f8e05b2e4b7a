"""Who may open what: every route of the map, as every role, as nobody, and with a forged form (promises 39 and 41)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from scm.core import clock, users
from scm.core.users import Role
from scm.master import setup
from tests.loop.company import Company
from tests.web.visitor import Visitor, give_passwords, text_of
from web import area
from web.app import create_app
from web.area import PEOPLE

DEFAULT_PEOPLE = ("planner", "buyer", "approver", "warehouse", "production", "returns", "sales", "admin")
NOWHERE = {"string": "NO-SUCH-0", "int": "987654321", "default": "NO-SUCH-0", "any": "csv", "date": "2026-01-01"}
OPEN = {"account.login", "account.enter", "partners.gate", "partners.enter", "partners.report"}
FOR_MACHINES = {"health", "metrics"}


@pytest.fixture
def app(company: Company) -> Flask:
    """The application over a small company in which every role has somebody."""
    with company.writing() as session:
        if "admin" not in setup.load(session).users:
            users.add(
                session,
                username="admin",
                display_name="Admin",
                roles=frozenset({Role.ADMIN}),
                now=clock.wall_now(),
            )
    give_passwords(company.database, *DEFAULT_PEOPLE)
    return create_app(company.database)


def rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            yield rule


def address_of(rule: Rule) -> str:
    """The rule's address with names that exist nowhere."""
    parts = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: NOWHERE[found[1] or "default"], parts)


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    declared = area.access()
    assert {rule.endpoint for rule in rules(app)} - declared.keys() == set()
    assert {endpoint for endpoint, roles in declared.items() if not roles} >= OPEN
    for endpoint, roles in declared.items():
        assert roles <= PEOPLE, f"{endpoint} is for the system"


def test_only_few_routes_are_open_to_everybody(app: Flask) -> None:
    opened = {rule.endpoint for rule in rules(app) if not area.roles_of(rule.endpoint)}
    assert {endpoint for endpoint in opened if endpoint.partition(".")[0] not in FOR_MACHINES} == OPEN


def test_a_route_that_never_said_is_refused_for_everybody(app: Flask) -> None:
    app.add_url_rule("/unlisted", "unlisted", lambda: "secret")
    visitor = Visitor(app)
    assert visitor.client.get("/unlisted").status_code == 302
    visitor.sign_in("admin")
    assert "secret" not in visitor.get("/unlisted", status=403)


@pytest.mark.parametrize("username", DEFAULT_PEOPLE)
def test_each_role_opens_its_own_routes_and_no_others(app: Flask, username: str) -> None:
    visitor = Visitor(app).sign_in(username)
    wrong = []
    for rule in rules(app):
        accepted = area.roles_of(rule.endpoint) or PEOPLE
        own = any(role.value == username for role in accepted)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if rule.endpoint in OPEN or rule.endpoint == "account.leave":
                continue
            answer = visitor.client.get(address_of(rule)) if method == "GET" else visitor.post(address_of(rule))
            refused = answer.status_code == 403 and "may not open this page" in answer.get_data(as_text=True)
            if refused == own or answer.status_code >= 500:
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert wrong == []


def test_nobody_gets_in_without_signing_in(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.get("/login")
    for rule in rules(app):
        if not area.roles_of(rule.endpoint):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = visitor.client.get(address_of(rule)) if method == "GET" else visitor.post(address_of(rule))
            assert answer.status_code == 302, f"{method} {rule.rule}: {answer.status_code}"
            assert answer.location.startswith("/login"), rule.rule


def test_a_form_without_its_token_is_refused_everywhere(app: Flask) -> None:
    visitor = Visitor(app).sign_in("planner")
    for rule in rules(app):
        if "POST" in (rule.methods or set()):
            answer = visitor.client.post(address_of(rule), data={"key": "forged"})
            assert answer.status_code == 400, f"{rule.rule}: {answer.status_code}"
            assert "older than your session" in text_of(answer.get_data(as_text=True)), rule.rule


def test_a_change_without_its_key_is_refused(app: Flask) -> None:
    visitor = Visitor(app).sign_in("planner")
    answer = visitor.post("/account/preferences", data={"key": ""}, theme="dark")
    assert (answer.status_code, "without its key" in text_of(answer.get_data(as_text=True))) == (400, True)

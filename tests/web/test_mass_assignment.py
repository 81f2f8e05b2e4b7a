"""A form sets nothing that it does not show (promise 40): every write route is sent every column there is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.routing import Rule

from scm.core.db import Base, Database
from tests.browser import company as demo
from tests.web.test_access import address_of
from tests.web.visitor import Visitor, give_passwords
from web import area
from web.app import create_app

PEOPLE = ("planner", "buyer", "approver", "warehouse", "production", "returns", "sales", "admin")
# What may change when somebody only signs in and is refused.
SIDE = frozenset({"login_session", "login_throttle", "audit_row", "audit_seal", "idempotency_key", "credential"})
NAMED = ("username", "roles", "password_hash", "state", "approver_id", "actor_id", "company_id", "on_hand", "valued")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    file = tmp_path / "scm.db"
    shutil.copyfile(demo.made_once(), file)
    found = Database(f"sqlite:///{file}")
    give_passwords(found, *PEOPLE)
    yield found
    found.dispose()


def columns() -> dict[str, str]:
    """Every column of every table, with a value that would pass for one."""
    names = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    assert set(NAMED) - {"roles"} <= names
    return {name: "1" for name in sorted(names | set(NAMED)) if name not in ("key",)}


def contents(database: Database) -> dict[str, int]:
    """A number that changes with any row of a table."""
    found = {}
    with database.unit_of_work(write=False) as session:
        for name, table in Base.metadata.tables.items():
            if name not in SIDE:
                rows = session.execute(sa.select(table)).all()
                found[name] = hash(tuple(sorted(map(repr, rows))))
    return found


def writes(app_rules: Iterator[Rule], username: str) -> Iterator[Rule]:
    for rule in app_rules:
        accepted = area.roles_of(rule.endpoint) or frozenset()
        mine = any(role.value == username for role in accepted)
        if mine and "POST" in (rule.methods or set()) and rule.endpoint != "account.leave":
            yield rule


@pytest.mark.parametrize("username", PEOPLE)
def test_no_route_takes_columns_it_does_not_ask_for(database: Database, username: str) -> None:
    visitor = Visitor(create_app(database)).sign_in(username)
    everything = columns()
    before, expected = contents(database), set[str]()
    for rule in writes(visitor.app.url_map.iter_rules(), username):
        answer = visitor.post(address_of(rule), data=everything)
        assert answer.status_code < 500, f"{rule.rule}: {answer.status_code}"
        expected |= asked_for(rule)
    after = contents(database)
    assert {name for name in before if before[name] != after[name]} <= expected


def asked_for(rule: Rule) -> set[str]:
    """What a route may change that asks for nothing, or for little that has a name of its own: one's own wishes and
    views, a new place or work centre by its code, the orders drafted of what was accepted.
    """
    own = {
        "/account/preferences": {"preference"},
        "/master/locations/new": {"location"},
        "/master/work-centers/new": {"work_center"},
        "/purchase-orders/draft": {"purchase_order", "purchase_order_line", "purchase_order_author", "number_series"},
        "/exceptions/look": {"exception_case", "exception_check", "exception_event"},
    }
    return own.get(rule.rule, {"saved_view"} if re.search(r"/views$", rule.rule) else set())

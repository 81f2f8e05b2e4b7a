"""State machines, settings, roles and numbers: the small parts every room leans on."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from scm.core import numbering, users
from scm.core.config import BadSetting, Settings
from scm.core.documents import IllegalTransition, Machine
from scm.core.users import Role, RoleMissing, User, UserExists, UserUnknown

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Door(enum.Enum):
    """Where a door can be."""

    OPEN = "open"
    SHUT = "shut"
    WALLED_UP = "walled_up"


DOOR = Machine(
    kind="door",
    initial=Door.OPEN,
    transitions={
        (Door.OPEN, "shut"): Door.SHUT,
        (Door.SHUT, "open"): Door.OPEN,
        (Door.SHUT, "wall_up"): Door.WALLED_UP,
    },
)


def test_a_machine_goes_where_it_may() -> None:
    assert DOOR.advance(Door.OPEN, "shut", number="D-1") is Door.SHUT
    assert DOOR.actions == ("open", "shut", "wall_up")


@pytest.mark.parametrize(
    ("state", "action", "words"),
    [
        (
            Door.OPEN,
            "wall_up",
            "D-1 is open: wall_up is not possible, but shut is; wall_up is possible when it is",
        ),
        (
            Door.SHUT,
            "shut",
            "D-1 is shut: shut is not possible, but open or wall_up is; shut is possible when",
        ),
        (Door.WALLED_UP, "open", "D-1 is walled_up: open is not possible, nothing more can happen to it"),
        (Door.OPEN, "paint", "D-1 is open: paint is not possible, but shut is"),
    ],
)
def test_a_machine_says_what_is_possible_instead(state: Door, action: str, words: str) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        DOOR.advance(state, action, number="D-1")
    assert str(refusal.value).startswith(words)


def test_settings_come_from_the_environment() -> None:
    assert Settings.from_environment({}) == Settings(database_url="sqlite:///scm.db", lock_timeout_seconds=10.0)
    found = Settings.from_environment({"SCM_DATABASE_URL": "postgres://a@b/c", "SCM_LOCK_TIMEOUT_SECONDS": "2.5"})
    assert found == Settings(database_url="postgresql+psycopg://a@b/c", lock_timeout_seconds=2.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCM_DATABASE_URL", "mysql://a:secret@b/c"),
        ("SCM_DATABASE_URL", ""),
        ("SCM_DATABASE_URL", "scm.db"),
        ("SCM_LOCK_TIMEOUT_SECONDS", "soon"),
        ("SCM_LOCK_TIMEOUT_SECONDS", "0"),
        ("SCM_LOCK_TIMEOUT_SECONDS", "601"),
        ("SCM_LOCK_TIMEOUT_SECONDS", "nan"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_secrets(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name) as refusal:
        Settings.from_environment({name: value})
    assert "secret" not in str(refusal.value)


def test_somebody_has_the_roles_they_were_given(session: Session) -> None:
    added = users.add(
        session, username="mira", display_name="Mira", roles=frozenset({Role.BUYER, Role.PLANNER}), now=NOW
    )
    assert users.actor(session, username="mira") == added
    added.require(Role.SALES, Role.BUYER)
    with pytest.raises(RoleMissing, match="mira may not do this: it needs the role approver or sales"):
        added.require(Role.SALES, Role.APPROVER)
    with pytest.raises(UserExists, match="choose another"):
        users.add(session, username="mira", display_name="Mira 2", roles=frozenset(), now=NOW)
    session.get_one(User, added.user_id).active = False
    session.flush()
    for name in ("mira", "nobody"):
        with pytest.raises(UserUnknown, match=name):
            users.actor(session, username=name)


def test_numbers_say_series_and_year(session: Session) -> None:
    drawn = numbering.draw(session, series=numbering.CUSTOMER_INVOICE, company_id=1, year=2026, count=2)
    assert drawn == ["INV-2026-000001", "INV-2026-000002"]
    following = [
        numbering.draw(session, series=numbering.CUSTOMER_INVOICE, company_id=company, year=year)
        for company, year in ((1, 2026), (1, 2027), (2, 2026))
    ]
    assert following == [["INV-2026-000003"], ["INV-2027-000001"], ["INV-2026-000001"]]
    assert numbering.draw(session, series=numbering.WAVE, company_id=1, year=2026, count=0) == []


@pytest.mark.parametrize("series", numbering.ALL_SERIES, ids=lambda series: series.code)
def test_every_series_can_be_drawn(session: Session, series: numbering.Series) -> None:
    drawn = numbering.draw(session, series=series, company_id=1, year=2026, count=3)
    assert len(set(drawn)) == 3
    assert all(number.startswith(f"{series.prefix}-2026-") for number in drawn)


def test_no_two_series_share_a_prefix() -> None:
    assert len({series.prefix for series in numbering.ALL_SERIES}) == len(numbering.ALL_SERIES)

"""A new company can be worked in at once, and there is only one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.core.users import Role, User
from scm.master import setup
from scm.master.setup import BadCompany, CompanyExists
from tests.world import World

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def create(
    session: Session,
    *,
    currency: str = "GBP",
    zone: str = "Europe/London",
    bin_count: int = 3,
    display_names: Mapping[str, str] | None = None,
) -> setup.Setup:
    return setup.create_company(
        session,
        code="TEST",
        name="Test",
        currency=currency,
        zone=zone,
        simulated=False,
        bin_count=bin_count,
        display_names=display_names,
        actor_now=NOW,
    )


def test_a_new_company_has_every_place_and_person(session: Session) -> None:
    made = create(session)
    assert len(made.bin_ids) == 3
    assert {name: set(user.roles) for name, user in made.users.items()} == {role.value: {role} for role in Role}
    places = [value for name, value in vars(made).items() if name.endswith("_location_id")]
    places += [made.area_id, made.dock_id, made.staging_id, made.returns_id, made.quarantine_id, *made.bin_ids]
    assert len(set(places)) == len(places) == 13
    assert setup.load(session) == made


def test_a_default_user_who_left_is_missed_but_nothing_else(session: Session) -> None:
    made = create(session)
    session.execute(sa.update(User).where(User.username == "planner").values(active=False))
    assert set(made.users) - set(setup.load(session).users) == {"planner"}


def test_default_users_may_be_given_the_names_of_people(session: Session) -> None:
    create(session, display_names={"planner": "Ada Hill"})
    names = {row.username: row.display_name for row in session.execute(sa.select(User.username, User.display_name))}
    assert (names["planner"], names["buyer"]) == ("Ada Hill", "Buyer")


def test_a_database_holds_one_company(world: World) -> None:
    with world.refuses(CompanyExists, "already holds Test Trading") as session:
        create(session)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"currency": "gbp"}, "currency is 'gbp'"),
        ({"zone": "Nowhere/Land"}, "Europe/London"),
        ({"bin_count": 0}, "bin"),
    ],
)
def test_a_company_that_cannot_work_is_refused(session: Session, wrong: dict[str, str], words: str) -> None:
    with pytest.raises(BadCompany, match=words) as caught:
        create(session, **wrong)  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidInput)

"""Two clerks with one unknown parcel: one of them settles it, the other is told so."""

from __future__ import annotations

from typing import Any

import pytest

from aftersales import parcels
from scm.core.db import Database
from tests.aftersales.test_return_races import Office


@pytest.fixture
def office(database: Database, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A desk whose stories are committed."""
    return Office(database, monkeypatch)


def two_settle(office: Office) -> list[str]:
    """One clerk has found the return it belongs to, the other gives the parcel away."""
    world = office.desk.world
    how: dict[str, Any] = {"actor": world.user("returns"), "now": world.now}
    return_id = office.story(lambda desk: desk.authorize(desk.delivered(office.bolt, 3), 1))
    parcel_id = office.story(
        lambda desk: parcels.record(
            desk.world.begin(), site_id=world.setup.site_id, label="", sender="", contents="a bolt", **office.how
        )
    )
    return office.at_once(
        lambda session: parcels.match(session, parcel_id=parcel_id, return_id=return_id, **how),
        lambda session: parcels.dispose(session, parcel_id=parcel_id, reason="given away", **how),
        decides=(parcels, "lock"),
    )


def test_a_parcel_is_settled_by_one_of_two_clerks(office: Office) -> None:
    assert two_settle(office) == ["IllegalTransition", "done"]


@pytest.mark.parametrize("backend", ["postgresql"])
def test_without_its_lock_both_settle_it(office: Office) -> None:
    office.without_locks()
    assert two_settle(office) != ["IllegalTransition", "done"]

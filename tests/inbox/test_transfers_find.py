"""A transfer that is late, or short of something, waits on the desks of the site that can mend it."""

from __future__ import annotations

import pytest

from scm.loop.exceptions import looking
from scm.loop.exceptions.findings import Finding, Kind
from tests.moving import Lanes
from tests.world import World
from warehouse.transfers import Picked

KINDS = frozenset({Kind.TRANSFER_LATE, Kind.TRANSFER_SHORT})


@pytest.fixture
def lanes(world: World) -> Lanes:
    return Lanes(world)


@pytest.fixture
def bolt(world: World) -> int:
    item = world.item("bolt")
    world.stock(item, 40)
    return item


def found(lanes: Lanes, site_id: int) -> list[Finding]:
    world = lanes.world
    scope = looking.scope_of(world.begin(), site_id=site_id, now=world.now, today=world.today)
    return looking.look(world.begin(), scope, kinds=KINDS)


def test_what_should_have_left_is_late_at_the_sender(lanes: Lanes, bolt: int) -> None:
    lanes.draft((bolt, 30))
    assert found(lanes, lanes.south) == []
    lanes.world.pass_days(2)
    [late] = found(lanes, lanes.south)
    assert (late.kind, late.quantity, late.facts) == (Kind.TRANSFER_LATE, 30, {"sent": False, "days_late": 2})
    assert found(lanes, lanes.north) == [], "there is nothing they could do"


def test_what_should_have_come_is_late_at_the_receiver(lanes: Lanes, bolt: int) -> None:
    transfer_id = lanes.sent((bolt, 30))
    lanes.world.pass_days(3)
    assert found(lanes, lanes.south) == []
    [late] = found(lanes, lanes.north)
    assert (late.kind, late.quantity, late.facts) == (Kind.TRANSFER_LATE, 30, {"sent": True, "days_late": 1})
    lanes.receive(transfer_id)
    assert found(lanes, lanes.north) == []


def test_what_stayed_behind_or_did_not_come_is_short(lanes: Lanes, bolt: int) -> None:
    transfer_id = lanes.draft((bolt, 30))
    lanes.release(transfer_id)
    [pick] = lanes.pick(transfer_id)
    lanes.ship(transfer_id, Picked(move_id=pick, quantity=25), reason="no room")
    [short] = found(lanes, lanes.north)
    assert (short.kind, short.quantity) == (Kind.TRANSFER_SHORT, 5)
    [move] = lanes.on_the_way(transfer_id)
    lanes.receive(transfer_id, Picked(move_id=move.id, quantity=20))
    [short] = found(lanes, lanes.north)
    assert short.quantity == 10, "five stayed behind, five did not come with the others"
    lanes.receive(transfer_id)
    assert found(lanes, lanes.north) == [], "it is closed"

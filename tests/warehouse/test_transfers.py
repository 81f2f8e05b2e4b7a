"""Goods that one site sends to another: promised, picked, on the way, received in parts, or lost with a reason."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from scm.core.documents import IllegalTransition
from scm.finance import reconcile, valuation
from scm.finance.costs import ItemCost
from scm.finance.journal import Account, Posting
from scm.stock import lots
from scm.stock.moves import MoveState
from scm.stock.reservations import NotEnoughToPromise
from tests.moving import Lanes
from tests.world import World
from warehouse import transfer_losses, transfers
from warehouse.transfer_documents import KIND, LossParty, Transfer, TransferLoss, TransferState
from warehouse.transfer_losses import Loss
from warehouse.transfers import BadTransfer, LineRequest, NoLane, NotOnTransfer, Picked


@pytest.fixture
def lanes(world: World) -> Lanes:
    return Lanes(world)


@pytest.fixture
def bolt(world: World) -> int:
    item = world.item("bolt")
    world.stock(item, 40)
    return item


def lose(lanes: Lanes, transfer_id: int, *losses: Loss) -> list[int]:
    world = lanes.world
    return transfer_losses.write_off(
        world.begin(), transfer_id, losses, actor=world.user("warehouse"), now=world.now, today=world.today
    )


def proved(world: World) -> tuple[int, int]:
    """Everything is valued and the books agree; gives what the company has of goods: units and value."""
    session = world.begin()
    valuation.run(session, company_id=world.setup.company_id, now=world.now)
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()
    row = world.begin().execute(sa.select(sa.func.sum(ItemCost.quantity), sa.func.sum(ItemCost.value))).one()
    return int(row[0]), int(row[1])


def against(world: World, account: Account) -> int:
    found = sa.select(sa.func.coalesce(sa.func.sum(Posting.company_amount), 0)).where(Posting.account == account)
    return int(world.begin().execute(found).scalar_one())


def test_a_transfer_goes_from_shelf_to_shelf(lanes: Lanes, bolt: int, world: World) -> None:
    before = proved(world)
    transfer_id = lanes.draft((bolt, 30))
    assert lanes.position(bolt, lanes.south).available == 40, "a draft promises nothing"
    lanes.release(transfer_id)
    assert lanes.position(bolt, lanes.south).available == 10
    assert len(lanes.pick(transfer_id)) == 1
    sent = lanes.ship(transfer_id)
    assert sent.left_behind == 0
    assert (lanes.position(bolt, lanes.south).on_hand, world.at(bolt, lanes.transit)) == (10, 30)
    coming = lanes.position(bolt, lanes.north)
    assert (coming.on_hand, coming.supply) == (0, [(world.day(2), 30)])
    assert proved(world) == before, "what is on the way is in the books, at what it was worth"
    world.pass_days(2)
    lanes.receive(transfer_id)
    assert lanes.state(transfer_id) is TransferState.CLOSED
    assert lanes.position(bolt, lanes.north).inbound == 30
    lanes.put_away(lanes.north)
    assert lanes.position(bolt, lanes.north).available == 30
    assert lanes.position(bolt, lanes.south).available == 10
    assert proved(world) == before


def test_it_is_received_in_parts_and_closes_with_the_last(lanes: Lanes, bolt: int, world: World) -> None:
    transfer_id = lanes.sent((bolt, 30))
    [move] = lanes.on_the_way(transfer_id)
    lanes.receive(transfer_id, Picked(move_id=move.id, quantity=12))
    assert lanes.state(transfer_id) is TransferState.RECEIVED
    [rest] = lanes.on_the_way(transfer_id)
    assert rest.quantity == 18
    with world.refuses(BadTransfer, match="19 are more than the 18 of move"):
        lanes.receive(transfer_id, Picked(move_id=rest.id, quantity=19))
    lanes.receive(transfer_id, Picked(move_id=rest.id, quantity=18))
    assert lanes.state(transfer_id) is TransferState.CLOSED
    with world.refuses(IllegalTransition, match="is closed: receive is not possible"):
        lanes.receive(transfer_id)


def test_a_loss_has_somebody_who_answers_for_it_and_leaves_the_books(lanes: Lanes, bolt: int, world: World) -> None:
    transfer_id = lanes.sent((bolt, 30))
    proved(world)
    [move] = lanes.on_the_way(transfer_id)
    lose(lanes, transfer_id, Loss(move_id=move.id, quantity=2, party=LossParty.CARRIER, reason="fell off", spoilt=True))
    [rest] = lanes.on_the_way(transfer_id)
    lose(lanes, transfer_id, Loss(move_id=rest.id, quantity=3, party=LossParty.SENDER, reason="not in the box"))
    assert lanes.state(transfer_id) is TransferState.RECEIVED
    lanes.receive(transfer_id)
    assert lanes.state(transfer_id) is TransferState.CLOSED
    units, value = proved(world)
    assert (units, value) == (35, 35 * 400)
    assert (against(world, Account.SCRAP), against(world, Account.ADJUSTMENT)) == (2 * 400, 3 * 400)
    losses = world.begin().scalars(sa.select(TransferLoss).order_by(TransferLoss.id)).all()
    assert [(one.party, one.quantity, one.reason) for one in losses] == [
        (LossParty.CARRIER, 2, "fell off"),
        (LossParty.SENDER, 3, "not in the box"),
    ]


@pytest.mark.parametrize(
    ("quantity", "reason", "said"),
    [(0, "gone", "1 to 30 are on the way"), (31, "gone", "1 to 30 are on the way"), (1, " ", "a loss needs a reason")],
)
def test_a_loss_without_sense_is_refused(
    lanes: Lanes, bolt: int, world: World, quantity: int, reason: str, said: str
) -> None:
    transfer_id = lanes.sent((bolt, 30))
    [move] = lanes.on_the_way(transfer_id)
    with world.refuses(BadTransfer, match=said):
        lose(lanes, transfer_id, Loss(move_id=move.id, quantity=quantity, party=LossParty.RECEIVER, reason=reason))


def test_what_all_is_lost_closes_the_transfer(lanes: Lanes, bolt: int) -> None:
    transfer_id = lanes.sent((bolt, 5))
    [move] = lanes.on_the_way(transfer_id)
    lose(lanes, transfer_id, Loss(move_id=move.id, quantity=5, party=LossParty.CARRIER, reason="the lorry burnt"))
    assert lanes.state(transfer_id) is TransferState.CLOSED


def test_lots_are_kept_and_the_first_to_expire_goes_first(lanes: Lanes, world: World) -> None:
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    young = lots.find_or_create(world.begin(), item_id=milk, code="YOUNG", expiry_date=date(2026, 3, 1))
    old = lots.find_or_create(world.begin(), item_id=milk, code="OLD", expiry_date=date(2026, 2, 1))
    world.stock(milk, 5, lot_id=young, bin_number=1)
    world.stock(milk, 3, lot_id=old, bin_number=2)
    transfer_id = lanes.sent((milk, 4))
    assert {(move.lot_id, move.quantity) for move in lanes.on_the_way(transfer_id)} == {(old, 3), (young, 1)}
    received = lanes.receive(transfer_id)
    assert {(move.lot_id, move.quantity) for move in received} == {(old, 3), (young, 1)}
    lanes.put_away(lanes.north)
    assert lanes.position(milk, lanes.north).available == 4


def test_nobody_sends_what_is_promised_to_a_customer(lanes: Lanes, bolt: int, world: World) -> None:
    world.demand(bolt, 15, reserve=True)
    transfer_id = lanes.draft((bolt, 30))
    with world.refuses(NotEnoughToPromise, match="needs 30 of item .*, 25 are free at the site"):
        lanes.release(transfer_id)
    lanes.release(lanes.draft((bolt, 25)))
    assert lanes.position(bolt, lanes.south).available == 0


def test_what_stays_behind_is_free_again_and_says_why(lanes: Lanes, bolt: int, world: World) -> None:
    transfer_id = lanes.draft((bolt, 30))
    lanes.release(transfer_id)
    [pick] = lanes.pick(transfer_id)
    with world.refuses(BadTransfer, match="10 units stay behind: say why"):
        lanes.ship(transfer_id, Picked(move_id=pick, quantity=20))
    sent = lanes.ship(transfer_id, Picked(move_id=pick, quantity=20), reason="the box was full")
    assert sent.left_behind == 10
    assert lanes.position(bolt, lanes.south).available == 20
    [move] = lanes.on_the_way(transfer_id)
    assert move.quantity == 20
    assert world.begin().get_one(Transfer, transfer_id).reason == "the box was full"
    with world.refuses(NotOnTransfer):
        lanes.receive(transfer_id, Picked(move_id=pick, quantity=1))


def test_a_transfer_is_given_up_as_long_as_nothing_has_left(lanes: Lanes, bolt: int, world: World) -> None:
    planner = world.user("planner")
    for until in ("draft", "released", "picked"):
        transfer_id = lanes.draft((bolt, 30))
        if until != "draft":
            lanes.release(transfer_id)
        if until == "picked":
            lanes.pick(transfer_id)
        with world.refuses(BadTransfer, match="cancelling needs a reason"):
            transfers.cancel(world.begin(), transfer_id, reason=" ", actor=planner)
        transfers.cancel(world.begin(), transfer_id, reason="not needed", actor=planner)
        assert lanes.state(transfer_id) is TransferState.CANCELLED
        assert lanes.position(bolt, lanes.south).available == 40
        assert {move.state for move in world.moves_of(KIND, [transfer_id])} <= {MoveState.CANCELLED}
    shipped = lanes.sent((bolt, 10))
    with world.refuses(IllegalTransition, match="is shipped: cancel is not possible"):
        transfers.cancel(world.begin(), shipped, reason="too late", actor=planner)
    proved(world)


def test_a_transfer_is_due_when_its_lane_has_taken_its_days(lanes: Lanes, bolt: int, world: World) -> None:
    transfer_id = lanes.draft((bolt, 5))
    assert world.begin().get_one(Transfer, transfer_id).due_date == world.day(2)
    lanes.release(transfer_id)
    lanes.pick(transfer_id)
    world.pass_days(3)
    lanes.ship(transfer_id)
    assert world.begin().get_one(Transfer, transfer_id).due_date == world.day(2), "it left three days late"


@pytest.mark.parametrize(
    ("lines", "said"),
    [([], "at least one line"), ([(0, 5)], "there is no item 0"), ([(1, 0)], "must be a whole number above 0")],
)
def test_a_transfer_of_nothing_is_refused(
    lanes: Lanes, bolt: int, world: World, lines: list[tuple[int, int]], said: str
) -> None:
    with world.refuses(BadTransfer, match=said):
        lanes.draft(*((bolt if item else 0, quantity) for item, quantity in lines))
    with world.refuses(BadTransfer, match="stands on two lines"):
        lanes.draft((bolt, 1), (bolt, 2))


def test_without_a_lane_nothing_is_sent(lanes: Lanes, bolt: int, world: World) -> None:
    east = lanes.site("EAST")
    with world.refuses(NoLane, match="no lane leads from site") as session:
        transfers.draft(
            session,
            [LineRequest(item_id=bolt, quantity=1)],
            from_site_id=east,
            to_site_id=lanes.north,
            actor=world.user("planner"),
            today=world.today,
        )

"""The ways out of quarantine: each moves goods once, with a reason, and their value follows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from scm.core.users import RoleMissing
from scm.finance import valuation
from scm.finance.costs import ItemCost
from scm.finance.journal import Account, JournalEntry, Posting
from scm.stock import ledger
from scm.stock.ledger import MoveRequest, NotEnoughStock
from tests.selling import Shop
from tests.world import World
from warehouse import quarantine
from warehouse.quarantine import BadDecision, Leaving, LetOut, NotInQuarantine, QuarantineDecision, WayOut


def put_aside(world: World, item: int, quantity: int) -> None:
    """Move goods from the first bin to quarantine, as a failed inspection does."""
    request = MoveRequest(
        item_id=item,
        source_id=world.setup.bin_ids[0],
        destination_id=world.setup.quarantine_id,
        quantity=quantity,
        due_date=world.today,
        document_kind="test",
        document_id=1,
        line_id=1,
    )
    ledger.move_now(
        world.begin(),
        [request],
        company_id=world.setup.company_id,
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )


def leaving(world: World, item: int, quantity: int, way_out: WayOut, *, reason: str = "looked at again") -> Leaving:
    return Leaving(
        location_id=world.setup.quarantine_id,
        item_id=item,
        quantity=quantity,
        way_out=way_out,
        reason=reason,
        bin_id=world.setup.bin_ids[1] if way_out is WayOut.RELEASE else None,
    )


def let_out(world: World, *wanted: Leaving, username: str = "warehouse", site_id: int | None = None) -> LetOut:
    return quarantine.let_out(
        world.begin(),
        wanted,
        site_id=world.setup.site_id if site_id is None else site_id,
        actor=world.user(username),
        now=world.now,
        today=world.today,
    )


@pytest.fixture
def bolt(world: World) -> int:
    """Ten bolts, worth 4.00 each, in quarantine."""
    item = world.item("bolt", unit_cost="4.00")
    world.stock(item, 10)
    put_aside(world, item, 10)
    return item


def account(world: World, which: Account) -> int:
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    total = sa.select(sa.func.coalesce(sa.func.sum(Posting.amount), 0)).where(Posting.account == which)
    return int(world.begin().execute(total.join(JournalEntry, JournalEntry.id == Posting.entry_id)).scalar_one())


def test_released_goods_go_to_a_shelf_and_to_whoever_waits(world: World, shop: Shop, bolt: int) -> None:
    order = shop.order((bolt, 6))
    result = let_out(world, leaving(world, bolt, 7, WayOut.RELEASE))
    assert (world.at(bolt, world.setup.quarantine_id), world.at(bolt, world.setup.bin_ids[1])) == (3, 7)
    assert [one.reserved for one in result.filled] == [6]
    assert shop.line(order).reserved == 6


@pytest.mark.parametrize(
    ("way_out", "against"),
    [(WayOut.SCRAP, Account.SCRAP), (WayOut.RETURN_TO_SUPPLIER, Account.SUPPLIER_RETURNS)],
)
def test_what_leaves_the_house_leaves_the_books_at_its_cost(
    world: World, bolt: int, way_out: WayOut, against: Account
) -> None:
    let_out(world, leaving(world, bolt, 3, way_out))
    assert world.at(bolt, world.setup.quarantine_id) == 7
    assert abs(account(world, against)) == 1200
    cost = world.begin().execute(sa.select(ItemCost.quantity, ItemCost.value)).one()
    assert tuple(cost) == (7, 2800)


def test_a_decision_says_who_why_and_when(world: World, bolt: int) -> None:
    result = let_out(world, leaving(world, bolt, 2, WayOut.SCRAP, reason=" rusted through "))
    row = world.begin().execute(sa.select(QuarantineDecision)).scalar_one()
    assert (row.quantity, row.way_out, row.reason) == (2, WayOut.SCRAP, "rusted through")
    assert (row.decided_by_id, row.decided_date) == (world.user("warehouse").user_id, world.today)
    [move] = result.posted
    assert (move.document_kind, move.document_id, move.reason) == ("quarantine", row.id, "rusted through")


def test_no_more_leaves_than_lies_there(world: World, bolt: int) -> None:
    with world.refuses(NotEnoughStock, "takes 11"):
        let_out(world, leaving(world, bolt, 11, WayOut.SCRAP))
    with world.refuses(NotEnoughStock):
        let_out(world, leaving(world, bolt, 6, WayOut.SCRAP), leaving(world, bolt, 5, WayOut.RELEASE))


def test_a_decision_needs_a_reason_a_quantity_and_the_right_bin(world: World, bolt: int) -> None:
    good = leaving(world, bolt, 1, WayOut.RELEASE)
    place, item = good.location_id, good.item_id
    with world.refuses(BadDecision, "say in 1 to 200 characters why"):
        let_out(world, leaving(world, bolt, 1, WayOut.SCRAP, reason="  "))
    with world.refuses(BadDecision, "whole number above 0"):
        let_out(world, leaving(world, bolt, 0, WayOut.SCRAP))
    for bin_id, text in ((None, "name it"), (world.setup.staging_id, "no bin of this site")):
        wrong = Leaving(
            location_id=place, item_id=item, quantity=1, way_out=WayOut.RELEASE, reason="fine", bin_id=bin_id
        )
        with world.refuses(BadDecision, text):
            let_out(world, wrong)
    with world.refuses(BadDecision, "nothing was named"):
        let_out(world)


def test_only_the_warehouse_lets_goods_out_and_only_of_its_own_site(world: World, bolt: int) -> None:
    for username in ("planner", "buyer", "approver", "sales", "returns"):
        with world.refuses(RoleMissing):
            let_out(world, leaving(world, bolt, 1, WayOut.SCRAP), username=username)
    with world.refuses(NotInQuarantine, "no quarantine of this site"):
        let_out(world, leaving(world, bolt, 1, WayOut.SCRAP), site_id=world.setup.site_id + 1)
    elsewhere = Leaving(
        location_id=world.setup.bin_ids[0], item_id=bolt, quantity=1, way_out=WayOut.SCRAP, reason="in the way"
    )
    with world.refuses(NotInQuarantine):
        let_out(world, elsewhere)
    with world.refuses(NotInQuarantine, "there is no item 999999"):
        let_out(world, leaving(world, 999999, 1, WayOut.SCRAP))


def test_a_decision_is_never_changed(world: World, bolt: int) -> None:
    let_out(world, leaving(world, bolt, 1, WayOut.SCRAP))
    session = world.begin()
    for statement in ("UPDATE quarantine_decision SET quantity = 9", "DELETE FROM quarantine_decision"):
        point = session.begin_nested()
        with pytest.raises(exc.IntegrityError, match="never changes"):
            session.execute(sa.text(statement))
        point.rollback()

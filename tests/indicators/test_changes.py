"""What changed since yesterday, counted from what is stored."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from forecasting import signals
from forecasting.signals import Disposed
from procurement import proposals
from procurement.proposals import ProposalRequest
from scm.loop import changes
from scm.loop.changes import Changes
from scm.loop.cycle_runs import CycleRun
from scm.loop.exceptions.findings import Kind
from tests.inbox.office import Office
from tests.loop.test_kpis import record_run
from tests.selling import Shop
from tests.world import World


def seen(world: World) -> Changes:
    planner = world.user("planner").user_id
    return changes.since_yesterday(world.begin(), site_id=world.setup.site_id, user_id=planner, today=world.today)


def publish(world: World, supplier: int, agreements: dict[int, int], quantities: dict[int, int]) -> None:
    record_run(world, world.today, None)
    run_id = world.begin().scalars(sa.select(sa.func.max(CycleRun.id))).one()
    proposals.publish(
        world.begin(),
        [
            ProposalRequest(
                item_id=item,
                supplier_id=supplier,
                agreement_id=agreements[item],
                quantity=quantity,
                order_date=world.today,
                due_date=world.day(7),
                unit_price=Decimal(4),
                account=[{"name": "demand", "quantity": quantity}],
                inputs={},
            )
            for item, quantity in quantities.items()
        ],
        run_id=run_id,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )


def test_nothing_changed_in_a_company_that_has_just_begun(world: World) -> None:
    found = seen(world)
    assert found.proposals_changed is None
    assert (found.closed_by_themselves, found.orders_cancelled, found.units_back_on_the_shelf) == (0, 0, 0)


def test_proposals_that_are_new_gone_or_of_another_size_have_changed(world: World) -> None:
    supplier = world.supplier("works")
    agreements = {item: world.agreement(item, supplier) for item in world.items(4)}
    same, grown, gone, new = agreements
    publish(world, supplier, agreements, {same: 10, grown: 5, gone: 3})
    assert seen(world).proposals_changed is None
    publish(world, supplier, agreements, {same: 10, grown: 6, new: 2})
    assert seen(world).proposals_changed == 3


def test_cancelled_orders_returned_goods_and_closed_exceptions_count_for_a_day(
    world: World, office: Office, shop: Shop
) -> None:
    bolt = world.item("bolt")
    shop.cancel(shop.order((bolt, 1)))
    world.demand(bolt, 5)
    office.row(Kind.STOCK_OUT)
    world.stock(bolt, 5)
    office.look()
    disposed = [Disposed(item_id=bolt, source_id=1, quantity=4, resellable_quantity=3)]
    signals.record_dispositions(world.begin(), disposed, site_id=world.setup.site_id, today=world.today)
    for days in (1, 1):
        found = seen(world)
        assert (found.orders_cancelled, found.units_back_on_the_shelf) == (1, 3)
        assert (found.closed_by_themselves, found.new_exceptions) == (1, 0)
        world.pass_days(days)
    found = seen(world)
    assert (found.orders_cancelled, found.units_back_on_the_shelf, found.closed_by_themselves) == (0, 0, 0)

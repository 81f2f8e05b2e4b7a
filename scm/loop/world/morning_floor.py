"""The floor in the morning: today's customers have ordered, the first parcels are packed, a wave is half picked.

The customers of an earlier day order the same again, so that the day looks like the company's days do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.importing.tables import LineKind
from scm.loop.world import chance, crew, future, shops
from scm.loop.world.future import FutureLine
from scm.loop.world.stage import Stage
from scm.master.items import Item, ItemStatus
from scm.master.locations import Location, LocationKind
from scm.sales import orders, status
from scm.sales.channels import OWN_SHOP
from scm.sales.documents import OrderState, SalesOrder
from scm.sales.intake import LineRequest, OrderRequest
from scm.stock import projection
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove
from warehouse import counting, counts, packing, picking, waves
from warehouse.counting import CountedStock
from warehouse.counts import CountState, CycleCount, Target
from warehouse.picking import PickResult
from warehouse.waves import Wave, WaveState

FEEDS = 3  # orders come in at 8, 9 and 10
MOST_ORDERS = 24
LOOK_BACK_WEEKS = 8
PACKED, IN_WAVE = 2, 8  # orders picked to the end, and orders of the wave that is half picked
COUNTED = 3  # bins a count


def start(stage: Stage, *, today: date) -> None:
    """This function will take the morning's orders, and pick, pack and count a part of what waits."""
    feeds = stage.look(lambda session: _feeds(session, stage, today=today))
    for hour, feed in enumerate(feeds[:1], start=8):
        _place(stage, feed, f"{today} orders {hour}", now=stage.at(today, hour, 5), today=today)
    _release(stage, f"{today} first wave", PACKED, now=stage.at(today, 8, 30), today=today)
    _pick_and_pack(stage, today=today)
    for hour, feed in enumerate(feeds[1:], start=9):
        _place(stage, feed, f"{today} orders {hour}", now=stage.at(today, hour, 5), today=today)
    _release(stage, f"{today} second wave", IN_WAVE, now=stage.at(today, 9, 30), today=today)
    _pick_half(stage, f"{today} half", now=stage.at(today, 9, 50), today=today)
    _count(stage, today=today)
    large = stage.look(lambda session: _more_than_there_is(session, stage, today=today))
    _place(stage, [large], f"{today} last order", now=stage.at(today, 10, 40), today=today)


def last_order(today: date) -> str:
    """This function will give the channel's number of the order with which a morning ends."""
    return f"morning-{today}"


def _place(stage: Stage, feed: Sequence[OrderRequest], name: str, *, now: datetime, today: date) -> None:
    if feed:
        stage.act_once(
            name,
            lambda session: orders.place_and_confirm(session, feed, actor=stage.person("sales"), now=now, today=today),
        )


def _feeds(session: Session, stage: Stage, *, today: date) -> list[list[OrderRequest]]:
    """What was bought on the same weekday some weeks ago, dealt out to the hours of the morning."""
    bought: dict[str, list[FutureLine]] = defaultdict(list)
    for weeks in range(1, LOOK_BACK_WEEKS + 1):
        for line in future.lines_of_day(session, day=today - timedelta(weeks=weeks)):
            if line.kind is LineKind.SALE and not line.never_demand:
                bought[line.invoice].append(line)
        if bought:
            break
    known = shops.codes(session)
    sold = set(session.scalars(sa.select(Item.id).where(Item.status != ItemStatus.RETIRED)))
    requests = [
        OrderRequest(
            site_id=stage.setup.site_id,
            customer_id=lines[0].customer_id,
            channel=shops.of_invoice(invoice, known=known),
            external_id=f"{invoice}-again",
            lines=tuple(
                LineRequest(item_id=line.item_id, quantity=line.quantity, unit_price=line.unit_price)
                for line in lines
                if line.item_id in sold
            ),
        )
        for invoice, lines in list(bought.items())[:MOST_ORDERS]
        if any(line.item_id in sold for line in lines)
    ]
    return [requests[start::FEEDS] for start in range(FEEDS)]


def _release(stage: Stage, name: str, most: int, *, now: datetime, today: date) -> None:
    """A wave of the oldest orders of which everything is promised."""
    whole = stage.look(lambda session: _whole_orders(session, stage))
    ready = whole[: min(most, -(-len(whole) // 2))]  # half of them wait for somebody to release a wave
    if ready:
        stage.act_once(
            name,
            lambda session: waves.release(
                session,
                site_id=stage.setup.site_id,
                actor=stage.person("warehouse"),
                now=now,
                today=today,
                order_ids=ready,
            ),
        )


def _whole_orders(session: Session, stage: Stage) -> list[int]:
    # Only orders with a move that no wave has taken yet: the rest are on their way.
    open_ids = session.scalars(
        sa.select(StockMove.document_id)
        .join(Location, Location.id == StockMove.source_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == "sales_order",
            ~StockMove.allocated,
            Location.site_id == stage.setup.site_id,
            Location.is_area,
            SalesOrder.state == OrderState.CONFIRMED,
        )
        .distinct()
    ).all()
    reserved: dict[int, bool] = defaultdict(lambda: True)
    for line in status.fulfilment(session, open_ids):
        reserved[line.order_id] &= line.waiting == 0
    return [order_id for order_id, whole in sorted(reserved.items()) if whole]


def _pick_and_pack(stage: Stage, *, today: date) -> None:
    """Everything is found; the first order is packed, the others stand in staging."""
    warehouse, now, later = stage.person("warehouse"), stage.at(today, 8, 45), stage.at(today, 9)
    wave_id = stage.look(lambda session: _open_wave(session, stage))
    if wave_id is not None:
        stage.act_once(
            f"{today} pick",
            lambda session: picking.confirm(session, wave_id=wave_id, actor=warehouse, now=now, today=today),
        )
    staged = stage.look(lambda session: crew.staged_orders(session, stage))
    if staged:
        stage.act_once(
            f"{today} pack",
            lambda session: packing.pack(session, order_ids=staged[:1], actor=warehouse, now=later, today=today),
        )


def _pick_half(stage: Stage, name: str, *, now: datetime, today: date) -> None:
    wave_id = stage.look(lambda session: _open_wave(session, stage))
    if wave_id is None:
        return
    rows = stage.look(lambda session: waves.pick_list(session, wave_id=wave_id))
    found = [PickResult(move_id=row.move_id, quantity=row.quantity) for row in rows[: len(rows) // 2]]
    if found:
        stage.act_once(
            name,
            lambda session: picking.confirm(
                session, wave_id=wave_id, results=found, actor=stage.person("warehouse"), now=now, today=today
            ),
        )


def _open_wave(session: Session, stage: Stage) -> int | None:
    statement = sa.select(sa.func.max(Wave.id)).where(
        Wave.site_id == stage.setup.site_id, Wave.state == WaveState.RELEASED
    )
    return session.scalar(statement)


def _count(stage: Stage, *, today: date) -> None:
    """Two counts: one that nobody has begun, and one whose difference waits for a second person."""
    warehouse, now, later = stage.person("warehouse"), stage.at(today, 9, 55), stage.at(today, 10, 20)
    quiet = stage.look(lambda session: _quiet_bins(session, stage, today=today))
    for name, targets in (("counted", quiet[:COUNTED]), ("planned", quiet[COUNTED : 2 * COUNTED])):
        if targets:
            _plan(stage, f"{today} count {name}", targets, now=now, today=today)
    planned = stage.look(lambda session: _planned_count(session, stage))
    if planned is not None:
        found = stage.look(lambda session: _find_one_missing(session, planned))
        stage.act_once(
            f"{today} counted",
            lambda session: counting.record_count(session, planned, found, actor=warehouse, now=later),
        )


def _plan(stage: Stage, name: str, targets: Sequence[Target], *, now: datetime, today: date) -> None:
    stage.act_once(
        name,
        lambda session: counting.plan_count(session, targets, actor=stage.person("warehouse"), now=now, today=today),
    )


def _quiet_bins(session: Session, stage: Stage, *, today: date) -> list[Target]:
    """Bins whose item nobody is waiting for, in an order drawn by chance."""
    wanted = sa.exists().where(
        StockMove.item_id == StockBalance.item_id,
        StockMove.state == MoveState.PLANNED,
        StockMove.document_kind == "sales_order",
    )
    rows = session.execute(
        sa.select(StockBalance.location_id, StockBalance.item_id)
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            Location.site_id == stage.setup.site_id,
            Location.kind == LocationKind.STORAGE,
            StockBalance.on_hand > COUNTED,
            ~wanted,
        )
        .order_by(StockBalance.location_id, StockBalance.item_id)
    ).all()
    drawn = chance.stream(stage.temper.seed, "morning count", today).permutation(len(rows))
    return [Target(rows[i].location_id, rows[i].item_id) for i in drawn.tolist()]


def _planned_count(session: Session, stage: Stage) -> int | None:
    statement = sa.select(sa.func.min(CycleCount.id)).where(
        CycleCount.site_id == stage.setup.site_id, CycleCount.state == CountState.PLANNED
    )
    return session.scalar(statement)


def _find_one_missing(session: Session, count_id: int) -> list[CountedStock]:
    """What the books say, less one unit of the first."""
    found = []
    for turn, target in enumerate(counts.targets_of(session, count_id)):
        rows = session.scalars(
            sa.select(StockBalance)
            .where(StockBalance.location_id == target.location_id, StockBalance.item_id == target.item_id)
            .order_by(StockBalance.lot_id)
        )
        for row in rows:
            gone = 1 if turn == 0 else 0
            found.append(
                CountedStock(
                    location_id=row.location_id,
                    item_id=row.item_id,
                    lot_id=row.lot_id,
                    quantity=row.on_hand - gone,
                )
            )
    return found


def _more_than_there_is(session: Session, stage: Stage, *, today: date) -> OrderRequest:
    """A customer wants more of an item than lies there, while some of it is on its way."""
    stock = projection.positions(session, site_id=stage.setup.site_id)
    rows = session.execute(
        sa.select(Item.id, Item.sale_price)
        .where(Item.status == ItemStatus.ACTIVE, Item.sale_price.is_not(None))
        .order_by(Item.id)
    )
    coming = [
        (stock[row.id].available, row.id, row.sale_price)
        for row in rows
        if row.id in stock and stock[row.id].available > 0 and stock[row.id].supply
    ]
    newest = session.execute(
        sa.select(SalesOrder.customer_id)
        .where(SalesOrder.external_id.is_not(None))
        .order_by(SalesOrder.id.desc())
        .limit(1)
    ).scalar_one()
    available, item_id, price = min(coming)
    return OrderRequest(
        site_id=stage.setup.site_id,
        customer_id=newest,
        channel=OWN_SHOP,
        external_id=last_order(today),
        lines=(LineRequest(item_id=item_id, quantity=available + 6, unit_price=price),),
    )

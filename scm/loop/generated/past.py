"""Writes the last half year before go-live into the books of goods and purchases, day by day, with the product's verbs.

The books of sales begin at go-live, those of purchases and stock earlier: suppliers have been measured, shelves have
been empty, and stock has a cost from real receipts. What was sold meanwhile leaves the bins in one move an item and
day. Each step is taken once, by a name of its own, so that an interrupted past goes on where it stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import orders
from procurement.drafting import OrderLineRequest
from procurement.purchase_orders import KIND, PurchaseOrder
from scm.core.db import Database
from scm.core.progress import SILENT, Progress
from scm.finance import valuation
from scm.finance.costing import OPENING
from scm.loop.generated.history import History
from scm.loop.generated.shelves import PastOrder
from scm.loop.world import labels
from scm.loop.world.stage import Stage
from scm.loop.world.temper import Temper
from scm.master import agreements, setup
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.stock import ledger, lots
from scm.stock.balances import StockBalance
from scm.stock.ledger import MoveRequest
from scm.stock.lots import NO_LOT, Lot, LotLabel
from scm.stock.moves import MoveState, StockMove
from warehouse import putaway, receiving
from warehouse.receiving import Arrival

DAYS = 182
SOLD_BEFORE = "sold_before"  # the document kind of what left before the books of sales began
WRITTEN_OFF = "written_off_before"


@dataclass(frozen=True)
class _Books:
    """What the steps need: places in the history by item id and back, and the agreement of each."""

    history: History
    item_ids: Sequence[int]
    agreement_ids: Sequence[int]


@dataclass(frozen=True)
class _Lying:
    location_id: int
    lot_id: int
    on_hand: int


def write(database: Database, history: History, *, days: int = DAYS, progress: Progress = SILENT) -> None:
    """This function will write the `days` before go-live, as far as they are not written yet, and value them."""
    with database.unit_of_work(write=False) as session:
        places = setup.load(session)
        books = _books(session, history)
    stage = Stage(database=database, setup=places, temper=Temper(seed=history.seed))
    closed = history.shelves.closed_days
    first = max(1, closed - days)
    ordered, arriving = defaultdict(list), defaultdict(list)
    for order in history.shelves.orders:
        if order.arrives >= first:
            ordered[order.ordered].append(order)
            arriving[order.arrives].append(order)
    progress.stage("Writing the past", total=closed - first)
    for place in sorted(place for place in ordered if place < first):
        _order(stage, books, ordered[place], day=history.days[place])
    _open(stage, books, first)
    for place in range(first, closed):
        day = history.days[place]
        _order(stage, books, ordered[place], day=day)
        _receive(stage, books, arriving[place], day=day)
        _sell(stage, books, place)
        progress.advance()
    now = stage.at(history.go_live, 0, 1)
    stage.act(lambda session: valuation.run(session, company_id=places.company_id, now=now))


def _books(session: Session, history: History) -> _Books:
    ids = {row.sku: row.id for row in session.execute(sa.select(Item.sku, Item.id))}
    bought = agreements.preferred(session)
    item_ids = [ids[item.sku] for item in history.items]
    return _Books(history, item_ids, [bought[item_id].agreement_id for item_id in item_ids])


def _open(stage: Stage, books: _Books, first: int) -> None:
    """What lay in the bins on the evening before."""
    day = books.history.days[first]
    stage.act_once(
        f"past {day} open",
        lambda session: ledger.move_now(
            session,
            _opening(session, stage, books, first),
            company_id=stage.setup.company_id,
            actor=stage.person("system"),
            now=stage.at(day, 0, 1),
            today=day,
        ),
    )


def _opening(session: Session, stage: Stage, books: _Books, first: int) -> list[MoveRequest]:
    history, bins = books.history, stage.setup.bin_ids
    day, on_hand = history.days[first], history.shelves.on_hand[first - 1]
    tracked = {
        place: LotLabel(item_id=books.item_ids[place], code=code, expiry_date=expiry)
        for place, item in enumerate(history.items)
        if item.shelf_life_days is not None
        for code, expiry in [labels.label_of("opening", day, item.shelf_life_days)]
    }
    lot_ids = lots.find_or_create_all(session, tracked.values())
    return [
        MoveRequest(
            item_id=books.item_ids[place],
            source_id=stage.setup.adjustment_location_id,
            destination_id=bins[place % len(bins)],
            quantity=int(on_hand[place]),
            due_date=day,
            document_kind=OPENING,
            document_id=0,
            line_id=books.item_ids[place],
            lot_id=lot_ids[books.item_ids[place], tracked[place].code] if place in tracked else NO_LOT,
            expected_unit_cost=history.sources[place][1].unit_price,
            currency=stage.setup.currency,
            reason="opening stock",
        )
        for place in np.flatnonzero(on_hand).tolist()
    ]


def _order(stage: Stage, books: _Books, ordered: Sequence[PastOrder], *, day: date) -> None:
    """The buyer writes the day's orders, the approver agrees, and they are sent."""
    if not ordered:
        return
    lines = [
        OrderLineRequest(
            agreement_id=books.agreement_ids[order.item],
            quantity=order.quantity,
            due_date=day + timedelta(days=order.factory.lead_time_days),
        )
        for order in ordered
    ]
    buyer, approver = stage.person("buyer"), stage.person("approver")
    now, later = stage.at(day, 10), stage.at(day, 12)

    def send(session: Session) -> None:
        ids = orders.write(session, lines, site_id=stage.setup.site_id, actor=buyer, now=now, today=day)
        orders.submit(session, ids, actor=buyer, now=now)
        orders.approve(session, ids, actor=approver, now=later, today=day)
        orders.send(session, ids, actor=buyer, now=later, today=day)

    stage.act_once(f"past {day} order", send)


def _receive(stage: Stage, books: _Books, arriving: Sequence[PastOrder], *, day: date) -> None:
    lorries: dict[tuple[str, int], list[PastOrder]] = defaultdict(list)
    for order in arriving:
        lorries[order.factory.code, order.ordered].append(order)
    warehouse, site_id = stage.person("warehouse"), stage.setup.site_id
    for (code, ordered), load in sorted(lorries.items()):
        sent = books.history.days[ordered]
        stage.act_once(
            f"past {day} receive {code} {sent}",
            lambda session, load=load, code=code, sent=sent: receiving.receive(  # type: ignore[misc]
                session,
                _arrivals(session, books, load, code=code, sent=sent, day=day),
                delivery_note=f"{code} {sent}",
                actor=warehouse,
                now=stage.at(day, 9),
                today=day,
            ),
        )
    if lorries:
        stage.act_once(
            f"past {day} put away",
            lambda session: putaway.put_away_all(
                session, site_id=site_id, actor=warehouse, now=stage.at(day, 10), today=day
            ),
        )


def _arrivals(
    session: Session, books: _Books, load: Sequence[PastOrder], *, code: str, sent: date, day: date
) -> list[Arrival]:
    """What one lorry brings of what a supplier was sent on a day."""
    brought = [books.item_ids[order.item] for order in load]
    rows = session.execute(
        sa.select(StockMove.id, StockMove.quantity)
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.state == MoveState.PLANNED,
            StockMove.item_id.in_(brought),
            PurchaseOrder.sent_date == sent,
            Partner.code == code,
        )
        .order_by(StockMove.id)
    )
    return labels.delivered(session, [(row.id, row.quantity) for row in rows], maker=code, day=day)


def _sell(stage: Stage, books: _Books, place: int) -> None:
    """What the day sold and lost leaves the bins, the lot that expires first before the others."""
    kept, day = books.history.shelves, books.history.days[place]
    sold, lost = kept.sold[place].sum(axis=1), kept.written_off[place]
    if not sold.any() and not lost.any():
        return
    stage.act_once(
        f"past {day} sell",
        lambda session: ledger.move_now(
            session,
            _leaving(session, stage, books, sold=sold.tolist(), lost=lost.tolist(), day=day),
            company_id=stage.setup.company_id,
            actor=stage.person("system"),
            now=stage.at(day, 20),
            today=day,
        ),
    )


def _leaving(
    session: Session, stage: Stage, books: _Books, *, sold: Sequence[int], lost: Sequence[int], day: date
) -> list[MoveRequest]:
    lying = _lying(session, stage)
    found = []
    for place in range(len(sold)):
        item_id = books.item_ids[place]
        left = [(SOLD_BEFORE, stage.setup.customer_location_id, sold[place])]
        left.append((WRITTEN_OFF, stage.setup.adjustment_location_id, lost[place]))
        bins = lying.get(item_id, [])
        for kind, destination_id, wanted in left:
            while wanted:
                bin_ = bins.pop(0)
                taken = min(wanted, bin_.on_hand)
                wanted -= taken
                if taken < bin_.on_hand:
                    bins.insert(0, _Lying(bin_.location_id, bin_.lot_id, bin_.on_hand - taken))
                found.append(
                    MoveRequest(
                        item_id=item_id,
                        source_id=bin_.location_id,
                        destination_id=destination_id,
                        quantity=taken,
                        due_date=day,
                        document_kind=kind,
                        document_id=0,
                        line_id=item_id,
                        lot_id=bin_.lot_id,
                    )
                )
    return found


def _lying(session: Session, stage: Stage) -> Mapping[int, list[_Lying]]:
    rows = session.execute(
        sa.select(StockBalance.item_id, StockBalance.location_id, StockBalance.lot_id, StockBalance.on_hand)
        .join(Location, Location.id == StockBalance.location_id)
        .join(Lot, Lot.id == StockBalance.lot_id)
        .where(Location.site_id == stage.setup.site_id, Location.kind == LocationKind.STORAGE, StockBalance.on_hand > 0)
        .order_by(StockBalance.item_id, Lot.expiry_date, StockBalance.lot_id, StockBalance.location_id)
    )
    found: dict[int, list[_Lying]] = defaultdict(list)
    for row in rows:
        found[row.item_id].append(_Lying(row.location_id, row.lot_id, row.on_hand))
    return found

"""The stock a company starts with, assumed: dated moves on the go-live day, and orders that are on their way.

The moves go from the adjustment location to the bins, at the assumed cost; the orders are written, submitted, approved
by another person and sent with the verbs of procurement, on the review days before go-live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import orders
from procurement.drafting import OrderLineRequest
from scm.core.users import Actor
from scm.loop.importing import cover
from scm.loop.importing.chance import Chance
from scm.loop.importing.cover import Arrival, Source
from scm.loop.importing.figures import Figures
from scm.loop.importing.lines import Int64
from scm.master import agreements
from scm.master.agreements import SupplierTerms
from scm.master.setup import Setup
from scm.stock import ledger
from scm.stock.ledger import MoveRequest
from scm.stock.moves import StockMove

KIND = "opening"
REVIEWED_AT = time(10)
APPROVED_AFTER = timedelta(hours=2)
REASON = "opening stock, assumed"


@dataclass(frozen=True, kw_only=True)
class Start:
    """What one item starts with."""

    item_id: int
    agreement_id: int
    in_bins: int
    arrivals: list[Arrival]
    unit_cost: Decimal


@dataclass(frozen=True)
class Opened:
    """How much the company starts with."""

    items: int
    quantity: int
    orders: int


def is_open(session: Session) -> bool:
    """This function will tell whether any goods were ever planned or moved; then nothing more is assumed."""
    return session.scalar(sa.select(StockMove.id).limit(1)) is not None


def open_stock(
    session: Session,
    *,
    skus: Sequence[str],
    item_ids: Int64,
    figures: Figures,
    import_id: int,
    places: Setup,
    go_live: date,
    seed: int,
    actor: Actor,
) -> Opened:
    """This function will post the opening stock of go-live day and write the orders that are on their way then.

    Only items with a supplier that were sold are stocked.
    """
    starts = _starts(session, skus=skus, item_ids=item_ids, figures=figures, go_live=go_live, seed=seed)
    stocked = [start for start in starts if start.in_bins]
    morning = datetime.combine(go_live, time(0), ZoneInfo(places.zone))
    requests = [
        MoveRequest(
            item_id=start.item_id,
            source_id=places.adjustment_location_id,
            destination_id=places.bin_ids[number % len(places.bin_ids)],
            quantity=start.in_bins,
            due_date=go_live,
            document_kind=KIND,
            document_id=import_id,
            line_id=start.item_id,
            expected_unit_cost=start.unit_cost,
            currency=places.currency,
            reason=REASON,
        )
        for number, start in enumerate(stocked)
    ]
    if requests:
        ledger.move_now(session, requests, company_id=places.company_id, actor=actor, now=morning, today=go_live)
    written = _order(session, starts, places=places)
    return Opened(len(stocked), sum(start.in_bins for start in stocked), written)


def _starts(
    session: Session, *, skus: Sequence[str], item_ids: Int64, figures: Figures, go_live: date, seed: int
) -> list[Start]:
    chance = Chance(seed)
    bought = agreements.preferred(session)
    terms = {row.partner_id: row for row in session.execute(sa.select(*sa.inspect(SupplierTerms).columns))}
    starts = []
    for place in np.flatnonzero(figures.sold).tolist():
        agreed = bought.get(int(item_ids[place]))
        if agreed is None or agreed.supplier_id not in terms:
            continue
        review = terms[agreed.supplier_id]
        source = Source(
            lead_time_days=agreed.lead_time_days,
            review_period_days=review.review_period_days,
            review_weekday=review.review_weekday or 0,
            minimum_order_quantity=agreed.minimum_order_quantity,
            order_multiple=agreed.order_multiple,
        )
        weekly: list[int] = figures.weekly[place].tolist()
        arrivals = cover.on_its_way(weekly, source, sku=skus[place], go_live=go_live, chance=chance)
        coming = sum(arrival.quantity for arrival in arrivals)
        starts.append(
            Start(
                item_id=agreed.item_id,
                agreement_id=agreed.agreement_id,
                in_bins=cover.in_bins(weekly, source, sku=skus[place], coming=coming, chance=chance),
                arrivals=arrivals,
                unit_cost=agreed.unit_price,
            )
        )
    return starts


def _order(session: Session, starts: Sequence[Start], *, places: Setup) -> int:
    """One set of orders per review day; the buyer writes them and the approver approves, as for any order."""
    by_day: dict[date, list[OrderLineRequest]] = {}
    for start in starts:
        for arrival in start.arrivals:
            by_day.setdefault(arrival.ordered_date, []).append(
                OrderLineRequest(agreement_id=start.agreement_id, quantity=arrival.quantity, due_date=arrival.due_date)
            )
    buyer, approver = places.users["buyer"], places.users["approver"]
    written = 0
    for day, lines in sorted(by_day.items()):
        now = datetime.combine(day, REVIEWED_AT, ZoneInfo(places.zone))
        order_ids = orders.write(session, lines, site_id=places.site_id, actor=buyer, now=now, today=day)
        orders.submit(session, order_ids, actor=buyer, now=now)
        later = now + APPROVED_AFTER
        orders.approve(session, order_ids, actor=approver, now=later, today=day, comment="assumed by the import")
        orders.send(session, order_ids, actor=buyer, now=later, today=day)
        written += len(order_ids)
    return written

"""What is measured of every item once a day, for the cover list: what there was to sell, what sold, and the trend.

Set-based: a handful of sums over the ledger and the demand, whatever the number of items, written in one go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from forecasting.history import DemandFact
from forecasting.runs import BUCKET_DAYS, ForecastLine, ForecastRun
from scm.core.db import table_of
from scm.finance.costing import OPENING
from scm.loop.daily import ItemMeasure
from scm.loop.exceptions.findings import Scope
from scm.master.companies import Company
from scm.master.items import Item, ItemStatus
from scm.master.locations import PHYSICAL, Location, LocationKind
from scm.master.partners import OWN_STOCK
from scm.sales import demand
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove

PERIOD_DAYS = 30
TREND_DAYS = 56


class _Flow(NamedTuple):
    """What moved of one item in the period; `other` is what counts, returns and scrap added or took."""

    received: int = 0
    sold: int = 0
    other: int = 0


class _Asked(NamedTuple):
    last: date
    lately: int
    before: int


def measure(session: Session, scope: Scope) -> int:
    """This function will replace the measures of a site's items and return how many there are."""
    company = session.get_one(Company, scope.company_id)
    since = scope.today - timedelta(days=PERIOD_DAYS)
    if company.go_live_date is not None:
        since = max(since, company.go_live_date)
    on_hand, flows = _on_hand(session, scope), _flows(session, scope, since)
    asked, forecast = _asked(session, scope), _forecast(session, scope)
    rows = [
        _row(scope, item_id, since=since, on_hand=on_hand, flows=flows, asked=asked, forecast=forecast)
        for item_id in session.scalars(
            sa.select(Item.id)
            .where(Item.company_id == scope.company_id, Item.status != ItemStatus.RETIRED)
            .order_by(Item.id)
        )
    ]
    table = table_of(ItemMeasure)
    session.execute(sa.delete(table).where(table.c.site_id == scope.site_id))
    if rows:
        session.execute(sa.insert(table), rows)
    return len(rows)


def _row(
    scope: Scope,
    item_id: int,
    *,
    since: date,
    on_hand: Mapping[int, int],
    flows: Mapping[int, _Flow],
    asked: Mapping[int, _Asked],
    forecast: Mapping[int, int],
) -> dict[str, Any]:
    flow, wish = flows.get(item_id, _Flow()), asked.get(item_id)
    return {
        "site_id": scope.site_id,
        "item_id": item_id,
        "measured_date": scope.today,
        "since_date": since,
        "opening": on_hand.get(item_id, 0) - flow.received + flow.sold - flow.other,
        "received": flow.received,
        "sold": flow.sold,
        "last_sale_date": wish.last if wish else None,
        "asked_8_weeks": wish.lately if wish else 0,
        "asked_8_weeks_before": wish.before if wish else 0,
        "daily_thousandths": forecast.get(item_id),
    }


def _on_hand(session: Session, scope: Scope) -> dict[int, int]:
    rows = session.execute(
        sa.select(StockBalance.item_id, sa.func.sum(StockBalance.on_hand))
        .join(Location, Location.id == StockBalance.location_id)
        .where(Location.site_id == scope.site_id, StockBalance.owner_id == OWN_STOCK)
        .group_by(StockBalance.item_id)
    )
    return {item_id: int(quantity) for item_id, quantity in rows}


def _flows(session: Session, scope: Scope, since: date) -> dict[int, _Flow]:
    """Sums of what came in and went out of the site; opening stock is none, it was there."""
    source, destination = aliased(Location), aliased(Location)
    entered = sa.and_(destination.site_id == scope.site_id, destination.kind.in_(PHYSICAL), ~source.kind.in_(PHYSICAL))
    left = sa.and_(source.site_id == scope.site_id, source.kind.in_(PHYSICAL), ~destination.kind.in_(PHYSICAL))
    outside = sa.case((entered, source.kind), else_=destination.kind)
    signed = sa.case((entered, StockMove.quantity), else_=-StockMove.quantity)
    mirrored = StockMove.reverses_id.is_not(None)
    earliest = datetime.combine(since, time(0), ZoneInfo(scope.zone)) - timedelta(days=1)
    rows = session.execute(
        sa.select(StockMove.item_id, outside.label("outside"), entered.label("entered"), mirrored, sa.func.sum(signed))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.state == MoveState.POSTED,
            StockMove.posted_at >= earliest,
            StockMove.posted_date >= since,
            StockMove.owner_id == OWN_STOCK,
            StockMove.document_kind != OPENING,
            sa.or_(entered, left),
        )
        .group_by(StockMove.item_id, outside, entered, mirrored)
    )
    found: dict[int, _Flow] = {}
    for item_id, kind, came_in, was_mirrored, total in rows:
        flow, quantity = found.get(item_id, _Flow()), int(total)
        if kind is LocationKind.DELIVERY:
            flow = flow._replace(sold=flow.sold - quantity)
        elif kind is LocationKind.SUPPLIER and bool(came_in) != bool(was_mirrored):
            flow = flow._replace(received=flow.received + quantity)
        else:
            flow = flow._replace(other=flow.other + quantity)
        found[item_id] = flow
    return {
        # A receipt of before the period that was put right in it: nothing was received, something went.
        item_id: flow if flow.received >= 0 else flow._replace(received=0, other=flow.other + flow.received)
        for item_id, flow in found.items()
    }


def _asked(session: Session, scope: Scope) -> dict[int, _Asked]:
    """When an item was asked for last, and how much in the eight weeks before today and in the eight before those."""
    facts = sa.select(DemandFact.item_id, DemandFact.demand_date, DemandFact.quantity).where(
        DemandFact.site_id == scope.site_id
    )
    middle = scope.today - timedelta(days=TREND_DAYS)
    start = middle - timedelta(days=TREND_DAYS)
    found: dict[int, _Asked] = {}
    for source in (facts.subquery(), demand.wanted(site_id=scope.site_id).subquery()):
        day = source.c.demand_date
        rows = session.execute(
            sa.select(
                source.c.item_id,
                sa.func.max(day, type_=sa.Date()),
                sa.func.sum(sa.case((day >= middle, source.c.quantity), else_=0)),
                sa.func.sum(sa.case((sa.and_(day >= start, day < middle), source.c.quantity), else_=0)),
            )
            .where(day <= scope.today)
            .group_by(source.c.item_id)
        )
        for item_id, last, lately, before in rows:
            known = found.get(item_id, _Asked(last, 0, 0))
            found[item_id] = _Asked(max(known.last, last), known.lately + int(lately), known.before + int(before))
    return found


def _forecast(session: Session, scope: Scope) -> dict[int, int]:
    newest = sa.select(sa.func.max(ForecastRun.id)).where(ForecastRun.site_id == scope.site_id).scalar_subquery()
    rows = session.execute(sa.select(ForecastLine.item_id, ForecastLine.means).where(ForecastLine.run_id == newest))
    return {
        row.item_id: round(sum(row.means) * 1000 / len(row.means) / BUCKET_DAYS) for row in rows if len(row.means) > 0
    }

"""Reads what the planner's finders need, for all items of a site at once, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting import history
from forecasting.runs import BUCKET_DAYS, ForecastLine, ForecastRun
from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.finance import costs
from scm.finance.averages import StockCost
from scm.loop import sources
from scm.loop.exceptions.findings import Scope
from scm.loop.exceptions.planning import Band, Coming, ItemFacts
from scm.master import locations
from scm.master.items import Item, ItemStatus
from scm.master.locations import LocationKind
from scm.stock import projection
from scm.stock.moves import MoveState, StockMove
from scm.stock.projection import Position

LONGEST_BAND_WEEKS = 26
MEDIAN = 0.5


@dataclass(frozen=True, kw_only=True)
class PlanningFacts:
    """All items that are sold, and what is on order."""

    items: dict[int, ItemFacts]
    coming: list[Coming]


@dataclass(frozen=True)
class _Forecast:
    run: ForecastRun | None
    lines: dict[int, tuple[list[float], int]]  # means by week, and weeks of the protection interval


def read(session: Session, scope: Scope, *, item_id: int | None = None) -> PlanningFacts:
    """This function will read the facts of all items, or of one of them."""
    coming = on_order(session, scope)
    by_item: dict[int, list[Coming]] = defaultdict(list)
    for line in coming:
        by_item[line.item_id].append(line)
    wanted = None if item_id is None else [item_id]
    positions = projection.positions(session, site_id=scope.site_id, item_ids=wanted)
    bought = {source.item_id: source for source in sources.of_company(session, company_id=scope.company_id)}
    found = _forecast(session, scope, item_id)
    bands = _bands(session, scope, found)
    values = costs.item_costs(session, company_id=scope.company_id, item_ids=wanted)
    return PlanningFacts(
        items={
            row.id: ItemFacts(
                item_id=row.id,
                sku=row.sku,
                name=row.name,
                sale_price=row.sale_price,
                bought=row.status is ItemStatus.ACTIVE,
                lead_time_days=bought[row.id].lead_time_days if row.id in bought else None,
                position=positions.get(row.id, Position()),
                weekly=found.lines[row.id][0] if row.id in found.lines else [],
                forecast_from=found.run.as_of_date + timedelta(days=1) if found.run else None,
                coming=sorted(by_item.get(row.id, ()), key=lambda line: (line.due_date, line.order_id)),
                cost=values.get(row.id, StockCost()),
                band=bands.get(row.id),
            )
            for row in session.execute(_items(scope, item_id))
        },
        coming=coming,
    )


def on_order(session: Session, scope: Scope) -> list[Coming]:
    """This function will list what approved orders still bring to the site, the oldest first."""
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    rows = session.execute(
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            PurchaseOrder.supplier_id,
            PurchaseOrder.state,
            StockMove.item_id,
            StockMove.quantity,
            StockMove.due_date,
            StockMove.expected_unit_cost,
        )
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.source_id == supplier,
            StockMove.document_kind == PURCHASE_ORDER,
            PurchaseOrder.site_id == scope.site_id,
        )
        .order_by(StockMove.due_date, StockMove.id)
    )
    return [
        Coming(
            order_id=row.id,
            number=row.number,
            supplier_id=row.supplier_id,
            item_id=row.item_id,
            quantity=int(row.quantity),
            due_date=row.due_date,
            unit_cost=row.expected_unit_cost or Decimal(0),
            sent=row.state is PurchaseOrderState.SENT,
        )
        for row in rows
    ]


def _items(scope: Scope, item_id: int | None) -> sa.Select[*tuple[Any, ...]]:
    statement = sa.select(Item.id, Item.sku, Item.name, Item.sale_price, Item.status).where(
        Item.company_id == scope.company_id, Item.status != ItemStatus.RETIRED
    )
    return (statement if item_id is None else statement.where(Item.id == item_id)).order_by(Item.id)


def _forecast(session: Session, scope: Scope, item_id: int | None) -> _Forecast:
    run = session.scalars(
        sa.select(ForecastRun).where(ForecastRun.site_id == scope.site_id).order_by(ForecastRun.id.desc()).limit(1)
    ).one_or_none()
    if run is None:
        return _Forecast(None, {})
    statement = sa.select(ForecastLine.item_id, ForecastLine.means, ForecastLine.protection_buckets).where(
        ForecastLine.run_id == run.id
    )
    if item_id is not None:
        statement = statement.where(ForecastLine.item_id == item_id)
    return _Forecast(run, {row.item_id: (row.means, row.protection_buckets) for row in session.execute(statement)})


def _bands(session: Session, scope: Scope, found: _Forecast) -> dict[int, Band]:
    """Of each item, the forecast over a whole protection interval that ended with the newest run, and what came."""
    weeks = sorted({weeks for _, weeks in found.lines.values() if 0 < weeks <= LONGEST_BAND_WEEKS})
    if found.run is None or not weeks:
        return {}
    ended = found.run.as_of_date
    days = {ended - timedelta(days=BUCKET_DAYS * count): count for count in weeks}
    runs = {
        days[row.as_of_date]: (row.id, row.settings["quantiles"])
        for row in session.execute(
            sa.select(ForecastRun.id, ForecastRun.as_of_date, ForecastRun.settings)
            .where(ForecastRun.site_id == scope.site_id, ForecastRun.as_of_date.in_(days))
            .order_by(ForecastRun.id)
        )
    }
    if not runs:
        return {}
    asked = _asked(session, scope, until=ended, weeks=max(runs))
    lines = session.execute(
        sa.select(
            ForecastLine.item_id,
            ForecastLine.protection_buckets,
            ForecastLine.protection_mean,
            ForecastLine.protection_quantiles,
        ).where(
            sa.or_(
                *(
                    sa.and_(ForecastLine.run_id == run_id, ForecastLine.protection_buckets == count)
                    for count, (run_id, _) in runs.items()
                )
            )
        )
    )
    bands = {}
    for row in lines:
        if row.item_id not in found.lines:
            continue
        count = row.protection_buckets
        low, high = _limits(row.protection_quantiles, runs[count][1])
        bands[row.item_id] = Band(
            since=ended - timedelta(days=BUCKET_DAYS * count - 1),
            weeks=count,
            expected=row.protection_mean,
            low=low,
            high=high,
            actual=sum(asked.get(row.item_id, [])[-count:]),
        )
    return bands


def _limits(values: list[float], quantiles: list[float]) -> tuple[float, float]:
    """The highest quantile that was stored, and its mirror image below the median."""
    high = values[-1]
    median = values[quantiles.index(MEDIAN)] if MEDIAN in quantiles else values[0]
    return max(0.0, 2 * median - high), high


def _asked(session: Session, scope: Scope, *, until: date, weeks: int) -> dict[int, list[int]]:
    item_ids, demand = history.weekly_demand(
        session, site_id=scope.site_id, as_of=until + timedelta(days=1), weeks=weeks
    )
    return {
        int(item_id): [0 if quantity != quantity else int(quantity) for quantity in row]  # NaN: not yet sold
        for item_id, row in zip(item_ids.tolist(), demand.tolist(), strict=True)
    }

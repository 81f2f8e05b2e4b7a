"""What a return refers to: a line that we delivered, or a sale from before the books began.

Reading locks it: the sold lines, or for prior sales the customers, so that two clerks cannot both take the last unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import NotFound
from scm.master import locations
from scm.master.locations import LocationKind
from scm.master.partners import Partner
from scm.sales.orders import SalesOrder, SalesOrderLine
from scm.stock import moves
from scm.stock.moves import MoveState


@dataclass(frozen=True, kw_only=True)
class PriorSale:
    """A sale from before the books began, as its invoice shows it. `reference` names that invoice line for ever."""

    reference: str
    item_id: int
    customer_id: int
    site_id: int
    quantity: int
    unit_price: Decimal
    sold_date: date | None


class SoldLineUnknown(NotFound):
    """There is no sold line of that id."""


@dataclass(frozen=True)
class Origin:
    """What was sold, whatever kind of record says so. `sold` is what was delivered of it."""

    item_id: int
    customer_id: int
    site_id: int
    company_id: int
    sold: int
    unit_price: Decimal
    sold_date: date | None
    cost_of_id: int | None


def of_lines(session: Session, line_ids: Iterable[int]) -> dict[int, Origin]:
    """This function will lock sold lines and say what was delivered of each. Raises `SoldLineUnknown`."""
    wanted = sorted(set(line_ids))
    if not wanted:
        return {}
    sold = _sold_lines(session, wanted)
    unknown = [line_id for line_id in wanted if line_id not in sold]
    if unknown:
        raise SoldLineUnknown(f"there is no sold line {unknown[0]}: check the number on the delivery note")
    delivered = _delivered(session, sold)
    origins = {}
    for line_id, line in sold.items():
        quantity, left_at, move_id = delivered.get(line_id, (0, None, None))
        origins[line_id] = Origin(
            item_id=line.item_id,
            customer_id=line.customer_id,
            site_id=line.site_id,
            company_id=line.company_id,
            sold=quantity,
            unit_price=line.unit_price,
            sold_date=left_at,
            cost_of_id=move_id,
        )
    return origins


def of_prior_sales(session: Session, prior_sales: Sequence[PriorSale]) -> dict[str, Origin]:
    """This function will lock the customers of prior sales and describe each sale by its reference."""
    if not prior_sales:
        return {}
    customers = sorted({prior.customer_id for prior in prior_sales})
    session.execute(sa.select(Partner.id).where(Partner.id.in_(customers)).order_by(Partner.id).with_for_update())
    sites = sorted({prior.site_id for prior in prior_sales})
    rows = session.execute(sa.select(locations.Site.id, locations.Site.company_id).where(locations.Site.id.in_(sites)))
    companies = {row.id: row.company_id for row in rows}
    return {
        prior.reference: Origin(
            item_id=prior.item_id,
            customer_id=prior.customer_id,
            site_id=prior.site_id,
            company_id=companies[prior.site_id],
            sold=prior.quantity,
            unit_price=prior.unit_price,
            sold_date=prior.sold_date,
            cost_of_id=None,
        )
        for prior in prior_sales
    }


def _sold_lines(session: Session, line_ids: list[int]) -> dict[int, Any]:
    rows = session.execute(
        sa.select(
            SalesOrderLine.id,
            SalesOrderLine.order_id,
            SalesOrderLine.item_id,
            SalesOrderLine.unit_price,
            SalesOrder.customer_id,
            SalesOrder.site_id,
            SalesOrder.company_id,
        )
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrderLine.id.in_(line_ids))
        .order_by(SalesOrderLine.id)
        .with_for_update(of=table_of(SalesOrderLine))
    )
    return {row.id: row for row in rows}


def _delivered(session: Session, sold: Mapping[int, Any]) -> dict[int, tuple[int, date | None, int | None]]:
    """What each line delivered, when it left, and the move whose cost a returned unit takes back."""
    order_ids = {row.order_id for row in sold.values()}
    posted = moves.of_documents(session, kind="sales_order", document_ids=order_ids, states=[MoveState.POSTED])
    kinds = locations.places(session, {m.source_id for m in posted} | {m.destination_id for m in posted})
    found: dict[int, tuple[int, date | None, int | None]] = {}
    for move in posted:
        if move.line_id not in sold:
            continue
        quantity, left, cost_of = found.get(move.line_id, (0, None, None))
        if kinds[move.destination_id].kind is LocationKind.CUSTOMER:
            quantity += move.quantity
        elif kinds[move.source_id].kind is LocationKind.CUSTOMER:
            quantity -= move.quantity  # a delivery that was reversed
        elif kinds[move.destination_id].kind is LocationKind.DELIVERY and move.reverses_id is None:
            left, cost_of = move.posted_date, move.id
        found[move.line_id] = (quantity, left, cost_of)
    return found

"""What a return refers to: a line that we delivered, or a sale from before the books began.

Reading locks it, so that two clerks cannot both take the last unit. What was taken before is counted by its moves: what
is on its way, and what has arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales.documents import KIND, ReturnLine
from scm.core.db import table_of
from scm.core.errors import InvalidInput, NotFound
from scm.core.users import Actor
from scm.finance import brought_forward
from scm.finance.brought_forward import PriorSaleRequest
from scm.master import locations
from scm.master.locations import LocationKind, Site
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock import moves
from scm.stock.lots import NO_LOT
from scm.stock.moves import MoveState, StockMove


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


class SiteUnknown(NotFound):
    """There is no site of that id."""


class TwoSites(InvalidInput):
    """Units of one prior sale would come back to two sites in one call."""


@dataclass(slots=True)
class Delivered:
    """Units that reached the customer together, and how many of them may still come back.

    `cost_of_id` is the move that shipped them: what comes back enters the books at its cost.
    """

    cost_of_id: int | None
    lot_id: int
    sold_date: date | None
    quantity: int
    free: int


@dataclass(frozen=True)
class Origin:
    """What was sold, whatever kind of record says so. One of the two ids says which."""

    item_id: int
    customer_id: int
    site_id: int
    company_id: int
    sales_order_line_id: int | None
    prior_sale_id: int | None
    deliveries: tuple[Delivered, ...]


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
    taken = _taken(session, ReturnLine.sales_order_line_id, wanted)
    return {
        line_id: Origin(
            item_id=line.item_id,
            customer_id=line.customer_id,
            site_id=line.site_id,
            company_id=line.company_id,
            sales_order_line_id=line_id,
            prior_sale_id=None,
            deliveries=_less_taken(delivered[line_id], taken[line_id]),
        )
        for line_id, line in sold.items()
    }


def of_prior_sales(
    session: Session, prior_sales: Sequence[PriorSale], *, actor: Actor, now: datetime, today: date
) -> dict[str, Origin]:
    """This function will bring prior sales into the books where they are not yet, lock them, and describe them by
    their references.

    Raises `SiteUnknown`, `TwoSites` and what `scm.finance.brought_forward.bring_forward` raises.
    """
    if not prior_sales:
        return {}
    companies = _companies(session, {prior.site_id for prior in prior_sales})
    site_of: dict[str, int] = {}
    for prior in prior_sales:
        if site_of.setdefault(prior.reference, prior.site_id) != prior.site_id:
            raise TwoSites(f"prior sale {prior.reference} would come back to two sites: authorize them one by one")
    ids: dict[str, int] = {}
    for company_id in sorted(set(companies.values())):
        owned = [prior for prior in prior_sales if companies[prior.site_id] == company_id]
        brought = brought_forward.bring_forward(
            session, [_request(prior) for prior in owned], company_id=company_id, actor=actor, now=now, today=today
        )
        ids.update(zip((prior.reference for prior in owned), brought, strict=True))
    taken = _taken(session, ReturnLine.prior_sale_id, ids.values())
    origins = {}
    for prior in prior_sales:
        prior_id = ids[prior.reference]
        whole = Delivered(None, NO_LOT, prior.sold_date, prior.quantity, prior.quantity)
        origins[prior.reference] = Origin(
            item_id=prior.item_id,
            customer_id=prior.customer_id,
            site_id=prior.site_id,
            company_id=companies[prior.site_id],
            sales_order_line_id=None,
            prior_sale_id=prior_id,
            deliveries=_less_taken([whole], taken[prior_id]),
        )
    return origins


def _request(prior: PriorSale) -> PriorSaleRequest:
    return PriorSaleRequest(
        reference=prior.reference,
        customer_id=prior.customer_id,
        item_id=prior.item_id,
        quantity=prior.quantity,
        unit_price=prior.unit_price,
        sold_date=prior.sold_date,
    )


def _companies(session: Session, site_ids: set[int]) -> dict[int, int]:
    rows = session.execute(sa.select(Site.id, Site.company_id).where(Site.id.in_(sorted(site_ids))))
    companies = {row.id: row.company_id for row in rows}
    for unknown in sorted(site_ids - companies.keys()):
        raise SiteUnknown(f"there is no site {unknown}: name the site that takes the goods back")
    return companies


def _sold_lines(session: Session, line_ids: list[int]) -> dict[int, Any]:
    rows = session.execute(
        sa.select(
            SalesOrderLine.id,
            SalesOrderLine.order_id,
            SalesOrderLine.item_id,
            SalesOrder.customer_id,
            SalesOrder.site_id,
            SalesOrder.company_id,
        )
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrderLine.id.in_(line_ids))
        .order_by(SalesOrderLine.id)
        .with_for_update(of=table_of(SalesOrderLine), key_share=True)
    )
    return {row.id: row for row in rows}


def _delivered(session: Session, sold: Mapping[int, Any]) -> defaultdict[int, list[Delivered]]:
    """What of each line reached the customer, by the move that shipped it, the oldest first."""
    order_ids = {row.order_id for row in sold.values()}
    posted = moves.of_documents(session, kind=SALES_ORDER, document_ids=order_ids, states=[MoveState.POSTED])
    kinds = locations.places(session, {move.destination_id for move in posted})
    undone = {move.reverses_id for move in posted}
    shipped_date = {move.id: move.posted_date for move in posted}
    found: dict[tuple[int, int | None, int], Delivered] = {}
    for move in posted:
        if (
            kinds[move.destination_id].kind is not LocationKind.CUSTOMER
            or move.id in undone
            or move.line_id not in sold
        ):
            continue
        key = (move.line_id, move.previous_id, move.lot_id)
        if key not in found:
            shipped = move.posted_date if move.previous_id is None else shipped_date[move.previous_id]
            found[key] = Delivered(move.previous_id, move.lot_id, shipped, 0, 0)
        found[key].quantity += move.quantity
        found[key].free += move.quantity
    deliveries: defaultdict[int, list[Delivered]] = defaultdict(list)
    for (line_id, _, _), delivered in found.items():
        deliveries[line_id].append(delivered)
    return deliveries


def _taken(
    session: Session, sale: sa.orm.InstrumentedAttribute[int | None], ids: Iterable[int]
) -> defaultdict[int, dict[tuple[int | None, int], int]]:
    """What of each sale is on its way back or has arrived, by the shipping move and the lot."""
    mirror = aliased(StockMove)
    rows = session.execute(
        sa.select(sale, StockMove.cost_of_id, ReturnLine.lot_id, sa.func.sum(StockMove.quantity).label("quantity"))
        .join(
            StockMove,
            sa.and_(
                StockMove.document_kind == KIND,
                StockMove.document_id == ReturnLine.return_id,
                StockMove.line_id == ReturnLine.id,
            ),
        )
        .where(
            sale.in_(sorted(ids)),
            StockMove.state != MoveState.CANCELLED,
            StockMove.reverses_id.is_(None),
            ~sa.exists().where(mirror.reverses_id == StockMove.id),
        )
        .group_by(sale, StockMove.cost_of_id, ReturnLine.lot_id)
    )
    taken: defaultdict[int, dict[tuple[int | None, int], int]] = defaultdict(dict)
    for sale_id, cost_of_id, lot_id, quantity in rows:
        assert sale_id is not None, "only lines of the sales asked for were read"
        taken[sale_id][cost_of_id, lot_id] = int(quantity)
    return taken


def _less_taken(deliveries: Sequence[Delivered], taken: Mapping[tuple[int | None, int], int]) -> tuple[Delivered, ...]:
    for delivered in deliveries:
        delivered.free -= taken.get((delivered.cost_of_id, delivered.lot_id), 0)
    return tuple(deliveries)

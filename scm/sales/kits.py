"""Kits: sold as one, promised, picked, shipped and taken back as their components.

When an order is taken, each kit on it becomes lines of its components, by the bill of materials of that day. The lines
are the snapshot: what comes back later is what was sold, whatever the bill has become since. The price of the kit is
shared out by what the components cost by themselves; one without a sale price is a gift and has no share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict
from scm.core.types import UNIT_PRICE_PLACES
from scm.finance import money
from scm.master import bom_explosion, bom_validity
from scm.master.bom import BomKind
from scm.master.items import Item, ItemStatus
from scm.sales.facts import Facts, Party
from scm.sales.intake import Kit, LineRequest, OrderRequest

MILLIONTHS = 10**UNIT_PRICE_PLACES


class SalesOrderKit(Base):
    """A kit as it was sold: so many at a price, by one revision of its bill. Its lines name it."""

    __tablename__ = "sales_order_kit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    bom_id: Mapped[int] = mapped_column(sa.ForeignKey("bom.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="sells_something"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )


class KitEmpty(Conflict):
    """A kit's bill has no component, or one that is not sold any more."""


def explode(session: Session, requests: Sequence[OrderRequest], known: Facts, *, today: date) -> list[OrderRequest]:
    """This function will put components in the place of the kits of checked orders, and tell the facts of them.

    Nothing is read while no item asked for is a kit. Raises `KitEmpty`.
    """
    if not any(known.items[line.item_id].kit for request in requests for line in request.lines):
        return list(requests)
    found = []
    for request in requests:
        site = known.sites[request.site_id]
        wanted = {line.item_id for line in request.lines if known.items[line.item_id].kit}
        boms = bom_validity.valid_on(
            session,
            on=today,
            company_id=site.company_id,
            site_ids=[request.site_id],
            item_ids=wanted,
            kinds=[BomKind.KIT],
        )
        lines: list[LineRequest] = []
        for place, line in enumerate(request.lines, start=1):
            bom = boms.get((request.site_id, line.item_id))
            if bom is None:
                lines.append(line)
            else:
                lines += _components(session, line, bom.id, place, known, currency=site.currency, today=today)
        found.append(replace(request, lines=lines))
    return found


def insert(session: Session, order_ids: Sequence[int], requests: Sequence[Sequence[LineRequest]]) -> dict[int, int]:
    """This function will write the kits of orders and give their ids by the identity of the `Kit`."""
    kits = [
        (order_id, kit)
        for order_id, lines in zip(order_ids, requests, strict=True)
        for kit in {id(line.kit): line.kit for line in lines}.values()
        if kit is not None
    ]
    if not kits:
        return {}
    rows = [
        {
            "order_id": order_id,
            "item_id": kit.item_id,
            "bom_id": kit.bom_id,
            "quantity": kit.quantity,
            "unit_price": kit.unit_price,
        }
        for order_id, kit in kits
    ]
    inserted = sa.insert(table_of(SalesOrderKit)).returning(SalesOrderKit.id, sort_by_parameter_order=True)
    ids = session.scalars(inserted, rows)
    return {id(kit): int(kit_id) for (_, kit), kit_id in zip(kits, ids, strict=True)}


def of_orders(session: Session, order_ids: Sequence[int]) -> dict[int, SalesOrderKit]:
    """This function will read the kits of orders by their ids."""
    rows = session.scalars(sa.select(SalesOrderKit).where(SalesOrderKit.order_id.in_(order_ids)))
    return {kit.id: kit for kit in rows}


def shares(amount: int, weights: Sequence[int], quantities: Sequence[int], *, currency: str) -> list[Decimal]:
    """This function will give unit prices by which the lines of a kit's components come to its amount, exactly.

    The amount is shared out by the weights, by quantity where all are zero. A line is at most so large that a price
    of six places can still hit its share.

    >>> shares(1000, [700, 0, 300], [1, 2, 3], currency="GBP")
    [Decimal('7'), Decimal('0'), Decimal('1')]
    >>> [str(price) for price in shares(1000, [1, 1], [3, 3], currency="GBP")]
    ['1.666667', '1.666667']
    """
    parts = money.allocate(amount, weights if any(weights) else quantities)
    scale = MILLIONTHS // 10 ** money.places(currency)
    prices = []
    for part, quantity in zip(parts, quantities, strict=True):
        price = Decimal(money.share(part * scale, 1, quantity)).scaleb(-UNIT_PRICE_PLACES)
        prices.append(price.normalize() if price else Decimal(0))
    return prices


def _components(
    session: Session, line: LineRequest, bom_id: int, place: int, known: Facts, *, currency: str, today: date
) -> list[LineRequest]:
    recipe, below = bom_validity.with_below(session, bom_id=bom_id, on=today, kinds=bom_validity.THROUGH)
    needs: dict[int, int] = {}
    for component in bom_explosion.components(recipe, line.quantity, through=below):
        needs[component.item_id] = needs.get(component.item_id, 0) + component.quantity
    needs = {item_id: quantity for item_id, quantity in needs.items() if quantity}
    code = known.items[line.item_id].code
    if not needs:
        raise KitEmpty(f"the kit {code} has no components: add some to its bill of materials")
    weights = _weights(session, needs, known, code)
    kit = Kit(place=place, item_id=line.item_id, bom_id=bom_id, quantity=line.quantity, unit_price=line.unit_price)
    amount = money.line_amount(line.unit_price, line.quantity, currency=currency)
    prices = shares(amount, list(weights.values()), list(needs.values()), currency=currency)
    return [
        LineRequest(item_id=item_id, quantity=quantity, unit_price=price, kit=kit)
        for (item_id, quantity), price in zip(needs.items(), prices, strict=True)
    ]


def _weights(session: Session, needs: Mapping[int, int], known: Facts, code: str) -> dict[int, int]:
    """What so many of each component cost by themselves, in millionths."""
    rows = session.execute(sa.select(Item.id, Item.sku, Item.status, Item.sale_price).where(Item.id.in_(sorted(needs))))
    weights = dict.fromkeys(needs, 0)
    for row in rows:
        if row.status is ItemStatus.RETIRED:
            raise KitEmpty(f"the kit {code} holds {row.sku}, which is retired: mend its bill of materials")
        known.items[row.id] = Party(row.sku, True)
        if row.sale_price is not None:
            weights[row.id] = int(row.sale_price.scaleb(UNIT_PRICE_PLACES)) * needs[row.id]
    return weights

"""Finds documents and masters by what people type or scan: a number, a SKU, a name, a tracking number. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales.documents import ReturnAuthorization
from procurement.purchase_orders import PurchaseOrder
from scm.master import items
from scm.master.items import Item
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder
from warehouse.packing import Shipment

MOST_OF_A_KIND = 5
SHORTEST = 2


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something found. `kind` is item, supplier, purchase_order, sales_order, shipment or return_authorization."""

    kind: str
    code: str
    name: str


def find(session: Session, text: str, *, company_id: int, site_id: int) -> Sequence[Hit]:
    """This function will find what a text names, whole matches first, a few of each kind, in one query a kind."""
    text = text.strip()
    if len(text) < SHORTEST or "\0" in text:
        return []
    hits = [
        Hit(kind=kind, code=row.code, name=row.name or "")
        for kind, statement in _statements(text, company_id=company_id, site_id=site_id)
        for row in session.execute(statement.limit(MOST_OF_A_KIND))
    ]
    return sorted(
        hits, key=lambda hit: (hit.code.lower() != text.lower(), not hit.code.lower().startswith(text.lower()))
    )


def _statements(text: str, *, company_id: int, site_id: int) -> Iterator[tuple[str, Any]]:
    pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

    def like(column: sa.SQLColumnExpression[str]) -> sa.ColumnElement[bool]:
        return sa.func.lower(column).like(f"%{pattern}%", escape="\\")

    yield (
        "item",
        sa.select(Item.sku.label("code"), Item.shown_name.label("name"))
        .where(Item.company_id == company_id, sa.or_(*map(like, items.SEARCHED), Item.gtin == text))
        .order_by(Item.sku),
    )
    yield (
        "supplier",
        sa.select(Partner.code.label("code"), Partner.name.label("name"))
        .where(Partner.company_id == company_id, Partner.is_supplier, sa.or_(like(Partner.code), like(Partner.name)))
        .order_by(Partner.code),
    )
    if not any(letter.isdigit() for letter in text):
        return  # numbers of documents hold digits: a word need not be looked for in a hundred thousand of them
    ordered = sa.select(PurchaseOrder.number.label("code"), Partner.name.label("name")).join(
        Partner, Partner.id == PurchaseOrder.supplier_id
    )
    yield (
        "purchase_order",
        ordered.where(PurchaseOrder.site_id == site_id, like(PurchaseOrder.number)).order_by(PurchaseOrder.id.desc()),
    )
    sold = sa.select(SalesOrder.number.label("code"), Partner.name.label("name")).join(
        Partner, Partner.id == SalesOrder.customer_id
    )
    yield (
        "sales_order",
        sold.where(
            SalesOrder.site_id == site_id, sa.or_(like(SalesOrder.number), SalesOrder.external_id == text)
        ).order_by(SalesOrder.id.desc()),
    )
    shipped = sa.select(Shipment.number.label("code"), Shipment.tracking_number.label("name"))
    yield (
        "shipment",
        shipped.where(
            Shipment.site_id == site_id, sa.or_(like(Shipment.number), Shipment.tracking_number == text)
        ).order_by(Shipment.id.desc()),
    )
    returned = sa.select(ReturnAuthorization.number.label("code"), Partner.name.label("name")).join(
        Partner, Partner.id == ReturnAuthorization.customer_id
    )
    yield (
        "return_authorization",
        returned.where(ReturnAuthorization.site_id == site_id, like(ReturnAuthorization.number)).order_by(
            ReturnAuthorization.id.desc()
        ),
    )

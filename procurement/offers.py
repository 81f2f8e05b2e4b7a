"""What can be ordered by hand: the live agreements of a supplier, and the one of an item by its SKU. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import NotFound
from scm.master import items
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import BaseUnit, Item
from scm.master.partners import Partner
from scm.stock import projection
from scm.stock.projection import Position

MOST = 100


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One item of a supplier with its terms and how the item stands at the site."""

    agreement_id: int
    item_id: int
    sku: str
    item_name: str
    unit: str
    unit_price: Decimal
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    position: Position


class NotOffered(NotFound):
    """The supplier does not offer an item of that SKU, or there is no such item."""


def of_supplier(session: Session, *, supplier_id: int, site_id: int, search: str = "") -> tuple[Sequence[Offer], int]:
    """This function will read what a supplier offers, by SKU, and how many items match; at most 100 are named."""
    statement = _live().where(SupplierAgreement.partner_id == supplier_id)
    for word in search.split():
        escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        statement = statement.where(
            sa.or_(*(sa.func.lower(text).like(pattern, escape="\\") for text in items.SEARCHED))
        )
    matching = session.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0
    rows = session.execute(statement.order_by(Item.sku).limit(MOST)).all()
    stand = projection.positions(session, site_id=site_id, item_ids=[row.item_id for row in rows])
    return [Offer(**row._mapping, position=stand.get(row.item_id, Position())) for row in rows], matching


def skus(session: Session, *, supplier_id: int) -> list[tuple[str, str]]:
    """This function will list SKUs and names of what a supplier offers, at most 500."""
    statement = _live().where(SupplierAgreement.partner_id == supplier_id).order_by(Item.sku).limit(5 * MOST)
    return [(row.sku, row.item_name) for row in session.execute(statement)]


def agreement_of(session: Session, *, sku: str, supplier_id: int) -> int:
    """This function will find a supplier's live agreement on an item by its SKU. Raises `NotOffered`."""
    row = session.execute(_live().where(SupplierAgreement.partner_id == supplier_id, Item.sku == sku)).first()
    if row is None:
        raise NotOffered(f"the supplier offers no item {sku[:40]}: choose one of its items")
    return int(row.agreement_id)


def item_of(session: Session, *, sku: str, company_id: int) -> int:
    """This function will find an item by its SKU. Raises `NotOffered`."""
    item_id = session.scalar(sa.select(Item.id).where(Item.company_id == company_id, Item.sku == sku))
    if item_id is None:
        raise NotOffered(f"there is no item {sku[:40]}: look its SKU up")
    return item_id


def suppliers(session: Session, *, company_id: int) -> list[tuple[int, str, str]]:
    """This function will list the suppliers that can be ordered from: id, code, name."""
    rows = session.execute(
        sa.select(Partner.id, Partner.code, Partner.name)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id, Partner.is_supplier, ~Partner.retired)
        .order_by(Partner.code)
    )
    return [(row.id, row.code, row.name) for row in rows]


def _live() -> sa.Select[int, int, str, str, str, Decimal, int, int, int]:
    return (
        sa.select(
            SupplierAgreement.id.label("agreement_id"),
            SupplierAgreement.item_id,
            Item.sku,
            Item.shown_name.label("item_name"),
            BaseUnit.code.label("unit"),
            SupplierAgreement.unit_price,
            SupplierAgreement.lead_time_days,
            SupplierAgreement.minimum_order_quantity,
            SupplierAgreement.order_multiple,
        )
        .join(Item, Item.id == SupplierAgreement.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(~SupplierAgreement.retired, ~Partner.retired)
    )

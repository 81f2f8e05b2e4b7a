"""What was paid for items before, and what other suppliers ask for them. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core.types import RATE_PLACES
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.partners import Partner

NOT_AGREED = (PurchaseOrderState.DRAFT, PurchaseOrderState.SUBMITTED, PurchaseOrderState.CANCELLED)
REMEMBERED = 12  # orders of an item


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One earlier order line of an item."""

    number: str
    ordered_date: date
    supplier_id: int
    unit_price: Decimal
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Another supplier's live agreement on an item."""

    agreement_id: int
    supplier_id: int
    supplier_code: str
    supplier_name: str
    currency: str
    unit_price: Decimal
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    priority: int


def paid(session: Session, *, item_ids: Sequence[int], before_order_id: int) -> dict[int, list[Paid]]:
    """This function will read, in one query, the newest approved order lines of items before an order, oldest first."""
    place = sa.func.row_number().over(
        partition_by=PurchaseOrderLine.item_id,
        order_by=[PurchaseOrder.drafted_date.desc(), PurchaseOrderLine.id.desc()],
    )
    ranked = (
        sa.select(
            PurchaseOrderLine.item_id,
            PurchaseOrderLine.unit_price,
            PurchaseOrderLine.quantity,
            PurchaseOrder.id.label("order_id"),
            PurchaseOrder.number,
            PurchaseOrder.drafted_date,
            PurchaseOrder.supplier_id,
            place.label("place"),
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            PurchaseOrderLine.item_id.in_(sorted(set(item_ids))),
            # Said by what it is not: an index over states would lead through every order there is.
            PurchaseOrder.state.not_in(NOT_AGREED),
            PurchaseOrderLine.order_id < before_order_id,
        )
        .subquery()
    )
    rows = session.execute(
        sa.select(ranked).where(ranked.c.place <= REMEMBERED).order_by(ranked.c.item_id, ranked.c.place.desc())
    )
    found: dict[int, list[Paid]] = defaultdict(list)
    for row in rows:
        found[row.item_id].append(
            Paid(
                number=row.number,
                ordered_date=row.drafted_date,
                supplier_id=row.supplier_id,
                unit_price=row.unit_price,
                quantity=row.quantity,
            )
        )
    return dict(found)


def change(now: Decimal, before: Decimal) -> Decimal | None:
    """This function will give the change of a price as a share of what it was; none when that was nothing.

    >>> change(Decimal("4.20"), Decimal("4.00"))
    Decimal('0.050000000')
    """
    return None if before == 0 else ((now - before) / before).quantize(Decimal(1).scaleb(-RATE_PLACES))


def weighted_change(lines: Sequence[tuple[int, Decimal, Decimal]]) -> Decimal | None:
    """This function will give the change over lines of (quantity, price now, price before), weighted by quantity.

    >>> weighted_change([(100, Decimal("4.20"), Decimal("4.00")), (100, Decimal("1.00"), Decimal("1.00"))])
    Decimal('0.040000000')
    """
    now = sum((price * quantity for quantity, price, _ in lines), Decimal(0))
    return change(now, sum((before * quantity for quantity, _, before in lines), Decimal(0)))


def alternatives(session: Session, *, item_ids: Sequence[int], besides: int) -> dict[int, list[Alternative]]:
    """This function will read the live agreements of items with other suppliers, the preferred first, in one query."""
    rows = session.execute(
        sa.select(
            SupplierAgreement.item_id,
            SupplierAgreement.id.label("agreement_id"),
            SupplierAgreement.partner_id.label("supplier_id"),
            Partner.code.label("supplier_code"),
            Partner.name.label("supplier_name"),
            SupplierTerms.currency,
            SupplierAgreement.unit_price,
            SupplierAgreement.lead_time_days,
            SupplierAgreement.minimum_order_quantity,
            SupplierAgreement.order_multiple,
            SupplierAgreement.priority,
        )
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(
            SupplierAgreement.item_id.in_(sorted(set(item_ids))),
            SupplierAgreement.partner_id != besides,
            ~SupplierAgreement.retired,
            ~Partner.retired,
        )
        .order_by(SupplierAgreement.item_id, SupplierAgreement.priority, SupplierAgreement.id)
    )
    found: dict[int, list[Alternative]] = defaultdict(list)
    for row in rows:
        values = dict(row._mapping)
        found[values.pop("item_id")].append(Alternative(**values))
    return dict(found)

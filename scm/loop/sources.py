"""Where the cycle buys: each item's preferred agreement, each supplier's terms and punctuality. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import scorecard
from scm.core.errors import Conflict
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner

LEAD_TIME_DAYS = 365  # deliveries of orders sent longer ago say little about a supplier of today


class SupplierWithoutTerms(Conflict):
    """An item is bought from a supplier whose terms of order nobody has entered."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One item and its preferred supplier's terms for it."""

    item_id: int
    sku: str
    category_id: int
    sale_price: Decimal | None
    agreement_id: int
    supplier_id: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    unit_price: Decimal
    assumed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """One supplier's terms of an order, and how punctual it was measured to be."""

    supplier_id: int
    code: str
    review_period_days: int
    review_weekday: int | None
    joint_order_cost: int
    minimum_order_value: int
    assumed: tuple[str, ...]
    measured: scorecard.LeadTimes | None

    def reviewed_on(self, day: date) -> bool:
        """Whether the supplier may be ordered from on a day."""
        return self.review_weekday is None or day.weekday() == self.review_weekday


def of_company(session: Session, *, company_id: int) -> tuple[Source, ...]:
    """This function will list the active items with their preferred agreement, in the order of their ids."""
    best = (
        sa.select(SupplierAgreement.item_id, sa.func.min(SupplierAgreement.priority).label("priority"))
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(~SupplierAgreement.retired, ~Partner.retired)
        .group_by(SupplierAgreement.item_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            Item.id.label("item_id"),
            Item.sku,
            Item.category_id,
            Item.sale_price,
            Item.assumed.label("item_assumed"),
            SupplierAgreement.id.label("agreement_id"),
            SupplierAgreement.partner_id,
            SupplierAgreement.lead_time_days,
            SupplierAgreement.minimum_order_quantity,
            SupplierAgreement.order_multiple,
            SupplierAgreement.unit_price,
            SupplierAgreement.assumed.label("agreement_assumed"),
        )
        .join(SupplierAgreement, SupplierAgreement.item_id == Item.id)
        .join(best, sa.and_(best.c.item_id == Item.id, best.c.priority == SupplierAgreement.priority))
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(
            Item.company_id == company_id,
            Item.status == ItemStatus.ACTIVE,
            ~SupplierAgreement.retired,
            ~Partner.retired,
        )
        .order_by(Item.id, SupplierAgreement.id)
    )
    found: dict[int, Source] = {}
    for row in rows:
        found.setdefault(
            row.item_id,
            Source(
                item_id=row.item_id,
                sku=row.sku,
                category_id=row.category_id or 0,
                sale_price=row.sale_price,
                agreement_id=row.agreement_id,
                supplier_id=row.partner_id,
                lead_time_days=row.lead_time_days,
                minimum_order_quantity=row.minimum_order_quantity,
                order_multiple=row.order_multiple,
                unit_price=row.unit_price,
                assumed=tuple(sorted({*row.item_assumed, *row.agreement_assumed})),
            ),
        )
    return tuple(found.values())


def suppliers(session: Session, *, company_id: int, until: date) -> dict[int, Supplier]:
    """This function will read every supplier with terms of order, and what its deliveries until a day measured."""
    measured = scorecard.lead_times(session, until=until, since=until - timedelta(days=LEAD_TIME_DAYS))
    rows = session.execute(
        sa.select(Partner.code, SupplierTerms)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id)
        .order_by(Partner.id)
    )
    return {
        terms.partner_id: Supplier(
            supplier_id=terms.partner_id,
            code=code,
            review_period_days=terms.review_period_days,
            review_weekday=terms.review_weekday,
            joint_order_cost=terms.joint_order_cost,
            minimum_order_value=terms.minimum_order_value,
            assumed=tuple(terms.assumed),
            measured=measured.get(terms.partner_id),
        )
        for code, terms in rows
    }


def refuse_without_terms(session: Session, found: Sequence[Source], known: Mapping[int, Supplier]) -> None:
    """This function will refuse items whose supplier has no terms of order. Raises `SupplierWithoutTerms`."""
    missing = next((source for source in found if source.supplier_id not in known), None)
    if missing is not None:
        code = session.scalar(sa.select(Partner.code).where(Partner.id == missing.supplier_id))
        raise SupplierWithoutTerms(
            f"item {missing.sku} is bought from supplier {code}, who has no terms of order: enter its currency, review "
            "period and minimum order value first"
        )

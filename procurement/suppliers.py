"""Suppliers as a procurement officer reads them: the list with its scorecard, and one supplier's page. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import arrivals, defects, evidence, purchase_orders, scorecard, supply
from procurement.defects import DefectFact, DefectRate
from procurement.evidence import MEASURED_DAYS, Measured
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import BaseUnit, Item
from scm.master.partners import Partner, PartnerUnknown

LATELY_DAYS = 90
MOST = 200  # agreements, orders or defects named on a page
OPEN = (
    PurchaseOrderState.DRAFT,
    PurchaseOrderState.SUBMITTED,
    PurchaseOrderState.APPROVED,
    PurchaseOrderState.SENT,
)


@dataclass(frozen=True, kw_only=True)
class Score:
    """What the last year says about a supplier; none of either where nothing was delivered."""

    measured: Measured | None
    defects: DefectRate | None


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """One item of a supplier and its terms."""

    agreement_id: int
    sku: str
    item_name: str
    unit: str
    unit_price: Decimal
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    priority: int
    retired: bool
    assumed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class OpenOrder:
    """An order that is not over: undecided, or something of it is owed. `amount` is in minor units."""

    number: str
    state: PurchaseOrderState
    amount: int
    drafted_date: date
    due_date: date
    ordered: int
    outstanding: int

    def late(self, today: date) -> bool:
        """Whether it should have come in full."""
        return self.state is PurchaseOrderState.SENT and self.due_date < today


@dataclass(frozen=True, kw_only=True)
class Defective:
    """Units of one item found defective over the last year."""

    sku: str
    item_name: str
    quantity: int
    newest_date: date


@dataclass(frozen=True, kw_only=True)
class SupplierPage:
    """One supplier: its terms, what it delivered, what is open, what was agreed, what was wrong. Amounts are minor."""

    id: int
    code: str
    name: str
    email: str | None
    country: str | None
    retired: bool
    currency: str
    review_period_days: int
    review_weekday: int | None
    joint_order_cost: int
    minimum_order_value: int
    over_receipt_rate: Decimal
    assumed: Sequence[str]
    score: Score
    orders: Sequence[OpenOrder]
    agreements: Sequence[Agreed]
    agreement_count: int
    defective: Sequence[Defective]


def punctuality(session: Session, *, today: date, supplier_ids: Sequence[int]) -> dict[int, Measured]:
    """This function will measure suppliers' deliveries of orders sent in the last ninety days, by supplier."""
    since = today - timedelta(days=LATELY_DAYS)
    delivered = scorecard.deliveries(session, until=today, since=since, supplier_ids=supplier_ids)
    measured = {supplier_id: evidence.measure(found) for supplier_id, found in delivered.items()}
    return {supplier_id: found for supplier_id, found in measured.items() if found is not None}


def scores(session: Session, *, today: date, supplier_ids: Sequence[int] | None = None) -> dict[int, Score]:
    """This function will measure suppliers (all, when none are named) over the last year, in a few queries."""
    since = today - timedelta(days=MEASURED_DAYS)
    delivered = scorecard.deliveries(session, until=today, since=since, supplier_ids=supplier_ids)
    rates = defects.defect_rates(session, until=today, since=since, supplier_ids=supplier_ids)
    return {
        supplier_id: Score(measured=evidence.measure(delivered.get(supplier_id, ())), defects=rates.get(supplier_id))
        for supplier_id in sorted(delivered.keys() | rates.keys())
    }


def page(session: Session, *, code: str, company_id: int, site_id: int, today: date) -> SupplierPage:
    """This function will read one supplier by its code. Raises `PartnerUnknown`."""
    row = session.execute(
        sa.select(Partner, SupplierTerms)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id, Partner.code == code, Partner.is_supplier)
    ).first()
    if row is None:
        raise PartnerUnknown(f"there is no supplier {code}")
    partner, terms = row.Partner, row.SupplierTerms
    count = session.scalar(
        sa.select(sa.func.count(SupplierAgreement.id)).where(SupplierAgreement.partner_id == partner.id)
    )
    return SupplierPage(
        id=partner.id,
        code=partner.code,
        name=partner.name,
        email=partner.email,
        country=partner.country,
        retired=partner.retired,
        currency=terms.currency,
        review_period_days=terms.review_period_days,
        review_weekday=terms.review_weekday,
        joint_order_cost=terms.joint_order_cost,
        minimum_order_value=terms.minimum_order_value,
        over_receipt_rate=terms.over_receipt_rate,
        assumed=tuple(terms.assumed),
        score=scores(session, today=today, supplier_ids=[partner.id]).get(
            partner.id, Score(measured=None, defects=None)
        ),
        orders=_open_orders(session, partner.id, currency=terms.currency, site_id=site_id),
        agreements=_agreements(session, partner.id),
        agreement_count=count or 0,
        defective=_defective(session, partner.id, since=today - timedelta(days=MEASURED_DAYS)),
    )


def _open_orders(session: Session, supplier_id: int, *, currency: str, site_id: int) -> list[OpenOrder]:
    """The newest orders that are undecided, or of which something is still planned to come."""
    owed = arrivals.is_owed()
    rows = session.execute(
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            PurchaseOrder.state,
            PurchaseOrder.drafted_date,
            purchase_orders.value_of_lines(currency).label("amount"),
            sa.func.max(PurchaseOrderLine.due_date).label("due_date"),
            sa.func.sum(PurchaseOrderLine.quantity).label("ordered"),
        )
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(
            PurchaseOrder.supplier_id == supplier_id,
            PurchaseOrder.site_id == site_id,
            PurchaseOrder.state.in_(OPEN),
            sa.or_(PurchaseOrder.state.in_(supply.UNDECIDED), owed),
        )
        .group_by(PurchaseOrder.id, PurchaseOrder.number, PurchaseOrder.state, PurchaseOrder.drafted_date)
        .order_by(PurchaseOrder.id.desc())
        .limit(MOST)
    ).all()
    done = supply.progress(session, [row.id for row in rows])
    return [
        OpenOrder(
            number=row.number,
            state=row.state,
            amount=int(row.amount),
            drafted_date=row.drafted_date,
            due_date=row.due_date,
            ordered=int(row.ordered),
            outstanding=done[row.id].outstanding,
        )
        for row in rows
    ]


def _agreements(session: Session, supplier_id: int) -> list[Agreed]:
    rows = session.execute(
        sa.select(SupplierAgreement, Item.sku, Item.shown_name.label("name"), BaseUnit.code)
        .join(Item, Item.id == SupplierAgreement.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .where(SupplierAgreement.partner_id == supplier_id)
        .order_by(SupplierAgreement.retired, Item.sku)
        .limit(MOST)
    )
    return [
        Agreed(
            agreement_id=agreement.id,
            sku=sku,
            item_name=name,
            unit=unit,
            unit_price=agreement.unit_price,
            lead_time_days=agreement.lead_time_days,
            minimum_order_quantity=agreement.minimum_order_quantity,
            order_multiple=agreement.order_multiple,
            priority=agreement.priority,
            retired=agreement.retired,
            assumed=tuple(agreement.assumed),
        )
        for agreement, sku, name, unit in rows
    ]


def _defective(session: Session, supplier_id: int, *, since: date) -> list[Defective]:
    quantity: sa.ColumnElement[Any] = sa.func.sum(DefectFact.quantity)
    rows = session.execute(
        sa.select(
            Item.sku,
            Item.shown_name.label("name"),
            quantity.label("quantity"),
            sa.func.max(DefectFact.found_date).label("newest"),
        )
        .join(Item, Item.id == DefectFact.item_id)
        .where(DefectFact.supplier_id == supplier_id, DefectFact.found_date >= since)
        .group_by(Item.sku, Item.shown_name)
        .order_by(quantity.desc(), Item.sku)
        .limit(MOST)
    )
    return [
        Defective(sku=row.sku, item_name=row.name, quantity=int(row.quantity), newest_date=row.newest) for row in rows
    ]

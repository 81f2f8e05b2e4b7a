"""The open proposals as a person reads them: a page at a time, with their items, suppliers and worth. Reads only."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.proposals import Proposal, ProposalState
from scm.core.errors import InvalidInput
from scm.finance import money
from scm.master.agreements import SupplierTerms
from scm.master.items import BaseUnit, Item
from scm.master.partners import Partner

LARGEST_PAGE = 200


class Order(enum.Enum):
    """What comes first. Risk is the worth of the order times how likely the stock runs out without it."""

    RISK = "risk"
    VALUE = "value"
    SKU = "sku"


@dataclass(frozen=True, kw_only=True)
class OpenProposal:
    """One open proposal with the names a person knows; `value` is in minor units of `currency`."""

    id: int
    sku: str
    item_name: str
    unit: str
    supplier_code: str
    supplier_name: str
    quantity: int
    unit_price: Decimal
    value: int
    currency: str
    order_date: date
    due_date: date
    account: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    next_best: dict[str, Any] | None
    risk: dict[str, Any] | None
    assumed: Sequence[str]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the open proposals that match, and how many and how much they are in all."""

    proposals: Sequence[OpenProposal]
    matching: int
    value: int
    suppliers: Sequence[tuple[str, str]]


class NoSuchPage(InvalidInput):
    """A page number or size is out of range."""


def page(
    session: Session,
    *,
    site_id: int,
    number: int = 1,
    size: int = 50,
    search: str = "",
    supplier: str = "",
    order: Order = Order.RISK,
) -> Page:
    """This function will read one page in three queries. `search` finds SKUs and names. Raises `NoSuchPage`."""
    if number < 1 or not 1 <= size <= LARGEST_PAGE:
        raise NoSuchPage(f"page {number} of {size} lines: pages count from 1 and have at most {LARGEST_PAGE} lines")
    heads = session.execute(_matching(site_id, search, supplier)).all()
    worth = {row.id: money.line_amount(row.unit_price, row.quantity, currency=row.currency) for row in heads}
    ranked = sorted(heads, key=lambda row: _rank(row, worth[row.id], order))
    wanted = [row.id for row in ranked[(number - 1) * size : number * size]]
    rows = {row.Proposal.id: row for row in session.execute(_details(wanted))}
    return Page(
        proposals=[_shown(rows[proposal_id], worth[proposal_id]) for proposal_id in wanted],
        matching=len(heads),
        value=sum(worth.values()),
        suppliers=[(row.code, row.name) for row in session.execute(_suppliers(site_id))],
    )


def _open(site_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN)


def _matching(site_id: int, search: str, supplier: str) -> sa.Select[*tuple[Any, ...]]:
    statement = (
        sa.select(Proposal.id, Proposal.quantity, Proposal.unit_price, Proposal.risk, Item.sku, SupplierTerms.currency)
        .join(Item, Item.id == Proposal.item_id)
        .join(Partner, Partner.id == Proposal.supplier_id)
        .join(SupplierTerms, SupplierTerms.partner_id == Proposal.supplier_id)
        .where(_open(site_id))
    )
    if search:
        statement = statement.where(
            Item.sku.icontains(search, autoescape=True) | Item.name.icontains(search, autoescape=True)
        )
    return statement.where(Partner.code == supplier) if supplier else statement


def _rank(row: sa.Row[Any], value: int, order: Order) -> tuple[Any, ...]:
    if order is Order.SKU:
        return (row.sku,)
    if order is Order.VALUE:
        return (-value, row.sku)
    return (-(row.risk or {}).get("stock_out_without", 0) * value, -value, row.sku)


def _details(ids: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Proposal,
            Item.sku,
            Item.name.label("item_name"),
            BaseUnit.code.label("unit"),
            Partner.code.label("supplier_code"),
            Partner.name.label("supplier_name"),
            SupplierTerms.currency,
        )
        .join(Item, Item.id == Proposal.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .join(Partner, Partner.id == Proposal.supplier_id)
        .join(SupplierTerms, SupplierTerms.partner_id == Proposal.supplier_id)
        .where(Proposal.id.in_(ids))
    )


def _suppliers(site_id: int) -> sa.Select[str, str]:
    return (
        sa.select(Partner.code, Partner.name)
        .where(sa.exists().where(Proposal.supplier_id == Partner.id, _open(site_id)))
        .order_by(Partner.code)
    )


def _shown(row: sa.Row[Any], value: int) -> OpenProposal:
    proposal: Proposal = row.Proposal
    return OpenProposal(
        id=proposal.id,
        sku=row.sku,
        item_name=row.item_name,
        unit=row.unit,
        supplier_code=row.supplier_code,
        supplier_name=row.supplier_name,
        quantity=proposal.quantity,
        unit_price=proposal.unit_price,
        value=value,
        currency=row.currency,
        order_date=proposal.order_date,
        due_date=proposal.due_date,
        account=proposal.account,
        inputs=proposal.inputs,
        next_best=proposal.next_best,
        risk=proposal.risk,
        assumed=proposal.assumed,
        created_at=proposal.created_at,
    )

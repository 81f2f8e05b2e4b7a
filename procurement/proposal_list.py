"""The list of proposals: what it can be filtered, sorted and exported by. Reads only.

What a later run replaced is left out: it is history, and the item's page tells it.
"""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa

from procurement import edits
from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import types
from scm.core.listing import Field, Kind, Listing
from scm.core.users import User
from scm.finance import money
from scm.master import items
from scm.master.agreements import SupplierAgreement
from scm.master.items import BaseUnit, Item
from scm.master.locations import Site
from scm.master.partners import Partner


class Binding(enum.Enum):
    """What decided the quantity."""

    NEED = "need"
    MINIMUM = "minimum_order_quantity"
    MULTIPLE = "order_multiple"
    SUPPLIER_MINIMUM = "supplier_minimum_value"
    BROUGHT_FORWARD = "brought_forward"
    BUDGET = "budget"
    CHEAPER_TO_WAIT = "cheaper_to_wait"
    SPARE = "spare"


class Urgency(enum.Enum):
    """What happens when nothing is ordered."""

    RUNS_OUT = "runs_out"  # more likely than not
    AT_RISK = "at_risk"
    SAFE = "safe"


# Chances of running out, in thousandths, from which an order is urgent, and from which it wants a look.
LIKELY, POSSIBLE = 500, 100


def listing(*, site_id: int, currency: str) -> Listing:
    """This function will describe the site's proposals: open ones and answered ones. Money is the company's."""
    value = _value(currency)
    return Listing(
        name="proposals",
        rows=_rows(site_id),
        key=Proposal.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=sa.cast(Proposal.id, sa.String(20))),
            Field(name="kind", kind=Kind.CHOICE, value=Proposal.kind, choices=ProposalKind),
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="item_name", kind=Kind.TEXT, value=Item.shown_name),
            Field(name="quantity", kind=Kind.QUANTITY, value=Proposal.quantity, beside="unit"),
            Field(name="unit", kind=Kind.TEXT, value=BaseUnit.code),
            Field(name="value", kind=Kind.MONEY, value=value),
            Field(name="at_risk", kind=Kind.MONEY, value=_at_risk(value)),
            Field(name="stock_out", kind=Kind.NUMBER, value=_percent()),
            Field(name="urgency", kind=Kind.CHOICE, value=_urgency(), choices=Urgency),
            Field(name="cover_days", kind=Kind.NUMBER, value=Proposal.cover_days),
            Field(name="need", kind=Kind.QUANTITY, value=Proposal.need, beside="unit"),
            Field(name="binding", kind=Kind.CHOICE, value=_binding(), choices=Binding),
            Field(name="minimum", kind=Kind.QUANTITY, value=SupplierAgreement.minimum_order_quantity),
            Field(name="multiple", kind=Kind.QUANTITY, value=SupplierAgreement.order_multiple),
            Field(name="supplier", kind=Kind.CODE, value=Partner.code),
            Field(name="supplier_name", kind=Kind.TEXT, value=Partner.name),
            Field(name="from_site", kind=Kind.CODE, value=Site.code),
            Field(name="order_date", kind=Kind.DATE, value=Proposal.order_date),
            Field(name="due_date", kind=Kind.DATE, value=Proposal.due_date),
            Field(name="state", kind=Kind.CHOICE, value=Proposal.state, choices=ProposalState),
            Field(name="edited", kind=Kind.FLAG, value=edits.is_edited()),
            Field(name="decided_before", kind=Kind.FLAG, value=Proposal.note.is_not(None)),
            Field(name="assumed", kind=Kind.FLAG, value=sa.type_coerce(Proposal.assumed, sa.Text) != "[]"),
            Field(name="order", kind=Kind.CODE, value=PurchaseOrder.number),
            Field(name="order_state", kind=Kind.CHOICE, value=PurchaseOrder.state, choices=PurchaseOrderState),
            Field(name="decided_by", kind=Kind.TEXT, value=User.display_name),
            Field(name="decided_at", kind=Kind.INSTANT, value=Proposal.decided_at),
            Field(name="reason", kind=Kind.TEXT, value=Proposal.reason),
        ),
        search=(
            *items.SEARCHED,
            sa.func.coalesce(Partner.code, Site.code),
            sa.func.coalesce(Partner.name, Site.name),
        ),
        order=("at_risk", True),
    )


def _rows(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Proposal.id)
        .join(Item, Item.id == Proposal.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(Partner, Partner.id == Proposal.supplier_id)
        .outerjoin(SupplierAgreement, SupplierAgreement.id == Proposal.agreement_id)
        .outerjoin(Site, Site.id == Proposal.from_site_id)
        .outerjoin(PurchaseOrderLine, PurchaseOrderLine.proposal_id == Proposal.id)
        .outerjoin(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .outerjoin(User, User.id == Proposal.decided_by_id)
        .where(Proposal.site_id == site_id, Proposal.state != ProposalState.SUPERSEDED)
    )


def _value(currency: str) -> sa.ColumnElement[int]:
    """The worth of a line in minor units, rounded half up exactly as `money.line_amount` does, in whole numbers.

    What is not bought is worth what it cost when the item was entered, as far as that is known.
    """
    divisor = 10 ** (types.UNIT_PRICE_PLACES - money.places(currency))
    price, cost = (sa.type_coerce(one, sa.BigInteger) for one in (Proposal.unit_price, Item.opening_unit_cost))
    scaled = sa.func.coalesce(price, cost, 0) * Proposal.quantity
    worth: sa.ColumnElement[int] = (2 * scaled + divisor) // (2 * divisor)
    return worth


def _at_risk(value: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The worth times how likely the stock runs out without the order."""
    return value * sa.func.coalesce(Proposal.stock_out_thousandths, 0) // 1000


def _percent() -> sa.ColumnElement[int | None]:
    """How likely the stock runs out without the order, in whole per cent."""
    return Proposal.stock_out_thousandths // 10


def _urgency() -> sa.ColumnElement[Any]:
    kind = types.enum_column(Urgency)
    chance = Proposal.stock_out_thousandths
    return sa.case(
        (chance >= LIKELY, sa.literal(Urgency.RUNS_OUT, kind)),
        (chance >= POSSIBLE, sa.literal(Urgency.AT_RISK, kind)),
        else_=sa.literal(Urgency.SAFE, kind),
    )


def _binding() -> sa.ColumnElement[Any]:
    return sa.type_coerce(Proposal.binding, types.enum_column(Binding, length=30))

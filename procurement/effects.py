"""What a change of a proposal would do, in money and in days of cover, before anybody makes it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import edits, proposals
from procurement.edits import Change, Wanted
from procurement.proposals import Proposal
from scm.finance import money
from scm.master.agreements import SupplierTerms
from scm.master.companies import Company


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The order as it stands and as it would be. Money is minor units; cover is days of the forecast demand.

    What is made or moved has no price, so its value is 0.
    """

    quantity: int
    value: int
    cover_days: int | None
    wanted: Wanted
    value_after: int
    cover_days_after: int | None
    currency: str

    @property
    def value_change(self) -> int:
        """What the change adds to the order, or takes from it."""
        return self.value_after - self.value


def effect(session: Session, *, proposal_id: int, site_id: int, change: Change, today: date) -> Effect:
    """This function will tell what a change would do. Raises `BadEdit`, `ProposalUnknown`."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.site_id != site_id:
        raise proposals.unknown(proposal_id)
    wanted = edits.resolve(session, proposal, change, today=today)
    currency = session.scalar(sa.select(SupplierTerms.currency).where(SupplierTerms.partner_id == wanted.supplier_id))
    if currency is None:
        currency = session.get_one(Company, proposal.company_id).currency
    return Effect(
        quantity=proposal.quantity,
        value=_value(proposal.unit_price, proposal.quantity, currency),
        cover_days=cover_with(proposal.inputs, proposal.quantity),
        wanted=wanted,
        value_after=_value(wanted.unit_price, wanted.quantity, currency),
        cover_days_after=cover_with(proposal.inputs, wanted.quantity),
        currency=currency,
    )


def cover_with(inputs: Mapping[str, Any], quantity: int) -> int | None:
    """This function will give the days that free stock and an order last at the demand the plan counted on.

    >>> cover_with({"on_hand": 20, "backordered": 0, "demand_mean": 28.0, "protection_days": 14}, 40)
    30
    """
    mean, days = inputs.get("demand_mean"), inputs.get("protection_days")
    if not mean or not days:
        return None
    free = inputs.get("on_hand", 0) - inputs.get("backordered", 0) + quantity
    return int(max(0, round(free * days / mean)))


def _value(unit_price: Decimal | None, quantity: int, currency: str) -> int:
    return 0 if unit_price is None else money.line_amount(unit_price, quantity, currency=currency)

"""What the material of a product costs by what was agreed with suppliers, rolled up through all levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import agreements
from scm.master.agreements import SupplierTerms
from scm.master.bom_usage import Branch
from scm.master.items import Item


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bought component of a product over all its places: how much of it one good unit needs, and what that costs."""

    item_id: int
    per_top: Fraction
    unit_cost: Decimal | None  # in the company's currency; none: nobody has told it
    agreed: bool  # by the preferred agreement; else it is the opening cost

    @property
    def cost(self) -> Fraction | None:
        """What one unit of the product costs through this component, in major units, exactly."""
        return None if self.unit_cost is None else self.per_top * Fraction(self.unit_cost)


@dataclass(frozen=True, kw_only=True)
class RollUp:
    """The material of one good unit. `complete` is false while the cost of something is not known."""

    materials: tuple[Material, ...]  # the dearest first

    @property
    def complete(self) -> bool:
        """Whether the cost of every component is known."""
        return all(material.cost is not None for material in self.materials)

    @property
    def total(self) -> Fraction:
        """What is known of the cost of one unit, in major units, exactly."""
        return sum((material.cost or Fraction(0) for material in self.materials), Fraction(0))


def roll_up(session: Session, branches: Sequence[Branch], *, currency: str) -> RollUp:
    """This function will add up what the bought components of a tree cost, in three queries.

    The preferred agreement tells the cost where it is in the company's `currency`, else the item's opening cost.
    """
    needed: dict[int, Fraction] = {}
    for branch in branches:
        if branch.bom_id is None:
            needed[branch.item_id] = needed.get(branch.item_id, Fraction(0)) + branch.per_top
    agreed = _agreed(session, needed, currency=currency)
    opening = {
        row.id: row.opening_unit_cost
        for row in session.execute(sa.select(Item.id, Item.opening_unit_cost).where(Item.id.in_(sorted(needed))))
    }
    materials = [
        Material(
            item_id=item_id,
            per_top=per_top,
            unit_cost=agreed.get(item_id, opening[item_id]),
            agreed=item_id in agreed,
        )
        for item_id, per_top in needed.items()
    ]
    return RollUp(materials=tuple(sorted(materials, key=lambda one: (-(one.cost or 0), one.item_id))))


def _agreed(session: Session, item_ids: Iterable[int], *, currency: str) -> dict[int, Decimal]:
    sources = agreements.preferred(session, item_ids=item_ids)
    suppliers = {source.supplier_id for source in sources.values()}
    ours = set(
        session.scalars(
            sa.select(SupplierTerms.partner_id).where(
                SupplierTerms.partner_id.in_(sorted(suppliers)), SupplierTerms.currency == currency
            )
        )
    )
    return {item_id: source.unit_price for item_id, source in sources.items() if source.supplier_id in ours}

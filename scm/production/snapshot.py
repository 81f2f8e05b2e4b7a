"""What an order keeps of its bill and routing: its components, phantoms exploded through, and its operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.master import bom_explosion, bom_validity, items
from scm.master.bom import Bom, BomKind, BomState
from scm.master.bom_explosion import Recipe
from scm.master.bom_validity import MADE, THROUGH
from scm.master.bom_writing import BomUnknown
from scm.master.routing import Operation, Routing

ONE_STEP = "Make"  # the operation of an order whose bill has no routing
AT_THE_PARTNER = "At the partner"


class CannotMake(Conflict):
    """A bill cannot be made by: it is not approved, not valid on the day, or its parent is never ordered."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component of an order: with the loss that is planned (`quantity`) and without it (`net_quantity`)."""

    bom_line_id: int
    item_id: int
    quantity: int
    net_quantity: int


@dataclass(frozen=True, slots=True)
class Content:
    """A bill with the phantoms in it, as it is on one day."""

    recipe: Recipe
    through: Mapping[int, Recipe]

    def parts(self, quantity: int) -> list[Part]:
        """This function will give what an order for so many good units needs, each rounded up once.

        Lines of one item round up together, so a small one may need nothing of its own and is left out.
        """
        gross = bom_explosion.components(self.recipe, quantity, through=self.through)
        whole = {item_id: _lossless(recipe) for item_id, recipe in self.through.items()}
        net = bom_explosion.components(_lossless(self.recipe), quantity, through=whole)
        least = {component.bom_line_id: component.quantity for component in net}
        return [
            Part(one.bom_line_id, one.item_id, one.quantity, min(one.quantity, least[one.bom_line_id]))
            for one in gross
            if one.quantity
        ]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, as the routing says it."""

    sequence: int
    name: str
    work_center_id: int | None
    setup_seconds: int
    run_seconds: int
    run_quantity: int


def load(session: Session, bom_ids: Iterable[int]) -> dict[int, Bom]:
    """This function will read bills by which something is to be made. Raises `BomUnknown`."""
    wanted = sorted(set(bom_ids))
    found = {bom.id: bom for bom in session.scalars(sa.select(Bom).where(Bom.id.in_(wanted)))}
    for bom_id in wanted:
        if bom_id not in found:
            raise BomUnknown(f"there is no bill of materials {bom_id} in this company")
    return found


def content(session: Session, bom: Bom, *, on: date) -> Content:
    """This function will read what a bill needs on a day on which something is made by it. Raises `CannotMake`."""
    name = f"revision {bom.revision} of the bill of {items.skus(session, [bom.item_id])[bom.item_id]}"
    if bom.kind not in MADE:
        raise CannotMake(f"{name} is a {bom.kind.value}: it is never ordered")
    if bom.state is not BomState.APPROVED:
        raise CannotMake(f"{name} is {bom.state.value}: have it approved first")
    if on < bom.valid_from or (bom.valid_until is not None and on > bom.valid_until):
        until = "without an end" if bom.valid_until is None else f"until {bom.valid_until}"
        raise CannotMake(f"{name} is valid from {bom.valid_from} {until}, not on {on}: choose another revision or day")
    recipe, below = bom_validity.with_below(session, bom_id=bom.id, on=on, kinds=THROUGH)
    if not recipe.lines:
        raise CannotMake(f"{name} has no components: write them first")
    return Content(recipe, below)


def start_quantity(bom: Bom, quantity: int) -> int:
    """This function will give how much must be started for a good quantity, at the yield the bill expects."""
    return -(-quantity // Fraction(bom.yield_rate))


def steps(session: Session, boms: Sequence[Bom]) -> dict[int, list[Step]]:
    """This function will read the operations of bills; one that has none is made in one step."""
    found: dict[int, list[Step]] = defaultdict(list)
    rows = session.execute(
        sa.select(
            Routing.bom_id,
            Operation.sequence,
            Operation.name,
            Operation.work_center_id,
            Operation.setup_seconds,
            Operation.run_seconds,
            Operation.run_quantity,
        )
        .join(Routing, Routing.id == Operation.routing_id)
        .where(Routing.bom_id.in_([bom.id for bom in boms]))
        .order_by(Operation.sequence)
    )
    for row in rows:
        found[row.bom_id].append(Step(*row[1:]))
    for bom in boms:
        if not found[bom.id]:
            name = AT_THE_PARTNER if bom.kind is BomKind.SUBCONTRACT else ONE_STEP
            found[bom.id] = [Step(10, name, None, 0, 0, 1)]
    return found


def _lossless(recipe: Recipe) -> Recipe:
    lines = tuple(replace(line, scrap_rate=Decimal(0)) for line in recipe.lines)
    return replace(recipe, yield_rate=Decimal(1), lines=lines)

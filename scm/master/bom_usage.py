"""Bills looked at as a whole: level by level down, as an indented tree, and up, to everything an item is used in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import bom_explosion, bom_validity
from scm.master.bom import Bom, BomKind, BomLine, BomSubstitute
from scm.master.bom_explosion import Recipe, SubstituteLine
from scm.master.bom_validity import of_day

MOST_ROWS = 2000  # of a tree that a page shows


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One line of a tree. `per_parent` is for one good unit of the item above it, `per_top` of the item on top."""

    depth: int
    bom_line_id: int
    item_id: int
    per_parent: Fraction
    per_top: Fraction
    scrap_rate: Decimal
    substitutes: tuple[SubstituteLine, ...]
    bom_id: int | None  # by which it is itself made at the site; none: it is bought or moved here
    through: bool  # it is never stocked: its components stand in its place


@dataclass(frozen=True, kw_only=True)
class Use:
    """An item is used in another, directly (`level` 1) or through others. The same way up is listed once."""

    level: int
    item_id: int  # the parent
    bom_id: int
    site_id: int
    revision: int
    kind: BomKind
    component_id: int  # what it takes of the way below
    quantity: int
    output_quantity: int
    substitute: bool  # it may be taken instead of a line's own component


def tree(session: Session, *, bom_id: int, on: date) -> list[Branch]:
    """This function will lay out what a revision is made of at all levels, by the revisions of a day, top down.

    At most `MOST_ROWS` rows; a tree that is cut there says so by its length. Raises `BomUnknown`.
    """
    top, below = bom_validity.with_below(session, bom_id=bom_id, on=on)
    found: list[Branch] = []
    _branches(top, Fraction(1), 1, below, found)
    return found


def where_used(session: Session, *, item_id: int, company_id: int, on: date) -> list[Use]:
    """This function will find everything an item is used in on a day, at all sites and levels: one query a level."""
    found: list[Use] = []
    seen: set[int] = set()
    level, below = 0, {item_id}
    while below:
        level += 1
        seen |= below
        rows = session.execute(_uses(below, company_id=company_id, on=on)).all()
        found += [Use(level=level, **row._mapping) for row in rows]
        below = {row.item_id for row in rows} - seen
    return found


def _uses(below: set[int], *, company_id: int, on: date) -> sa.Select[tuple[object, ...]]:
    shown = (Bom.item_id, Bom.id.label("bom_id"), Bom.site_id, Bom.revision, Bom.kind)
    lines = sa.select(
        *shown,
        BomLine.item_id.label("component_id"),
        BomLine.quantity,
        Bom.output_quantity,
        sa.false().label("substitute"),
    ).join(BomLine, BomLine.bom_id == Bom.id)
    others = (
        sa.select(
            *shown,
            BomSubstitute.item_id.label("component_id"),
            BomSubstitute.quantity,
            Bom.output_quantity,
            sa.true().label("substitute"),
        )
        .join(BomLine, BomLine.bom_id == Bom.id)
        .join(BomSubstitute, BomSubstitute.bom_line_id == BomLine.id)
    )
    valid = (Bom.company_id == company_id, *of_day(on))
    both = sa.union_all(
        lines.where(*valid, BomLine.item_id.in_(sorted(below))),
        others.where(*valid, BomSubstitute.item_id.in_(sorted(below))),
    ).subquery()
    return sa.select(*both.c).order_by(both.c.item_id, both.c.bom_id, both.c.component_id, both.c.substitute)


def _branches(recipe: Recipe, per_top: Fraction, depth: int, below: Mapping[int, Recipe], found: list[Branch]) -> None:
    for line in recipe.lines:
        if len(found) >= MOST_ROWS:
            return
        per_parent = bom_explosion.ratio(
            quantity=line.quantity,
            output_quantity=recipe.output_quantity,
            scrap_rate=line.scrap_rate,
            yield_rate=recipe.yield_rate,
        )
        made = below.get(line.item_id)
        found.append(
            Branch(
                depth=depth,
                bom_line_id=line.bom_line_id,
                item_id=line.item_id,
                per_parent=per_parent,
                per_top=per_top * per_parent,
                scrap_rate=line.scrap_rate,
                substitutes=line.substitutes,
                bom_id=None if made is None else made.bom_id,
                through=made is not None and made.through,
            )
        )
        if made is not None:
            _branches(made, per_top * per_parent, depth + 1, below, found)

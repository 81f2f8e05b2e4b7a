"""Which revision is used on a day, and what an order explodes into by the revisions of that day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import bom_explosion
from scm.master.bom import Bom, BomKind, BomLine, BomState, BomSubstitute
from scm.master.bom_explosion import Component, Need, Recipe, RecipeLine, SubstituteLine
from scm.master.bom_writing import BomUnknown

THROUGH = frozenset({BomKind.PHANTOM, BomKind.KIT})  # never stocked: their components stand in their place
MADE = frozenset({BomKind.MAKE, BomKind.SUBCONTRACT})


@dataclass(frozen=True, kw_only=True)
class ValidBom:
    """The revision by which an item is made at a site on a day, and on what terms."""

    id: int
    site_id: int
    item_id: int
    revision: int
    kind: BomKind
    valid_from: date
    valid_until: date | None
    output_quantity: int
    yield_rate: Decimal
    partner_id: int | None
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    cover_limit_days: int | None


def valid_on(
    session: Session,
    *,
    on: date,
    company_id: int,
    site_ids: Iterable[int] | None = None,
    item_ids: Iterable[int] | None = None,
    kinds: Iterable[BomKind] | None = None,
) -> dict[tuple[int, int], ValidBom]:
    """This function will find the approved revision of a day by (site, item), in one query.

    Without sites, items or kinds it looks at all of them. What has no valid revision is missing: it is not made there.
    """
    columns = [getattr(Bom, name) for name in ValidBom.__dataclass_fields__]
    statement = sa.select(*columns).where(Bom.company_id == company_id, *of_day(on)).order_by(Bom.id)
    for column, wanted in ((Bom.site_id, site_ids), (Bom.item_id, item_ids), (Bom.kind, kinds)):
        if wanted is not None:
            statement = statement.where(column.in_(list(wanted)))
    found = (ValidBom(**row._mapping) for row in session.execute(statement))
    return {(bom.site_id, bom.item_id): bom for bom in found}


def of_day(on: date) -> tuple[sa.ColumnElement[bool], ...]:
    """This function will give the conditions under which a revision is used on a day."""
    return (
        Bom.state == BomState.APPROVED,
        Bom.valid_from <= on,
        sa.or_(Bom.valid_until.is_(None), Bom.valid_until >= on),
    )


def components(session: Session, *, bom_id: int, quantity: int, on: date) -> list[Component]:
    """This function will give what one order by a revision takes, phantoms exploded by the revisions of a day.

    The revision itself may be in any state, so that a draft can be looked at. Raises `BomUnknown`, `NothingOrdered`.
    """
    recipe, below = with_below(session, bom_id=bom_id, on=on, kinds=THROUGH)
    return bom_explosion.components(recipe, quantity, through=below)


def explode(session: Session, *, bom_id: int, quantity: int, on: date) -> list[Need]:
    """This function will give what so many units need at all levels, as if nothing were in stock.

    Raises `BomUnknown`, `NothingOrdered`.
    """
    recipe, below = with_below(session, bom_id=bom_id, on=on)
    return bom_explosion.explode(recipe.item_id, quantity, recipes=below | {recipe.item_id: recipe})


def with_below(
    session: Session, *, bom_id: int, on: date, kinds: Iterable[BomKind] | None = None
) -> tuple[Recipe, dict[int, Recipe]]:
    """This function will read a revision, and by item those of a day that make at its site what it needs.

    Level by level, three queries each. With `kinds` it goes no deeper where an item is of another kind. Raises
    `BomUnknown`.
    """
    columns = [getattr(Bom, name) for name in ValidBom.__dataclass_fields__]
    row = session.execute(sa.select(Bom.company_id, *columns).where(Bom.id == bom_id)).one_or_none()
    if row is None:
        raise BomUnknown(f"there is no bill of materials {bom_id} in this company")
    values = dict(row._mapping)
    company_id = values.pop("company_id")
    bom = ValidBom(**values)
    top = _read(session, [bom])[bom.item_id]
    found: dict[int, Recipe] = {}
    wanted = {line.item_id for line in top.lines}
    while wanted:
        boms = valid_on(session, on=on, company_id=company_id, site_ids=[bom.site_id], item_ids=wanted, kinds=kinds)
        level = _read(session, list(boms.values()))
        found |= level
        wanted = {line.item_id for recipe in level.values() for line in recipe.lines} - found.keys() - {bom.item_id}
    return top, found


def _read(session: Session, boms: list[ValidBom]) -> dict[int, Recipe]:
    """The recipes of revisions of one site, by item."""
    if not boms:
        return {}
    ids = [bom.id for bom in boms]
    substitutes: dict[int, list[SubstituteLine]] = {}
    for other in session.execute(
        sa.select(BomSubstitute.bom_line_id, BomSubstitute.item_id, BomSubstitute.priority, BomSubstitute.quantity)
        .join(BomLine, BomLine.id == BomSubstitute.bom_line_id)
        .where(BomLine.bom_id.in_(ids))
        .order_by(BomSubstitute.priority)
    ):
        line = SubstituteLine(item_id=other.item_id, priority=other.priority, quantity=other.quantity)
        substitutes.setdefault(other.bom_line_id, []).append(line)
    lines: dict[int, list[RecipeLine]] = {}
    for row in session.execute(
        sa.select(BomLine.id, BomLine.bom_id, BomLine.item_id, BomLine.quantity, BomLine.scrap_rate)
        .where(BomLine.bom_id.in_(ids))
        .order_by(BomLine.line_number)
    ):
        lines.setdefault(row.bom_id, []).append(
            RecipeLine(
                bom_line_id=row.id,
                item_id=row.item_id,
                quantity=row.quantity,
                scrap_rate=row.scrap_rate,
                substitutes=tuple(substitutes.get(row.id, ())),
            )
        )
    return {
        bom.item_id: Recipe(
            bom_id=bom.id,
            item_id=bom.item_id,
            lines=tuple(lines.get(bom.id, ())),
            output_quantity=bom.output_quantity,
            yield_rate=bom.yield_rate,
            through=bom.kind in THROUGH,
        )
        for bom in boms
    }

"""No item may, through its components, be made of itself on any day; a refusal names the way round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.master import items
from scm.master.bom import Bom, BomLine, BomState, BomSubstitute

# What each revision may take: the components of its lines and what may stand in for them.
USES = sa.union_all(
    sa.select(BomLine.bom_id, BomLine.item_id.label("component_id")),
    sa.select(BomLine.bom_id, BomSubstitute.item_id).join(BomSubstitute, BomSubstitute.bom_line_id == BomLine.id),
).subquery("uses")


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An approved revision makes `parent` of `component` from a day to a day."""

    parent: int
    component: int
    valid_from: date
    valid_until: date


class Cycle(Conflict):
    """An item would be made of itself."""


def refuse(
    session: Session,
    *,
    number: str,
    item_id: int,
    used: Iterable[int],
    company_id: int,
    valid_from: date,
    valid_until: date | None,
) -> None:
    """This function will raise `Cycle` when an item made of `used` would, on a day of its validity, need itself.

    What counts are approved revisions at all sites of the company, because goods move between sites, and substitutes,
    because they may be taken. One query for each level of components.
    """
    last = valid_until or date.max
    edges = _below(session, set(used), stop=item_id, company_id=company_id, valid_from=valid_from, valid_until=last)
    if all(edge.component != item_id for edge in edges):
        return
    # What is valid changes only where a revision begins, so these days stand for all.
    days = {valid_from} | {edge.valid_from for edge in edges if edge.valid_from > valid_from}
    for day in sorted(days):
        way = _way(set(used), [edge for edge in edges if edge.valid_from <= day <= edge.valid_until], item_id)
        if way:
            names = items.skus(session, way)
            path = " → ".join(names[one] for one in (item_id, *way))
            raise Cycle(f"{number}: on {day} {path} would be made of each other: take one of these lines out")


def _below(
    session: Session, used: set[int], *, stop: int, company_id: int, valid_from: date, valid_until: date
) -> list[Edge]:
    """All that is below the items, level by level, whatever its day; what is below `stop` is of no interest."""
    found: list[Edge] = []
    seen: set[int] = {stop}
    level = used - seen
    while level:
        seen |= level
        rows = session.execute(
            sa.select(Bom.item_id, USES.c.component_id, Bom.valid_from, Bom.valid_until)
            .join(USES, USES.c.bom_id == Bom.id)
            .where(
                Bom.company_id == company_id,
                Bom.state == BomState.APPROVED,
                Bom.item_id.in_(sorted(level)),
                Bom.valid_from <= valid_until,
                sa.or_(Bom.valid_until.is_(None), Bom.valid_until >= valid_from),
            )
        ).all()
        found += [
            Edge(
                parent=row.item_id,
                component=row.component_id,
                valid_from=row.valid_from,
                valid_until=row.valid_until or date.max,
            )
            for row in rows
        ]
        level = {row.component_id for row in rows} - seen
    return found


def _way(used: set[int], edges: list[Edge], item_id: int) -> list[int]:
    """The shortest way from a component down to the item itself; empty when there is none."""
    came_from: dict[int, int | None] = dict.fromkeys(sorted(used))
    below: dict[int, list[int]] = {}
    for edge in edges:
        below.setdefault(edge.parent, []).append(edge.component)
    level = sorted(used)
    while level and item_id not in came_from:
        following = []
        for parent in level:
            for component in sorted(below.get(parent, [])):
                if component not in came_from:
                    came_from[component] = parent
                    following.append(component)
        level = following
    way: list[int] = []
    step: int | None = item_id if item_id in came_from else None
    while step is not None:
        way.append(step)
        step = came_from[step]
    return way[::-1]

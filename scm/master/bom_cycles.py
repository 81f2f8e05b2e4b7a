"""No item may, through its components, be made of itself on any day; a refusal names the way round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


Graph = Mapping[int, Sequence[Edge]]
"""By parent, what it is made of by approved revisions."""


class Cycle(Conflict):
    """An item would be made of itself."""


def below(session: Session, used: Iterable[int], *, company_id: int, valid_from: date | None) -> Graph:
    """This function will read all that is below some items and valid on or after a day: one query for each level.

    What counts are approved revisions at all sites of the company, because goods move between sites, and substitutes,
    because they may be taken.
    """
    found: dict[int, list[Edge]] = {}
    seen: set[int] = set()
    level = set(used)
    while level:
        seen |= level
        rows = session.execute(
            sa.select(Bom.item_id, USES.c.component_id, Bom.valid_from, Bom.valid_until)
            .join(USES, USES.c.bom_id == Bom.id)
            .where(
                Bom.company_id == company_id,
                Bom.state == BomState.APPROVED,
                Bom.item_id.in_(sorted(level)),
                sa.or_(Bom.valid_until.is_(None), Bom.valid_until >= (valid_from or date.min)),
            )
            .order_by(USES.c.component_id)
        ).all()
        for row in rows:
            edge = Edge(
                parent=row.item_id,
                component=row.component_id,
                valid_from=row.valid_from,
                valid_until=row.valid_until or date.max,
            )
            found.setdefault(edge.parent, []).append(edge)
        level = {row.component_id for row in rows} - seen
    return found


def refuse(
    session: Session,
    graph: Graph,
    *,
    number: str,
    item_id: int,
    used: Iterable[int],
    valid_from: date,
    valid_until: date | None,
) -> None:
    """This function will raise `Cycle` when an item made of `used` would, on a day of its validity, need itself."""
    last = valid_until or date.max
    first = frozenset(used)
    _, passed = _walk(graph, first, item_id, valid_from, last)
    if all(edge.component != item_id for edge in passed):
        return
    # What is valid changes only where a revision begins, so these days stand for all.
    days = {valid_from} | {edge.valid_from for edge in passed if valid_from < edge.valid_from <= last}
    for day in sorted(days):
        way, _ = _walk(graph, first, item_id, day, day)
        if way:
            names = items.skus(session, way)
            path = " → ".join(names[one] for one in (item_id, *way))
            raise Cycle(f"{number}: on {day} {path} would be made of each other: take one of these lines out")


def _walk(
    graph: Graph, used: frozenset[int], item_id: int, valid_from: date, valid_until: date
) -> tuple[list[int], list[Edge]]:
    """The shortest way from a component down to the item itself (empty when there is none), and the edges passed.

    Edges count that are valid on any day of the span; what is below the item itself is of no interest.
    """
    came_from: dict[int, int | None] = dict.fromkeys(sorted(used))
    passed: list[Edge] = []
    level = sorted(used)
    while level:
        following = []
        for parent in level:
            for edge in graph.get(parent, ()) if parent != item_id else ():
                if edge.valid_from <= valid_until and edge.valid_until >= valid_from:
                    passed.append(edge)
                    if edge.component not in came_from:
                        came_from[edge.component] = parent
                        following.append(edge.component)
        level = following
    way: list[int] = []
    step: int | None = item_id if item_id in came_from else None
    while step is not None:
        way.append(step)
        step = came_from[step]
    return way[::-1], passed

"""One count: blind while somebody counts, with its differences and their value for whoever approves. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.users import User
from scm.finance import costs
from scm.master.locations import Location
from scm.stock.lots import NO_LOT, Lot
from warehouse.counts import CountState, CycleCount, CycleCountLine, CycleCountTarget
from warehouse.numbers import NumberUnknown
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, slots=True)
class Place:
    """A place to count: one item in it, or everything. What the books say is not told."""

    location_id: int
    code: str
    card: Card | None


@dataclass(frozen=True, slots=True)
class CountedLine:
    """What was counted beside what the books said then. `value` of the difference is in minor units, signed."""

    location_id: int
    place: str
    card: Card
    lot_id: int
    lot_code: str | None
    expected: int
    counted: int
    value: int

    @property
    def difference(self) -> int:
        """How much more was counted than the books said."""
        return self.counted - self.expected


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSheet:
    """One count. Lines are told only when it was counted: until then nobody may know what to expect."""

    count_id: int
    number: str
    state: CountState
    planned_at: datetime
    counted_at: datetime | None
    counted_by_id: int | None
    counted_by: str | None
    recount_of: str | None
    recounted_by: str | None
    places: Sequence[Place]
    lines: Sequence[CountedLine]

    @property
    def differing(self) -> list[CountedLine]:
        """The lines that the books see otherwise."""
        return [line for line in self.lines if line.difference]

    @property
    def value(self) -> int:
        """What approving the differences adds to the stock's value, in minor units."""
        return sum(line.value for line in self.lines)


def sheet(session: Session, number: str, *, site_id: int) -> CountSheet:
    """This function will read one count of a site in a fixed number of queries. Raises `NumberUnknown`."""
    of, by = aliased(CycleCount), aliased(CycleCount)
    row = session.execute(
        sa.select(CycleCount, User.display_name, of.number.label("of_number"), by.number.label("by_number"))
        .outerjoin(User, User.id == CycleCount.counted_by_id)
        .outerjoin(of, of.id == CycleCount.recount_of_id)
        .outerjoin(by, by.recount_of_id == CycleCount.id)
        .where(CycleCount.number == number, CycleCount.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise NumberUnknown(f"this site has no cycle count {number[:40]}")
    count: CycleCount = row.CycleCount
    targets = session.execute(
        sa.select(CycleCountTarget.location_id, Location.code, CycleCountTarget.item_id)
        .join(Location, Location.id == CycleCountTarget.location_id)
        .where(CycleCountTarget.count_id == count.id)
        .order_by(Location.pick_sequence, Location.id, CycleCountTarget.id)
    ).all()
    rows = session.execute(
        sa.select(CycleCountLine, Location.code.label("place"), Lot.code.label("lot_code"))
        .join(Location, Location.id == CycleCountLine.location_id)
        .join(Lot, Lot.id == CycleCountLine.lot_id)
        .where(CycleCountLine.count_id == count.id)
        .order_by(Location.pick_sequence, Location.id, CycleCountLine.id)
    ).all()
    named = cards(
        session, {t.item_id for t in targets if t.item_id is not None} | {r.CycleCountLine.item_id for r in rows}
    )
    return CountSheet(
        count_id=count.id,
        number=count.number,
        state=count.state,
        planned_at=count.planned_at,
        counted_at=count.counted_at,
        counted_by_id=count.counted_by_id,
        counted_by=row.display_name,
        recount_of=row.of_number,
        recounted_by=row.by_number,
        places=[Place(t.location_id, t.code, None if t.item_id is None else named[t.item_id]) for t in targets],
        lines=_lines(session, count.company_id, rows, named),
    )


def _lines(
    session: Session,
    company_id: int,
    rows: Sequence[sa.Row[CycleCountLine, str, str]],
    named: Mapping[int, Card],
) -> list[CountedLine]:
    cost_of = costs.item_costs(session, company_id=company_id, item_ids={row[0].item_id for row in rows})
    found = []
    for row in rows:
        line, place, lot_code = row[0], row[1], row[2]
        cost = cost_of.get(line.item_id)
        size = 0 if cost is None else cost.average(abs(line.difference))
        found.append(
            CountedLine(
                line.location_id,
                place,
                named[line.item_id],
                line.lot_id,
                None if line.lot_id == NO_LOT else lot_code,
                line.expected_quantity,
                line.counted_quantity,
                size if line.difference > 0 else -size,
            )
        )
    return found

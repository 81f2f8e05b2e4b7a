"""The people at their desks in the test company, looking at what needs them.

    office = Office(world)
    office.forecast({bolt: 7})
    office.look()
    assert office.labels(Kind.STOCK_OUT) == ["bolt"]

Every call is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from forecasting.runs import ForecastLine, ForecastRun
from scm.core.db import table_of
from scm.loop.exceptions import inbox, refresh
from scm.loop.exceptions.cases import ExceptionCase
from scm.loop.exceptions.findings import Kind, kinds_of
from scm.loop.exceptions.inbox import CaseRow, Inbox
from scm.loop.exceptions.refresh import Refreshed
from tests.world import World

EVERY_KIND = frozenset(Kind)
QUANTILES = [0.5, 0.8, 0.9, 0.95, 0.99]


@dataclass(frozen=True)
class Expected:
    """What a run expects of an item: units a week, and the quantiles of its protection interval."""

    weekly: float
    weeks: int = 2
    quantiles: Sequence[float] = (14.0, 16.0, 18.0, 20.0, 24.0)


class Office:
    """Whoever looks at the exceptions of the world's site."""

    def __init__(self, world: World) -> None:
        self.world = world

    def look(self, *kinds: Kind) -> Refreshed:
        """This function will let the finders look around, as the worker does."""
        return refresh.refresh(
            self.world.begin(),
            site_id=self.world.setup.site_id,
            actor=self.world.user("system"),
            now=self.world.now,
            today=self.world.today,
            kinds=kinds or EVERY_KIND,
        )

    def inbox(self, *usernames: str) -> Inbox:
        """This function will read the inbox of these people's desks, or of all desks."""
        roles = {role for name in usernames for role in self.world.user(name).roles}
        return inbox.read(
            self.world.begin(),
            site_id=self.world.setup.site_id,
            kinds=kinds_of(roles) if usernames else EVERY_KIND,
            today=self.world.today,
        )

    def rows(self, kind: Kind) -> list[CaseRow]:
        """This function will look around and give the rows of one kind in their order."""
        self.look()
        return [row for group in self.inbox().groups for row in group.rows if row.kind is kind]

    def row(self, kind: Kind) -> CaseRow:
        """This function will look around and give the only row of one kind."""
        [row] = self.rows(kind)
        return row

    def labels(self, kind: Kind) -> list[str]:
        """This function will look around and name the subjects of one kind in their order."""
        return [row.label for row in self.rows(kind)]

    def stored(self, kind: Kind) -> list[ExceptionCase]:
        """This function will read all cases of a kind that ever were, the oldest first."""
        statement = sa.select(ExceptionCase).where(ExceptionCase.kind == kind).order_by(ExceptionCase.id)
        return list(self.world.begin().scalars(statement))

    def forecast(self, expected: Mapping[int, float | Expected], *, as_of: date | None = None) -> int:
        """This function will record a run that expects so many units a week of items, as of yesterday."""
        session = self.world.begin()
        run = ForecastRun(
            site_id=self.world.setup.site_id,
            as_of_date=as_of or self.world.day(-1),
            created_at=self.world.now,
            bucket_days=7,
            settings={"quantiles": QUANTILES},
            inputs_hash="",
        )
        session.add(run)
        session.flush()
        lines = [
            {
                "run_id": run.id,
                "item_id": item,
                "means": [one.weekly] * 13,
                "protection_buckets": one.weeks,
                "protection_mean": one.weekly * one.weeks,
                "protection_quantiles": list(one.quantiles),
                "demand_class": "smooth",
                "method": "ses",
            }
            for item, one in (
                (item, one if isinstance(one, Expected) else Expected(float(one))) for item, one in expected.items()
            )
        ]
        session.execute(sa.insert(table_of(ForecastLine)), lines)
        return run.id

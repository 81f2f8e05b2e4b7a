"""The history of all jobs as a list."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.db import table_of
from scm.core.jobs import JobRun, RunState
from scm.core.listing import Field, Kind, Listing
from scm.core.users import User


def listing() -> Listing:
    """This function will give every run, newest first."""
    row, person = table_of(JobRun).c, table_of(User).c
    return Listing(
        name="runs",
        rows=sa.select(row.id).outerjoin(table_of(User), person.id == row.requested_by_id),
        key=row.id,
        fields=(
            Field(name="number", kind=Kind.NUMBER, value=row.id),
            Field(name="job", kind=Kind.CODE, value=row.job),
            Field(name="state", kind=Kind.CHOICE, value=row.state, choices=RunState),
            Field(name="due_at", kind=Kind.INSTANT, value=row.due_at),
            Field(name="business_date", kind=Kind.DATE, value=row.business_date),
            Field(name="requested_by", kind=Kind.TEXT, value=person.display_name),
            Field(name="started_at", kind=Kind.INSTANT, value=row.started_at),
            Field(name="finished_at", kind=Kind.INSTANT, value=row.finished_at),
            Field(name="attempt", kind=Kind.NUMBER, value=row.attempt),
            Field(name="error", kind=Kind.TEXT, value=row.error),
        ),
        search=(row.job, row.error, sa.func.coalesce(person.display_name, "")),
        order=("", True),
    )

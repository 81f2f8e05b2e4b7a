"""How work centres are rows of a CSV file: their machines, and the shifts of their week in one cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.users import Actor
from scm.master import sheets, work_centers
from scm.master.locations import Site
from scm.master.routing import WorkCenter
from scm.master.sheets import Column, Row, RowError, WrongCell
from scm.master.work_centers import BadCenter, CenterRow, ShiftRow

Values = Mapping[str, Any]
Key = tuple[str, str]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHIFT = re.compile(r"([a-z]{3}) ([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")


def read_shifts(cell: str) -> tuple[ShiftRow, ...]:
    """This function will read a week of shifts: "mon 06:00-14:00;mon 22:00-06:00". Raises `WrongCell`."""
    found = []
    for part in cell.split(";"):
        shift = part.strip().lower()
        match = _SHIFT.fullmatch(shift)
        try:
            if match is None:
                raise ValueError(shift)
            starts_at, ends_at = time.fromisoformat(match[2]), time.fromisoformat(match[3])
            found.append(ShiftRow(weekday=DAYS.index(match[1]), starts_at=starts_at, ends_at=ends_at))
        except ValueError:
            raise WrongCell(f"{shift[:40]!r} is no shift", "write mon 06:00-14:00;mon 14:00-22:00") from None
    return tuple(sorted(found))


def show_shifts(shifts: Sequence[ShiftRow]) -> str:
    """This function will write a week of shifts as `read_shifts` reads it."""
    return ";".join(f"{DAYS[one.weekday]} {one.starts_at:%H:%M}-{one.ends_at:%H:%M}" for one in shifts)


COLUMNS = (
    Column(name="site", read=sheets.code(longest=20), required=True),
    Column(name="code", read=sheets.code(longest=30), required=True),
    Column(name="name", read=sheets.text(longest=120), required=True),
    Column(
        name="machines",
        read=sheets.whole(smallest=1, largest=work_centers.MOST_MACHINES),
        missing=1,
    ),
    Column(name="retired", read=sheets.yes_or_no, write=sheets.show_yes, missing=False),
    Column(name="shifts", read=read_shifts, write=show_shifts, missing=()),
)


def existing(session: Session, *, company_id: int) -> dict[Key, Values]:
    """This function will read all work centres as rows, by site and code."""
    rows = session.execute(
        sa.select(Site.code.label("site"), *table_of(WorkCenter).columns)
        .join(Site, Site.id == WorkCenter.site_id)
        .where(WorkCenter.company_id == company_id)
    ).all()
    shifts = work_centers.shifts(session, [row.id for row in rows])
    return {
        (row.site, row.code): {
            "site": row.site,
            "code": row.code,
            "name": row.name,
            "machines": row.machines,
            "retired": row.retired,
            "shifts": shifts.get(row.id, ()),
        }
        for row in rows
    }


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock work centres in the order of their ids, and give the ids."""
    statement = (
        sa.select(Site.code.label("site"), WorkCenter.code, WorkCenter.id)
        .join(Site, Site.id == WorkCenter.site_id)
        .where(WorkCenter.company_id == company_id, sa.tuple_(Site.code, WorkCenter.code).in_(list(keys)))
        .order_by(WorkCenter.id)
        .with_for_update(of=table_of(WorkCenter), key_share=True)
    )
    return {(row.site, row.code): row.id for row in session.execute(statement)}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse sites that do not exist and shifts that overlap."""
    sites = _sites(session, company_id=company_id)
    errors = []
    for row in rows:
        if row.values["site"] not in sites:
            reason, mend = "it is not known here", "name a site of the company"
            errors.append(RowError(row=row.number, column="site", value=row.values["site"], reason=reason, mend=mend))
        try:
            work_centers.check_shifts(row.values["shifts"], code=row.values["code"])
        except BadCenter as error:
            shown = show_shifts(row.values["shifts"])
            mend = "let a shift end before the next begins"
            errors.append(RowError(row=row.number, column="shifts", value=shown, reason=str(error), mend=mend))
    return errors


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will write work centres whose rows were checked."""
    sites = _sites(session, company_id=company_id)
    known = existing(session, company_id=company_id)
    for values in created:
        work_centers.add(
            session,
            _row(values),
            code=values["code"],
            site_id=sites[values["site"]],
            company_id=company_id,
            actor=actor,
        )
    ids = lock(session, [(values["site"], values["code"]) for values in [*created, *changed]], company_id=company_id)
    for values in [*created, *changed]:
        key = values["site"], values["code"]
        before = known.get(key, {**values, "shifts": ()})
        at: dict[str, Any] = {"work_center_id": ids[key], "site_id": sites[values["site"]], "actor": actor}
        if _row(before) != _row(values):
            work_centers.change(session, believed=_row(before), wanted=_row(values), **at)
        work_centers.set_shifts(session, believed=before["shifts"], wanted=values["shifts"], **at)


def _row(values: Values) -> CenterRow:
    return CenterRow(name=values["name"], machines=values["machines"], retired=values["retired"])


def _sites(session: Session, *, company_id: int) -> dict[str, int]:
    rows = session.execute(sa.select(Site.code, Site.id).where(Site.company_id == company_id))
    return {row.code: row.id for row in rows}

"""Planners keep work centres: what they are called, how many machines they have, and the shifts of their week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.locations import Site
from scm.master.routing import Shift, WorkCenter

MOST_MACHINES = 10_000
DAY, WEEK = 24 * 3600, 7 * 24 * 3600  # seconds


@dataclass(frozen=True, kw_only=True)
class CenterRow:
    """What may change of a work centre."""

    name: str
    machines: int
    retired: bool = False


@dataclass(frozen=True, kw_only=True, order=True)
class ShiftRow:
    """When a work centre works on a weekday, 0 Monday … 6 Sunday. What ends before it begins ends on the next day."""

    weekday: int
    starts_at: time
    ends_at: time

    @property
    def seconds(self) -> int:
        """How long it lasts by the clock on the wall.

        >>> ShiftRow(weekday=0, starts_at=time(22), ends_at=time(6)).seconds // 3600
        8
        """
        return (_second(self.ends_at) - _second(self.starts_at)) % DAY


class BadCenter(InvalidInput):
    """A work centre or a shift cannot be like this."""


class CenterExists(Conflict):
    """The site has a work centre of that code already."""


class CenterChanged(Conflict):
    """The work centre is no longer what somebody believes."""


class CenterUnknown(NotFound):
    """There is no such work centre at the site."""


def add(session: Session, row: CenterRow, *, code: str, site_id: int, company_id: int, actor: Actor) -> int:
    """This function will add a work centre without shifts to a site. Raises `BadCenter`, `CenterExists`."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    label = f"work centre {code[:40]!r}"
    if not 0 < len(code.strip()) <= 30 or not code.isprintable():
        raise BadCenter(f"{label}: give a code of 1 to 30 printable characters")
    _refuse(label, row)
    # The site's row is the lock, so that a twin is told and does not run into the constraint.
    session.execute(sa.select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
    same = sa.and_(WorkCenter.site_id == site_id, WorkCenter.code == code.strip())
    if session.scalar(sa.select(WorkCenter.id).where(same)) is not None:
        raise CenterExists(f"{label} exists already: change it instead")
    center = WorkCenter(company_id=company_id, site_id=site_id, code=code.strip(), **vars(row))
    session.add(center)
    session.flush()
    _record(session, "work_center.add", center.id, actor, code=center.code, machines=row.machines)
    return center.id


def change(
    session: Session, *, work_center_id: int, site_id: int, believed: CenterRow, wanted: CenterRow, actor: Actor
) -> None:
    """This function will change a work centre, if it still is what somebody believes.

    Raises `CenterUnknown`, `BadCenter`, `CenterChanged`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    center = _locked(session, work_center_id, site_id)
    label = f"work centre {center.code}"
    _refuse(label, wanted)
    present = CenterRow(name=center.name, machines=center.machines, retired=center.retired)
    if present != believed:
        raise CenterChanged(
            f"{label} has changed meanwhile: it is called {present.name} and has {present.machines} machines"
            f"{', and it is retired' if present.retired else ''}; nothing was changed"
        )
    changes = {
        name: [getattr(present, name), getattr(wanted, name)]
        for name in vars(wanted)
        if getattr(present, name) != getattr(wanted, name)
    }
    center.name, center.machines, center.retired = wanted.name.strip(), wanted.machines, wanted.retired
    session.flush()
    _record(session, "work_center.change", center.id, actor, changes=changes)


def set_shifts(
    session: Session,
    *,
    work_center_id: int,
    site_id: int,
    believed: Sequence[ShiftRow],
    wanted: Sequence[ShiftRow],
    actor: Actor,
) -> None:
    """This function will give a work centre its week of shifts, if it still is what somebody believes.

    Raises `CenterUnknown`, `BadCenter` for shifts that overlap, `CenterChanged`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    center = _locked(session, work_center_id, site_id)
    label = f"work centre {center.code}"
    check_shifts(wanted, code=center.code)
    present = shifts(session, [work_center_id]).get(work_center_id, ())
    if present != tuple(sorted(believed)):
        raise CenterChanged(f"{label}: somebody has changed its shifts meanwhile: look at them again")
    if present == tuple(sorted(wanted)):
        return
    session.execute(sa.delete(Shift).where(Shift.work_center_id == work_center_id))
    session.add_all(Shift(work_center_id=work_center_id, **vars(shift)) for shift in sorted(wanted))
    session.flush()
    week = [f"{shift.weekday} {shift.starts_at:%H:%M}-{shift.ends_at:%H:%M}" for shift in sorted(wanted)]
    _record(session, "work_center.set_shifts", work_center_id, actor, shifts=week)


def shifts(session: Session, work_center_ids: Iterable[int]) -> dict[int, tuple[ShiftRow, ...]]:
    """This function will read the shifts of work centres, in the order of the week; one without is missing."""
    found: dict[int, list[ShiftRow]] = {}
    for row in session.execute(
        sa.select(Shift.work_center_id, Shift.weekday, Shift.starts_at, Shift.ends_at)
        .where(Shift.work_center_id.in_(sorted(set(work_center_ids))))
        .order_by(Shift.work_center_id, Shift.weekday, Shift.starts_at)
    ):
        shift = ShiftRow(weekday=row.weekday, starts_at=row.starts_at, ends_at=row.ends_at)
        found.setdefault(row.work_center_id, []).append(shift)
    return {work_center_id: tuple(rows) for work_center_id, rows in found.items()}


def check_shifts(wanted: Sequence[ShiftRow], *, code: str) -> None:
    """This function will refuse shifts that overlap, also over midnight and over Sunday. Raises `BadCenter`."""
    label = f"work centre {code}"
    for shift in wanted:
        if not 0 <= shift.weekday <= 6:
            raise BadCenter(f"{label}: weekday {shift.weekday} does not exist: count from Monday, 0, to Sunday, 6")
        if shift.starts_at == shift.ends_at:
            raise BadCenter(f"{label}: a shift from {shift.starts_at:%H:%M} to the same time takes no time")
    ordered = sorted(wanted)
    for shift, following in zip(ordered, [*ordered[1:], *ordered[:1]], strict=True):
        gap = (_start(following) - _start(shift)) % WEEK or WEEK * (len(ordered) == 1)
        if gap < shift.seconds:
            raise BadCenter(
                f"{label}: the shift of weekday {shift.weekday} from {shift.starts_at:%H:%M} to {shift.ends_at:%H:%M} "
                f"overlaps the one of weekday {following.weekday} from {following.starts_at:%H:%M}"
            )


def _locked(session: Session, work_center_id: int, site_id: int) -> WorkCenter:
    center = session.scalars(
        sa.select(WorkCenter)
        .where(WorkCenter.id == work_center_id, WorkCenter.site_id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if center is None:
        raise CenterUnknown(f"there is no work centre {work_center_id} at this site")
    return center


def _refuse(label: str, row: CenterRow) -> None:
    if not 0 < len(row.name.strip()) <= 120 or not row.name.isprintable():
        raise BadCenter(f"{label}: give a name of 1 to 120 printable characters")
    if type(row.machines) is not int or not 1 <= row.machines <= MOST_MACHINES:
        raise BadCenter(f"{label}: machines is {row.machines}: give a whole number from 1 to {MOST_MACHINES}")


def _start(shift: ShiftRow) -> int:
    return shift.weekday * DAY + _second(shift.starts_at)


def _second(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _record(session: Session, verb: str, center_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="work_center", document_ids=[center_id], **detail)

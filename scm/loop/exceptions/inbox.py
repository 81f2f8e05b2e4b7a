"""A person's inbox: the open cases of their desks, grouped by reason, the most at risk first. Reads only.

Three queries for the whole page, whatever the number of cases: totals by kind, the first rows of each kind, and what
comes back today from being put off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.users import User, UserRole
from scm.loop.exceptions.cases import CaseUnknown, EntryAction, ExceptionCase, ExceptionCheck, ExceptionEntry
from scm.loop.exceptions.findings import DESKS, RISKS, Kind, Subject
from scm.master import calendars
from scm.master.items import Item

ROWS_A_GROUP = 5
LARGEST_GROUP = 200
_OF_ITEMS = [kind for kind, desk in DESKS.items() if desk.subject is Subject.ITEM]


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One open case as its row shows it."""

    id: int
    kind: Kind
    subject_id: int
    label: str
    name: str
    amount: int | None
    quantity: int | None
    due_date: date | None
    facts: Mapping[str, Any]
    first_seen_date: date
    new: bool
    owner: str | None
    snoozed_until: date | None
    snooze_comment: str
    accepted_reason: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cases of one kind: how many, how many of them new, what they put at risk, and the first of them."""

    kind: Kind
    count: int
    new: int
    amount: int
    rows: tuple[CaseRow, ...]


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """All that a person's home shows. `checked_at` is when the finders last looked."""

    groups: tuple[Group, ...]
    snoozed_until_today: tuple[CaseRow, ...]
    put_off: int
    accepted: int
    checked_at: datetime | None

    @property
    def count(self) -> int:
        """How many cases need somebody today."""
        return sum(group.count for group in self.groups)

    @property
    def new(self) -> int:
        """How many of them were not there on the previous working day."""
        return sum(group.new for group in self.groups)

    @property
    def at_risk(self) -> int:
        """What they put at risk together; tasks that are only large are left out."""
        return sum(group.amount for group in self.groups if group.kind in RISKS)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing somebody said or did about a case."""

    at: datetime
    actor: str
    action: EntryAction
    text: str
    until_date: date | None
    to_user: str | None


@dataclass(frozen=True, kw_only=True)
class CaseDetail:
    """A case with its story and the colleagues who could take it over."""

    row: CaseRow
    first_seen_at: datetime
    entries: tuple[Entry, ...]
    colleagues: tuple[tuple[str, str], ...]  # user name, display name


def read(
    session: Session,
    *,
    site_id: int,
    kinds: Collection[Kind],
    today: date,
    owner_id: int | None = None,
    whole: Kind | None = None,
) -> Inbox:
    """This function will read the inbox of desks with these kinds, or only what one person owns of it.

    `whole` names a kind whose rows are all wanted, up to 200. New is what was first seen after the site's previous
    working day.
    """
    since = new_since(session, site_id=site_id, today=today)
    of_desk = _of_desk(site_id, kinds, owner_id)
    shown = sa.and_(of_desk, _visible(today))
    totals = _totals(session, shown, since=since)
    rows = _first_rows(session, shown, since=since, whole=whole)
    groups = [
        Group(kind=kind, count=count, new=new, amount=amount, rows=tuple(row for row in rows if row.kind is kind))
        for kind, (count, new, amount) in totals.items()
    ]
    order = list(Kind)
    groups.sort(key=lambda group: (group.kind not in RISKS, -group.amount, order.index(group.kind)))
    back = _rows(session, sa.and_(of_desk, ExceptionCase.snoozed_until == today), since=since)
    hidden = session.execute(
        sa.select(
            sa.func.count(sa.case((ExceptionCase.snoozed_until > today, 1))),
            sa.func.count(sa.case((ExceptionCase.accepted_by_id.is_not(None), 1))),
            sa.select(ExceptionCheck.checked_at).where(ExceptionCheck.site_id == site_id).scalar_subquery(),
        ).where(of_desk)
    ).one()
    return Inbox(
        groups=tuple(groups),
        snoozed_until_today=tuple(back),
        put_off=hidden[0],
        accepted=hidden[1],
        checked_at=hidden[2],
    )


def count(session: Session, *, site_id: int, kinds: Collection[Kind], today: date) -> int:
    """This function will say how many cases need somebody of these desks today."""
    shown = sa.and_(_of_desk(site_id, kinds, None), _visible(today))
    return session.execute(sa.select(sa.func.count(ExceptionCase.id)).where(shown)).scalar_one()


def hidden(session: Session, *, site_id: int, kinds: Collection[Kind], today: date) -> list[CaseRow]:
    """This function will list what was put off or accepted, so that it can be brought back."""
    since = new_since(session, site_id=site_id, today=today)
    return _rows(session, sa.and_(_of_desk(site_id, kinds, None), ~_visible(today)), since=since)


def case(session: Session, case_id: int, *, site_id: int, kinds: Collection[Kind], today: date) -> CaseDetail:
    """This function will read one open case with its story, in four queries. Raises `CaseUnknown`."""
    since = new_since(session, site_id=site_id, today=today)
    found = _rows(session, sa.and_(_of_desk(site_id, kinds, None), ExceptionCase.id == case_id), since=since)
    if not found:
        raise CaseUnknown(f"exception {case_id} is not open here: its cause may have gone meanwhile")
    first_seen_at = session.execute(
        sa.select(ExceptionCase.first_seen_at).where(ExceptionCase.id == case_id)
    ).scalar_one()
    return CaseDetail(
        row=found[0],
        first_seen_at=first_seen_at,
        entries=tuple(_entries(session, case_id)),
        colleagues=tuple(_colleagues(session, found[0].kind)),
    )


def new_since(session: Session, *, site_id: int, today: date) -> date:
    """This function will give the site's previous working day: what was first seen after it is new."""
    calendar = calendars.load(session, site_id=site_id)
    for back in range(1, 15):
        day = today - timedelta(days=back)
        if calendar.is_working_day(day):
            return day
    return today - timedelta(days=1)


def _of_desk(site_id: int, kinds: Collection[Kind], owner_id: int | None) -> sa.ColumnElement[bool]:
    conditions = [
        ExceptionCase.site_id == site_id,
        ExceptionCase.closed_at.is_(None),
        ExceptionCase.kind.in_(sorted(kinds, key=lambda kind: kind.value)),
    ]
    if owner_id is not None:
        conditions.append(ExceptionCase.owner_id == owner_id)
    return sa.and_(*conditions)


def _visible(today: date) -> sa.ColumnElement[bool]:
    return sa.and_(
        ExceptionCase.accepted_by_id.is_(None),
        sa.or_(ExceptionCase.snoozed_until.is_(None), ExceptionCase.snoozed_until <= today),
    )


def _totals(session: Session, shown: sa.ColumnElement[bool], *, since: date) -> dict[Kind, tuple[int, int, int]]:
    rows = session.execute(
        sa.select(
            ExceptionCase.kind,
            sa.func.count(ExceptionCase.id),
            sa.func.count(sa.case((ExceptionCase.first_seen_date > since, 1))),
            sa.func.coalesce(sa.func.sum(ExceptionCase.amount), 0),
        )
        .where(shown)
        .group_by(ExceptionCase.kind)
    )
    return {kind: (int(count), int(new), int(amount or 0)) for kind, count, new, amount in rows}


def _first_rows(session: Session, shown: sa.ColumnElement[bool], *, since: date, whole: Kind | None) -> list[CaseRow]:
    place = sa.func.row_number().over(partition_by=ExceptionCase.kind, order_by=_ranked())
    ranked = sa.select(ExceptionCase.id, ExceptionCase.kind, place.label("place")).where(shown).subquery()
    limit: Any = ROWS_A_GROUP
    if whole is not None:
        limit = sa.case((ranked.c.kind == whole, LARGEST_GROUP), else_=ROWS_A_GROUP)
    wanted = sa.select(ranked.c.id).where(ranked.c.place <= limit)
    return _rows(session, ExceptionCase.id.in_(wanted), since=since)


def _ranked() -> tuple[sa.ColumnElement[Any], ...]:
    """Money first, then units, then the nearest date; a case is known by its number where all are equal.

    Customers who could not be promised anything come before those who only wait.
    """
    unpromised = sa.and_(ExceptionCase.kind == Kind.ORDER_WAITS, ExceptionCase.due_date.is_(None))
    return (
        sa.case((unpromised, 0), else_=1),
        sa.func.coalesce(ExceptionCase.amount, -1).desc(),
        sa.func.coalesce(ExceptionCase.quantity, -1).desc(),
        ExceptionCase.due_date.asc().nulls_last(),
        ExceptionCase.id.asc(),
    )


def _rows(session: Session, condition: sa.ColumnElement[bool], *, since: date) -> list[CaseRow]:
    rows = session.execute(
        sa.select(ExceptionCase, User.display_name, Item.shown_name)
        .outerjoin(User, User.id == ExceptionCase.owner_id)
        .outerjoin(Item, sa.and_(ExceptionCase.kind.in_(_OF_ITEMS), Item.id == ExceptionCase.subject_id))
        .where(condition)
        .order_by(*_ranked())
        .limit(LARGEST_GROUP * len(Kind))
    )
    return [
        CaseRow(
            id=found.id,
            kind=found.kind,
            subject_id=found.subject_id,
            label=found.label,
            name=item_name or found.name,  # an item's name in the reader's language
            amount=found.amount,
            quantity=found.quantity,
            due_date=found.due_date,
            facts=found.facts,
            first_seen_date=found.first_seen_date,
            new=found.first_seen_date > since,
            owner=owner,
            snoozed_until=found.snoozed_until,
            snooze_comment=found.snooze_comment,
            accepted_reason=found.accepted_reason,
        )
        for found, owner, item_name in rows
    ]


def _entries(session: Session, case_id: int) -> list[Entry]:
    taker = aliased(User)
    rows = session.execute(
        sa.select(ExceptionEntry, User.display_name, taker.display_name)
        .join(User, User.id == ExceptionEntry.actor_id)
        .outerjoin(taker, taker.id == ExceptionEntry.to_user_id)
        .where(ExceptionEntry.case_id == case_id)
        .order_by(ExceptionEntry.id)
    )
    return [
        Entry(at=row.at, actor=actor, action=row.action, text=row.text, until_date=row.until_date, to_user=to_user)
        for row, actor, to_user in rows
    ]


def _colleagues(session: Session, kind: Kind) -> list[tuple[str, str]]:
    at_desk = sa.exists().where(UserRole.user_id == User.id, UserRole.role.in_(DESKS[kind].roles))
    rows = session.execute(
        sa.select(User.username, User.display_name).where(User.active, at_desk).order_by(User.display_name)
    )
    return [(row.username, row.display_name) for row in rows]

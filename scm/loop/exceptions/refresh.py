"""Holds what is found now against the open cases: opens new ones, closes those whose cause has gone.

The worker calls it every few minutes, the nightly cycle after it has published, and anybody who wants to know now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, bulk
from scm.core.db import dialect_insert, table_of
from scm.core.users import Actor, Role
from scm.loop.exceptions import looking
from scm.loop.exceptions.cases import ExceptionCase, ExceptionCheck
from scm.loop.exceptions.findings import Finding, Kind
from scm.master.locations import Site

CHUNK = 5000
WORSE = (3, 2)  # an accepted case comes back when half as much again is at risk
EVERY_KIND = frozenset(Kind)
_CASES = table_of(ExceptionCase)
_SHOWN = ("label", "name", "amount", "quantity", "due_date", "facts")


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a look around changed, and how many cases are open now among the kinds that were looked at."""

    opened: int
    closed: int
    open: int


def refresh(
    session: Session,
    *,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    kinds: Collection[Kind] = EVERY_KIND,
) -> Refreshed:
    """This function will look for exceptions of these kinds at a site and bring its cases up to date.

    Two that look at once come one after the other. Raises `LocationUnknown`.
    """
    actor.require(*(role for role in Role))
    one_at_a_time(session, site_id=site_id)
    scope = looking.scope_of(session, site_id=site_id, now=now, today=today)
    found = {(finding.kind, finding.subject_id): finding for finding in looking.look(session, scope, kinds=kinds)}
    known = {(row.kind, row.subject_id): row for row in session.execute(_open(site_id, kinds))}
    new = [finding for key, finding in found.items() if key not in known]
    gone = sorted(row.id for key, row in known.items() if key not in found)
    _open_cases(session, new, site_id=site_id, now=now, today=today)
    _update(session, [(known[key], finding) for key, finding in found.items() if key in known])
    for ids in _chunks(gone):
        session.execute(sa.update(_CASES).where(_CASES.c.id.in_(ids)).values(closed_at=now, closed_date=today))
    _note(session, site_id=site_id, now=now, today=today)
    if new or gone:
        audit.record(
            session,
            actor=actor,
            verb="exception.refresh",
            document_kind="site",
            document_ids=[site_id],
            opened=len(new),
            closed=gone[:CHUNK],
        )
    return Refreshed(opened=len(new), closed=len(gone), open=len(found))


def one_at_a_time(session: Session, *, site_id: int) -> None:
    """This function will make others who look at the site, or solve what was found there, wait until the commit."""
    session.execute(sa.select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))


def _open(site_id: int, kinds: Collection[Kind]) -> sa.Select[*tuple[Any, ...]]:
    shown = (_CASES.c[name] for name in _SHOWN)
    return sa.select(_CASES.c.id, _CASES.c.kind, _CASES.c.subject_id, _CASES.c.accepted_amount, *shown).where(
        _CASES.c.site_id == site_id, _CASES.c.closed_at.is_(None), _CASES.c.kind.in_(sorted(kinds, key=_value))
    )


def _value(kind: Kind) -> str:
    return kind.value


def _open_cases(session: Session, new: Sequence[Finding], *, site_id: int, now: datetime, today: date) -> None:
    if new:
        nobody = {"owner_id": None, "snoozed_until": None, "snoozed_by_id": None, "snooze_comment": ""}
        unanswered = {"accepted_by_id": None, "accepted_reason": "", "accepted_amount": None, "solved_by_id": None}
        seen = {"site_id": site_id, "first_seen_at": now, "first_seen_date": today}
        open_ended = {"closed_at": None, "closed_date": None}
        rows = [
            _figures(finding)
            | {"kind": finding.kind, "subject_id": finding.subject_id}
            | seen
            | open_ended
            | nobody
            | unanswered
            for finding in new
        ]
        bulk.insert_rows(session, _CASES, rows)


def _update(session: Session, pairs: Sequence[tuple[sa.Row[Any], Finding]]) -> None:
    """Only what changed is written; who accepted a smaller risk did not accept this one."""
    changed, worse = [], []
    for row, finding in pairs:
        figures = _figures(finding)
        if any(row._mapping[name] != value for name, value in figures.items()):
            changed.append({f"v_{name}": value for name, value in figures.items()} | {"k_id": row.id})
        if row.accepted_amount is not None and (finding.amount or 0) * WORSE[1] > row.accepted_amount * WORSE[0]:
            worse.append(row.id)
    if changed:
        update = sa.update(_CASES).where(_CASES.c.id == sa.bindparam("k_id"))
        session.execute(update.values({name: sa.bindparam(f"v_{name}") for name in _SHOWN}), changed)
    for ids in _chunks(worse):
        session.execute(
            sa.update(_CASES)
            .where(_CASES.c.id.in_(ids))
            .values(accepted_by_id=None, accepted_reason="", accepted_amount=None)
        )


def _figures(finding: Finding) -> dict[str, Any]:
    return {
        "label": finding.label,
        "name": finding.name,
        "amount": finding.amount,
        "quantity": finding.quantity,
        "due_date": finding.due_date,
        "facts": dict(finding.facts),
    }


def _note(session: Session, *, site_id: int, now: datetime, today: date) -> None:
    values = {"checked_at": now, "checked_date": today}
    insert = dialect_insert(session, table_of(ExceptionCheck)).values(site_id=site_id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["site_id"], set_=values))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]

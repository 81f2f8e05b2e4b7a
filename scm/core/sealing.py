"""Seals the audit trail: rows are hashed in batches, and each seal holds the hash of the one before it.

So a row that is changed, removed or moved later, and a seal that is, no longer fits. Chaining in the verbs would make
every change wait for the one before it, so the worker seals what was written since; the age of what is not sealed yet
is shown. A row may be committed after one with a higher number: a seal names the rows it holds, and a later seal takes
in those that came late. Whoever can rewrite the whole database can rewrite the chain: keep its newest hash elsewhere,
and verify against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.audit import AuditRow
from scm.core.db import Base, table_of

ROWS_AT_ONCE = 5_000
LATEST = timedelta(days=1)  # how long a transaction may have run that commits its row late
NOTHING = "0" * 64

Range = list[int]  # first and last number, both included; of a gap also the second since when


class AuditSeal(Base):
    """One batch: which rows it holds, and the hash of them and of the seal before it. A trigger keeps it as it is.

    `gaps` are the numbers up to `highest_id` that had no row yet, each range with the second since when; most of them
    are of transactions that were undone.
    """

    __tablename__ = "audit_seal"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    highest_id: Mapped[int] = mapped_column(sa.BigInteger)
    ranges: Mapped[list[Range]] = mapped_column(types.Json)
    gaps: Mapped[list[Range]] = mapped_column(types.Json)
    row_count: Mapped[int]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


@dataclass(frozen=True, kw_only=True)
class Unsealed:
    """How many rows no seal holds yet, and since when the oldest of them waits."""

    rows: int
    oldest_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """What `verify` found: nothing, or the places where the trail is not what was sealed."""

    findings: tuple[str, ...]
    seals: int
    rows: int
    head: str
    unsealed: Unsealed

    def summary(self) -> str:
        """This function will say what was checked and found, and what is not sealed yet."""
        found = {0: "nothing was tampered with", 1: "1 place was tampered with"}.get(
            len(self.findings), f"{len(self.findings)} places were tampered with"
        )
        waiting = "every row is sealed"
        if self.unsealed.oldest_at is not None:
            oldest = f"{self.unsealed.oldest_at:%Y-%m-%d %H:%M:%S}"
            waiting = f"{self.unsealed.rows} rows are not sealed yet, the oldest of {oldest} UTC"
        return f"{self.seals} seals over {self.rows} rows: {found}; {waiting}. Newest seal: {self.head}"


def seal(session: Session, *, now: datetime) -> AuditSeal | None:
    """This function will seal the oldest rows that are not sealed, at most 5,000, and return the seal; or None.

    Two at once cannot both add the next seal: its number is the key.
    """
    last = newest(session)
    rows = session.execute(
        sa.select(table_of(AuditRow)).where(_waits(last)).order_by(AuditRow.id).limit(ROWS_AT_ONCE)
    ).all()
    if not rows:
        return None
    ids = [row.id for row in rows]
    highest = 0 if last is None else last.highest_id
    one = AuditSeal(
        id=1 if last is None else last.id + 1,
        sealed_at=now,
        highest_id=max(ids[-1], highest),
        ranges=_ranges(ids),
        gaps=_open_gaps([] if last is None else last.gaps, ids, after=highest, now=now),
        row_count=len(ids),
        previous_hash=NOTHING if last is None else last.hash,
        hash="",
    )
    one.hash = _hash(one, rows)
    session.add(one)
    session.flush()
    return one


def waits(session: Session) -> bool:
    """This function will tell whether a row waits for its seal."""
    return session.scalar(sa.select(AuditRow.id).where(_waits(newest(session))).limit(1)) is not None


def unsealed(session: Session) -> Unsealed:
    """This function will count the rows that no seal holds yet and give the age of the oldest."""
    waiting = sa.select(sa.func.count().label("rows"), sa.func.min(AuditRow.at).label("oldest"))
    row = session.execute(waiting.where(_waits(newest(session)))).one()
    return Unsealed(rows=row.rows, oldest_at=row.oldest)


def verify(session: Session, *, expected_head: str | None = None) -> AuditReport:
    """This function will recompute every seal from the rows and name each place that does not fit.

    With `expected_head`, the hash of a seal that was noted elsewhere, a chain that was cut short or written anew is
    found, too. A read-only session will do.
    """
    findings: list[str] = []
    seals = session.scalars(sa.select(AuditSeal).order_by(AuditSeal.id)).all()
    previous, held, total = NOTHING, set[int](), 0
    for number, one in enumerate(seals, start=1):
        if one.id != number:
            findings.append(f"seal {number} is missing: the next one is seal {one.id}")
            return _report(session, findings, seals, total)
        if one.previous_hash != previous:
            findings.append(f"seal {one.id} does not follow seal {one.id - 1}: one of them was changed")
        findings += _seal_findings(session, one, held)
        held.update(_numbers(one.ranges))
        total += one.row_count
        previous = one.hash
    if expected_head is not None and all(one.hash != expected_head for one in seals):
        findings.append(f"no seal has the hash {expected_head}: seals were removed at the end, or all written anew")
    findings += _put_in(session, seals, held)
    return _report(session, findings, seals, total)


def _report(session: Session, findings: list[str], seals: Sequence[AuditSeal], rows: int) -> AuditReport:
    return AuditReport(
        findings=tuple(findings),
        seals=len(seals),
        rows=rows,
        head=seals[-1].hash if seals else NOTHING,
        unsealed=unsealed(session),
    )


def _seal_findings(session: Session, one: AuditSeal, held: set[int]) -> list[str]:
    numbers = list(_numbers(one.ranges))
    rows = _rows_in(session, one.ranges)
    findings = [
        f"audit row {number} is held by seal {one.id} and by an earlier one" for number in numbers if number in held
    ]
    missing = sorted(set(numbers) - {row.id for row in rows})
    shown = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
    if missing:
        findings.append(f"seal {one.id} of {one.sealed_at:%Y-%m-%d %H:%M:%S}: audit rows {shown} were removed")
    elif _hash(one, rows) != one.hash:
        first, last = numbers[0], numbers[-1]
        findings.append(
            f"seal {one.id} of {one.sealed_at:%Y-%m-%d %H:%M:%S}: one of the audit rows {first} to {last}, or the seal "
            "itself, was changed or moved"
        )
    return findings


def _put_in(session: Session, seals: Sequence[AuditSeal], held: set[int]) -> list[str]:
    """Rows with a number that the seals have passed, and in no gap that may still be filled."""
    if not seals:
        return []
    passed = sa.select(AuditRow.id).where(AuditRow.id <= seals[-1].highest_id, ~_waits(seals[-1]))
    return [
        f"audit row {number} was put in after its neighbours were sealed"
        for number in session.scalars(passed.order_by(AuditRow.id))
        if number not in held
    ]


def _rows_in(session: Session, ranges: Iterable[Range]) -> list[sa.Row[tuple[object, ...]]]:
    conditions = [AuditRow.id.between(first, last) for first, last in ranges]
    statement = sa.select(table_of(AuditRow)).where(sa.or_(*conditions)).order_by(AuditRow.id)
    return list(session.execute(statement).all())


def newest(session: Session) -> AuditSeal | None:
    """This function will read the newest seal, whose hash stands for the whole trail before it."""
    return session.scalars(sa.select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1)).one_or_none()


def _waits(last: AuditSeal | None) -> sa.ColumnElement[bool]:
    """The rows after the newest seal, and those that came late into one of its gaps."""
    if last is None:
        return sa.true()
    late = [AuditRow.id.between(first, final) for first, final, _ in last.gaps]
    return sa.or_(AuditRow.id > last.highest_id, *late)


def _open_gaps(known: Iterable[Range], sealed: Sequence[int], *, after: int, now: datetime) -> list[Range]:
    """The gaps that may still be filled: the known ones without what filled them, and the new ones."""
    oldest = (now - LATEST).timestamp()
    gaps: list[Range] = []
    for first, last, since in known:
        if since >= oldest:
            filled = [number for number in sealed if first <= number <= last]
            gaps += [[*gap, since] for gap in _gaps([*filled, last + 1], after=first - 1)]
    fresh = _gaps([number for number in sealed if number > after], after=after)
    return gaps + [[*gap, int(now.timestamp())] for gap in fresh]


def _hash(one: AuditSeal, rows: Iterable[sa.Row[tuple[object, ...]]]) -> str:
    digest = hashlib.sha256()
    head = [one.id, one.sealed_at.isoformat(), one.highest_id, one.ranges, one.gaps, one.row_count, one.previous_hash]
    digest.update(types.canonical_json(head).encode())
    for row in rows:
        values = row._mapping
        line = [
            values["id"],
            values["at"].isoformat(),
            values["actor_id"],
            values["verb"],
            values["document_kind"],
            values["document_id"],
            values["detail"],
        ]
        digest.update(b"\n" + types.canonical_json(line).encode())
    return digest.hexdigest()


def _ranges(numbers: Sequence[int]) -> list[Range]:
    """Ascending numbers as ranges.

    >>> _ranges([1, 2, 3, 7, 9, 10])
    [[1, 3], [7, 7], [9, 10]]
    """
    ranges: list[Range] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _gaps(numbers: Sequence[int], *, after: int) -> list[Range]:
    """The numbers between that are not there.

    >>> _gaps([3, 4, 8], after=1)
    [[2, 2], [5, 7]]
    """
    gaps: list[Range] = []
    for number in numbers:
        if number > after + 1:
            gaps.append([after + 1, number - 1])
        after = number
    return gaps


def _numbers(ranges: Iterable[Range]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)

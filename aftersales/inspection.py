"""Inspection of returned goods: what condition they are in, and what really was the matter with them.

What it finds is recorded as a fact in the same transaction: the next cycle learns the return, and the supplier's record
the defect.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import documents, feedback, photos
from aftersales.documents import KIND, LockedLine
from aftersales.feedback import Inspected
from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.stock.lots import NO_LOT
from scm.stock.moves import Move


class Grade(enum.Enum):
    """The condition of returned goods."""

    A = "a"  # as new, sealed
    B = "b"  # opened, complete, sound
    C = "c"  # damaged, can be mended
    D = "d"  # worthless


class Finding(enum.Enum):
    """What was found, whatever the customer wrote. Supplier findings reach the supplier's record."""

    NO_FAULT = "no_fault"
    CUSTOMER_DAMAGE = "customer_damage"
    TRANSPORT_DAMAGE = "transport_damage"
    SUPPLIER_DEFECT = "supplier_defect"
    OUR_MISTAKE = "our_mistake"


class Inspection(Base):
    """One verdict on so many received units of one return line. What became of them is in `disposal`."""

    __tablename__ = "inspection"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_line_id: Mapped[int] = mapped_column(sa.ForeignKey("return_line.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    grade: Mapped[Grade] = mapped_column(types.enum_column(Grade))
    finding: Mapped[Finding] = mapped_column(types.enum_column(Finding))
    note: Mapped[str] = mapped_column(sa.String(400))
    inspected_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    inspected_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="inspects_something"),)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an inspector says of so many units of a return line.

    The lot is only needed when units of several lots of the line have arrived.
    """

    return_line_id: int
    quantity: int
    grade: Grade
    finding: Finding
    note: str = ""
    lot_id: int | None = None
    photos: tuple[bytes, ...] = ()


class BadVerdict(InvalidInput):
    """A verdict has no whole quantity above zero, too long a note, or does not say which of several lots it is on."""


class MoreThanReceived(Conflict):
    """More would be inspected than has arrived."""


LONGEST_NOTE = 400


@dataclass(frozen=True)
class _Accepted:
    """A verdict with its line, its lot, and the day the last of its units arrived."""

    verdict: Verdict
    line: LockedLine
    lot_id: int
    arrived_date: date


def record(session: Session, verdicts: Sequence[Verdict], *, actor: Actor, now: datetime, today: date) -> list[int]:
    """This function will record verdicts and return the ids of the inspections, in the order given.

    Raises `BadVerdict`, `ReturnLineUnknown`, `MoreThanReceived`, `NotAPhoto`; nothing is recorded then.
    """
    actor.require(Role.RETURNS, Role.WAREHOUSE, Role.SYSTEM)
    if not verdicts:
        return []
    lines = documents.lock_lines(session, [verdict.return_line_id for verdict in verdicts])
    accepted = _accept(session, verdicts, lines)
    ids = _insert(session, accepted, actor=actor, now=now)
    for inspection_id, verdict in zip(ids, verdicts, strict=True):
        photos.attach(session, verdict.photos, inspection_id=inspection_id, actor=actor, now=now)
    feedback.record_inspected(
        session,
        [
            Inspected(
                inspection_id=inspection_id,
                site_id=one.line.site_id,
                item_id=one.line.item_id,
                quantity=one.verdict.quantity,
                arrived_date=one.arrived_date,
                sold_date=one.line.sold_date,
                defective=one.verdict.finding is Finding.SUPPLIER_DEFECT,
            )
            for inspection_id, one in zip(ids, accepted, strict=True)
        ],
        today=today,
    )
    audit.record(
        session,
        actor=actor,
        verb="return.inspect",
        document_kind=KIND,
        document_ids=sorted({line.return_id for line in lines.values()}),
        inspections=ids,
        photos=sum(len(verdict.photos) for verdict in verdicts),
    )
    return ids


def _accept(session: Session, verdicts: Sequence[Verdict], lines: Mapping[int, LockedLine]) -> list[_Accepted]:
    arrivals: dict[int, list[Move]] = defaultdict(list)
    for move in documents.arrived(session, {line.return_id for line in lines.values()}):
        arrivals[move.line_id].append(move)
    inspected = _inspected(session, lines)
    accepted = []
    for row, verdict in enumerate(verdicts, start=1):
        _refuse_malformed(row, verdict)
        lot_id = _lot(row, verdict, arrivals[verdict.return_line_id])
        came = [move for move in arrivals[verdict.return_line_id] if move.lot_id == lot_id]
        before = inspected[verdict.return_line_id, lot_id]
        waiting = sum(move.quantity for move in came) - before
        if verdict.quantity > waiting:
            raise MoreThanReceived(
                f"verdict {row}: {verdict.quantity} are more than the {max(0, waiting)} of return line "
                f"{verdict.return_line_id} that have arrived and wait for inspection"
            )
        inspected[verdict.return_line_id, lot_id] += verdict.quantity
        arrived_date = _arrived_date(came, before + verdict.quantity)
        accepted.append(_Accepted(verdict, lines[verdict.return_line_id], lot_id, arrived_date))
    return accepted


def _refuse_malformed(row: int, verdict: Verdict) -> None:
    if type(verdict.quantity) is not int or verdict.quantity <= 0:
        raise BadVerdict(f"verdict {row}: quantity {verdict.quantity!r} must be a whole number above 0")
    if len(verdict.note) > LONGEST_NOTE:
        raise BadVerdict(f"verdict {row}: the note has {len(verdict.note)} characters: write at most {LONGEST_NOTE}")


def _lot(row: int, verdict: Verdict, arrivals: Sequence[Move]) -> int:
    if verdict.lot_id is not None:
        return verdict.lot_id
    lots = {move.lot_id for move in arrivals}
    if len(lots) > 1:
        raise BadVerdict(
            f"verdict {row}: {len(lots)} lots of return line {verdict.return_line_id} have arrived: say which it is on"
        )
    return lots.pop() if lots else NO_LOT


def _arrived_date(arrivals: Sequence[Move], count: int) -> date:
    """The day on which so many units had arrived; the first to arrive are inspected first."""
    for move in arrivals:
        count -= move.quantity
        if count <= 0:
            assert move.posted_date is not None, "a posted move has its date"
            return move.posted_date
    raise AssertionError("unreachable: no more is inspected than has arrived")


def _inspected(session: Session, line_ids: Mapping[int, LockedLine]) -> defaultdict[tuple[int, int], int]:
    """What was inspected of each return line and lot before."""
    inspected: defaultdict[tuple[int, int], int] = defaultdict(int)
    rows = session.execute(
        sa.select(Inspection.return_line_id, Inspection.lot_id, sa.func.sum(Inspection.quantity))
        .where(Inspection.return_line_id.in_(sorted(line_ids)))
        .group_by(Inspection.return_line_id, Inspection.lot_id)
    )
    for line_id, lot_id, quantity in rows:
        inspected[line_id, lot_id] = int(quantity)
    return inspected


def _insert(session: Session, accepted: Sequence[_Accepted], *, actor: Actor, now: datetime) -> list[int]:
    rows = [
        {
            "return_line_id": one.line.id,
            "lot_id": one.lot_id,
            "quantity": one.verdict.quantity,
            "grade": one.verdict.grade,
            "finding": one.verdict.finding,
            "note": one.verdict.note,
            "inspected_by": actor.user_id,
            "inspected_at": now,
        }
        for one in accepted
    ]
    table = table_of(Inspection)
    inserted = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(inserted, rows).scalars())

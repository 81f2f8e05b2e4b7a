"""Inspection of received goods whose agreement asks for it: they stay at the dock until somebody has looked.

What passes may be put away; what fails goes to quarantine, out of every promise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, moves
from scm.stock.ledger import Posting
from scm.stock.moves import Move, MoveState

CHUNK = 5000


class ReceiptInspection(Base):
    """What somebody found in goods that stood at the dock. The move is the one that takes them on from there."""

    __tablename__ = "receipt_inspection"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), index=True)
    passed: Mapped[int] = mapped_column(sa.BigInteger)
    failed: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(200))
    inspected_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    inspected_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("passed >= 0 AND failed >= 0 AND passed + failed > 0", name="looks_at_something"),
        sa.CheckConstraint("failed = 0 OR reason <> ''", name="failure_has_a_reason"),
    )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found in the goods of one move that waits at the dock: all of them, passed and failed together."""

    move_id: int
    passed: int
    failed: int
    reason: str = ""


class BadFinding(InvalidInput):
    """A finding does not add up to what waits, or lacks its reason."""


class NothingToInspect(Conflict):
    """The move waits for no inspection."""


class NotInspected(Conflict):
    """The goods must be inspected before they are put away."""


def record(
    session: Session, findings: Sequence[Finding], *, actor: Actor, now: datetime, today: date
) -> tuple[Move, ...]:
    """This function will note what was found and move what failed to quarantine; it returns those moves.

    Raises `BadFinding`, `NothingToInspect`, `MoveUnknown`.
    """
    actor.require(Role.WAREHOUSE)
    waiting = moves.lock(session, [finding.move_id for finding in findings])
    done = inspected(session, [move.id for move in waiting])
    for move, finding in zip(waiting, findings, strict=True):
        if not move.needs_inspection or move.state is not MoveState.PLANNED or move.id in done:
            raise NothingToInspect(f"{move.label} waits for no inspection")
        _refuse(move, finding)
    if len({finding.move_id for finding in findings}) < len(findings):
        twice, _ = Counter(finding.move_id for finding in findings).most_common(1)[0]
        raise BadFinding(f"move {twice} is inspected twice in one call: add the findings up")
    _insert(session, findings, actor=actor, now=now)
    failed = [(move, finding) for move, finding in zip(waiting, findings, strict=True) if finding.failed]
    places = locations.places(session, {move.source_id for move, _ in failed})
    postings = [
        Posting(
            move_id=move.id,
            quantity=finding.failed,
            destination_id=locations.of_kind(
                session, kind=LocationKind.QUARANTINE, site_id=places[move.source_id].site_id
            ),
        )
        for move, finding in failed
    ]
    if not postings:
        return ()
    return ledger.post(session, postings, actor=actor, now=now, today=today).posted


def inspected(session: Session, move_ids: Iterable[int]) -> frozenset[int]:
    """This function will tell which of the moves have passed their inspection, at least in part."""
    wanted = sorted(set(move_ids))
    found: set[int] = set()
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        found.update(session.scalars(sa.select(ReceiptInspection.move_id).where(ReceiptInspection.move_id.in_(chunk))))
    return frozenset(found)


def refuse_uninspected(session: Session, wanted: Sequence[Move]) -> None:
    """This function will raise `NotInspected` when goods that need it were not looked at yet."""
    done = inspected(session, [move.id for move in wanted if move.needs_inspection])
    for move in wanted:
        if move.needs_inspection and move.id not in done:
            raise NotInspected(f"{move.label}: item {move.item_id} waits for its inspection: record what was found")


def _refuse(move: Move, finding: Finding) -> None:
    if min(finding.passed, finding.failed) < 0 or finding.passed + finding.failed != move.quantity:
        raise BadFinding(
            f"{move.label}: {finding.passed} passed and {finding.failed} failed do not add up to the {move.quantity} "
            "that wait"
        )
    if finding.failed and not finding.reason.strip():
        raise BadFinding(f"{move.label}: {finding.failed} failed: say why")


def _insert(session: Session, findings: Sequence[Finding], *, actor: Actor, now: datetime) -> None:
    rows = [vars(finding) | {"inspected_by_id": actor.user_id, "inspected_at": now} for finding in findings]
    if rows:
        session.execute(sa.insert(table_of(ReceiptInspection)), rows)
    audit.record(
        session,
        actor=actor,
        verb="receipt.inspect",
        document_kind="stock_move",
        document_ids=[finding.move_id for finding in findings],
    )

"""What happened to a document, who did it and when, and what comes next.

It is put together from what the verbs leave: audit rows of the document, posted moves of its goods, messages that left
for it, approvals. Nothing is stored for it, and it reads in a bounded number of queries.

Two clocks meet here. Audit rows are written by the wall clock; goods and documents keep business time, which a
simulated company has its own of. An event shows the business instant of what the verb wrote, or noted with what it
did; where there is none, `at` is empty and `recorded_at` alone says when it was noted. Audit rows keep their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.audit import AuditRow
from scm.core.outbox import OutboxMessage
from scm.core.users import User
from scm.loop import timeline_facts
from scm.loop.timeline_facts import MoveRow
from scm.master.locations import LocationKind
from scm.stock.moves import MoveState

MOST = 500  # audit rows, moves or messages of one document; the newest are kept


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. `verb` is the audit's word, or `goods.…` and `message.sent` for the other sources.

    `quantity` and `lines` count what moved together; `actor` is empty for what no audit row tells.
    """

    verb: str
    actor: str
    at: datetime | None
    recorded_at: datetime | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    quantity: int = 0
    lines: int = 0

    @property
    def when(self) -> datetime | None:
        """The instant to show: business time, and the time of the record where there is none."""
        return self.at or self.recorded_at


@dataclass(frozen=True, kw_only=True)
class Coming:
    """Goods that are planned to move next for the document, from one kind of place to another, by a day."""

    verb: str
    due_date: date
    quantity: int
    lines: int


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What happened, the oldest first, and what comes next, the earliest first."""

    events: tuple[Event, ...]
    coming: tuple[Coming, ...]


# What a move means, by the kinds of place it leaves and reaches.
_WORDS: Mapping[tuple[LocationKind, LocationKind], str] = {
    (LocationKind.SUPPLIER, LocationKind.DOCK): "goods.receive",
    (LocationKind.STORAGE, LocationKind.PRODUCTION): "goods.issue",
    (LocationKind.STORAGE, LocationKind.PARTNER): "goods.send_to_partner",
    (LocationKind.PARTNER, LocationKind.PRODUCTION): "goods.use_up",
    (LocationKind.PARTNER, LocationKind.STORAGE): "goods.come_back",
    (LocationKind.PRODUCTION, LocationKind.DOCK): "goods.complete",
    (LocationKind.PRODUCTION, LocationKind.STORAGE): "goods.leave_production",
    (LocationKind.PRODUCTION, LocationKind.SCRAP): "goods.scrap",
    (LocationKind.DOCK, LocationKind.STORAGE): "goods.put_away",
    (LocationKind.DOCK, LocationKind.QUARANTINE): "goods.reject",
    (LocationKind.STORAGE, LocationKind.STAGING): "goods.pick",
    (LocationKind.STAGING, LocationKind.STORAGE): "goods.put_back",
    (LocationKind.STAGING, LocationKind.DELIVERY): "goods.ship",
    (LocationKind.DELIVERY, LocationKind.CUSTOMER): "goods.deliver",
    (LocationKind.CUSTOMER, LocationKind.RETURNS): "goods.take_back",
    (LocationKind.RETURNS, LocationKind.STORAGE): "goods.restock",
    (LocationKind.RETURNS, LocationKind.QUARANTINE): "goods.refurbish",
    (LocationKind.RETURNS, LocationKind.SUPPLIER): "goods.return_to_supplier",
    (LocationKind.RETURNS, LocationKind.SCRAP): "goods.scrap",
    (LocationKind.ADJUSTMENT, LocationKind.STORAGE): "goods.count_more",
    (LocationKind.STORAGE, LocationKind.ADJUSTMENT): "goods.count_less",
}
OTHER_MOVE = "goods.move"
REVERSAL = "goods.reverse"
SENT = "message.sent"


def of_document(session: Session, *, kind: str, document_id: int) -> Timeline:
    """This function will read the timeline of a document of any kind that is audited."""
    moves = timeline_facts.moves_of(session, kind=kind, document_id=document_id, most=MOST)
    posted = [move for move in moves if move.state is MoveState.POSTED]
    events = _audited(session, kind, document_id) + _moved(session, posted) + _messages(session, kind, document_id)
    return Timeline(events=tuple(_in_order(events)), coming=tuple(_coming(moves)))


def word_of(move: MoveRow) -> str:
    """This function will name what a move is, for whoever reads it."""
    if move.reverses_id is not None:
        return REVERSAL
    return _WORDS.get((move.source, move.destination), OTHER_MOVE)


@dataclass(frozen=True)
class _Placed:
    """An event and where it belongs: by business time, then by the source's own order."""

    event: Event
    at: datetime | None
    rank: int


def _audited(session: Session, kind: str, document_id: int) -> list[_Placed]:
    rows = session.execute(
        sa.select(AuditRow.id, AuditRow.at, AuditRow.verb, AuditRow.detail, User.display_name)
        .join(User, User.id == AuditRow.actor_id)
        .where(AuditRow.document_kind == kind, AuditRow.document_id == document_id)
        .order_by(AuditRow.id.desc())
        .limit(MOST)
    ).all()[::-1]
    known = timeline_facts.instants_of(session, kind=kind, document_id=document_id)
    seen: dict[str, int] = defaultdict(int)
    found = []
    last: datetime | None = None
    for row in rows:
        instants = known.get(row.verb, ())
        # The n-th row of a verb wrote the n-th instant; two that did it at once wrote one between them.
        at = instants[min(seen[row.verb], len(instants) - 1)] if instants else _told(row.detail or {})
        seen[row.verb] += 1
        last = at or last
        event = Event(verb=row.verb, actor=row.display_name, at=at, recorded_at=row.at, detail=row.detail or {})
        found.append(_Placed(event, last, 0))
    return found


def _told(detail: Mapping[str, Any]) -> datetime | None:
    """The business instant that some verbs note with what they did."""
    told = detail.get("now")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def _moved(session: Session, posted: Sequence[MoveRow]) -> list[_Placed]:
    """Moves that were posted at once, between the same kinds of place, are one event."""
    together: dict[tuple[datetime, str], list[MoveRow]] = defaultdict(list)
    for move in posted:
        assert move.posted_at is not None, "a posted move has its time"
        together[move.posted_at, word_of(move)].append(move)
    actors = timeline_facts.actors_of_moves(session, [moves[0].id for moves in together.values()])
    return [
        _Placed(
            Event(
                verb=verb,
                actor=actors.get(moves[0].id, ""),
                at=at,
                recorded_at=None,
                detail={"reason": moves[0].reason} if verb == REVERSAL else {},
                quantity=sum(move.quantity for move in moves),
                lines=len({move.line_id for move in moves}),
            ),
            at,
            1,
        )
        for (at, verb), moves in together.items()
    ]


def _messages(session: Session, kind: str, document_id: int) -> list[_Placed]:
    rows = session.execute(
        sa.select(OutboxMessage.topic, OutboxMessage.recipient, OutboxMessage.created_at)
        .where(OutboxMessage.document_kind == kind, OutboxMessage.document_id == document_id)
        .order_by(OutboxMessage.id.desc())
        .limit(MOST)
    )
    return [
        _Placed(
            Event(
                verb=SENT,
                actor="",
                at=row.created_at,
                recorded_at=None,
                detail={"topic": row.topic, "recipient": row.recipient},
            ),
            row.created_at,
            2,
        )
        for row in rows
    ]


def _in_order(placed: Sequence[_Placed]) -> list[Event]:
    """By business time; what has none stands behind what its source noted before it."""
    known = [one.at for one in placed if one.at is not None]
    first = min(known, default=None)

    def key(one: _Placed) -> tuple[bool, float, int]:
        # Sorting is stable, so rows of one source keep their order. What precedes every known instant comes first.
        at = one.at or first
        return (at is not None, at.timestamp() if at is not None else 0.0, one.rank if one.at else -1)

    return [one.event for one in sorted(placed, key=key)]


def _coming(moves: Sequence[MoveRow]) -> list[Coming]:
    together: dict[tuple[date, str], list[MoveRow]] = defaultdict(list)
    for move in moves:
        if move.state is MoveState.PLANNED:
            together[move.due_date, word_of(move)].append(move)
    return [
        Coming(
            verb=verb,
            due_date=due_date,
            quantity=sum(move.quantity for move in planned),
            lines=len({move.line_id for move in planned}),
        )
        for (due_date, verb), planned in sorted(together.items(), key=lambda one: one[0])
    ]

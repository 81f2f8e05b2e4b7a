"""Inspection of returned goods: what condition they are in, and what really was the matter with them."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales.returns import KIND, ReturnLine
from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.stock import moves
from scm.stock.moves import MoveState


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
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    grade: Mapped[Grade] = mapped_column(types.enum_column(Grade))
    finding: Mapped[Finding] = mapped_column(types.enum_column(Finding))
    note: Mapped[str] = mapped_column(sa.String(400))
    inspected_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    inspected_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="inspects_something"),)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an inspector says of so many units of a return line."""

    return_line_id: int
    quantity: int
    grade: Grade
    finding: Finding
    note: str = ""


class BadVerdict(InvalidInput):
    """A verdict has no whole quantity above zero."""


class ReturnLineUnknown(NotFound):
    """There is no return line of that id."""


class MoreThanReceived(Conflict):
    """More would be inspected than has arrived."""


def record(session: Session, verdicts: Sequence[Verdict], *, actor: Actor, now: datetime) -> list[int]:
    """This function will record verdicts and return the ids of the inspections, in the order given.

    Raises `BadVerdict`, `ReturnLineUnknown`, `MoreThanReceived`; nothing is recorded then.
    """
    actor.require(Role.RETURNS, Role.WAREHOUSE, Role.SYSTEM)
    line_ids = sorted({verdict.return_line_id for verdict in verdicts})
    returns = _lock_lines(session, line_ids)
    received = received_quantities(session, returns)
    inspected = _inspected(session, line_ids)
    for row, verdict in enumerate(verdicts, start=1):
        if type(verdict.quantity) is not int or verdict.quantity <= 0:
            raise BadVerdict(f"verdict {row}: quantity {verdict.quantity!r} must be a whole number above 0")
        open_quantity = received[verdict.return_line_id] - inspected[verdict.return_line_id]
        if verdict.quantity > open_quantity:
            raise MoreThanReceived(
                f"verdict {row}: {verdict.quantity} are more than the {open_quantity} of return line "
                f"{verdict.return_line_id} that have arrived and wait for inspection"
            )
        inspected[verdict.return_line_id] += verdict.quantity
    table = table_of(Inspection)
    rows = [
        {
            "return_line_id": verdict.return_line_id,
            "quantity": verdict.quantity,
            "grade": verdict.grade,
            "finding": verdict.finding,
            "note": verdict.note,
            "inspected_by": actor.user_id,
            "inspected_at": now,
        }
        for verdict in verdicts
    ]
    ids = list(session.execute(sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), rows).scalars())
    audit.record(
        session, actor=actor, verb="return.inspect", document_kind=KIND, document_ids=sorted(set(returns.values()))
    )
    return ids


def received_quantities(session: Session, returns: dict[int, int]) -> dict[int, int]:
    """This function will give what has arrived of return lines. `returns` maps a line to its authorization."""
    received: dict[int, int] = defaultdict(int)
    posted = moves.of_documents(session, kind=KIND, document_ids=set(returns.values()), states=[MoveState.POSTED])
    reversed_ids = {move.reverses_id for move in posted}
    for move in posted:
        if move.reverses_id is None and move.id not in reversed_ids:
            received[move.line_id] += move.quantity
    return received


def _lock_lines(session: Session, line_ids: list[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(ReturnLine.id, ReturnLine.return_id)
        .where(ReturnLine.id.in_(line_ids))
        .order_by(ReturnLine.id)
        .with_for_update()
    )
    found = {row.id: row.return_id for row in rows}
    unknown = [line_id for line_id in line_ids if line_id not in found]
    if unknown:
        raise ReturnLineUnknown(f"there is no return line {unknown[0]}: scan the label of the return")
    return found


def _inspected(session: Session, line_ids: list[int]) -> dict[int, int]:
    inspected: dict[int, int] = defaultdict(int)
    rows = session.execute(
        sa.select(Inspection.return_line_id, sa.func.sum(Inspection.quantity))
        .where(Inspection.return_line_id.in_(line_ids))
        .group_by(Inspection.return_line_id)
    )
    for line_id, quantity in rows:
        inspected[line_id] = int(quantity)
    return inspected

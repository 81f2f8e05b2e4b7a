"""Reporting: what was done at an operation, good and scrapped and in how many minutes.

A report never changes. A mistake is taken back whole by a correction and then reported anew. Scrap leaves production in
the goods ledger; what it cost is carried by the good output of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.production import documents, progress, ways
from scm.production.documents import KIND, LONGEST_REASON, MACHINE, OperationReport, ScrapReason, WorkOrderUnknown
from scm.production.progress import OUTPUT, Progress, Work
from scm.stock import ledger
from scm.stock.ledger import MoveRequest

REPORTS = (Role.PRODUCTION, Role.SYSTEM)
LONGEST_MINUTES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was done at one operation of an order."""

    operation_id: int
    good: int = 0
    scrap: int = 0
    scrap_reason: ScrapReason | None = None
    minutes: int = 0
    note: str = ""


class BadReport(InvalidInput):
    """A report says nothing, names no reason for its scrap, or a figure cannot be."""


class NotThatManyHere(Conflict):
    """More is reported at an operation than passed the one before it, or than was started."""


class CannotCorrect(Conflict):
    """A report was corrected before, or what it reported good has gone on."""


def report(
    session: Session, order_id: int, reports: Sequence[Report], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will record what was done at operations of one order, in the order given, and give the reports'
    ids.

    Raises `BadReport`, `NotThatManyHere`, `WorkOrderUnknown`, `IllegalTransition`; nothing is recorded then.
    """
    actor.require(*REPORTS)
    [order] = documents.lock(session, [order_id])
    if not reports:
        raise BadReport(f"{order.number}: nothing was reported: say what was done")
    order.state = MACHINE.advance(order.state, "report", number=order.number)
    found = progress.of_order(session, order)
    ids = [_record(session, found, one, actor=actor, now=now, today=today) for one in reports]
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.report",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        reports=ids,
    )
    return ids


def correct(
    session: Session, order_id: int, report_id: int, *, reason: str, actor: Actor, now: datetime, today: date
) -> int:
    """This function will take a report back whole, by a report of the same figures below zero, and give its id.

    Raises `BadReport`, `CannotCorrect`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*REPORTS)
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "correct", number=order.number)
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON:
        raise BadReport(f"{order.number}: correcting a report needs a reason of 1 to {LONGEST_REASON} characters")
    found = progress.of_order(session, order)
    index, wrong = _reported(found, report_id)
    _refuse_correcting(found, index, wrong)
    scrap_move_id = None
    if wrong.scrap_move_id is not None:
        undone = ledger.reverse(session, [wrong.scrap_move_id], reason=text, actor=actor, now=now, today=today)
        scrap_move_id = undone.posted[0].id
    row = OperationReport(
        operation_id=wrong.operation_id,
        good=-wrong.good,
        scrap=-wrong.scrap,
        scrap_reason=wrong.scrap_reason,
        minutes=-wrong.minutes,
        note=text,
        reported_at=now,
        reported_date=today,
        reported_by_id=actor.user_id,
        scrap_move_id=scrap_move_id,
        corrects_id=wrong.id,
    )
    session.add(row)
    session.flush()
    back = min(order.quantity - found.completed, found.possible + wrong.scrap) - found.outstanding
    if back > 0:
        ways.plan_output(session, [(order, back)])
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.correct",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        report=wrong.id,
        reason=text,
    )
    return row.id


def _record(session: Session, found: Progress, one: Report, *, actor: Actor, now: datetime, today: date) -> int:
    index = _index(found, one.operation_id)
    _refuse(found, index, one)
    move_id = _scrap(session, found, one, actor=actor, now=now, today=today) if one.scrap else None
    row = OperationReport(
        operation_id=one.operation_id,
        good=one.good,
        scrap=one.scrap,
        scrap_reason=one.scrap_reason,
        minutes=one.minutes,
        note=one.note.strip(),
        reported_at=now,
        reported_date=today,
        reported_by_id=actor.user_id,
        scrap_move_id=move_id,
    )
    session.add(row)
    session.flush()
    work = found.work[index]
    work.good, work.scrap, work.minutes = work.good + one.good, work.scrap + one.scrap, work.minutes + one.minutes
    return row.id


def _refuse(found: Progress, index: int, one: Report) -> None:
    work = found.work[index]
    where = f"{found.order.number} operation {work.operation.sequence}"
    for field, value, most in (
        ("good", one.good, None),
        ("scrap", one.scrap, None),
        ("minutes", one.minutes, LONGEST_MINUTES),
    ):
        if type(value) is not int or value < 0 or (most is not None and value > most):
            bounds = "of 0 or more" if most is None else f"from 0 to {most}"
            raise BadReport(f"{where}: {field} is {value!r}: give a whole number {bounds}")
    if not (one.good or one.scrap or one.minutes):
        raise BadReport(f"{where}: good, scrap and minutes are all 0: say what was done")
    if bool(one.scrap) is not (one.scrap_reason is not None):
        raise BadReport(f"{where}: {one.scrap} are scrapped: a reason is given for scrap, and only then")
    if len(one.note) > LONGEST_REASON:
        raise BadReport(f"{where}: the note has {len(one.note)} characters: give up to {LONGEST_REASON}")
    there = found.reportable(index)
    if one.good + one.scrap > there:
        before = "were started" if index == 0 else f"passed operation {found.work[index - 1].operation.sequence}"
        raise NotThatManyHere(
            f"{where}: {one.good} good and {one.scrap} scrapped are more than the {there} that {before} and were not "
            "reported here yet: correct the figures, or report the operation before first"
        )


def _scrap(session: Session, found: Progress, one: Report, *, actor: Actor, now: datetime, today: date) -> int:
    """Scrap leaves production, and what of the planned output cannot come any more is given up."""
    order = found.order
    assert one.scrap_reason is not None, "scrap without a reason was refused"
    lost = max(0, found.outstanding - (found.possible - one.scrap))
    given_up: dict[int, int] = {}
    for planned in reversed(found.expected):
        if part := min(planned.quantity, lost - sum(given_up.values())):
            given_up[planned.id] = part
            planned.quantity -= part
    ledger.cancel_part(session, given_up, reason="it was scrapped", actor=actor)
    request = MoveRequest(
        item_id=order.item_id,
        source_id=ways.of_site(session, order.site_id).floor_id,
        destination_id=locations.of_kind(session, kind=LocationKind.SCRAP, site_id=None),
        quantity=one.scrap,
        due_date=today,
        document_kind=KIND,
        document_id=order.id,
        line_id=OUTPUT,
        reason=one.scrap_reason.value,
    )
    company_id = order.company_id
    [move] = ledger.move_now(session, [request], company_id=company_id, actor=actor, now=now, today=today).posted
    return move.id


def _index(found: Progress, operation_id: int) -> int:
    for index, work in enumerate(found.work):
        if work.operation.id == operation_id:
            return index
    raise WorkOrderUnknown(f"{found.order.number} has no operation {operation_id}")


def _reported(found: Progress, report_id: int) -> tuple[int, OperationReport]:
    for index, work in enumerate(found.work):
        for one in work.reports:
            if one.id == report_id:
                return index, one
    raise WorkOrderUnknown(f"{found.order.number} has no report {report_id}")


def _refuse_correcting(found: Progress, index: int, wrong: OperationReport) -> None:
    work: Work = found.work[index]
    where = f"{found.order.number} operation {work.operation.sequence}"
    if wrong.corrects_id is not None:
        raise CannotCorrect(f"{where}: report {wrong.id} is itself a correction: report anew instead")
    if wrong.id in progress.corrected(work):
        raise CannotCorrect(f"{where}: report {wrong.id} was corrected before")
    if index + 1 < len(found.work):
        after = found.work[index + 1]
        gone, what = after.good + after.scrap, f"reported at operation {after.operation.sequence}"
    else:
        gone, what = found.completed, "completed"
    if work.good - wrong.good < gone:
        raise CannotCorrect(
            f"{where}: without the {wrong.good} of report {wrong.id}, {work.good - wrong.good} are good, fewer than "
            f"the {gone} {what}: take that back first"
        )

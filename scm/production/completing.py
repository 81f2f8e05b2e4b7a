"""Completing: what passed the last operation leaves production for the dock or a bin, with its share of the cost.

What the output holds was issued before, or is issued with it (back-flushed): nothing is made of nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.finance import work_in_progress
from scm.master import items
from scm.master.items import Item
from scm.master.partners import OWN_STOCK
from scm.production import documents, issuing, progress, ways
from scm.production.documents import KIND, LONGEST_REASON, MACHINE, WorkOrder, WorkOrderState
from scm.production.progress import Progress
from scm.production.ways import SitePlaces
from scm.stock import ledger, lots, moves, reservations
from scm.stock.allocation import Also
from scm.stock.balances import BalanceKey, PoolKey
from scm.stock.ledger import Posting
from scm.stock.lots import NO_LOT
from scm.stock.moves import GENERAL_POOL, Move

COMPLETES = (Role.PRODUCTION, Role.SYSTEM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """So much is good and leaves production, to a bin or, without one, to the dock."""

    quantity: int
    bin_id: int | None = None
    lot_code: str = ""
    expiry_date: date | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """The posted output, whether the order is complete by it, and what was issued with it."""

    posted: tuple[Move, ...]
    finished: bool
    issued: tuple[Move, ...]


class BadCompletion(InvalidInput):
    """A quantity cannot be completed, or the lot that goes on its label is missing."""


class NotPassed(Conflict):
    """More is completed than passed the last operation."""


class NotIssued(Conflict):
    """Output would hold components that were never issued."""


class CannotUndo(Conflict):
    """An output cannot be taken back."""


def complete(
    session: Session,
    order_id: int,
    completion: Completion,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    back_flush: bool = False,
) -> Completed:
    """This function will post good output of one order; the order is complete when no more is to come.

    `back_flush` issues whatever components the output holds and were not issued yet. Raises `BadCompletion`,
    `NotPassed`, `NotIssued`, `NotEnoughToIssue`, `NotABin`, `LotDiffers`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*COMPLETES)
    [order] = documents.lock(session, [order_id])
    MACHINE.advance(order.state, "complete", number=order.number)
    found = progress.of_order(session, order)
    _refuse(found, completion)
    ways.refuse_unless_bins(session, [completion.bin_id], site_id=order.site_id)
    site = ways.of_site(session, order.site_id)
    lot_id = _lot(session, order, completion)
    issued = _back_flush(session, found, completion, site, lot_id, actor=actor, now=now, today=today, wanted=back_flush)
    if issued:
        found = progress.of_order(session, order)
    posted = _post(session, found, completion, site, lot_id, actor=actor, now=now, today=today)
    order.state, finished = _after(found, completion.quantity)
    if finished:
        order.completed_date = today
    session.flush()
    if completion.bin_id is not None:
        reservations.fill_backorders(session, item_ids=[order.item_id], site_id=order.site_id)
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.complete",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        quantity=completion.quantity,
        moves=[move.id for move in posted],
        finished=finished,
    )
    return Completed(posted, finished, issued)


def undo(
    session: Session, order_id: int, move_id: int, *, reason: str, actor: Actor, now: datetime, today: date
) -> None:
    """This function will take an output back into production, at exactly the value it had; it is expected anew.

    Raises `CannotUndo`, `CannotReverse` when the goods have moved on, `NotEnoughStock`, `BadCompletion`.
    """
    actor.require(*COMPLETES)
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON:
        raise BadCompletion(f"taking an output back needs a reason of 1 to {LONGEST_REASON} characters")
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "undo", number=order.number)
    found = progress.of_order(session, order)
    output = next((move for move in found.outputs if move.id == move_id), None)
    if output is None:
        raise CannotUndo(f"{order.number} has no output {move_id} that could be taken back")
    ledger.reverse(session, [output.id], reason=text, actor=actor, now=now, today=today)
    order.completed_date = None
    session.flush()
    open_ = min(order.quantity - (found.completed - output.quantity), found.possible + output.quantity)
    if open_ > found.outstanding:
        ways.plan_output(session, [(order, open_ - found.outstanding)])
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.undo",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        move=output.id,
        reason=text,
    )


def completable(found: Progress) -> int:
    """This function will give how much passed the last operation and did not leave production yet."""
    return max(0, found.passed - found.completed)


def uncovered(found: Progress, quantity: int) -> dict[int, int]:
    """This function will give, by component, what `quantity` more of output would hold and was not issued."""
    missing = {}
    for component in found.components:
        held = found.covering(component, found.completed + quantity)
        used = found.consumption[component.id].used
        if held > used:
            missing[component.id] = held - used
    return missing


def _refuse(found: Progress, completion: Completion) -> None:
    number = found.order.number
    if type(completion.quantity) is not int or completion.quantity < 1:
        raise BadCompletion(f"{number}: quantity {completion.quantity!r} must be a whole number above 0")
    most = completable(found)
    if completion.quantity > most:
        raise NotPassed(
            f"{number}: {completion.quantity} cannot be completed: {found.passed} passed the last operation, "
            f"{found.completed} of them are completed: at most {most}"
        )


def _lot(session: Session, order: WorkOrder, completion: Completion) -> int:
    item = session.execute(
        sa.select(Item.sku, Item.lot_tracked, Item.shelf_life_days).where(Item.id == order.item_id)
    ).one()
    code = completion.lot_code.strip()
    if not item.lot_tracked:
        if code or completion.expiry_date is not None:
            raise BadCompletion(f"{order.number}: item {item.sku} has no lots: leave lot and expiry date out")
        return NO_LOT
    if not 0 < len(code) <= 60 or not code.isprintable():
        raise BadCompletion(f"{order.number}: item {item.sku} is tracked by lot: give the code on the label")
    if item.shelf_life_days is not None and completion.expiry_date is None:
        raise BadCompletion(f"{order.number}: item {item.sku} has a shelf life: give the expiry date on the label")
    return lots.find_or_create(session, item_id=order.item_id, code=code, expiry_date=completion.expiry_date)


def _back_flush(
    session: Session,
    found: Progress,
    completion: Completion,
    site: SitePlaces,
    lot_id: int,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    wanted: bool,
) -> tuple[Move, ...]:
    order = found.order
    missing = uncovered(found, completion.quantity)
    if not wanted:
        if missing:
            component = documents.component_named(found.components, min(missing), number=order.number)
            sku = items.skus(session, [component.item_id])[component.item_id]
            raise NotIssued(
                f"{order.number}: {completion.quantity} more hold {missing[component.id]} of {sku} that were never "
                "issued: issue them, or have them issued with the output"
            )
        return ()
    if order.partner_id is not None:
        raise BadCompletion(f"{order.number}: the partner has the components: report what was used there instead")
    amounts = {}
    for component in found.components:
        planned = found.due(component, found.completed + found.scrapped + completion.quantity)
        short = max(missing.get(component.id, 0), planned - found.consumption[component.id].used)
        if short > 0:
            amounts[component.id] = short
    if not amounts:
        return ()
    # The output is posted in this transaction too, and a transaction locks its stock once.
    there = completion.bin_id or site.dock_id
    lots.lock(session, {lot_id}, to_hold=False)
    also = Also(
        pools=frozenset({PoolKey(order.item_id, order.site_id, OWN_STOCK, GENERAL_POOL)}),
        balances=frozenset({BalanceKey(order.item_id, there, lot_id, OWN_STOCK)}),
    )
    issued = issuing.take(session, found, amounts, actor=actor, now=now, today=today, substitute=True, also=also).posted
    return issued


def _post(
    session: Session,
    found: Progress,
    completion: Completion,
    site: SitePlaces,
    lot_id: int,
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> tuple[Move, ...]:
    """Planned output first, the earliest row first; what is above the plan, because less was lost, is planned now."""
    order, left = found.order, completion.quantity
    planned = moves.lock(session, [move.id for move in found.expected])
    if (above := left - sum(move.quantity for move in planned)) > 0:
        planned += ways.plan_output(session, [(order, above)])
    # Work in progress is what was issued so far, so its share is one of what that was issued for.
    remaining = max(left, min(found.outstanding, found.covered))
    lot = lot_id if lot_id != NO_LOT else None
    wishes: list[Posting] = []
    for move in planned:
        if part := min(left, move.quantity):
            left -= part
            wishes.append(_wish(move.id, part, completion, lot))
    posted = ledger.post(session, wishes, actor=actor, now=now, today=today).posted
    for move in posted:
        work_in_progress.record_output(session, move_id=move.id, quantity=move.quantity, remaining=remaining)
        remaining -= move.quantity
    return posted


def _wish(move_id: int, quantity: int, completion: Completion, lot_id: int | None) -> Posting:
    if completion.bin_id is None:
        return Posting(move_id=move_id, quantity=quantity, lot_id=lot_id)
    return Posting(move_id=move_id, quantity=quantity, lot_id=lot_id, destination_id=completion.bin_id, onward=())


def _after(found: Progress, quantity: int) -> tuple[WorkOrderState, bool]:
    """The state after so much more output: complete when nothing planned is left to come."""
    order = found.order
    if quantity < found.outstanding:
        return MACHINE.advance(order.state, "complete", number=order.number), False
    if order.state is WorkOrderState.COMPLETED:
        return order.state, True
    return MACHINE.advance(order.state, "finish", number=order.number), True

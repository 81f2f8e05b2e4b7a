"""Issuing: components leave storage for the floor, or for the partner who makes the order, and what is left comes back.

The lot that expires first goes first. A component that is short may be stood in for by its substitutes, by priority;
each that does becomes a component of the order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import items
from scm.master.bom import BomLine, BomSubstitute
from scm.production import documents, progress, ways
from scm.production.documents import KIND, LONGEST_REASON, MACHINE, WorkOrder, WorkOrderComponent
from scm.production.progress import Consumption, Progress
from scm.stock import allocation, ledger, projection, reservations
from scm.stock.allocation import Also
from scm.stock.ledger import MoveRequest, Posting
from scm.stock.moves import Move
from scm.stock.projection import Position

HANDLES = (Role.PRODUCTION, Role.WAREHOUSE, Role.SYSTEM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """So much of one component is taken, in its base units. None: whatever is still to be issued."""

    component_id: int
    quantity: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Return:
    """So much of one component that was issued comes back, to a bin, or to the one it came from."""

    component_id: int
    quantity: int
    bin_id: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The posted moves, and how much of which component was taken as another item: (component, item, quantity)."""

    posted: tuple[Move, ...]
    substituted: tuple[tuple[int, int, int], ...]


class BadIssue(InvalidInput):
    """A quantity cannot be issued or returned, or a reason is missing."""


class NotEnoughToIssue(Conflict):
    """Storage has less of a component, and of what may stand in for it, than was asked for."""


class NotThatMuchOut(Conflict):
    """More of a component would come back than went out and was not used up."""


def issue(
    session: Session,
    order_id: int,
    wanted: Sequence[Issue],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    substitute: bool = True,
    reason: str = "",
) -> Issued:
    """This function will issue components of one order from storage, each in part or whole.

    More than the order needs asks for a `reason`. Raises `BadIssue`, `NotEnoughToIssue`, `WorkOrderUnknown`,
    `IllegalTransition`; nothing is changed then.
    """
    actor.require(*HANDLES)
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "issue", number=order.number)
    found = progress.of_order(session, order)
    amounts = _amounts(found, wanted, reason=reason)
    issued = take(session, found, amounts, actor=actor, now=now, today=today, substitute=substitute, also=None)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.issue",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        moves=[move.id for move in issued.posted],
        substituted=[list(one) for one in issued.substituted],
        reason=reason.strip(),
    )
    return issued


def take(
    session: Session,
    found: Progress,
    amounts: Mapping[int, int],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    substitute: bool,
    also: Also | None,
) -> Issued:
    """This function will post so much of each component out of storage; the order is locked and may be issued to.

    `also` are stock rows that the caller changes later in the same transaction. Raises `NotEnoughToIssue`.
    """
    order = found.order
    stood_in = _stand_in(session, found, amounts) if substitute else {}
    most: dict[int, int] = {}
    asked: dict[int, int] = {}  # by component
    for component in found.components:
        quantity = amounts.get(component.id, 0) - sum(replaced for _, replaced, _ in stood_in.get(component.id, ()))
        if quantity > 0:
            asked[component.id] = quantity
            most |= _spread(session, order, component, found.consumption[component.id].waiting, quantity)
    substitutes = []
    for component_id, others in stood_in.items():
        for other, replaced, quantity in others:
            stand_in = _written(session, found, component_id, other, replaced, quantity)
            waiting = found.consumption[stand_in.id].waiting if stand_in.id in found.consumption else []
            asked[stand_in.id] = asked.get(stand_in.id, 0) + quantity
            most |= _spread(session, order, stand_in, waiting, quantity)
            substitutes.append((component_id, other.item_id, quantity))
    # What others stand in for is wanted no more; its moves are locked with the rest before they are given up.
    replaced_of = {component_id: sum(r for _, r, _ in others) for component_id, others in stood_in.items()}
    spare = {move.id: 0 for i in replaced_of for move in found.consumption[i].waiting if move.id not in most}
    picks = [
        pick_id
        for one in allocation.promise_and_allocate(session, most | spare, today=today, also=also)
        for pick_id in one.pick_ids
    ]
    posted = ledger.post(session, [Posting(move_id=i) for i in picks], actor=actor, now=now, today=today).posted
    _refuse_short(session, found, asked, posted)
    _withdraw(session, found, replaced_of, actor=actor)
    return Issued(posted, tuple(substitutes))


def return_components(
    session: Session,
    order_id: int,
    returned: Sequence[Return],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[Move]:
    """This function will bring issued components back to storage, at the cost at which they went out, newest first.

    Raises `BadIssue`, `NotThatMuchOut`, `NotABin`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*HANDLES)
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON:
        raise BadIssue(f"bringing components back needs a reason of 1 to {LONGEST_REASON} characters")
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "return", number=order.number)
    found = progress.of_order(session, order)
    if len({one.component_id for one in returned}) < len(returned):
        raise BadIssue(f"{order.number}: a component is named twice: name each once")
    ways.refuse_unless_bins(session, [one.bin_id for one in returned], site_id=order.site_id)
    requests = [request for one in returned for request in _back(found, one, reason=text, today=today)]
    if not requests:
        raise BadIssue(f"{order.number}: nothing was named: say what comes back")
    posted = ledger.move_now(session, requests, company_id=order.company_id, actor=actor, now=now, today=today).posted
    reservations.fill_backorders(session, item_ids={move.item_id for move in posted}, site_id=order.site_id)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.return_components",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        moves=[move.id for move in posted],
        reason=text,
    )
    return list(posted)


def returnable(found: Progress, component: WorkOrderComponent) -> int:
    """This function will give how much of a component may come back: what the output so far does not hold."""
    held = found.covering(component, found.completed)
    return max(0, found.consumption[component.id].used - held)


def _amounts(found: Progress, wanted: Sequence[Issue], *, reason: str) -> dict[int, int]:
    order = found.order
    amounts: dict[int, int] = defaultdict(int)
    if not wanted:
        raise BadIssue(f"{order.number}: nothing was named: say which components are taken")
    for one in wanted:
        component = documents.component_named(found.components, one.component_id, number=order.number)
        used = found.consumption[component.id]
        open_ = max(0, component.needed - used.used - max(0, used.there) - amounts[component.id])
        quantity = open_ if one.quantity is None else one.quantity
        where = f"{order.number} component {component.line_number}"
        if type(quantity) is not int or quantity < 0 or (quantity == 0 and one.quantity is not None):
            raise BadIssue(f"{where}: quantity {quantity!r} must be a whole number above 0")
        if quantity > open_ and not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise BadIssue(f"{where}: {quantity} is more than the {open_} still needed: say why, or issue less")
        amounts[component.id] += quantity
    if not any(amounts.values()):
        raise BadIssue(f"{order.number}: nothing is left to be issued")
    return amounts


def _spread(
    session: Session, order: WorkOrder, component: WorkOrderComponent, waiting: Sequence[Move], quantity: int
) -> dict[int, int]:
    """Which planned moves give how much, promised ones first; what exceeds them is planned now."""
    promised = reservations.quantities(session, [move.id for move in waiting])
    left, most = quantity, {}
    for move in sorted(waiting, key=lambda move: (move.id not in promised, move.id)):
        if left == 0:
            break
        most[move.id] = min(left, move.quantity)
        left -= most[move.id]
    if left:
        [more] = ways.plan_components(session, [(order, component, left)])
        most[more.id] = left
    return most


def _stand_in(
    session: Session, found: Progress, amounts: Mapping[int, int]
) -> dict[int, list[tuple[BomSubstitute, int, int]]]:
    """By component: which substitutes are taken, for how much of it, in what quantity of their own."""
    lines = {c.bom_line_id: c for c in found.components if c.id in amounts and c.bom_line_id and not c.replaces_id}
    rows = session.execute(
        sa.select(BomSubstitute, BomLine.quantity)
        .join(BomLine, BomLine.id == BomSubstitute.bom_line_id)
        .where(BomSubstitute.bom_line_id.in_(list(lines)))
        .order_by(BomSubstitute.bom_line_id, BomSubstitute.priority)
    ).all()
    wanted = {c.item_id for c in lines.values()} | {substitute.item_id for substitute, _ in rows}
    positions = projection.positions(session, site_id=found.order.site_id, item_ids=wanted)
    free = {item_id: max(0, positions.get(item_id, Position()).available) for item_id in wanted}
    short = {}
    for line_id, component in lines.items():
        have = found.consumption[component.id].promised + free[component.item_id]
        short[line_id] = max(0, amounts[component.id] - have)
    taken: dict[int, list[tuple[BomSubstitute, int, int]]] = defaultdict(list)
    for substitute, ratio in rows:
        component = lines[substitute.bom_line_id]
        # As many whole units of the component as the free substitute makes up for.
        replaced = min(short[substitute.bom_line_id], free[substitute.item_id] * ratio // substitute.quantity)
        replaced = min(replaced, component.needed)
        if replaced > 0:
            quantity = -(-replaced * substitute.quantity // ratio)
            short[substitute.bom_line_id] -= replaced
            free[substitute.item_id] -= quantity
            taken[component.id].append((substitute, replaced, quantity))
    return taken


def _written(
    session: Session, found: Progress, component_id: int, other: BomSubstitute, replaced: int, quantity: int
) -> WorkOrderComponent:
    """The substitute as a component of the order: a new one, or more of the one it was before."""
    original = documents.component_named(found.components, component_id, number=found.order.number)
    original.replaced += replaced
    net = original.net_quantity * replaced // original.quantity
    own = min(quantity, -(-net * quantity // replaced))
    for known in found.components:
        if known.replaces_id == component_id and known.item_id == other.item_id:
            known.quantity += quantity
            known.net_quantity += own
            session.flush()
            return known
    row = WorkOrderComponent(
        order_id=found.order.id,
        line_number=max(c.line_number for c in found.components) + 1,
        item_id=other.item_id,
        bom_line_id=None,
        quantity=quantity,
        net_quantity=own,
        replaces_id=component_id,
        replaced=0,
    )
    session.add(row)
    session.flush()
    found.components.append(row)
    found.consumption[row.id] = Consumption()
    return row


def _refuse_short(session: Session, found: Progress, asked: Mapping[int, int], posted: Sequence[Move]) -> None:
    got: dict[int, int] = defaultdict(int)
    for move in posted:
        got[move.line_id] += move.quantity
    for component in found.components:
        wanted = asked.get(component.id, 0)
        if got[component.id] < wanted:
            sku = items.skus(session, [component.item_id])[component.item_id]
            raise NotEnoughToIssue(
                f"{found.order.number}: {wanted} of {sku} are to be issued, {got[component.id]} are free in storage: "
                "issue less, or wait for what is on order"
            )


def _withdraw(session: Session, found: Progress, replaced_of: Mapping[int, int], *, actor: Actor) -> None:
    """What waits beyond what is still needed is given up, after others stood in for it."""
    again = progress.of_order(session, found.order)
    surplus: list[int] = []
    plan = []
    for component in again.components:
        if component.id not in replaced_of:
            continue
        used = again.consumption[component.id]
        needed = max(0, component.needed - used.used - max(0, used.there))
        left = needed
        promised = reservations.quantities(session, [move.id for move in used.waiting])
        for move in sorted(used.waiting, key=lambda move: (move.id not in promised, move.id)):
            if move.quantity <= left:
                left -= move.quantity
            else:
                surplus.append(move.id)
        if left:
            plan.append((again.order, component, left))
    if surplus:
        ledger.cancel(session, surplus, reason="a substitute was taken", actor=actor)
    ways.plan_components(session, plan)


def _back(found: Progress, one: Return, *, reason: str, today: date) -> list[MoveRequest]:
    order = found.order
    component = documents.component_named(found.components, one.component_id, number=order.number)
    where = f"{order.number} component {component.line_number}"
    if type(one.quantity) is not int or one.quantity < 1:
        raise BadIssue(f"{where}: quantity {one.quantity!r} must be a whole number above 0")
    most = returnable(found, component)
    if one.quantity > most:
        raise NotThatMuchOut(
            f"{where}: {one.quantity} cannot come back: {found.consumption[component.id].used} were issued, and the "
            f"{found.completed} completed hold {found.covering(component, found.completed)} of them: at most {most}"
        )
    if order.partner_id is not None:
        raise BadIssue(f"{where}: the partner has it: report what is sent back instead")
    left, requests = one.quantity, []
    for move, open_ in reversed(_open_issues(found.consumption[component.id])):
        taken = min(left, open_)
        if taken:
            left -= taken
            requests.append(
                MoveRequest(
                    item_id=move.item_id,
                    source_id=move.destination_id,
                    destination_id=one.bin_id or move.source_id,
                    quantity=taken,
                    due_date=today,
                    document_kind=KIND,
                    document_id=order.id,
                    line_id=component.id,
                    lot_id=move.lot_id,
                    cost_of_id=move.id,
                    reason=reason,
                )
            )
    return requests


def _open_issues(used: Consumption) -> list[tuple[Move, int]]:
    """The issues of a component, oldest first, with how much of each did not come back yet."""
    return [(move, move.quantity - used.came_back.get(move.id, 0)) for move in used.issues]

"""Orders that a partner makes: what was sent there is used up, or comes back, and always adds up.

Sending is issuing (`scm.production.issuing`): components of such an order go to the partner's place, where they are
still ours and still valued. They are used when the partner says so, by a link or through our own people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.production import documents, progress, ways
from scm.production.documents import KIND, LONGEST_REASON, MACHINE, WorkOrderComponent
from scm.production.issuing import HANDLES, Return
from scm.production.progress import Progress
from scm.stock import balances, ledger, moves, reservations
from scm.stock.balances import BalanceKey, PoolKey
from scm.stock.ledger import MoveRequest, Posting
from scm.stock.moves import Move

CONSUMES = (Role.PRODUCTION, Role.WAREHOUSE, Role.PLANNER, Role.SYSTEM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """So much of one component was used up by the partner."""

    component_id: int
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What became of one component: `there` is what is counted at the partner's for this order."""

    component_id: int
    item_id: int
    sent: int
    used: int
    sent_back: int
    there: int

    @property
    def difference(self) -> int:
        """What does not add up: always 0 unless the books are wrong."""
        return self.sent - self.used - self.sent_back - self.there


class BadReport(InvalidInput):
    """A quantity cannot be reported, or a reason is missing."""


class NotThere(Conflict):
    """More is reported than the partner has for the order."""


def consume(
    session: Session,
    order_id: int,
    used: Sequence[Used],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    link_id: int | None = None,
) -> list[Move]:
    """This function will post what the partner used up, the oldest lots sent first.

    `link_id` names the link through which it was reported. Raises `BadReport`, `NotThere`, `WorkOrderUnknown`,
    `IllegalTransition`; nothing is changed then.
    """
    actor.require(*CONSUMES)
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "issue", number=order.number)
    found = progress.of_order(session, order)
    wishes = []
    for component, quantity in _merged(found, [(one.component_id, one.quantity) for one in used]):
        for move, part in _there(found, component, quantity):
            wishes.append(Posting(move_id=move.id, quantity=part))
    posted = ledger.post(session, wishes, actor=actor, now=now, today=today).posted
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.consume",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        moves=[move.id for move in posted],
        link=link_id,
    )
    return list(posted)


def send_back(
    session: Session,
    order_id: int,
    returned: Sequence[Return],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[Move]:
    """This function will bring components that the partner did not use back to a bin, the newest lots sent first.

    Raises `BadReport`, `NotThere`, `NotABin`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*HANDLES)
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON:
        raise BadReport(f"sending components back needs a reason of 1 to {LONGEST_REASON} characters")
    [order] = documents.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "return", number=order.number)
    found = progress.of_order(session, order)
    ways.refuse_unless_bins(session, [one.bin_id for one in returned], site_id=order.site_id)
    bins = {one.component_id: one.bin_id for one in returned}
    taken = []
    for component, quantity in _merged(found, [(one.component_id, one.quantity) for one in returned]):
        bin_id = bins[component.id]
        if bin_id is None:
            raise BadReport(f"{order.number} component {component.line_number}: name the bin it goes to")
        taken += [(move, part, bin_id) for move, part in _there(found, component, quantity, newest_first=True)]
    _lock_stock(session, [(move, bin_id) for move, _, bin_id in taken], site_id=order.site_id)
    ledger.cancel_part(session, {move.id: part for move, part, _ in taken}, reason=text, actor=actor)
    requests = [
        MoveRequest(
            item_id=move.item_id,
            source_id=move.source_id,
            destination_id=bin_id,
            quantity=part,
            due_date=today,
            document_kind=KIND,
            document_id=order.id,
            line_id=move.line_id,
            lot_id=move.lot_id,
            reason=text,
        )
        for move, part, bin_id in taken
    ]
    posted = ledger.move_now(session, requests, company_id=order.company_id, actor=actor, now=now, today=today).posted
    reservations.fill_backorders(session, item_ids={move.item_id for move in posted}, site_id=order.site_id)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.send_back",
        document_kind=KIND,
        document_ids=[order.id],
        now=now.isoformat(),
        moves=[move.id for move in posted],
        reason=text,
    )
    return list(posted)


def reconcile(found: Progress) -> list[Reconciled]:
    """This function will compare, component by component, what was sent with what was used, sent back and is there.

    What is there is what is still planned to be used, which is another count than the one it is compared with.
    """
    return [
        Reconciled(
            component_id=component.id,
            item_id=component.item_id,
            sent=used.sent,
            used=used.used,
            sent_back=used.sent_back,
            there=sum(move.quantity for move in used.at_partner),
        )
        for component in found.components
        if (used := found.consumption[component.id]).sent
    ]


def _merged(found: Progress, wanted: Sequence[tuple[int, int]]) -> list[tuple[WorkOrderComponent, int]]:
    order = found.order
    if order.partner_id is None:
        raise BadReport(f"{order.number} is made by ourselves: its components are issued and returned")
    if not wanted:
        raise BadReport(f"{order.number}: nothing was named: say how much of which component")
    total: dict[int, int] = defaultdict(int)
    for component_id, quantity in wanted:
        component = documents.component_named(found.components, component_id, number=order.number)
        if type(quantity) is not int or quantity < 1:
            where = f"{order.number} component {component.line_number}"
            raise BadReport(f"{where}: quantity {quantity!r} must be a whole number above 0")
        total[component_id] += quantity
    return [(component, total[component.id]) for component in found.components if component.id in total]


def _there(
    found: Progress, component: WorkOrderComponent, quantity: int, *, newest_first: bool = False
) -> list[tuple[Move, int]]:
    open_ = found.consumption[component.id].at_partner
    there = sum(move.quantity for move in open_)
    if quantity > there:
        raise NotThere(
            f"{found.order.number} component {component.line_number}: the partner has {there} for this order, not "
            f"{quantity}: correct the quantity, or send more first"
        )
    left, parts = quantity, []
    for move in reversed(open_) if newest_first else open_:
        if part := min(left, move.quantity):
            left -= part
            parts.append((move, part))
    return parts


def _lock_stock(session: Session, taken: Sequence[tuple[Move, int]], *, site_id: int) -> None:
    """A transaction has one stock lock, so it is taken for giving up and for bringing back together."""
    moves.lock(session, sorted({move.id for move, _ in taken}))
    keys = set()
    for move, bin_id in taken:
        keys |= {BalanceKey(move.item_id, place, move.lot_id, move.owner_id) for place in (move.source_id, bin_id)}
    pools = {PoolKey(move.item_id, site_id, move.owner_id, move.pool) for move, _ in taken}
    balances.lock(session, pools=pools, balances=keys)

"""What purchase orders bring: the planned moves of approved ones, what came of them, and what is still being decided.

Received, outstanding and closed are sums over stock moves; no order stores them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core.db import table_of
from scm.core.users import Actor
from scm.master import locations
from scm.master.locations import LocationKind
from scm.master.partners import OWN_STOCK
from scm.stock import ledger, moves, pegs, reservations
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move, MoveState, StockMove
from scm.stock.pegs import Peg, PegRequest, PegState
from warehouse.transfer_documents import Transfer, TransferLine, TransferState

UNDECIDED = (PurchaseOrderState.DRAFT, PurchaseOrderState.SUBMITTED)
NOT_SHIPPED = (TransferState.DRAFT, TransferState.RELEASED)  # no planned move to the receiver stands for it yet


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one order has come, in base units over all its lines. `closed`: it was sent and nothing is owed."""

    order_id: int
    number: str
    state: PurchaseOrderState
    ordered: int
    received: int
    outstanding: int

    @property
    def closed(self) -> bool:
        """Whether the supplier owes nothing any more."""
        return self.state in (PurchaseOrderState.SENT, PurchaseOrderState.CANCELLED) and self.outstanding == 0


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """Supply somebody has proposed and accepted, or drafted and submitted, that no planned move stands for yet."""

    item_id: int
    due_date: date
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """So much of one line of a locked order, planned to come on a day, and how much more may be received."""

    order: PurchaseOrder
    line: PurchaseOrderLine
    quantity: int
    due_date: date
    over_quantity: int


def plan(session: Session, orders: Sequence[PurchaseOrder], lines: dict[int, list[PurchaseOrderLine]]) -> list[Move]:
    """This function will plan what approved orders bring, and peg it to the demand that waits longest."""
    wanted = [
        Wanted(
            order=order,
            line=line,
            quantity=line.quantity,
            due_date=line.due_date,
            over_quantity=tolerated(line.quantity, order.over_receipt_rate),
        )
        for order in orders
        for line in lines[order.id]
    ]
    return plan_anew(session, wanted)


def plan_anew(session: Session, wanted: Sequence[Wanted]) -> list[Move]:
    """This function will plan parts of lines of locked orders, and peg them to the demand that waits longest."""
    if not wanted:
        return []
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    sites = sorted({one.order.site_id for one in wanted})
    areas = {i: locations.of_kind(session, kind=LocationKind.STORAGE, site_id=i, area=True) for i in sites}
    docks = {i: locations.of_kind(session, kind=LocationKind.DOCK, site_id=i) for i in sites}
    requests = [
        MoveRequest(
            item_id=one.line.item_id,
            source_id=supplier,
            destination_id=docks[one.order.site_id],
            onward=(areas[one.order.site_id],),
            quantity=one.quantity,
            due_date=one.due_date,
            document_kind=KIND,
            document_id=one.order.id,
            line_id=one.line.id,
            over_quantity=one.over_quantity,
            needs_inspection=one.line.needs_inspection,
            expected_unit_cost=one.line.unit_price,
            currency=one.order.currency,
        )
        for one in wanted
    ]
    planned = ledger.plan(session, requests, company_id=wanted[0].order.company_id)
    for site_id in sites:
        here = {one.order.id for one in wanted if one.order.site_id == site_id}
        _peg(session, [move for move in planned if move.document_id in here], site_id=site_id)
    return planned


def tolerated(quantity: int, over_receipt_rate: Decimal) -> int:
    """This function will give how many units above an ordered quantity may be received, rounded down.

    >>> tolerated(95, Decimal("0.1"))
    9
    """
    return int((quantity * over_receipt_rate).to_integral_value(ROUND_FLOOR))


def match_oldest(supply: Sequence[tuple[int, int]], demand: Sequence[tuple[int, int]]) -> list[PegRequest]:
    """This function will hand supply out to demand, both as (move, quantity) in the order they are to be served.

    >>> match_oldest([(1, 10), (2, 5)], [(7, 8), (8, 4)])
    [PegRequest(supply_move_id=1, demand_move_id=7, quantity=8), \
PegRequest(supply_move_id=1, demand_move_id=8, quantity=2), \
PegRequest(supply_move_id=2, demand_move_id=8, quantity=2)]
    """
    pegged = []
    waiting = deque((move_id, quantity) for move_id, quantity in demand if quantity > 0)
    for supply_id, left in supply:
        while left > 0 and waiting:
            demand_id, missing = waiting.popleft()
            given = min(left, missing)
            pegged.append(PegRequest(supply_id, demand_id, given))
            left -= given
            if given < missing:
                waiting.appendleft((demand_id, missing - given))
    return pegged


def give_up(
    session: Session, orders: Sequence[PurchaseOrder], *, reason: str, actor: Actor, line_id: int | None = None
) -> list[Move]:
    """This function will cancel what is outstanding of orders (or of one line) whose rows the caller has locked."""
    open_moves = moves.of_documents(
        session, kind=KIND, document_ids=[order.id for order in orders], states=[MoveState.PLANNED]
    )
    virtual = locations.places(session, {move.source_id for move in open_moves})
    owed = [
        move.id
        for move in open_moves
        if virtual[move.source_id].kind is LocationKind.SUPPLIER and line_id in (None, move.line_id)
    ]
    # Goods may have arrived since they were read: what stands at the dock is put away, not given up.
    still = [move for move in moves.lock(session, owed) if move.state is MoveState.PLANNED]
    if still:
        ledger.cancel(session, [move.id for move in still], reason=reason, actor=actor)
    return still


def progress(session: Session, order_ids: Iterable[int]) -> dict[int, Progress]:
    """This function will read how far orders have come, in three queries whatever their number."""
    wanted = sorted(set(order_ids))
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    signed = sa.case((StockMove.source_id == supplier, StockMove.quantity), else_=-StockMove.quantity)
    sums: dict[tuple[int, MoveState], int] = {}
    for row in session.execute(
        sa.select(StockMove.document_id, StockMove.state, sa.func.sum(signed).label("quantity"))
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id.in_(wanted),
            sa.or_(StockMove.source_id == supplier, StockMove.destination_id == supplier),
        )
        .group_by(StockMove.document_id, StockMove.state)
    ):
        sums[row.document_id, row.state] = int(row.quantity)
    rows = session.execute(
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            PurchaseOrder.state,
            sa.func.coalesce(sa.func.sum(PurchaseOrderLine.quantity), 0).label("ordered"),
        )
        .outerjoin(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(PurchaseOrder.id.in_(wanted))
        .group_by(PurchaseOrder.id, PurchaseOrder.number, PurchaseOrder.state)
    )
    return {
        row.id: Progress(
            order_id=row.id,
            number=row.number,
            state=row.state,
            ordered=int(row.ordered),
            received=sums.get((row.id, MoveState.POSTED), 0),
            outstanding=sums.get((row.id, MoveState.PLANNED), 0),
        )
        for row in rows
    }


def undecided(session: Session, *, site_id: int) -> list[Undecided]:
    """This function will list supply that is accepted, drafted or submitted but not yet approved, and what other sites
    are to send and have not sent.

    A plan that ignored it would propose the same goods again while somebody thinks about them.
    """
    accepted = sa.select(Proposal.item_id, Proposal.due_date, Proposal.quantity).where(
        Proposal.site_id == site_id,
        Proposal.state == ProposalState.ACCEPTED,
        Proposal.kind != ProposalKind.MAKE,  # its work order is planned supply from the moment it is accepted
        ~sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id),
        ~sa.exists().where(TransferLine.proposal_id == Proposal.id),
    )
    drafted = (
        sa.select(PurchaseOrderLine.item_id, PurchaseOrderLine.due_date, PurchaseOrderLine.quantity)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(PurchaseOrder.site_id == site_id, PurchaseOrder.state.in_(UNDECIDED))
    )
    moving = (
        sa.select(TransferLine.item_id, Transfer.due_date, TransferLine.quantity)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(Transfer.to_site_id == site_id, Transfer.state.in_(NOT_SHIPPED), TransferLine.owner_id == OWN_STOCK)
    )
    both = sa.union_all(accepted, drafted, moving).subquery()
    rows = session.execute(
        sa.select(both.c.item_id, both.c.due_date, sa.func.sum(both.c.quantity).label("quantity"))
        .group_by(both.c.item_id, both.c.due_date)
        .order_by(both.c.item_id, both.c.due_date)
    )
    return [Undecided(item_id=row.item_id, due_date=row.due_date, quantity=int(row.quantity)) for row in rows]


def leaving(session: Session, *, site_id: int) -> list[Undecided]:
    """This function will list what a site is to send to others and has not yet promised, by the day it is to leave.

    A plan that ignored it would let the site send it twice, or sell it.
    """
    rows = session.execute(
        sa.select(TransferLine.item_id, Transfer.ship_date, sa.func.sum(TransferLine.quantity).label("quantity"))
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(
            Transfer.from_site_id == site_id,
            Transfer.state == TransferState.DRAFT,
            TransferLine.owner_id == OWN_STOCK,
        )
        .group_by(TransferLine.item_id, Transfer.ship_date)
        .order_by(TransferLine.item_id, Transfer.ship_date)
    )
    return [Undecided(item_id=row.item_id, due_date=row.ship_date, quantity=int(row.quantity)) for row in rows]


def _peg(session: Session, planned: Sequence[Move], *, site_id: int) -> None:
    waiting = reservations.waiting_moves(session, item_ids={move.item_id for move in planned}, site_id=site_id)
    if not waiting:
        return
    demand: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for item_id, move_id, quantity in _unpegged(session, waiting):
        demand[item_id].append((move_id, quantity))
    supply: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for move in sorted(planned, key=lambda move: (move.due_date, move.id)):
        supply[move.item_id].append((move.id, move.quantity))
    pegs.peg(session, [peg for item_id in sorted(demand) for peg in match_oldest(supply[item_id], demand[item_id])])


def _unpegged(session: Session, waiting: Sequence[int]) -> list[tuple[int, int, int]]:
    """Item, move and quantity of waiting moves that no open peg serves yet, in the order given."""
    table = table_of(StockMove)
    found = {}
    for start in range(0, len(waiting), moves.CHUNK):
        chunk = waiting[start : start + moves.CHUNK]
        pegged = (
            sa.select(Peg.demand_move_id, sa.func.sum(Peg.quantity).label("quantity"))
            .where(Peg.state == PegState.OPEN, Peg.demand_move_id.in_(chunk))
            .group_by(Peg.demand_move_id)
            .subquery()
        )
        for row in session.execute(
            sa.select(table.c.id, table.c.item_id, table.c.quantity, pegged.c.quantity.label("pegged"))
            .outerjoin(pegged, pegged.c.demand_move_id == table.c.id)
            .where(table.c.id.in_(chunk))
        ):
            found[row.id] = (row.item_id, row.id, row.quantity - int(row.pegged or 0))
    return [found[move_id] for move_id in waiting]

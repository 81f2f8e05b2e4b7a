"""What the timeline is read from: the moves that belong to a document, who posted them, and the business instants
that its verbs wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales.disposition import MOVE_KIND as INSPECTION
from aftersales.disposition import Disposal
from aftersales.documents import KIND as RETURN
from aftersales.documents import ReturnAuthorization, ReturnLine
from aftersales.inspection import Inspection
from aftersales.refunds import ReturnRefund
from procurement.proposals import KIND as PROPOSAL
from procurement.proposals import Proposal
from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder
from scm.core.approval import Approval, Decision
from scm.core.audit import AuditRow
from scm.core.users import User
from scm.master.locations import Location, LocationKind
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock.moves import MoveState, StockMove
from warehouse.delivery import ProofOfDelivery
from warehouse.packing import KIND as SHIPMENT
from warehouse.packing import Shipment, ShipmentLine
from warehouse.receiving import KIND as GOODS_RECEIPT
from warehouse.receiving import GoodsReceipt, GoodsReceiptLine
from warehouse.waves import KIND as WAVE
from warehouse.waves import Pick, Wave

STOCK_MOVE = "stock_move"  # the kind under which the ledger audits its moves
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A planned or posted move with the kinds of place it goes between."""

    id: int
    state: MoveState
    line_id: int
    quantity: int
    due_date: date
    posted_at: datetime | None
    reverses_id: int | None
    reason: str
    source: LocationKind
    destination: LocationKind


def moves_of(session: Session, *, kind: str, document_id: int, most: int) -> list[MoveRow]:
    """This function will read the moves of a document in the order of their ids, the newest `most` of them."""
    source, destination = aliased(Location), aliased(Location)
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.state,
            StockMove.line_id,
            StockMove.quantity,
            StockMove.due_date,
            StockMove.posted_at,
            StockMove.reverses_id,
            StockMove.reason,
            source.kind.label("source"),
            destination.kind.label("destination"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(_belongs(kind, document_id), StockMove.state != MoveState.CANCELLED)
        .order_by(StockMove.id.desc())
        .limit(most)
    )
    return [MoveRow(**row._mapping) for row in rows.all()[::-1]]


def actors_of_moves(session: Session, move_ids: Sequence[int]) -> dict[int, str]:
    """This function will name who posted or reversed moves, as the ledger's audit tells."""
    rows = session.execute(
        sa.select(AuditRow.document_id, User.display_name)
        .join(User, User.id == AuditRow.actor_id)
        .where(
            AuditRow.document_kind == STOCK_MOVE,
            AuditRow.document_id.in_(sorted(move_ids)),
            AuditRow.verb.in_(("stock.post", "stock.reverse")),
        )
    )
    return {row.document_id: row.display_name for row in rows}


def instants_of(session: Session, *, kind: str, document_id: int) -> Mapping[str, Sequence[datetime]]:
    """This function will read the business instants that the verbs of a document wrote, by verb, the oldest first."""
    read = _INSTANTS.get(kind)
    if read is None:
        return {}
    found: dict[str, list[datetime]] = {}
    rows = session.execute(sa.union_all(*read(document_id))).all()
    for verb, at in sorted((row for row in rows if row.at is not None), key=lambda row: row.at):
        found.setdefault(verb, []).append(at)
    return found


def _belongs(kind: str, document_id: int) -> Condition:
    """Moves name their document; what a wave, a shipment or a receipt handled is named by its lines.

    Two ways are a union and not an OR, for which PostgreSQL would read every move there is.
    """
    if kind == WAVE:
        return StockMove.id.in_(sa.select(Pick.move_id).where(Pick.wave_id == document_id))
    if kind == SHIPMENT:
        return _and_the_leg_after(sa.select(ShipmentLine.move_id).where(ShipmentLine.shipment_id == document_id))
    if kind == GOODS_RECEIPT:
        return _and_the_leg_after(sa.select(GoodsReceiptLine.move_id).where(GoodsReceiptLine.receipt_id == document_id))
    own = sa.and_(StockMove.document_kind == kind, StockMove.document_id == document_id)
    if kind != RETURN:
        return own
    move = aliased(StockMove)
    disposed = (
        sa.select(move.id)
        .join(Inspection, sa.and_(move.document_kind == INSPECTION, move.document_id == Inspection.id))
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .where(ReturnLine.return_id == document_id)
    )
    came = sa.select(move.id).where(move.document_kind == kind, move.document_id == document_id)
    return StockMove.id.in_(sa.union_all(came, disposed))


def _and_the_leg_after(handled: sa.Select[int]) -> Condition:
    move = aliased(StockMove)
    return StockMove.id.in_(sa.union_all(handled, sa.select(move.id).where(move.previous_id.in_(handled))))


def _instant(verb: str, at: Any, *conditions: Condition) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(sa.literal(verb).label("verb"), at.label("at")).where(*conditions)


def _of_sales_order(order_id: int) -> list[sa.Select[*tuple[Any, ...]]]:
    own = SalesOrder.id == order_id
    return [
        _instant("sales_order.place", SalesOrder.ordered_at, own),
        _instant("sales_order.place_and_confirm", SalesOrder.ordered_at, own),
        _instant("sales_order.confirm", SalesOrder.confirmed_at, own),
    ]


def _of_purchase_order(order_id: int) -> list[sa.Select[*tuple[Any, ...]]]:
    own = sa.and_(Approval.subject_kind == PURCHASE_ORDER, Approval.subject_id == order_id)
    return [
        _instant("purchase_order.send", PurchaseOrder.sent_at, PurchaseOrder.id == order_id),
        _instant("purchase_order.submit", Approval.requested_at, own),
        _instant("purchase_order.approve", Approval.decided_at, own, Approval.decision == Decision.APPROVED),
        _instant("purchase_order.reject", Approval.decided_at, own, Approval.decision == Decision.REJECTED),
    ]


def _of_proposal(proposal_id: int) -> list[sa.Select[*tuple[Any, ...]]]:
    own = Proposal.id == proposal_id
    return [
        _instant("proposal.publish", Proposal.created_at, own),
        _instant("proposal.accept", Proposal.decided_at, own),
        _instant("proposal.reject", Proposal.decided_at, own),
    ]


def _of_shipment(shipment_id: int) -> list[sa.Select[*tuple[Any, ...]]]:
    own = Shipment.id == shipment_id
    return [
        _instant("shipment.pack", Shipment.packed_at, own),
        _instant("shipment.ship", Shipment.shipped_at, own),
        _instant("shipment.deliver", ProofOfDelivery.recorded_at, ProofOfDelivery.shipment_id == shipment_id),
    ]


def _of_return(return_id: int) -> list[sa.Select[*tuple[Any, ...]]]:
    own = ReturnLine.return_id == return_id
    inspected = Inspection.return_line_id == ReturnLine.id
    return [
        _instant("return.authorize", ReturnAuthorization.authorized_at, ReturnAuthorization.id == return_id),
        _instant("return.inspect", Inspection.inspected_at, own, inspected).distinct(),
        _instant(
            "return.dispose", Disposal.disposed_at, own, inspected, Disposal.inspection_id == Inspection.id
        ).distinct(),
        _instant(
            "return.refund", ReturnRefund.refunded_at, own, ReturnRefund.return_line_id == ReturnLine.id
        ).distinct(),
    ]


_INSTANTS: Mapping[str, Callable[[int], list[sa.Select[*tuple[Any, ...]]]]] = {
    SALES_ORDER: _of_sales_order,
    PURCHASE_ORDER: _of_purchase_order,
    PROPOSAL: _of_proposal,
    SHIPMENT: _of_shipment,
    RETURN: _of_return,
    WAVE: lambda wave_id: [
        _instant("wave.release", Wave.released_at, Wave.id == wave_id),
        _instant("wave.pick", Pick.confirmed_at, Pick.wave_id == wave_id).distinct(),
    ],
    GOODS_RECEIPT: lambda receipt_id: [
        _instant("goods_receipt.receive", GoodsReceipt.received_at, GoodsReceipt.id == receipt_id)
    ],
}

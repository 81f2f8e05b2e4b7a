"""How one stage of the chain is found from its neighbour: through pegs, moves' document references and lines.

One statement per step and one per stage; `scm.loop.chain` walks them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales.disposition import Disposal
from aftersales.documents import KIND as RETURN
from aftersales.documents import ReturnAuthorization, ReturnLine
from aftersales.inspection import Inspection
from procurement.proposals import Proposal
from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine
from scm.core import types
from scm.finance.brought_forward import BroughtForward
from scm.finance.claims import CreditNote, CustomerInvoice, Refund
from scm.master.items import Item
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock.moves import StockMove
from scm.stock.pegs import Peg
from warehouse.packing import KIND as SHIPMENT
from warehouse.packing import Shipment, ShipmentLine
from warehouse.receiving import KIND as GOODS_RECEIPT
from warehouse.receiving import GoodsReceipt, GoodsReceiptLine
from warehouse.waves import Pick, Wave

MOST = 50  # documents of one stage; a chain is read by people
Ids = Sequence[int]
Statement = sa.Select[*tuple[Any, ...]]
RETURN_RECEIPT = "return_receipt"

_supply, _demand, _staged = aliased(StockMove), aliased(StockMove), aliased(StockMove)


def kind_of(stage: str) -> str:
    """This function will name the kind of document that stands in a stage."""
    return GOODS_RECEIPT if stage == RETURN_RECEIPT else stage


def stage_of(session: Session, *, kind: str, document_id: int) -> str:
    """This function will name the stage a document stands in."""
    if kind != GOODS_RECEIPT:
        return kind
    brought_back = session.scalar(_documents_received(RETURN, [document_id]).limit(1))
    return GOODS_RECEIPT if brought_back is None else RETURN_RECEIPT


def reach(session: Session, target: str, sources: Mapping[str, Ids]) -> list[int]:
    """This function will find the documents of a stage next to those of other stages, the newest first.

    One more than `MOST` at the most, so that the caller sees that there are more.
    """
    steps = [_STEPS[source, target](ids) for source, ids in sources.items() if ids]
    if not steps:
        return []
    found = sa.union_all(*steps).subquery()
    wanted = found.c[0]
    statement = sa.select(wanted).where(wanted.is_not(None)).distinct().order_by(wanted.desc()).limit(MOST + 1)
    return list(session.scalars(statement))


def heads(session: Session, wanted: Mapping[str, Ids]) -> list[sa.Row[*tuple[Any, ...]]]:
    """This function will read `stage`, `id`, `number`, `state`, `day` and `at` of documents, in one query."""
    selects = [_HEADS[stage](sa.literal(stage)).where(_KEYS[stage].in_(ids)) for stage, ids in wanted.items() if ids]
    both = sa.union_all(*selects).subquery()
    return list(session.execute(sa.select(both).order_by(both.c.id))) if selects else []


def _documents_received(kind: str, receipts: Ids) -> Statement:
    """The documents whose goods came with some receipts."""
    return (
        sa.select(StockMove.document_id)
        .join(GoodsReceiptLine, GoodsReceiptLine.move_id == StockMove.id)
        .where(StockMove.document_kind == kind, GoodsReceiptLine.receipt_id.in_(receipts))
    )


def _receipts_of(kind: str, documents: Ids) -> Statement:
    return (
        sa.select(GoodsReceiptLine.receipt_id)
        .join(StockMove, StockMove.id == GoodsReceiptLine.move_id)
        .where(StockMove.document_kind == kind, StockMove.document_id.in_(documents))
    )


def _pegged(wanted: Any, *conditions: sa.ColumnElement[bool]) -> Statement:
    return (
        sa.select(wanted)
        .select_from(Peg)
        .join(_supply, _supply.id == Peg.supply_move_id)
        .join(_demand, _demand.id == Peg.demand_move_id)
        .where(_supply.document_kind == PURCHASE_ORDER, _demand.document_kind == SALES_ORDER, *conditions)
    )


def _waves(*conditions: sa.ColumnElement[bool]) -> Statement:
    return sa.select(Pick.wave_id).join(StockMove, StockMove.id == Pick.move_id).where(*conditions)


def _shipped_picks(wanted: Any, *conditions: sa.ColumnElement[bool]) -> Statement:
    """A packed move follows the pick that brought its goods to staging."""
    return (
        sa.select(wanted)
        .select_from(ShipmentLine)
        .join(_staged, _staged.id == ShipmentLine.move_id)
        .join(Pick, Pick.move_id == _staged.previous_id)
        .where(*conditions)
    )


def _returned(wanted: Any, *conditions: sa.ColumnElement[bool]) -> Statement:
    """A return's move names the move that shipped its goods: that move stands in the shipment."""
    return (
        sa.select(wanted)
        .select_from(StockMove)
        .join(ShipmentLine, ShipmentLine.move_id == StockMove.cost_of_id)
        .where(StockMove.document_kind == RETURN, *conditions)
    )


def _returned_orders(wanted: Any, *conditions: sa.ColumnElement[bool]) -> Statement:
    return (
        sa.select(wanted)
        .select_from(ReturnLine)
        .join(SalesOrderLine, SalesOrderLine.id == ReturnLine.sales_order_line_id)
        .where(*conditions)
    )


def _invoiced_returns(wanted: Any, *conditions: sa.ColumnElement[bool]) -> Statement:
    """What came back of a shipment concerns the invoice of that shipment."""
    return (
        _returned(wanted, *conditions)
        .join(CustomerInvoice, CustomerInvoice.document_id == ShipmentLine.shipment_id)
        .where(CustomerInvoice.document_kind == SHIPMENT)
    )


_STEPS: Mapping[tuple[str, str], Callable[[Ids], Statement]] = {
    ("proposal", "item"): lambda ids: sa.select(Proposal.item_id).where(Proposal.id.in_(ids)),
    ("purchase_order", "item"): lambda ids: sa.select(PurchaseOrderLine.item_id).where(
        PurchaseOrderLine.order_id.in_(ids)
    ),
    ("purchase_order", "proposal"): lambda ids: sa.select(PurchaseOrderLine.proposal_id).where(
        PurchaseOrderLine.order_id.in_(ids)
    ),
    ("proposal", "purchase_order"): lambda ids: sa.select(PurchaseOrderLine.order_id).where(
        PurchaseOrderLine.proposal_id.in_(ids)
    ),
    ("purchase_order", "goods_receipt"): lambda ids: _receipts_of(PURCHASE_ORDER, ids),
    ("goods_receipt", "purchase_order"): lambda ids: _documents_received(PURCHASE_ORDER, ids),
    ("sales_order", "purchase_order"): lambda ids: _pegged(_supply.document_id, _demand.document_id.in_(ids)),
    ("purchase_order", "sales_order"): lambda ids: _pegged(_demand.document_id, _supply.document_id.in_(ids)),
    ("sales_order", "wave"): lambda ids: _waves(StockMove.document_kind == SALES_ORDER, StockMove.document_id.in_(ids)),
    ("wave", "sales_order"): lambda ids: _waves(Pick.wave_id.in_(ids)).with_only_columns(StockMove.document_id),
    ("sales_order", "shipment"): lambda ids: sa.select(Shipment.id).where(Shipment.sales_order_id.in_(ids)),
    ("shipment", "sales_order"): lambda ids: sa.select(Shipment.sales_order_id).where(Shipment.id.in_(ids)),
    ("shipment", "wave"): lambda ids: _shipped_picks(Pick.wave_id, ShipmentLine.shipment_id.in_(ids)),
    ("wave", "shipment"): lambda ids: _shipped_picks(ShipmentLine.shipment_id, Pick.wave_id.in_(ids)),
    ("sales_order", "customer_invoice"): lambda ids: sa.select(CustomerInvoice.id).where(
        CustomerInvoice.sales_order_id.in_(ids), CustomerInvoice.document_kind == SHIPMENT
    ),
    ("customer_invoice", "sales_order"): lambda ids: sa.select(CustomerInvoice.sales_order_id).where(
        CustomerInvoice.id.in_(ids), CustomerInvoice.document_kind == SHIPMENT
    ),
    ("shipment", "customer_invoice"): lambda ids: sa.select(CustomerInvoice.id).where(
        CustomerInvoice.document_kind == SHIPMENT, CustomerInvoice.document_id.in_(ids)
    ),
    ("customer_invoice", "shipment"): lambda ids: sa.select(CustomerInvoice.document_id).where(
        CustomerInvoice.document_kind == SHIPMENT, CustomerInvoice.id.in_(ids)
    ),
    ("sales_order", "return_authorization"): lambda ids: _returned_orders(
        ReturnLine.return_id, SalesOrderLine.order_id.in_(ids)
    ),
    ("return_authorization", "sales_order"): lambda ids: _returned_orders(
        SalesOrderLine.order_id, ReturnLine.return_id.in_(ids)
    ),
    ("return_authorization", "prior_sale"): lambda ids: sa.select(ReturnLine.prior_sale_id).where(
        ReturnLine.return_id.in_(ids)
    ),
    ("shipment", "return_authorization"): lambda ids: _returned(
        StockMove.document_id, ShipmentLine.shipment_id.in_(ids)
    ),
    ("return_authorization", "shipment"): lambda ids: _returned(
        ShipmentLine.shipment_id, StockMove.document_id.in_(ids)
    ),
    ("customer_invoice", "return_authorization"): lambda ids: _invoiced_returns(
        StockMove.document_id, CustomerInvoice.id.in_(ids)
    ),
    ("return_authorization", "customer_invoice"): lambda ids: _invoiced_returns(
        CustomerInvoice.id, StockMove.document_id.in_(ids)
    ),
    (RETURN_RECEIPT, "return_authorization"): lambda ids: _documents_received(RETURN, ids),
    ("return_authorization", RETURN_RECEIPT): lambda ids: _receipts_of(RETURN, ids),
    ("return_authorization", "inspection"): lambda ids: (
        sa.select(Inspection.id)
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .where(ReturnLine.return_id.in_(ids))
    ),
    ("inspection", "return_authorization"): lambda ids: (
        sa.select(ReturnLine.return_id)
        .join(Inspection, Inspection.return_line_id == ReturnLine.id)
        .where(Inspection.id.in_(ids))
    ),
    ("return_authorization", "credit_note"): lambda ids: sa.select(CreditNote.id).where(
        CreditNote.document_kind == RETURN, CreditNote.document_id.in_(ids)
    ),
    ("credit_note", "return_authorization"): lambda ids: sa.select(CreditNote.document_id).where(
        CreditNote.document_kind == RETURN, CreditNote.id.in_(ids)
    ),
    ("customer_invoice", "credit_note"): lambda ids: sa.select(CreditNote.id).where(CreditNote.invoice_id.in_(ids)),
    ("credit_note", "customer_invoice"): lambda ids: sa.select(CreditNote.invoice_id).where(CreditNote.id.in_(ids)),
}


def _head(
    model: Any, *, number: Any, state: Any, day: Any = None, at: Any = None
) -> tuple[Callable[[Any], Statement], Any]:
    """The columns are of the same types for every stage, because one statement reads them all."""

    def select(stage: Any) -> Statement:
        return sa.select(
            stage.label("stage"),
            model.id.label("id"),
            sa.cast(number, sa.String).label("number"),
            sa.cast(state, sa.String).label("state"),
            (sa.cast(sa.null(), sa.Date) if day is None else day).label("day"),
            (sa.cast(sa.null(), types.UtcDateTime) if at is None else at).label("at"),
        )

    return select, model.id


def _inspections(stage: Any) -> Statement:
    select, _ = _head(
        Inspection,
        number=Inspection.id,
        state=sa.func.coalesce(sa.cast(Disposal.disposition, sa.String), "to_dispose"),
        at=Inspection.inspected_at,
    )
    return select(stage).outerjoin(Disposal, Disposal.inspection_id == Inspection.id)


def _credit_notes(stage: Any) -> Statement:
    refunded = sa.case((Refund.id.is_(None), "credited"), else_="refunded")
    select, _ = _head(CreditNote, number=CreditNote.number, state=refunded, at=CreditNote.issued_at)
    return select(stage).outerjoin(Refund, Refund.credit_note_id == CreditNote.id)


_RECEIPT = _head(GoodsReceipt, number=GoodsReceipt.number, state=sa.literal("received"), day=GoodsReceipt.received_date)
_MODELS: Mapping[str, tuple[Callable[[Any], Statement], Any]] = {
    "item": _head(Item, number=Item.sku, state=Item.status),
    "proposal": _head(Proposal, number=Proposal.id, state=Proposal.state, day=Proposal.order_date),
    "purchase_order": _head(
        PurchaseOrder,
        number=PurchaseOrder.number,
        state=PurchaseOrder.state,
        day=sa.func.coalesce(PurchaseOrder.sent_date, PurchaseOrder.drafted_date, type_=sa.Date()),
    ),
    GOODS_RECEIPT: _RECEIPT,
    RETURN_RECEIPT: _RECEIPT,
    "sales_order": _head(SalesOrder, number=SalesOrder.number, state=SalesOrder.state, day=SalesOrder.ordered_date),
    "prior_sale": _head(
        BroughtForward, number=BroughtForward.reference, state=sa.literal("sold"), day=BroughtForward.sold_date
    ),
    "wave": _head(Wave, number=Wave.number, state=Wave.state, at=Wave.released_at),
    "shipment": _head(
        Shipment,
        number=Shipment.number,
        state=Shipment.state,
        at=sa.func.coalesce(Shipment.shipped_at, Shipment.packed_at, type_=types.UtcDateTime()),
    ),
    "customer_invoice": _head(
        CustomerInvoice, number=CustomerInvoice.number, state=sa.literal("issued"), day=CustomerInvoice.invoice_date
    ),
    "return_authorization": _head(
        ReturnAuthorization,
        number=ReturnAuthorization.number,
        state=ReturnAuthorization.state,
        day=ReturnAuthorization.authorized_date,
    ),
    "inspection": (_inspections, Inspection.id),
    "credit_note": (_credit_notes, CreditNote.id),
}
_HEADS = {stage: select for stage, (select, _) in _MODELS.items()}
_KEYS = {stage: key for stage, (_, key) in _MODELS.items()}

"""Shipping: a carrier takes packed shipments, and what has left is invoiced in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import receivables
from scm.finance.receivables import InvoiceLine, InvoiceRequest
from scm.master.lanes import CarrierService
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock import ledger
from scm.stock.ledger import Posting
from scm.stock.moves import MoveState, StockMove
from warehouse import packing
from warehouse.packing import KIND, MACHINE, Shipment, ShipmentLine

CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Shipped:
    """A shipment that has left, and the invoice for it."""

    shipment_id: int
    number: str
    sales_order_id: int
    invoice_id: int
    tracking_number: str


class BadShipping(InvalidInput):
    """No shipment is named, or a tracking number cannot be used."""


class ServiceUnknown(NotFound):
    """There is no such carrier service from the shipment's site."""


class TrackingTaken(Conflict):
    """The carrier's number stands on another shipment."""


class ContentsChanged(Conflict):
    """Something that was packed has been withdrawn since."""


def ship(
    session: Session,
    shipment_ids: Sequence[int],
    *,
    carrier_service_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    tracking_numbers: Mapping[int, str] | None = None,
) -> list[Shipped]:
    """This function will hand shipments to a carrier, post what leaves, and invoice it, in the order given.

    A shipment without a tracking number of the carrier's is tracked by its own number. Raises `BadShipping`,
    `ServiceUnknown`, `ShipmentUnknown`, `IllegalTransition` (a shipment leaves once), `TrackingTaken`,
    `ContentsChanged`.
    """
    actor.require(Role.WAREHOUSE)
    shipments = packing.lock(session, shipment_ids)
    if not shipments:
        raise BadShipping("no shipment was named: name at least one")
    tracking = _tracking(shipments, tracking_numbers or {})
    _refuse_service(session, shipments, carrier_service_id)
    _refuse_taken(session, tracking, carrier_service_id)
    for shipment in shipments:
        shipment.state = MACHINE.advance(shipment.state, "ship", number=shipment.number)
        shipment.shipped_at = now
        shipment.carrier_service_id = carrier_service_id
        shipment.tracking_number = tracking[shipment.id]
    contents = _contents(session, shipments)
    session.flush()
    postings = [Posting(move_id=row.id) for shipment in shipments for row in contents[shipment.id]]
    ledger.post(session, postings, actor=actor, now=now, today=today)
    invoice_ids = _invoice(session, shipments, contents, actor=actor, now=now, today=today)
    audit.record(
        session,
        actor=actor,
        verb="shipment.ship",
        document_kind=KIND,
        document_ids=[shipment.id for shipment in shipments],
        carrier_service_id=carrier_service_id,
    )
    return [
        Shipped(shipment.id, shipment.number, shipment.sales_order_id, invoice_id, tracking[shipment.id])
        for shipment, invoice_id in zip(shipments, invoice_ids, strict=True)
    ]


def _tracking(shipments: Sequence[Shipment], given: Mapping[int, str]) -> dict[int, str]:
    strange = sorted(set(given) - {shipment.id for shipment in shipments})
    if strange:
        raise BadShipping(f"a tracking number was given for shipment {strange[0]}, which is not shipped here")
    for shipment_id, number in given.items():
        if not 0 < len(number) <= 60 or not number.isprintable():
            raise BadShipping(f"shipment {shipment_id}: tracking number {number[:70]!r} must be 1 to 60 characters")
    return {shipment.id: given.get(shipment.id, shipment.number) for shipment in shipments}


def _refuse_service(session: Session, shipments: Sequence[Shipment], carrier_service_id: int) -> None:
    site_id = session.scalar(
        sa.select(CarrierService.site_id).where(CarrierService.id == carrier_service_id, ~CarrierService.retired)
    )
    for shipment in shipments:
        if shipment.site_id != site_id:
            raise ServiceUnknown(
                f"{shipment.number} leaves from site {shipment.site_id}, which carrier service {carrier_service_id} "
                "does not serve: choose another"
            )


def _refuse_taken(session: Session, tracking: Mapping[int, str], carrier_service_id: int) -> None:
    numbers = sorted(tracking.values())
    twice = [number for number, following in pairwise(numbers) if number == following]
    if twice:
        raise TrackingTaken(f"tracking number {twice[0]} is given to two shipments: each parcel has its own")
    for start in range(0, len(numbers), CHUNK):
        row = session.execute(
            sa.select(Shipment.number, Shipment.tracking_number).where(
                Shipment.carrier_service_id == carrier_service_id,
                Shipment.tracking_number.in_(numbers[start : start + CHUNK]),
                Shipment.id.not_in(sorted(tracking)) if len(tracking) <= CHUNK else sa.true(),
            )
        ).first()
        if row is not None:
            raise TrackingTaken(f"tracking number {row.tracking_number} stands on {row.number}: scan the label again")


def _contents(session: Session, shipments: Sequence[Shipment]) -> dict[int, list[sa.Row[*tuple[Any, ...]]]]:
    """The packed moves with the price of their order lines, by shipment."""
    number_of = {shipment.id: shipment.number for shipment in shipments}
    wanted = sorted(number_of)
    contents: dict[int, list[sa.Row[*tuple[Any, ...]]]] = defaultdict(list)
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            sa.select(
                ShipmentLine.shipment_id,
                StockMove.id,
                StockMove.line_id,
                StockMove.item_id,
                StockMove.quantity,
                StockMove.state,
                SalesOrderLine.unit_price,
                SalesOrderLine.vat_rate,
                SalesOrderLine.line_number,
            )
            .join(StockMove, StockMove.id == ShipmentLine.move_id)
            .join(SalesOrderLine, SalesOrderLine.id == StockMove.line_id)
            .where(ShipmentLine.shipment_id.in_(wanted[start : start + CHUNK]))
            .order_by(StockMove.id)
        )
        for row in rows:
            if row.state is not MoveState.PLANNED:
                raise ContentsChanged(
                    f"{number_of[row.shipment_id]}: line {row.line_number} was withdrawn after it was packed: unpack "
                    "it and pack what is left"
                )
            contents[row.shipment_id].append(row)
    return contents


def _invoice(
    session: Session,
    shipments: Sequence[Shipment],
    contents: Mapping[int, Sequence[sa.Row[*tuple[Any, ...]]]],
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[int]:
    orders = {
        row.id: row
        for row in session.execute(
            sa.select(SalesOrder.id, SalesOrder.customer_id, SalesOrder.currency, SalesOrder.prices_with_vat).where(
                SalesOrder.id.in_([shipment.sales_order_id for shipment in shipments])
            )
        )
    }
    invoice_ids: dict[int, int] = {}
    for company_id in sorted({shipment.company_id for shipment in shipments}):
        owned = [shipment for shipment in shipments if shipment.company_id == company_id]
        requests = [
            InvoiceRequest(
                document_kind=KIND,
                document_id=shipment.id,
                sales_order_id=shipment.sales_order_id,
                customer_id=orders[shipment.sales_order_id].customer_id,
                currency=orders[shipment.sales_order_id].currency,
                prices_with_vat=orders[shipment.sales_order_id].prices_with_vat,
                lines=[
                    InvoiceLine(
                        line_id=row.line_id,
                        item_id=row.item_id,
                        quantity=row.quantity,
                        unit_price=row.unit_price,
                        vat_rate=row.vat_rate,
                    )
                    for row in contents[shipment.id]
                ],
            )
            for shipment in owned
        ]
        ids = receivables.invoice(session, requests, company_id=company_id, actor=actor, now=now, today=today)
        invoice_ids.update((shipment.id, invoice_id) for shipment, invoice_id in zip(owned, ids, strict=True))
    return [invoice_ids[shipment.id] for shipment in shipments]

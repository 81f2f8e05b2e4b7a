"""What a supplier asks for an order and is paid, from the order's page: named by its number, in its currency."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from procurement import purchase_orders
from procurement.purchase_orders import KIND, PurchaseOrder
from scm.core.users import Actor
from scm.finance import payables
from scm.finance.payables import Payable, SupplierInvoiceRequest, SupplierInvoiceUnknown, ToInvoice


def record_invoice(
    session: Session,
    *,
    number: str,
    site_id: int,
    invoice_number: str,
    amount: int,
    vat_amount: int = 0,
    invoice_date: date,
    actor: Actor,
    now: datetime,
) -> int:
    """This function will record a supplier's invoice for what came of an order, in minor units of its currency.

    The amount is with VAT.
    Raises `OrderUnknown` and what `payables.record_invoice` raises.
    """
    order = of_number(session, number=number, site_id=site_id)
    request = SupplierInvoiceRequest(
        supplier_id=order.supplier_id,
        number=invoice_number,
        document_kind=KIND,
        document_id=order.id,
        document=order.number,
        currency=order.currency,
        amount=amount,
        vat_amount=vat_amount,
        invoice_date=invoice_date,
    )
    return payables.record_invoice(session, request, company_id=order.company_id, actor=actor, now=now)


def pay(
    session: Session,
    *,
    number: str,
    site_id: int,
    invoice_id: int,
    amount: int,
    paid_date: date,
    actor: Actor,
    now: datetime,
) -> int:
    """This function will record money that went to the supplier for an invoice of an order, in minor units.

    Raises `OrderUnknown` and what `payables.pay` raises.
    """
    order = of_number(session, number=number, site_id=site_id)
    if invoice_id not in {one.invoice_id for one in payables.of_documents(session, kind=KIND, document_ids=[order.id])}:
        raise SupplierInvoiceUnknown(f"{number} has no supplier's invoice {invoice_id}")
    return payables.pay(
        session,
        invoice_id=invoice_id,
        amount=amount,
        paid_date=paid_date,
        company_id=order.company_id,
        actor=actor,
        now=now,
    )


def standing(session: Session, *, order_id: int, currency: str) -> tuple[list[Payable], ToInvoice]:
    """This function will read an order's invoices and what came and was not invoiced yet, as far as it is valued."""
    invoices = payables.of_documents(session, kind=KIND, document_ids=[order_id])
    return invoices, payables.to_invoice(session, kind=KIND, document_id=order_id, currency=currency)


def of_number(session: Session, *, number: str, site_id: int) -> PurchaseOrder:
    """This function will read a site's order by its number. Raises `OrderUnknown`."""
    return session.get_one(PurchaseOrder, purchase_orders.find(session, number=number, site_id=site_id))

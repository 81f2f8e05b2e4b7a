"""Customers pay what they were invoiced, the same evening: card payments of an online shop."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.finance import claims, receivables
from scm.finance.claims import CustomerInvoice
from scm.finance.receivables import PaymentRequest
from scm.loop.world.stage import Stage


def pay(stage: Stage, *, today: date) -> int:
    """This function will pay what is open of the day's invoices and return the number of payments."""
    payments = stage.look(lambda session: _open(session, company_id=stage.setup.company_id, today=today))
    if payments:
        stage.act(
            lambda session: receivables.record_payment(
                session,
                payments,
                company_id=stage.setup.company_id,
                now=stage.at(today, 20),
                today=today,
                actor=stage.person("sales"),
            )
        )
    return len(payments)


def _open(session: Session, *, company_id: int, today: date) -> list[PaymentRequest]:
    issued = session.scalars(
        sa.select(CustomerInvoice.id)
        .where(CustomerInvoice.company_id == company_id, CustomerInvoice.invoice_date == today)
        .order_by(CustomerInvoice.id)
    ).all()
    standing = claims.standings(session, issued)
    return [
        PaymentRequest(invoice_id=invoice_id, amount=standing[invoice_id].open_amount)
        for invoice_id in issued
        if standing[invoice_id].open_amount > 0
    ]

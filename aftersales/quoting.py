"""What a refund would amount to, for whoever looks before they pay. Reads only; `refunds.refund` decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from aftersales import documents, refunds
from aftersales.refunds import RefundRequest, Share
from scm.finance import claims


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What refunding so many units of one return line would give back, in minor units.

    `credited` is taken off what is still open on the invoices, `paid_back` is money that goes back.
    """

    return_line_id: int
    quantity: int
    amount: int
    credited: int
    paid_back: int
    currency: str


def quote(session: Session, requests: Sequence[RefundRequest]) -> dict[int, Quote]:
    """This function will say what refunds would amount to, by return line, as the books stand now.

    Lines that share an invoice are counted one after the other, as `refunds.refund` does it. Raises
    `ReturnLineUnknown`, `MoreThanInvoiced`.
    """
    if not requests:
        return {}
    lines = documents.read_lines(session, [request.return_line_id for request in requests])
    invoiced = refunds.invoiced_for(session, lines.values())
    refunds.add_refunded(session, invoiced)
    shares = refunds.shares(requests, lines, invoiced)
    return _quotes(session, requests, shares)


def _quotes(session: Session, requests: Sequence[RefundRequest], shares: Sequence[Share]) -> dict[int, Quote]:
    standing = claims.standings(session, {share.invoice_id for share in shares})
    of_line: dict[int, list[Share]] = defaultdict(list)
    for share in shares:
        of_line[share.line.id].append(share)
    found = {}
    for request in requests:
        amount = credited = 0
        currency = ""
        for share in of_line[request.return_line_id]:
            owed = standing[share.invoice_id]
            part = min(share.amount, max(0, owed.open_amount))
            owed.credited += part
            amount, credited, currency = amount + share.amount, credited + part, owed.currency
        found[request.return_line_id] = Quote(
            return_line_id=request.return_line_id,
            quantity=request.quantity,
            amount=amount,
            credited=credited,
            paid_back=amount - credited,
            currency=currency,
        )
    return found

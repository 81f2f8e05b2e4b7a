"""Through which channel the lines of the future come in.

An invoice whose number begins with a channel's code and a dash came through that channel, every other one through the
company's own shop.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.sales.channels import OWN_SHOP, Channel

DASH = "-"


def codes(session: Session) -> frozenset[str]:
    """This function will read the codes of the channels that take orders."""
    return frozenset(session.scalars(sa.select(Channel.code).where(~Channel.retired)))


def of_invoice(invoice: str, *, known: Iterable[str]) -> str:
    """This function will name the channel of an invoice by the codes of those that exist.

    >>> of_invoice("live-260924-001", known={"live", "web"}), of_invoice("536365", known={"live", "web"})
    ('live', 'web')
    """
    code = invoice.partition(DASH)[0]
    return code if code in set(known) else OWN_SHOP

"""From the number people read to the row: a document of another site is as unknown as one that does not exist."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import NotFound
from scm.sales.documents import SalesOrder
from warehouse.counts import CycleCount
from warehouse.packing import Shipment
from warehouse.receiving import GoodsReceipt
from warehouse.waves import Wave

Numbered = type[SalesOrder] | type[GoodsReceipt] | type[Wave] | type[Shipment] | type[CycleCount]
NAMES: dict[Numbered, str] = {
    SalesOrder: "sales order",
    GoodsReceipt: "goods receipt",
    Wave: "wave",
    Shipment: "shipment",
    CycleCount: "cycle count",
}


class NumberUnknown(NotFound):
    """This site has no document of that number."""


def find(session: Session, document: Numbered, number: str, *, site_id: int) -> int:
    """This function will give the id of a site's document by its number. Raises `NumberUnknown`."""
    found = session.scalar(sa.select(document.id).where(document.number == number, document.site_id == site_id))
    if found is None:
        raise NumberUnknown(f"this site has no {NAMES[document]} {number[:40]}")
    return found

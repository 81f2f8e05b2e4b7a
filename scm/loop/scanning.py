"""One answer to every scan: what a text from a scanner is, of everything a site knows. Reads only.

A scanner types whatever is printed: an item's SKU, its GTIN with or without leading zeros, the GTIN of a pack, a place,
the number of a document, or a carrier's tracking number. What is another site's is as unknown as what does not exist.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales.documents import ReturnAuthorization
from procurement.purchase_orders import PurchaseOrder
from scm.core import numbering
from scm.core.errors import InvalidInput, NotFound
from scm.master import gtin
from scm.master.items import Item, ItemPack
from scm.master.locations import Location, Site
from scm.production.documents import WorkOrder
from scm.sales.documents import SalesOrder
from warehouse.counts import CycleCount
from warehouse.packing import Shipment
from warehouse.receiving import GoodsReceipt
from warehouse.transfer_documents import Transfer
from warehouse.waves import Wave

LONGEST_SCAN = 120
Numbered = (
    type[PurchaseOrder]
    | type[GoodsReceipt]
    | type[Wave]
    | type[Shipment]
    | type[CycleCount]
    | type[SalesOrder]
    | type[ReturnAuthorization]
    | type[WorkOrder]
)


class ScanKind(enum.Enum):
    """What was scanned."""

    ITEM = "item"
    LOCATION = "location"
    PURCHASE_ORDER = "purchase_order"
    GOODS_RECEIPT = "goods_receipt"
    WAVE = "wave"
    SHIPMENT = "shipment"
    CYCLE_COUNT = "cycle_count"
    TRANSFER = "transfer"
    SALES_ORDER = "sales_order"
    RETURN_AUTHORIZATION = "return_authorization"
    WORK_ORDER = "work_order"


DOCUMENTS: dict[str, tuple[ScanKind, Numbered]] = {
    numbering.PURCHASE_ORDER.prefix: (ScanKind.PURCHASE_ORDER, PurchaseOrder),
    numbering.GOODS_RECEIPT.prefix: (ScanKind.GOODS_RECEIPT, GoodsReceipt),
    numbering.WAVE.prefix: (ScanKind.WAVE, Wave),
    numbering.SHIPMENT.prefix: (ScanKind.SHIPMENT, Shipment),
    numbering.CYCLE_COUNT.prefix: (ScanKind.CYCLE_COUNT, CycleCount),
    numbering.SALES_ORDER.prefix: (ScanKind.SALES_ORDER, SalesOrder),
    numbering.RETURN_AUTHORIZATION.prefix: (ScanKind.RETURN_AUTHORIZATION, ReturnAuthorization),
    numbering.WORK_ORDER.prefix: (ScanKind.WORK_ORDER, WorkOrder),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """What a scan means: a row of some kind, the code people know it by, its name, and for items the base units."""

    kind: ScanKind
    id: int
    code: str
    name: str = ""
    units: int = 1


class NotAScan(InvalidInput):
    """The text is empty, too long, or holds characters no label has."""


class NothingScanned(NotFound):
    """Nothing this site knows is called that."""


def resolve(session: Session, text: str, *, site_id: int) -> Scanned:
    """This function will tell what a scanned text is, in at most seven queries. Raises `NotAScan`, `NothingScanned`.

    A document's number comes first, then items and packs, then places, then tracking numbers.
    """
    wanted = text.strip()
    if not 0 < len(wanted) <= LONGEST_SCAN or not wanted.isprintable():
        raise NotAScan(f"{wanted[:40]!r} is no scan: 1 to {LONGEST_SCAN} printable characters are")
    for look in (_document, _transfer, _item, _location, _tracking):
        for found in look(session, wanted, site_id):
            return found
    raise NothingScanned(
        f"nothing here is called {wanted[:40]}: it is no SKU, GTIN, place, document number or tracking number of this "
        "site"
    )


def _document(session: Session, text: str, site_id: int) -> Iterator[Scanned]:
    prefix, dash, _ = text.upper().partition("-")
    if not dash or prefix not in DOCUMENTS:
        return
    kind, document = DOCUMENTS[prefix]
    found = session.scalar(sa.select(document.id).where(document.number == text.upper(), document.site_id == site_id))
    if found is not None:
        yield Scanned(kind=kind, id=found, code=text.upper())


def _transfer(session: Session, text: str, site_id: int) -> Iterator[Scanned]:
    """A transfer belongs to the two sites that send and receive it."""
    if not text.upper().startswith(f"{numbering.TRANSFER.prefix}-"):
        return
    ours = sa.or_(Transfer.from_site_id == site_id, Transfer.to_site_id == site_id)
    found = session.scalar(sa.select(Transfer.id).where(Transfer.number == text.upper(), ours))
    if found is not None:
        yield Scanned(kind=ScanKind.TRANSFER, id=found, code=text.upper())


def _item(session: Session, text: str, site_id: int) -> Iterator[Scanned]:
    company_id = sa.select(Site.company_id).where(Site.id == site_id).scalar_subquery()
    statement = sa.select(Item.id, Item.sku, Item.shown_name.label("name")).where(Item.company_id == company_id)
    forms = gtin.written_forms(text)
    matching = Item.sku == text if not forms else sa.or_(Item.sku == text, Item.gtin.in_(forms))
    # An SKU that looks like a GTIN is still the SKU somebody printed on purpose.
    rows = session.execute(statement.where(matching).order_by((Item.sku == text).desc(), Item.id).limit(1)).all()
    if not rows:
        rows = session.execute(statement.where(sa.func.upper(Item.sku) == text.upper()).limit(2)).all()
        rows = rows if len(rows) == 1 else []  # two SKUs that differ only in case: say neither
    for row in rows:
        yield Scanned(kind=ScanKind.ITEM, id=row.id, code=row.sku, name=row.name)
        return
    if forms:
        pack = session.execute(
            statement.add_columns(ItemPack.base_units)
            .join(ItemPack, ItemPack.item_id == Item.id)
            .where(ItemPack.gtin.in_(forms))
            .limit(1)
        ).one_or_none()
        if pack is not None:
            yield Scanned(kind=ScanKind.ITEM, id=pack.id, code=pack.sku, name=pack.name, units=int(pack.base_units))


def _location(session: Session, text: str, site_id: int) -> Iterator[Scanned]:
    row = session.execute(
        sa.select(Location.id, Location.code).where(
            Location.site_id == site_id, Location.code.in_({text, text.upper()}), ~Location.retired
        )
    ).first()
    if row is not None:
        yield Scanned(kind=ScanKind.LOCATION, id=row.id, code=row.code)


def _tracking(session: Session, text: str, site_id: int) -> Iterator[Scanned]:
    row = session.execute(
        sa.select(Shipment.id, Shipment.number)
        .where(Shipment.site_id == site_id, Shipment.tracking_number == text)
        .order_by(Shipment.id.desc())
        .limit(1)
    ).one_or_none()
    if row is not None:
        yield Scanned(kind=ScanKind.SHIPMENT, id=row.id, code=row.number)

"""The audit trail as a list: who did what to which document, with the number that people know the document by."""

from __future__ import annotations

import sqlalchemy as sa

from aftersales.documents import ReturnAuthorization
from aftersales.parcels import UnknownParcel
from procurement.purchase_orders import PurchaseOrder
from scm.core.audit import AuditRow
from scm.core.db import table_of
from scm.core.listing import Field, Kind, Listing
from scm.core.users import User
from scm.master.items import Item
from scm.master.locations import Site
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder
from warehouse.counts import CycleCount
from warehouse.packing import Shipment
from warehouse.receiving import GoodsReceipt
from warehouse.transfer_documents import Transfer
from warehouse.waves import Wave

NUMBERED: tuple[tuple[str, sa.FromClause, str], ...] = (
    ("purchase_order", table_of(PurchaseOrder), "number"),
    ("sales_order", table_of(SalesOrder), "number"),
    ("goods_receipt", table_of(GoodsReceipt), "number"),
    ("wave", table_of(Wave), "number"),
    ("shipment", table_of(Shipment), "number"),
    ("cycle_count", table_of(CycleCount), "number"),
    ("transfer", table_of(Transfer), "number"),
    ("return_authorization", table_of(ReturnAuthorization), "number"),
    ("item", table_of(Item), "sku"),
    ("partner", table_of(Partner), "code"),
    ("site", table_of(Site), "code"),
    ("unknown_parcel", table_of(UnknownParcel), "number"),
    ("user", table_of(User).alias("subject"), "username"),
)
"""Which documents people know by a number, the table it stands in, and its column."""


def listing() -> Listing:
    """This function will give the trail, newest first; a joined table is looked up by its key, for shown rows only."""
    row, person = table_of(AuditRow).c, table_of(User).c
    rows = sa.select(row.id).join(table_of(User), person.id == row.actor_id)
    for kind, table, _ in NUMBERED:
        rows = rows.outerjoin(table, sa.and_(row.document_kind == kind, table.c.id == row.document_id))
    number = sa.func.coalesce(*(table.c[name] for _, table, name in NUMBERED), "")
    return Listing(
        name="audit",
        rows=rows,
        key=row.id,
        fields=(
            Field(name="entry", kind=Kind.NUMBER, value=row.id),
            Field(name="at", kind=Kind.INSTANT, value=row.at),
            Field(name="person", kind=Kind.TEXT, value=person.display_name),
            Field(name="username", kind=Kind.CODE, value=person.username),
            Field(name="verb", kind=Kind.CODE, value=row.verb),
            Field(name="kind", kind=Kind.CODE, value=row.document_kind),
            Field(name="document", kind=Kind.CODE, value=number),
            Field(name="document_id", kind=Kind.NUMBER, value=row.document_id),
            Field(name="detail", kind=Kind.TEXT, value=sa.type_coerce(row.detail, sa.Text)),
        ),
        search=(person.display_name, person.username, row.verb, number),
        order=("", True),
    )

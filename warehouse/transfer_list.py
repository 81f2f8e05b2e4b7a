"""The list of a site's transfers, those it sends and those it receives, as rows and fields. Reads only."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from scm.core import types
from scm.core.db import table_of
from scm.core.listing import Field, Kind, Listing
from scm.master.locations import Site
from warehouse.transfer_documents import Transfer, TransferLine, TransferState

TRANSFER = table_of(Transfer).c


class Direction(enum.Enum):
    """Whether the site sends a transfer or receives it."""

    OUT = "out"
    IN = "in"


def listing(*, site_id: int) -> Listing:
    """This function will describe the transfers of a site, the newest first."""
    other = sa.orm.aliased(Site)
    sends = Transfer.from_site_id == site_id
    kind = types.enum_column(Direction)
    units = (
        sa.select(sa.func.coalesce(sa.func.sum(TransferLine.quantity), 0))
        .where(TransferLine.transfer_id == Transfer.id)
        .correlate(Transfer)
        .scalar_subquery()
    )
    lines = (
        sa.select(sa.func.count()).where(TransferLine.transfer_id == Transfer.id).correlate(Transfer).scalar_subquery()
    )
    return Listing(
        name="transfers",
        rows=sa.select(Transfer.id)
        .join(other, other.id == sa.case((sends, Transfer.to_site_id), else_=Transfer.from_site_id))
        .where(sa.or_(sends, Transfer.to_site_id == site_id)),
        key=TRANSFER.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=TRANSFER.number),
            Field(
                name="direction",
                kind=Kind.CHOICE,
                value=sa.case((sends, sa.literal(Direction.OUT, kind)), else_=sa.literal(Direction.IN, kind)),
                choices=Direction,
            ),
            Field(name="site", kind=Kind.TEXT, value=other.name),
            Field(name="state", kind=Kind.CHOICE, value=TRANSFER.state, choices=TransferState),
            Field(name="lines", kind=Kind.NUMBER, value=lines),
            Field(name="units", kind=Kind.NUMBER, value=sa.cast(units, sa.BigInteger)),
            Field(name="ship_date", kind=Kind.DATE, value=TRANSFER.ship_date),
            Field(name="due_date", kind=Kind.DATE, value=TRANSFER.due_date),
            Field(name="reason", kind=Kind.TEXT, value=TRANSFER.reason),
        ),
        search=(TRANSFER.number, other.code, other.name),
        order=("number", True),
    )

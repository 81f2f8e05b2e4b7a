"""One transfer as a document and on the phone: how far each line has come, what to pick, what is on the way, and what
was lost. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import User
from scm.master.locations import Location, LocationKind, Site
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import MoveState, StockMove
from warehouse import transfer_documents
from warehouse.sheets.cards import Card, cards
from warehouse.transfer_documents import KIND, LossParty, Transfer, TransferLine, TransferLoss, TransferState


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """So much of an item, and how far it has come, in base units."""

    line_id: int
    card: Card
    ordered: int
    shipped: int
    received: int
    lost: int

    @property
    def on_the_way(self) -> int:
        """What has left and has neither come nor been lost."""
        return self.shipped - self.received - self.lost


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One move that is still to be made: a pick with its bin, or goods on the way."""

    move_id: int
    card: Card
    quantity: int
    place: str
    lot_code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """What was lost, and who answers for it."""

    card: Card
    quantity: int
    party: LossParty
    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TransferSheet:
    """One transfer. `sends` tells whether the reader's site is the sender."""

    transfer_id: int
    number: str
    state: TransferState
    sends: bool
    from_site: str
    to_site: str
    drafted_date: date
    ship_date: date
    due_date: date
    shipped_at: datetime | None
    written_by: str
    reason: str
    lines: Sequence[Line]
    picks: Sequence[Leg]
    unpicked: int
    arriving: Sequence[Leg]
    losses: Sequence[Lost]


def sheet(session: Session, number: str, *, site_id: int) -> TransferSheet:
    """This function will read a transfer that a site sends or receives, in a fixed number of queries.

    Raises `TransferUnknown`.
    """
    transfer = transfer_documents.find(session, number, site_id=site_id)
    lines = transfer_documents.lines_of(session, [transfer.id])
    named = cards(session, {line.item_id for line in lines})
    sites = {row.id: row.name for row in session.execute(sa.select(Site.id, Site.name))}
    losses = _losses(session, lines, named)
    legs = _legs(session, transfer, named)
    return TransferSheet(
        transfer_id=transfer.id,
        number=transfer.number,
        state=transfer.state,
        sends=transfer.from_site_id == site_id,
        from_site=sites[transfer.from_site_id],
        to_site=sites[transfer.to_site_id],
        drafted_date=transfer.drafted_date,
        ship_date=transfer.ship_date,
        due_date=transfer.due_date,
        shipped_at=transfer.shipped_at,
        written_by=session.scalar(sa.select(User.display_name).where(User.id == transfer.written_by_id)) or "",
        reason=transfer.reason,
        lines=_lines(session, transfer, lines, named),
        picks=[leg for kind, allocated, leg in legs if kind is LocationKind.STORAGE and allocated],
        unpicked=sum(leg.quantity for kind, allocated, leg in legs if kind is LocationKind.STORAGE and not allocated),
        arriving=[leg for kind, _, leg in legs if kind is LocationKind.TRANSIT],
        losses=losses,
    )


def _lines(session: Session, transfer: Transfer, lines: Sequence[TransferLine], named: dict[int, Card]) -> list[Line]:
    source, destination = sa.orm.aliased(Location), sa.orm.aliased(Location)
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for row in session.execute(
        sa.select(StockMove.line_id, source.kind.label("of"), destination.kind.label("to"))
        .add_columns(sa.func.sum(StockMove.quantity).label("quantity"))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == transfer.id,
            StockMove.state == MoveState.POSTED,
        )
        .group_by(StockMove.line_id, source.kind, destination.kind)
    ):
        if row.to is LocationKind.TRANSIT:
            sums[row.line_id, "shipped"] += int(row.quantity)
        elif row.of is LocationKind.TRANSIT:
            sums[row.line_id, "received" if row.to is LocationKind.DOCK else "lost"] += int(row.quantity)
    return [
        Line(
            line_id=line.id,
            card=named[line.item_id],
            ordered=line.quantity,
            shipped=sums[line.id, "shipped"],
            received=sums[line.id, "received"],
            lost=sums[line.id, "lost"],
        )
        for line in lines
    ]


def _legs(session: Session, transfer: Transfer, named: dict[int, Card]) -> list[tuple[LocationKind, bool, Leg]]:
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.item_id,
            StockMove.quantity,
            StockMove.allocated,
            StockMove.lot_id,
            Location.code,
            Location.kind,
            Lot.code.label("lot"),
        )
        .join(Location, Location.id == StockMove.source_id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == transfer.id,
            StockMove.state == MoveState.PLANNED,
        )
        .order_by(Location.pick_sequence, Location.id, StockMove.id)
    )
    return [
        (
            row.kind,
            row.allocated,
            Leg(
                move_id=row.id,
                card=named[row.item_id],
                quantity=row.quantity,
                place=row.code,
                lot_code=None if row.lot_id == NO_LOT else row.lot,
            ),
        )
        for row in rows
    ]


def _losses(session: Session, lines: Sequence[TransferLine], named: dict[int, Card]) -> list[Lost]:
    item_of = {line.id: line.item_id for line in lines}
    rows = session.execute(
        sa.select(TransferLoss, User.display_name)
        .join(User, User.id == TransferLoss.recorded_by_id)
        .where(TransferLoss.line_id.in_(list(item_of)))
        .order_by(TransferLoss.id)
    )
    return [
        Lost(
            card=named[item_of[loss.line_id]],
            quantity=loss.quantity,
            party=loss.party,
            reason=loss.reason,
            who=who,
            at=loss.recorded_at,
        )
        for loss, who in rows
    ]

"""Transfers that need somebody: late to leave or to arrive, and those of which something is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance.averages import StockCost
from scm.loop.exceptions.findings import Finding, Kind, Scope
from scm.master.locations import Location, LocationKind, Site
from scm.stock.moves import MoveState, StockMove
from warehouse.transfer_documents import KIND, ON_THE_WAY, Transfer, TransferLine, TransferState

NOT_SENT = (TransferState.DRAFT, TransferState.RELEASED)


def transfers(session: Session, scope: Scope, costs: Mapping[int, StockCost]) -> Iterator[Finding]:
    """This function will find what a site should have sent, or should have by now, at cost; and what is missing.

    A transfer is short when the sender left some of it behind, or when some came and the rest did not.
    """
    yield from _late(session, scope, costs)
    yield from _short(session, scope, costs)


def _late(session: Session, scope: Scope, costs: Mapping[int, StockCost]) -> Iterator[Finding]:
    other = aliased(Site)
    leaves = sa.and_(
        Transfer.from_site_id == scope.site_id, Transfer.state.in_(NOT_SENT), Transfer.ship_date < scope.today
    )
    comes = sa.and_(
        Transfer.to_site_id == scope.site_id, Transfer.state.in_(ON_THE_WAY), Transfer.due_date < scope.today
    )
    rows = session.execute(
        sa.select(Transfer, other.name)
        .join(
            other,
            other.id
            == sa.case((Transfer.from_site_id == scope.site_id, Transfer.to_site_id), else_=Transfer.from_site_id),
        )
        .where(sa.or_(leaves, comes))
        .order_by(Transfer.id)
    ).all()
    on_the_way = _on_the_way(session, [row[0].id for row in rows if row[0].state in ON_THE_WAY])
    ordered = _ordered(session, [row[0].id for row in rows])
    for transfer, name in rows:
        sent = transfer.state in ON_THE_WAY
        units = (on_the_way if sent else ordered).get(transfer.id, {})
        since = transfer.due_date if sent else transfer.ship_date
        yield Finding(
            kind=Kind.TRANSFER_LATE,
            subject_id=transfer.id,
            label=transfer.number,
            name=name,
            amount=_worth(units, costs),
            quantity=sum(units.values()),
            due_date=since,
            facts={"sent": sent, "days_late": (scope.today - since).days},
        )


def _short(session: Session, scope: Scope, costs: Mapping[int, StockCost]) -> Iterator[Finding]:
    sender = aliased(Site)
    rows = session.execute(
        sa.select(Transfer, sender.name)
        .join(sender, sender.id == Transfer.from_site_id)
        .where(Transfer.to_site_id == scope.site_id, Transfer.state.in_(ON_THE_WAY))
        .order_by(Transfer.id)
    ).all()
    ids = [row[0].id for row in rows]
    ordered, sent, on_the_way = _ordered(session, ids), _sent(session, ids), _on_the_way(session, ids)
    for transfer, name in rows:
        missing: dict[int, int] = {}
        for item_id, quantity in ordered.get(transfer.id, {}).items():
            behind = quantity - sent.get(transfer.id, {}).get(item_id, 0)
            not_come = on_the_way.get(transfer.id, {}).get(item_id, 0)
            units = behind + (not_come if transfer.state is TransferState.RECEIVED else 0)
            if units:
                missing[item_id] = units
        if missing:
            yield Finding(
                kind=Kind.TRANSFER_SHORT,
                subject_id=transfer.id,
                label=transfer.number,
                name=name,
                amount=_worth(missing, costs),
                quantity=sum(missing.values()),
                due_date=transfer.due_date,
                facts={"lines": len(missing)},
            )


def _worth(units: Mapping[int, int], costs: Mapping[int, StockCost]) -> int:
    return sum(costs.get(item_id, StockCost()).average(quantity) for item_id, quantity in units.items())


def _ordered(session: Session, transfer_ids: list[int]) -> dict[int, dict[int, int]]:
    return _by_item(
        session,
        sa.select(TransferLine.transfer_id, TransferLine.item_id, sa.func.sum(TransferLine.quantity))
        .where(TransferLine.transfer_id.in_(transfer_ids))
        .group_by(TransferLine.transfer_id, TransferLine.item_id),
    )


def _sent(session: Session, transfer_ids: list[int]) -> dict[int, dict[int, int]]:
    return _moved(session, transfer_ids, StockMove.destination_id, MoveState.POSTED)


def _on_the_way(session: Session, transfer_ids: list[int]) -> dict[int, dict[int, int]]:
    return _moved(session, transfer_ids, StockMove.source_id, MoveState.PLANNED)


def _moved(
    session: Session, transfer_ids: list[int], end: sa.orm.InstrumentedAttribute[int], state: MoveState
) -> dict[int, dict[int, int]]:
    return _by_item(
        session,
        sa.select(StockMove.document_id, StockMove.item_id, sa.func.sum(StockMove.quantity))
        .join(Location, Location.id == end)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id.in_(transfer_ids),
            StockMove.state == state,
            Location.kind == LocationKind.TRANSIT,
        )
        .group_by(StockMove.document_id, StockMove.item_id),
    )


def _by_item(session: Session, statement: sa.Select[int, int, int]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for transfer_id, item_id, quantity in session.execute(statement):
        found.setdefault(transfer_id, {})[item_id] = int(quantity)
    return found

"""What was lost between two sites leaves the books, with who answers for it and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, moves
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move, MoveState
from warehouse import transfer_documents, transfers
from warehouse.transfer_documents import KIND, MACHINE, LossParty, Transfer, TransferLoss
from warehouse.transfers import LONGEST_REASON, BadTransfer, NotOnTransfer


@dataclass(frozen=True, kw_only=True)
class Loss:
    """So much of one move that was on the way. `spoilt`: it came and is scrap; otherwise it did not come."""

    move_id: int
    quantity: int
    party: LossParty
    reason: str
    spoilt: bool = False


def write_off(
    session: Session, transfer_id: int, losses: Sequence[Loss], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will take what will not come out of the books, and list the ids of the losses.

    Missing goods go to the adjustments, spoilt ones to scrap; the rest stays on the way. Raises `TransferUnknown`,
    `IllegalTransition`, `NotOnTransfer`, `BadTransfer`.
    """
    actor.require(Role.WAREHOUSE)
    transfer = transfer_documents.lock(session, transfer_id)
    transfer.state = MACHINE.advance(transfer.state, "write_off", number=transfer.number)
    if not losses or len({one.move_id for one in losses}) < len(losses):
        raise BadTransfer(f"{transfer.number}: name each move that lost something once")
    on_the_way = moves.lock(session, [one.move_id for one in losses])
    places = locations.places(session, {move.source_id for move in on_the_way})
    for move, loss in zip(on_the_way, losses, strict=True):
        ours = (move.document_kind, move.document_id) == (KIND, transfer_id)
        if not ours or move.state is not MoveState.PLANNED or places[move.source_id].kind is not LocationKind.TRANSIT:
            raise NotOnTransfer(f"{transfer.number}: move {move.id} is none of it any more: load the page again")
        _refuse(transfer, move, loss)
    ledger.cancel(session, [move.id for move in on_the_way], reason="something of it was lost", actor=actor)
    _plan_rest(session, on_the_way, losses)
    posted = _post(session, transfer, on_the_way, losses, actor=actor, now=now, today=today)
    rows = [
        {
            "line_id": move.line_id,
            "move_id": move.id,
            "quantity": loss.quantity,
            "party": loss.party,
            "reason": loss.reason.strip(),
            "recorded_by_id": actor.user_id,
            "recorded_at": now,
        }
        for move, loss in zip(posted, losses, strict=True)
    ]
    insert = sa.insert(table_of(TransferLoss)).returning(TransferLoss.id, sort_by_parameter_order=True)
    ids = list(session.execute(insert, rows).scalars())
    transfers.close_if_done(session, transfer)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="transfer.write_off",
        document_kind=KIND,
        document_ids=[transfer_id],
        losses=[{"quantity": one.quantity, "party": one.party.value, "reason": one.reason} for one in losses],
    )
    return ids


def _refuse(transfer: Transfer, move: Move, loss: Loss) -> None:
    if type(loss.quantity) is not int or not 0 < loss.quantity <= move.quantity:
        raise BadTransfer(
            f"{transfer.number}: {loss.quantity!r} of item {move.item_id} cannot be lost: 1 to {move.quantity} are on "
            "the way"
        )
    if not 0 < len(loss.reason.strip()) <= LONGEST_REASON:
        raise BadTransfer(f"{transfer.number}: a loss needs a reason of 1 to {LONGEST_REASON} characters")


def _plan_rest(session: Session, on_the_way: Sequence[Move], losses: Sequence[Loss]) -> None:
    ledger.plan(
        session,
        [
            MoveRequest(
                item_id=move.item_id,
                source_id=move.source_id,
                destination_id=move.destination_id,
                quantity=move.quantity - loss.quantity,
                due_date=move.due_date,
                document_kind=KIND,
                document_id=move.document_id,
                line_id=move.line_id,
                lot_id=move.lot_id,
                owner_id=move.owner_id,
                onward=tuple(move.onward),
            )
            for move, loss in zip(on_the_way, losses, strict=True)
            if move.quantity > loss.quantity
        ],
        company_id=on_the_way[0].company_id,
    )


def _post(
    session: Session,
    transfer: Transfer,
    on_the_way: Sequence[Move],
    losses: Sequence[Loss],
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> Sequence[Move]:
    scrap = locations.of_kind(session, kind=LocationKind.SCRAP, site_id=None)
    missing = locations.of_kind(session, kind=LocationKind.ADJUSTMENT, site_id=None)
    requests = [
        MoveRequest(
            item_id=move.item_id,
            source_id=move.source_id,
            destination_id=scrap if loss.spoilt else missing,
            quantity=loss.quantity,
            due_date=today,
            document_kind=KIND,
            document_id=move.document_id,
            line_id=move.line_id,
            lot_id=move.lot_id,
            owner_id=move.owner_id,
            reason=f"{loss.party.value}: {loss.reason.strip()}"[:LONGEST_REASON],
        )
        for move, loss in zip(on_the_way, losses, strict=True)
    ]
    result = ledger.move_now(session, requests, company_id=transfer.company_id, actor=actor, now=now, today=today)
    return result.posted

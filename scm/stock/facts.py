"""What becomes of a planned move when something real happens to it: the posted fact, and what stays planned.

It decides only; `scm.stock.ledger` locks, posts and writes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from scm.core.errors import Conflict, InvalidInput
from scm.master.locations import Place
from scm.stock.lots import NO_LOT
from scm.stock.moves import Move, MoveState


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """What really happened to a planned move; what is not given happened as planned."""

    move_id: int
    quantity: int | None = None
    source_id: int | None = None
    destination_id: int | None = None
    lot_id: int | None = None
    onward: tuple[int, ...] | None = None  # the legs that follow; none of them when goods are where they belong


class BadQuantity(InvalidInput):
    """A quantity is not a whole number of base units above zero."""


class NotPlanned(Conflict):
    """A move is posted or cancelled already."""


class TooMuch(Conflict):
    """More is posted than was planned and tolerated."""


class CannotPost(InvalidInput):
    """A posting names a place or lot that the move cannot have."""


def decide(move: Move, wish: Posting, places: Mapping[int, Place], *, now: datetime, today: date) -> Move:
    """This function will give what is posted: the move itself, or a child of it while the rest stays planned.

    Changes the move in memory. Raises `NotPlanned`, `BadQuantity`, `TooMuch`, `CannotPost`.
    """
    refuse_unless_planned(move)
    quantity = move.quantity if wish.quantity is None else wish.quantity
    if type(quantity) is not int or quantity <= 0:
        raise BadQuantity(f"{move.label}: quantity {quantity!r} must be a whole number above 0")
    tolerated = 0 if move.allocated else move.over_quantity
    if quantity > move.quantity + tolerated:
        raise TooMuch(
            f"{move.label}: {quantity} is more than the {move.quantity} still planned"
            + (f" and the {tolerated} tolerated above it" if tolerated else "")
            + ": post less, or change the document first"
        )
    fact = move
    if quantity < move.quantity:
        fact = copy.copy(move)
        fact.id, fact.origin_id = 0, move.id
        move.quantity -= quantity
    lot_id = move.lot_id if wish.lot_id is None else wish.lot_id
    source_id = move.source_id if wish.source_id is None else wish.source_id
    destination_id = move.destination_id if wish.destination_id is None else wish.destination_id
    _refuse_misplaced(move, places, source_id=source_id, destination_id=destination_id, lot_id=lot_id)
    fact.quantity, fact.lot_id, fact.source_id, fact.destination_id = quantity, lot_id, source_id, destination_id
    fact.onward = fact.onward if wish.onward is None else list(wish.onward)
    fact.state, fact.posted_at, fact.posted_date = MoveState.POSTED, now, today
    return fact


def _refuse_misplaced(
    move: Move, places: Mapping[int, Place], *, source_id: int, destination_id: int, lot_id: int
) -> None:
    source, destination, planned = places[source_id], places[destination_id], places[move.source_id]
    for end in (source, destination):
        if end.is_area:
            raise CannotPost(f"{move.label}: {end.code} is an area, goods are in its bins: name a bin")
    if source_id == destination_id:
        raise CannotPost(f"{move.label}: goods cannot go from {source.code} to itself")
    if (source.kind, source.site_id) != (planned.kind, planned.site_id):
        raise CannotPost(f"{move.label} comes from {planned.code}, a {planned.kind.value}: {source.code} is none of it")
    if destination.physical and destination.site_id != (places[move.destination_id].site_id or destination.site_id):
        raise CannotPost(f"{move.label}: {destination.code} is at another site")
    if lot_id != move.lot_id and source.physical:
        raise CannotPost(f"{move.label}: the lot of goods in {source.code} is what it is: only a receipt names a lot")
    if lot_id != move.lot_id and move.lot_id != NO_LOT:
        raise CannotPost(f"{move.label} expects lot {move.lot_id}, not lot {lot_id}: refuse what was not sent for")
    if source_id != move.source_id and move.allocated:
        raise CannotPost(f"{move.label} is set aside in another place: deallocate it before picking from {source.code}")


def refuse_unless_planned(move: Move) -> None:
    """This function will raise `NotPlanned` when a move is posted or cancelled already."""
    if move.state is not MoveState.PLANNED:
        raise NotPlanned(f"{move.label} is {move.state.value}: only planned moves can be posted or cancelled")

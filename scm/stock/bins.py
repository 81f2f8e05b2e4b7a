"""The bins of a site: added in a row, placed on the pick path, retired when nothing lies in them or goes there.

It stands here and not with the locations, because only this room knows what lies in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master.locations import Location, LocationKind, LocationUnknown
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove

MOST_AT_ONCE = 1000
LARGEST_SEQUENCE = 10**6


@dataclass(frozen=True, kw_only=True)
class BinRow:
    """What may change of a bin: its place on the pick path, and whether it is retired."""

    pick_sequence: int
    retired: bool


class BadBin(InvalidInput):
    """A bin cannot be added or changed like this."""


class BinExists(Conflict):
    """The code of a bin is taken."""


class BinChanged(Conflict):
    """The bin is no longer what somebody believes."""


class BinInUse(Conflict):
    """Something lies in the bin, or is to be put there or taken from there."""


def add(
    session: Session, codes: Sequence[str], *, first_sequence: int, site_id: int, company_id: int, actor: Actor
) -> list[int]:
    """This function will add bins, one behind the other on the pick path, and return their ids in order.

    Raises `BadBin`, `BinExists`.
    """
    actor.require(Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    if not 1 <= len(codes) <= MOST_AT_ONCE or len(set(codes)) != len(codes):
        raise BadBin(f"{len(codes)} bins were named: name 1 to {MOST_AT_ONCE}, each once")
    _refuse_sequence(codes[0], first_sequence)
    for code in codes:
        if not 0 < len(code) <= 40 or code != code.strip() or not code.isprintable():
            raise BadBin(f"bin {code[:50]!r}: a code has 1 to 40 characters and no spaces around it")
    taken = session.scalars(
        sa.select(Location.code).where(Location.company_id == company_id, Location.code.in_(list(codes))).limit(1)
    ).first()
    if taken is not None:
        raise BinExists(f"there is a place {taken} already: choose another code")
    rows = [
        Location(
            company_id=company_id,
            site_id=site_id,
            code=code,
            kind=LocationKind.STORAGE,
            is_area=False,
            valued=True,
            pick_sequence=first_sequence + place,
            retired=False,
        )
        for place, code in enumerate(codes)
    ]
    session.add_all(rows)
    session.flush()
    ids = [row.id for row in rows]
    audit.record(session, actor=actor, verb="bin.add", document_kind="location", document_ids=ids)
    return ids


def change(session: Session, *, code: str, site_id: int, believed: BinRow, wanted: BinRow, actor: Actor) -> None:
    """This function will change a bin, if it still is what somebody believes.

    Raises `LocationUnknown`, `BadBin`, `BinChanged`, and `BinInUse` when one that is to be retired is not empty.
    """
    actor.require(Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    _refuse_sequence(code, wanted.pick_sequence)
    # A full lock: whatever is planned or posted to the bin takes a share of its row, so neither overtakes the other.
    row = session.scalars(
        sa.select(Location)
        .where(
            Location.code == code,
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            ~Location.is_area,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise LocationUnknown(f"there is no bin {code} at this site")
    present = BinRow(pick_sequence=row.pick_sequence, retired=row.retired)
    if present != believed:
        raise BinChanged(
            f"bin {code} has changed meanwhile: it is number {present.pick_sequence} on the pick path"
            f"{' and retired' if present.retired else ''}; nothing was changed"
        )
    if wanted.retired and not present.retired:
        _refuse_in_use(session, row)
    row.pick_sequence, row.retired = wanted.pick_sequence, wanted.retired
    session.flush()
    changes: dict[str, Any] = {
        name: [getattr(present, name), getattr(wanted, name)]
        for name in vars(wanted)
        if getattr(present, name) != getattr(wanted, name)
    }
    audit.record(
        session,
        actor=actor,
        verb="bin.change",
        document_kind="location",
        document_ids=[row.id],
        row=code,
        changes=changes,
    )


def _refuse_sequence(code: str, sequence: int) -> None:
    if not 0 <= sequence <= LARGEST_SEQUENCE:
        raise BadBin(f"bin {code}: its place on the pick path is {sequence}: give 0 to {LARGEST_SEQUENCE}")


def _refuse_in_use(session: Session, row: Location) -> None:
    lying = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0)).where(StockBalance.location_id == row.id)
    )
    if lying:
        raise BinInUse(f"{lying} units lie in bin {row.code}: move or count them away before it is retired")
    planned = session.scalar(
        sa.select(StockMove.id)
        .where(
            StockMove.state == MoveState.PLANNED,
            sa.or_(StockMove.source_id == row.id, StockMove.destination_id == row.id),
        )
        .limit(1)
    )
    if planned is not None:
        raise BinInUse(f"a move to or from bin {row.code} is still planned: let it be finished or cancelled first")

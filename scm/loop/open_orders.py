"""What open work orders still need of components and hold no promise for, by day. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.production import progress
from scm.production.documents import KIND
from scm.stock import reservations
from scm.stock.moves import CHUNK, StockMove

Dated = dict[int, list[tuple[date, int]]]


def planned(session: Session, *, site_id: int) -> Dated:
    """This function will give what planned orders, not yet released, will take, by item: (start date, quantity)."""
    needed = progress.needs_of_planned(session, site_id=site_id)
    return _by_item(sorted((one.item_id, one.need_date, one.quantity) for one in needed))


def waiting(session: Session, *, site_id: int) -> Dated:
    """This function will give what released orders wait for, by item: (due date, quantity).

    These moves are among the demand of `scm.stock.projection`, too.
    """
    ids = reservations.waiting_moves(session, item_ids=None, site_id=site_id)
    found: list[tuple[int, date, int]] = []
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            sa.select(StockMove.item_id, StockMove.due_date, StockMove.quantity)
            .where(StockMove.id.in_(ids[start : start + CHUNK]), StockMove.document_kind == KIND)
            .order_by(StockMove.item_id, StockMove.due_date, StockMove.id)
        )
        found += [(row.item_id, row.due_date, row.quantity) for row in rows]
    return _by_item(found)


def _by_item(rows: Iterable[tuple[int, date, int]]) -> Dated:
    found: Dated = defaultdict(list)
    for item_id, day, quantity in rows:
        found[item_id].append((day, quantity))
    return found

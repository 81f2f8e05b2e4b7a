"""What returns teach the rest of the loop: facts written down for the rooms that read them.

Only the verbs of this room call it, each in the transaction of what it did, so that no return can be forgotten and none
is told twice. Forecasting reads what came back and how much of it could be sold again; procurement reads the defects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from forecasting import history, signals
from procurement import defects
from procurement.defects import Defect


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """Units that came back and were looked at; `defective` when their supplier is to blame."""

    inspection_id: int
    site_id: int
    item_id: int
    quantity: int
    arrived_date: date
    sold_date: date | None
    defective: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Disposed:
    """Units that have left the returns cage; `resellable` when they went back to the shelf."""

    inspection_id: int
    site_id: int
    item_id: int
    quantity: int
    resellable: bool


def record_inspected(session: Session, inspected: Sequence[Inspected], *, today: date) -> None:
    """This function will record the units as returned on the day they arrived, and defects for their suppliers.

    Units of the same item, arrival and sale become one fact, whose source is the first of their inspections.
    """
    sites: dict[int, list[Inspected]] = defaultdict(list)
    for one in inspected:
        sites[one.site_id].append(one)
    for site_id, came_back in sites.items():
        sold = [history.NO_DATE if one.sold_date is None else one.sold_date.toordinal() for one in came_back]
        history.record_returns(
            session,
            site_id=site_id,
            source_id=came_back[0].inspection_id,
            item_ids=np.array([one.item_id for one in came_back], dtype=np.int64),
            days=np.array([one.arrived_date.toordinal() for one in came_back], dtype=np.int64),
            sale_days=np.array(sold, dtype=np.int64),
            quantities=np.array([one.quantity for one in came_back], dtype=np.int64),
        )
    found = [
        Defect(item_id=one.item_id, quantity=one.quantity, source_id=one.inspection_id, sold_date=one.sold_date)
        for one in inspected
        if one.defective
    ]
    defects.record_defects(session, found, today=today)


def record_disposed(session: Session, disposed: Sequence[Disposed], *, today: date) -> None:
    """This function will record how many of the disposed units can be sold again."""
    sites: dict[int, list[signals.Disposed]] = defaultdict(list)
    for one in disposed:
        sites[one.site_id].append(
            signals.Disposed(
                item_id=one.item_id,
                source_id=one.inspection_id,
                quantity=one.quantity,
                resellable_quantity=one.quantity if one.resellable else 0,
            )
        )
    for site_id, facts in sites.items():
        signals.record_dispositions(session, facts, site_id=site_id, today=today)

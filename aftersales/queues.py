"""The returns desk's day: what it has to receive, inspect, dispose of and refund, with names and ages. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import status
from aftersales.documents import ReturnAuthorization, ReturnLine, ReturnReason
from aftersales.status import Waiting
from scm.master.items import Item
from scm.master.partners import Partner

MOST_SHOWN = 100  # of each queue; the oldest need the desk most
OLD_DAYS = 7  # a return that waits longer keeps its customer's money too long


@dataclass(frozen=True, kw_only=True)
class Task:
    """One piece of work: so many units of one return line. `age_days` counts from the authorization."""

    return_id: int
    number: str
    return_line_id: int
    inspection_id: int | None
    sku: str
    name: str
    customer: str
    reason: ReturnReason
    quantity: int
    age_days: int

    @property
    def old(self) -> bool:
        """Whether it has waited longer than a customer should."""
        return self.age_days > OLD_DAYS


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What waits at one step, the oldest first; at most 100 are shown of all."""

    tasks: tuple[Task, ...]
    lines: int
    units: int
    old: int


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The four steps of the desk of one site."""

    to_receive: Queue
    to_inspect: Queue
    to_dispose: Queue
    to_refund: Queue


def of_site(session: Session, *, site_id: int, today: date) -> Desk:
    """This function will read what waits for the returns desk of a site, in five queries."""
    awaiting = status.awaiting(session, site_id=site_id)
    steps = (awaiting.to_receive, awaiting.to_inspect, awaiting.to_dispose, awaiting.to_refund)
    known = _described(session, (one.return_line_id for step in steps for one in step))
    queues = [_queue(step, known, today=today) for step in steps]
    return Desk(to_receive=queues[0], to_inspect=queues[1], to_dispose=queues[2], to_refund=queues[3])


def _described(session: Session, line_ids: Iterable[int]) -> dict[int, sa.Row[*tuple[Any, ...]]]:
    wanted = sorted(set(line_ids))
    found: dict[int, sa.Row[*tuple[Any, ...]]] = {}
    for start in range(0, len(wanted), status.CHUNK):
        rows = session.execute(
            sa.select(
                ReturnLine.id,
                ReturnLine.reason,
                Item.sku,
                Item.shown_name.label("name"),
                Partner.name.label("customer"),
                ReturnAuthorization.authorized_date,
            )
            .join(Item, Item.id == ReturnLine.item_id)
            .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
            .join(Partner, Partner.id == ReturnAuthorization.customer_id)
            .where(ReturnLine.id.in_(wanted[start : start + status.CHUNK]))
        )
        found.update((row.id, row) for row in rows)
    return found


def _queue(waiting: Sequence[Waiting], known: dict[int, sa.Row[*tuple[Any, ...]]], *, today: date) -> Queue:
    tasks = []
    for one in waiting:
        row = known[one.return_line_id]
        tasks.append(
            Task(
                return_id=one.return_id,
                number=one.number,
                return_line_id=one.return_line_id,
                inspection_id=one.inspection_id,
                sku=row.sku,
                name=row.name,
                customer=row.customer,
                reason=row.reason,
                quantity=one.quantity,
                age_days=(today - row.authorized_date).days,
            )
        )
    return Queue(
        tasks=tuple(tasks[:MOST_SHOWN]),
        lines=len(tasks),
        units=sum(task.quantity for task in tasks),
        old=sum(task.old for task in tasks),
    )

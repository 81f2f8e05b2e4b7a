"""Valuation follows: every posted move that crosses a `valued` boundary gets its value, exactly once.

The goods ledger knows no money. A trigger notes each such move in `unvalued_move` in the transaction that posts it;
`run` values what is noted, in the order it was posted, and writes the journal. So no flow can forget it, shipping
waits for no cost row, and a run with nothing new reads an empty table, however many moves were ever valued.

The order is that of the notes. It is the order in which the moves took their places' locks, so goods always enter
before they leave, even among moves of the same instant, or of clocks that disagree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core import bulk, clock
from scm.core.bulk import NULL, Nullable
from scm.core.db import dialect_insert, table_of
from scm.finance import costing, costs, journal, rates, work_in_progress
from scm.finance.averages import Issued, StockCost
from scm.finance.costing import Costing, PostedMove, Worth
from scm.finance.costs import ItemCost, MoveValue, UnvaluedMove, ValuationState
from scm.finance.journal import Account, EntryRequest, PostingRequest
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.stock.moves import StockMove

VALUATION = "valuation"  # the document kind of the journal's entries; their document is the number of the run
MOVES_AT_ONCE = 20_000

# One journal entry for each: a date, what stands against inventory, and whether goods entered or left.
Group = tuple[date, Account, bool]


def run(session: Session, *, company_id: int, now: datetime) -> int:
    """This function will value every posted move that has no value yet and return how many.

    Two at once work one after the other. A receipt whose cost is in another currency than the books is worth what it
    is at the rate of the day it came. Raises `RateMissing` without one, and `CostBroken` when more left an item's
    stock than entered it; nothing is valued then.
    """
    first = number = _lock(session, company_id)
    total = 0
    while moves := _waiting(session, company_id):
        number += 1
        _value(session, moves, company_id=company_id, number=number, now=now)
        total += len(moves)
    _settle(session, company_id=company_id, now=now)
    if number > first:
        session.execute(
            sa.update(table_of(ValuationState)).where(ValuationState.company_id == company_id).values(last_run=number)
        )
    return total


def _lock(session: Session, company_id: int) -> int:
    """The row is locked first and all else is read in later statements, or two runs would value the same moves."""
    locked = sa.select(ValuationState.last_run).where(ValuationState.company_id == company_id).with_for_update()
    last_run = session.scalar(locked)
    if last_run is None:
        new = dialect_insert(session, table_of(ValuationState)).values(company_id=company_id, last_run=0)
        session.execute(new.on_conflict_do_nothing())
        last_run = session.scalar(locked)
    assert last_run is not None, "the row was inserted here, or by a twin that was waited for"
    return last_run


def _waiting(session: Session, company_id: int) -> list[PostedMove]:
    source, destination = aliased(Location), aliased(Location)
    statement = (
        sa.select(
            UnvaluedMove.id,
            StockMove.id,
            StockMove.item_id,
            StockMove.quantity,
            StockMove.posted_at,
            StockMove.document_kind,
            StockMove.document_id,
            StockMove.expected_unit_cost,
            StockMove.currency,
            StockMove.reverses_id,
            StockMove.cost_of_id,
            destination.valued,
            sa.case((destination.valued, source.kind), else_=destination.kind),
        )
        .join(StockMove, StockMove.id == UnvaluedMove.move_id)
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(StockMove.company_id == company_id)
        .order_by(UnvaluedMove.id)
        .limit(MOVES_AT_ONCE)
    )
    return [PostedMove._make(row) for row in session.execute(statement)]


def _value(session: Session, moves: Sequence[PostedMove], *, company_id: int, number: int, now: datetime) -> None:
    company = session.get_one(Company, company_id)
    present = _costs(session, {move.item_id for move in moves}, company)
    orders = {move.document for move in moves if move.outside is LocationKind.PRODUCTION}
    figures = Costing(
        currency=company.currency,
        costs=present,
        worths=_reversed_worths(session, moves),
        issues=_issues(session, moves),
        in_progress=work_in_progress.values(session, orders),
        remaining=work_in_progress.remaining_of(session, {move.move_id for move in moves if move.document in orders}),
        rates=_rates(session, moves, company),
    )
    worths = [figures.value(move) for move in moves]
    groups = _groups(moves, zone=company.zone)
    entry_of = _post(session, groups, worths, company=company, number=number, now=now)
    _write_values(session, moves, worths, [entry_of[group] for group in groups])
    _write_costs(session, present, company_id)
    work_in_progress.reopen(session, orders)
    for ids in costs.chunks(move.sequence for move in moves):
        session.execute(sa.delete(table_of(UnvaluedMove)).where(UnvaluedMove.id.in_(ids)))


def _rates(session: Session, moves: Sequence[PostedMove], company: Company) -> dict[int, Decimal]:
    """What other currencies were worth on the days on which goods priced in them came."""
    foreign = {
        move.move_id: (move.currency, clock.local_date(move.posted_at, zone=company.zone))
        for move in moves
        if move.enters and move.expected_unit_cost is not None and move.currency not in (None, company.currency)
    }
    asked = {move_id: (currency, day) for move_id, (currency, day) in foreign.items() if currency is not None}
    known = rates.on_days(session, asked.values(), company_id=company.id)
    return {move_id: known[key] for move_id, key in asked.items()}


def _costs(session: Session, item_ids: set[int], company: Company) -> dict[int, StockCost]:
    """What items never seen before are expected to cost stands in their master row."""
    found = costs.item_costs(session, company_id=company.id, item_ids=item_ids)
    for ids in costs.chunks(item_ids - set(found)):
        for row in session.execute(sa.select(Item.id, Item.opening_unit_cost).where(Item.id.in_(ids))):
            known = row.opening_unit_cost is not None
            found[row.id] = (
                StockCost.expected(row.opening_unit_cost, currency=company.currency) if known else StockCost()
            )
    return found


def _reversed_worths(session: Session, moves: Sequence[PostedMove]) -> dict[int, Worth]:
    return _worths(session, {move.reverses_id for move in moves if move.reverses_id is not None})


def _worths(session: Session, move_ids: Iterable[int]) -> dict[int, Worth]:
    found = {}
    columns = sa.select(
        MoveValue.move_id, MoveValue.quantity, MoveValue.value, MoveValue.revaluation, MoveValue.cost_of_id
    )
    for ids in costs.chunks(move_ids):
        for row in session.execute(columns.where(MoveValue.move_id.in_(ids))):
            found[row[0]] = Worth(*row[1:])
    return found


def _issues(session: Session, moves: Sequence[PostedMove]) -> dict[int, Issued]:
    """The issues that returns of this batch refer to, with what came back of them before."""
    wanted = {move.cost_of_id for move in moves if move.cost_of_id is not None}
    reversing = _reversed_worths(session, moves).values()
    wanted |= {worth.cost_of_id for worth in reversing if worth.cost_of_id is not None}
    issues = {
        move_id: Issued(-worth.quantity, -worth.value)
        for move_id, worth in _worths(session, wanted).items()
        if worth.quantity < 0
    }
    columns: sa.Select[*tuple[Any, ...]] = sa.select(
        MoveValue.cost_of_id, sa.func.sum(MoveValue.quantity), sa.func.sum(MoveValue.value)
    )
    for ids in costs.chunks(issues):
        back = columns.where(MoveValue.cost_of_id.in_(ids)).group_by(MoveValue.cost_of_id)
        for row in session.execute(back):
            issue = issues[row[0]]
            issue.returned_quantity, issue.returned_value = int(row[1]), int(row[2])
    return issues


def _groups(moves: Sequence[PostedMove], *, zone: str) -> list[Group]:
    """Financial dates are those of the company's zone."""
    dates: dict[datetime, date] = {}
    groups = []
    for move in moves:
        if move.posted_at not in dates:
            dates[move.posted_at] = clock.local_date(move.posted_at, zone=zone)
        groups.append((dates[move.posted_at], costing.counter_account(move), move.enters))
    return groups


def _post(
    session: Session,
    groups: Sequence[Group],
    worths: Sequence[Worth],
    *,
    company: Company,
    number: int,
    now: datetime,
) -> dict[Group, int]:
    sums: dict[Group, list[int]] = defaultdict(lambda: [0, 0])
    for group, worth in zip(groups, worths, strict=True):
        sums[group][0] += worth.value
        sums[group][1] += worth.revaluation
    requests = [
        EntryRequest(
            entry_date=group[0],
            document_kind=VALUATION,
            document_id=number,
            text=f"goods {'in' if group[2] else 'out'} against {group[1].value}",
            postings=_postings(group[1], value, revaluation, company.currency),
        )
        for group, (value, revaluation) in sums.items()
    ]
    ids = journal.post(session, requests, company_id=company.id, now=now)
    return dict(zip(sums, ids, strict=True))


def _postings(counter: Account, value: int, revaluation: int, currency: str) -> tuple[PostingRequest, ...]:
    postings = journal.transfer(debit=Account.INVENTORY, credit=counter, amount=value, currency=currency)
    if revaluation:
        postings += journal.transfer(
            debit=Account.INVENTORY, credit=Account.COST_OF_SALES, amount=revaluation, currency=currency
        )
    return postings


def _settle(session: Session, *, company_id: int, now: datetime) -> None:
    """What closed work orders still hold can be carried by no output any more: it is a variance."""
    held = work_in_progress.to_settle(session, company_id=company_id)
    rest = {document: amount for document, amount in held.items() if amount}
    if rest:
        company = session.get_one(Company, company_id)
        today = clock.local_date(now, zone=company.zone)
        requests = [
            EntryRequest(
                entry_date=today,
                document_kind=kind,
                document_id=document_id,
                text="work in progress written off",
                postings=journal.transfer(
                    debit=Account.PRODUCTION_VARIANCE,
                    credit=Account.WORK_IN_PROGRESS,
                    amount=amount,
                    currency=company.currency,
                ),
            )
            for (kind, document_id), amount in rest.items()
        ]
        ids = journal.post(session, requests, company_id=company_id, now=now)
        written = {document: (rest[document], entry_id) for document, entry_id in zip(rest, ids, strict=True)}
        work_in_progress.write_off(session, written, company_id=company_id)
    work_in_progress.mark_settled(session, held)


def _write_values(
    session: Session, moves: Sequence[PostedMove], worths: Sequence[Worth], entries: Sequence[int]
) -> None:
    columns: Mapping[str, bulk.Column] = {
        "move_id": np.array([move.move_id for move in moves]),
        "item_id": np.array([move.item_id for move in moves]),
        "quantity": np.array([worth.quantity for worth in worths]),
        "value": np.array([worth.value for worth in worths]),
        "revaluation": np.array([worth.revaluation for worth in worths]),
        "cost_of_id": Nullable(np.array([NULL if w.cost_of_id is None else w.cost_of_id for w in worths])),
        "entry_id": np.array(entries),
    }
    bulk.insert(session, table_of(MoveValue), columns)


def _write_costs(session: Session, present: Mapping[int, StockCost], company_id: int) -> None:
    names = ("quantity", "value", "last_quantity", "last_value")
    new = dialect_insert(session, table_of(ItemCost))
    statement = new.on_conflict_do_update(
        index_elements=["company_id", "item_id"], set_={name: new.excluded[name] for name in names}
    )
    rows = [
        {"company_id": company_id, "item_id": item_id} | dict(zip(names, astuple(cost), strict=True))
        for item_id, cost in sorted(present.items())
    ]
    session.execute(statement, rows)

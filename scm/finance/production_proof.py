"""Proves work in progress: what was issued to orders, what their output took, and what was written off.

It recomputes from the values of moves, and writes nothing. `scm.finance.reconcile` runs the checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance import money, work_in_progress
from scm.finance.costs import MoveValue
from scm.finance.findings import Check, Finding
from scm.finance.goods_proof import NOTHING, differing
from scm.finance.journal import Account, JournalEntry, Posting
from scm.finance.work_in_progress import ProductionClosing, ProductionOutput, ProductionVariance
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.stock.moves import MoveState, StockMove


def work_in_progress_is_what_orders_hold(session: Session) -> Iterator[Finding]:
    """This function will prove the account of work in progress against what orders were issued and gave up."""
    held = work_in_progress.held_by_document().subquery()
    expected = sa.select(held.c.company_id, held.c.held.label("expected"), NOTHING.label("found"))
    posted = (
        sa.select(JournalEntry.company_id, NOTHING.label("expected"), Posting.company_amount.label("found"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(Posting.account == Account.WORK_IN_PROGRESS)
    )
    wrong = differing(expected, posted, keys=("company_id",))
    statement = sa.select(Company.code, wrong.c.expected, wrong.c.found).join_from(
        wrong, Company, Company.id == wrong.c.company_id
    )
    for code, should, found in session.execute(statement):
        yield Finding(f"account {Account.WORK_IN_PROGRESS.value} of company {code}", int(should), int(found))


def variances_are_posted(session: Session) -> Iterator[Finding]:
    """This function will prove that what was written off an order is in the journal at its amount."""
    written: sa.Select[int, int, int] = sa.select(
        ProductionVariance.entry_id, ProductionVariance.amount.label("expected"), NOTHING.label("found")
    )
    posted = sa.select(Posting.entry_id, NOTHING.label("expected"), Posting.company_amount.label("found")).where(
        Posting.account == Account.PRODUCTION_VARIANCE
    )
    wrong = differing(written, posted, keys=("entry_id",))
    statement = (
        sa.select(
            JournalEntry.id, JournalEntry.document_kind, JournalEntry.document_id, wrong.c.expected, wrong.c.found
        )
        .join_from(wrong, JournalEntry, JournalEntry.id == wrong.c.entry_id)
        .order_by(JournalEntry.id)
    )
    for row in session.execute(statement):
        place = f"variance of {row.document_kind} {row.document_id} in journal entry {row.id}"
        yield Finding(place, int(row.expected), int(row.found))


def closed_orders_hold_nothing(session: Session) -> Iterator[Finding]:
    """This function will prove that nothing is left in the work in progress of an order that was settled."""
    held = work_in_progress.held_by_document().subquery()
    rest = sa.func.sum(held.c.held)
    statement = (
        sa.select(held.c.document_kind, held.c.document_id, rest.label("rest"))
        .join(
            ProductionClosing,
            sa.and_(
                ProductionClosing.document_kind == held.c.document_kind,
                ProductionClosing.document_id == held.c.document_id,
            ),
        )
        .where(ProductionClosing.settled)
        .group_by(held.c.document_kind, held.c.document_id)
        .having(rest != 0)
        .order_by(held.c.document_kind, held.c.document_id)
    )
    for row in session.execute(statement):
        yield Finding(f"work in progress of {row.document_kind} {row.document_id}, which is closed", 0, int(row.rest))


def outputs_take_their_share(session: Session) -> Iterator[Finding]:
    """This function will prove the value of every output against what its order held when it was posted."""
    columns = sa.select(
        StockMove.id,
        StockMove.document_kind,
        StockMove.document_id,
        StockMove.reverses_id,
        MoveValue.quantity,
        MoveValue.value,
        ProductionOutput.remaining,
        Item.sku,
    ).join(MoveValue, MoveValue.move_id == StockMove.id)
    statement = (
        work_in_progress.at_production(columns)
        .join(Item, Item.id == StockMove.item_id)
        .outerjoin(ProductionOutput, ProductionOutput.move_id == StockMove.id)
        .order_by(MoveValue.id)
    )
    held: dict[tuple[str, int], int] = defaultdict(int)
    for row in session.execute(statement):
        document = (row.document_kind, row.document_id)
        if row.remaining is not None and row.reverses_id is None:
            share = money.share(max(0, held[document]), row.quantity, row.remaining)
            if share != row.value:
                place = f"value of move {row.id}, output {row.sku} of {row.document_kind} {row.document_id}"
                yield Finding(place, share, row.value)
        held[document] -= row.value


def components_come_from_issues(session: Session) -> Iterator[Finding]:
    """This function will prove that no more of a component came back from production, line by line, than went in."""
    source, destination = aliased(Location), aliased(Location)
    returned = sa.exists().where(ProductionOutput.move_id == sa.func.coalesce(StockMove.reverses_id, StockMove.id))
    into = destination.kind == LocationKind.PRODUCTION
    there = sa.func.sum(sa.case((into, StockMove.quantity), else_=-StockMove.quantity))
    scrapped = source.kind == LocationKind.PRODUCTION
    statement = (
        sa.select(Item.sku, StockMove.document_kind, StockMove.document_id, StockMove.line_id, there.label("there"))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .join(Item, Item.id == StockMove.item_id)
        .where(
            StockMove.state == MoveState.POSTED,
            sa.or_(into, scrapped),
            # What is made, good or not, was never there as itself.
            ~returned,
            source.kind != LocationKind.SCRAP,
            destination.kind != LocationKind.SCRAP,
        )
        .group_by(Item.sku, StockMove.document_kind, StockMove.document_id, StockMove.line_id)
        .having(there < 0)
        .order_by(StockMove.document_kind, StockMove.document_id, StockMove.line_id)
    )
    for row in session.execute(statement):
        place = f"component {row.sku} of {row.document_kind} {row.document_id} line {row.line_id} in production"
        yield Finding(place, "0 or more", int(row.there))


CHECKS: tuple[Check, ...] = (
    work_in_progress_is_what_orders_hold,
    variances_are_posted,
    closed_orders_hold_nothing,
    outputs_take_their_share,
    components_come_from_issues,
)

"""Imports a file of sales: the one way in.

The file is read and every line decided on in memory, outside any transaction; then all of it is written in one. A file
that cannot be read changes nothing, and a dry run does the same work and undoes it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.core.progress import Progress
from scm.core.users import Actor, Role
from scm.loop.importing import archive, deciding, formats, reading, writing
from scm.loop.importing.deciding import Decided
from scm.loop.importing.formats import KINDS
from scm.loop.importing.lines import Int64
from scm.loop.importing.reading import Read
from scm.loop.importing.refusals import AlreadyImported
from scm.loop.importing.report import ImportReport, Tally
from scm.loop.importing.tables import LineKind, SalesImport
from scm.loop.importing.writing import NOTHING, Written
from scm.master import companies

ASSUMED = (
    "suppliers, their lead times, lots, prices and terms of order",
    "the cost of an item: 40 to 60% of its usual sale price",
    "the category of an item, from the words of its name",
    "opening stock, and the purchase orders on their way",
)


class GoLiveDiffers(Conflict):
    """The company has a go-live date already, and it is another one."""


class ImportedMeanwhile(Conflict):
    """Somebody else imported a file while this one was read."""


@dataclass(frozen=True)
class _Known:
    """What the database held when reading began."""

    go_live: date | None
    zone: str
    keys: Int64
    last_import_id: int | None


def run(
    database: Database,
    path: Path,
    *,
    format: str,
    dry_run: bool,
    go_live_date: date | None,
    seed: int,
    actor: Actor,
    now: datetime,
    progress: Progress,
    assume: bool = True,
    last_days: int = 0,
) -> ImportReport:
    """This function will import a file of sales and say what became of each line.

    Without a go-live date the company's own is taken, or else the day after the last line, or `last_days` before
    that; it becomes the company's. `assume=False` makes up neither suppliers nor stock. Raises `FormatUnknown`,
    `UnusableFile`, `WrongHeader`, `AlreadyImported`, `GoLiveDiffers`, `ImportedMeanwhile`; nothing is changed then.
    """
    actor.require(Role.ADMIN, Role.SYSTEM)
    chosen = formats.of(format)
    with database.unit_of_work(write=False) as session:
        known = _known(session, go_live_date)
    tally = Tally()
    read = reading.read(path, format=chosen, zone=known.zone, tally=tally, progress=progress)
    with database.unit_of_work(write=False) as session:
        _refuse_same_file(session, read)
    progress.stage("deciding what each line is")
    decided = deciding.decide(read.lines, format=chosen, known=known.keys, tally=tally)
    go_live = known.go_live or _day_after(decided, days_before=last_days)
    if go_live is None or not len(decided.lines):  # nothing to write, but a report of why
        return _report(path, read, decided, NOTHING, tally, format, go_live=go_live, seed=seed, dry_run=dry_run)
    with database.unit_of_work(write=True) as session:
        _refuse_meanwhile(session, known, read)
        record = _begin(session, read, path, go_live=go_live, seed=seed, now=now)
        written = writing.write(
            session,
            decided,
            import_id=record.id,
            go_live=go_live,
            seed=seed,
            assume=assume,
            actor=actor,
            progress=progress,
        )
        report = _report(path, read, decided, written, tally, format, go_live=go_live, seed=seed, dry_run=dry_run)
        record.report = report.as_json()
        audit.record(
            session,
            actor=actor,
            verb="sales.import",
            document_kind="sales_import",
            document_ids=[record.id],
            file=path.name,
            lines=read.line_count,
        )
        if dry_run:
            session.rollback()
    return report


def _known(session: Session, go_live_date: date | None) -> _Known:
    company = companies.only(session)
    if company.go_live_date is not None and go_live_date not in (None, company.go_live_date):
        raise GoLiveDiffers(
            f"{company.name} went live on {company.go_live_date}, not on {go_live_date}: leave the date out"
        )
    return _Known(
        go_live=company.go_live_date or go_live_date,
        zone=company.zone,
        keys=archive.known_keys(session),
        last_import_id=session.scalar(sa.select(sa.func.max(SalesImport.id))),
    )


def _refuse_same_file(session: Session, read: Read) -> None:
    earlier = session.execute(
        sa.select(SalesImport.file_name, SalesImport.imported_at).where(SalesImport.content_hash == read.content_hash)
    ).one_or_none()
    if earlier is not None:
        raise AlreadyImported(
            f"this file was imported on {earlier.imported_at:%Y-%m-%d %H:%M} UTC as {earlier.file_name}: "
            "nothing was changed"
        )


def _refuse_meanwhile(session: Session, known: _Known, read: Read) -> None:
    """Two imports at once would each miss the lines of the other; the second one is sent back."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE sales_import IN SHARE ROW EXCLUSIVE MODE"))
    _refuse_same_file(session, read)
    if session.scalar(sa.select(sa.func.max(SalesImport.id))) != known.last_import_id:
        raise ImportedMeanwhile("another file was imported while this one was read: import it again")


def _begin(session: Session, read: Read, path: Path, *, go_live: date, seed: int, now: datetime) -> SalesImport:
    company = companies.only(session)
    companies.go_live(session, company, go_live=go_live)
    record = SalesImport(
        company_id=company.id,
        content_hash=read.content_hash,
        file_name=path.name[:200],
        imported_at=now,
        seed=seed,
        report={},
    )
    session.add(record)
    session.flush()
    return record


def _day_after(decided: Decided, *, days_before: int) -> date | None:
    span = _days(decided)
    return span[1] + timedelta(days=1 - days_before) if span else None


def _days(decided: Decided) -> tuple[date, date] | None:
    days = decided.lines.days
    return (date.fromordinal(int(days.min())), date.fromordinal(int(days.max()))) if len(days) else None


def _report(
    path: Path,
    read: Read,
    decided: Decided,
    written: Written,
    tally: Tally,
    format: str,
    *,
    go_live: date | None,
    seed: int,
    dry_run: bool,
) -> ImportReport:
    lines = decided.lines
    anonymous = np.array([code == "" for code in lines.customer_values], dtype=np.bool_)
    span = _days(decided)
    kinds = Counter({kind.value: int(decided.are(kind).sum()) for kind in KINDS})
    customers = writing.used_codes(lines.customer, len(lines.customer_values))
    made_up = written.assumed.agreements or written.opened.items or written.items_created
    return ImportReport(
        file=path.name,
        format=format,
        dry_run=dry_run,
        content_hash=read.content_hash,
        seed=seed,
        lines=read.line_count,
        accepted=dict(kinds),
        rejected=dict(sorted(tally.rejected.items())),
        rejected_examples=tally.examples,
        first_date=span[0] if span else None,
        last_date=span[1] if span else None,
        go_live_date=go_live,
        lines_from_go_live=int((lines.days >= go_live.toordinal()).sum()) if go_live else 0,
        returns_matched=int((decided.matches.sale >= 0).sum()),
        never_demand_lines=int(decided.matches.never_demand.sum()),
        items=int(writing.used_codes(lines.sku[~decided.are(LineKind.CHARGE)], len(lines.sku_values)).sum()),
        items_created=written.items_created,
        customers=int((customers & ~anonymous).sum()),
        customers_created=written.customers_created,
        anonymous_lines=int(anonymous[lines.customer].sum()),
        demand_facts=written.facts.demand,
        return_facts=written.facts.returns,
        suppliers_assumed=written.assumed.suppliers,
        agreements_assumed=written.assumed.agreements,
        opening_items=written.opened.items,
        opening_quantity=written.opened.quantity,
        opening_orders=written.opened.orders,
        assumed=list(ASSUMED) if made_up else [],
    )

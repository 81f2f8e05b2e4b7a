"""Writes accepted lines: each as a row, and those before go-live as demand and return facts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting import history
from scm.core import bulk
from scm.core.bulk import Coded, Nullable
from scm.core.db import table_of
from scm.core.progress import Progress
from scm.loop.importing.deciding import Decided
from scm.loop.importing.formats import KINDS
from scm.loop.importing.lines import Flags, Int64
from scm.loop.importing.tables import LineKind, SalesHistoryLine, SalesImport


@dataclass(frozen=True)
class Facts:
    """How many facts were recorded."""

    demand: int
    returns: int


def known_keys(session: Session) -> Int64:
    """This function will give the keys of every line that was ever accepted."""
    if session.scalar(sa.select(SalesImport.id).limit(1)) is None:
        return np.empty(0, dtype=np.int64)
    keys = session.scalars(sa.select(SalesHistoryLine.line_key).execution_options(yield_per=bulk.CHUNK))
    return np.fromiter(keys, dtype=np.int64)


def write_lines(
    session: Session, decided: Decided, *, import_id: int, item_ids: Int64, customer_ids: Int64, progress: Progress
) -> int:
    """This function will write one row per accepted line, in the order of the file, and return how many."""
    lines, count = decided.lines, len(decided.lines)
    if not count:
        return 0
    first_id = (session.scalar(sa.select(sa.func.max(SalesHistoryLine.id))) or 0) + 1
    charge = decided.are(LineKind.CHARGE)
    matched = decided.matches.sale
    progress.stage("writing lines", total=count)
    with _index_built_at_once(session, empty=first_id == 1):
        return bulk.insert(
            session,
            table_of(SalesHistoryLine),
            {
                "id": np.arange(first_id, first_id + count),
                "import_id": np.full(count, import_id),
                "row_number": lines.row,
                "kind": Coded(decided.kind, KINDS),
                "invoice": Coded(lines.invoice, lines.invoice_values),
                "item_id": Nullable(np.where(charge, bulk.NULL, item_ids[lines.sku])),
                "charge_code": Coded(np.where(charge, lines.sku, bulk.NULL), lines.sku_values),
                "customer_id": customer_ids[lines.customer],
                "sold_at": Coded(lines.time, [at for at, _ in lines.time_values]),
                "sold_date": Coded(lines.time, [day for _, day in lines.time_values]),
                "quantity": lines.quantities,
                "unit_price": lines.prices,
                "matched_sale_id": Nullable(np.where(matched >= 0, first_id + matched, bulk.NULL)),
                "never_demand": Coded(decided.matches.never_demand.astype(np.int8), (False, True)),
                "line_key": decided.key,
            },
            advance=progress.advance,
        )


@contextlib.contextmanager
def _index_built_at_once(session: Session, *, empty: bool) -> Iterator[None]:
    """On SQLite, building the index over a million lines costs a quarter of keeping it up line by line."""
    connection = session.connection()
    once = empty and connection.dialect.name == "sqlite"
    indexes = table_of(SalesHistoryLine).indexes if once else set()
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def is_demand(decided: Decided, *, go_live: date) -> Flags:
    """This function will mark the sales before go-live that were demand as far as could be known then."""
    day = go_live.toordinal()
    return decided.are(LineKind.SALE) & (decided.lines.days < day) & ~decided.never_demand_by(day)


def write_facts(
    session: Session,
    decided: Decided,
    *,
    import_id: int,
    site_id: int,
    item_ids: Int64,
    go_live: date,
    progress: Progress,
) -> Facts:
    """This function will record the demand and the returns of before go-live."""
    lines, day = decided.lines, go_live.toordinal()
    days, quantities = lines.days, lines.quantities
    progress.stage("recording demand and returns")
    demand = is_demand(decided, go_live=go_live)
    returned = decided.are(LineKind.RETURN) & (days < day) & ~decided.never_demand_by(day)
    sale = decided.matches.sale[returned]
    return Facts(
        history.record_demand(
            session,
            site_id=site_id,
            source_id=import_id,
            item_ids=item_ids[lines.sku[demand]],
            days=days[demand],
            quantities=quantities[demand],
        ),
        history.record_returns(
            session,
            site_id=site_id,
            source_id=import_id,
            item_ids=item_ids[lines.sku[returned]],
            days=days[returned],
            sale_days=np.where(sale >= 0, days[sale], history.NO_DATE),
            quantities=-quantities[returned],
        ),
    )

"""What a page costs the server, at the scale of a real retailer that has taken a hundred thousand orders.

Every page is found by walking along the links as each person (`benchmarks/addresses.py` says which addresses), and each
address is visited twenty times, so that its p95 leaves one visit out. CPU of the application and of the database: on
SQLite they are one process, on PostgreSQL the server's backends are added (their clock ticks only allow a mean) and the
rows that they read are counted, in tables and indexes.

The company is grown before it is measured, and not measured before: all that it has then, it has still.
"""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from benchmarks import addresses, growth, measuring
from benchmarks.reporting import Figure
from scm.core import clock
from scm.core.db import Database
from scm.master import companies
from tests.postgres import Server, temporary_postgres
from tests.web.visitor import Visitor, give_passwords
from tests.web.walking import endpoint_of, walked
from web import cli
from web.app import create_app
from web.area import access

SEED = addresses.SEED
PEOPLE = ("planner", "buyer", "approver", "warehouse", "returns", "sales", "admin")
VISITS = 20
DOCUMENTS = 2  # of one kind from the tops of sorted lists, besides those of the walk
ORDERS = 100_000
AIM = 60.0  # CPU milliseconds, p95
NOT_PAGES = ("/health", "/metrics")


@dataclass(frozen=True)
class Cost:
    """One address as one person: CPU milliseconds of each visit, the database's mean beside them, statements, rows."""

    address: str
    own: Sequence[float]
    server: float
    statements: int
    rows: int

    @property
    def p95(self) -> float:
        """The ninety-fifth percentile of the visits, with the database's mean on top."""
        return sorted(self.own)[max(0, -(-len(self.own) * 95 // 100) - 1)] + self.server


def measure(data: Path | None, *, quick: bool) -> list[Figure]:
    """This function will measure every page of the grown company on both databases."""
    figures = []
    orders = 5_000 if quick else ORDERS
    with tempfile.TemporaryDirectory() as folder:
        figures += _on("SQLite", f"sqlite:///{folder}/pages.db", data, orders=orders, server=None)
    with temporary_postgres(durable=True) as server:
        figures += _on("PostgreSQL", server.create("pages"), data, orders=orders, server=server)
    return figures


def _on(name: str, url: str, data: Path | None, *, orders: int, server: Server | None) -> list[Figure]:
    os.environ["SCM_DATABASE_URL"] = url
    code = cli.main(["demo", "--no-serve", *(["--data", str(data)] if data else [])])
    assert code == 0, "the demo company could not be made"
    database = Database(url)
    give_passwords(database, *PEOPLE)
    with database.unit_of_work(write=True) as session:
        growth.grow(session, orders=orders)
    database.refresh_statistics()  # as every night does
    if server:  # as autovacuum does
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
    costs = measure_pages(database, server.process_id if server else None)
    database.dispose()
    return _figures(f"pages, {name}, {orders // 1000}k orders", costs, counts_rows=server is not None)


def _figures(title: str, costs: Sequence[Cost], *, counts_rows: bool) -> list[Figure]:
    print_dearest(title, costs)
    every = sorted(one + cost.server for cost in costs for one in cost.own)
    figures = [
        Figure(f"{title}: addresses", len(costs)),
        Figure(f"{title}: CPU ms median", statistics.median(every)),
        Figure(f"{title}: CPU ms p95 over all visits", every[-(-len(every) * 95 // 100) - 1], target=f"<= {AIM:.0f}"),
        Figure(f"{title}: CPU ms p95 of the dearest", max(cost.p95 for cost in costs), target=f"<= {AIM:.0f}"),
        Figure(f"{title}: addresses above {AIM:.0f} ms", sum(cost.p95 > AIM for cost in costs), target="<= 0"),
        Figure(f"{title}: most statements", max(cost.statements for cost in costs)),
    ]
    if counts_rows:
        figures.append(Figure(f"{title}: most rows read", max(cost.rows for cost in costs)))
    return figures


def print_dearest(title: str, costs: Sequence[Cost], *, most: int = 15) -> None:
    """This function will print the dearest addresses, one a line."""
    print(f"\n{title}: {len(costs)} addresses, the dearest first (CPU ms p95, of that the database, statements, rows)")
    for cost in sorted(costs, key=lambda cost: -cost.p95)[:most]:
        print(f"  {cost.p95:8.1f} {cost.server:8.1f} {cost.statements:5d} {cost.rows:8d}  {cost.address}")


def measure_pages(database: Database, process_id: int | None, *, visits: int = VISITS) -> list[Cost]:
    """This function will visit every address of a company and say what each costs."""
    app = create_app(database)
    gc.freeze()  # as scm serve does: what lives for ever is not walked through again and again
    with database.unit_of_work(write=False) as session:
        _, today = companies.business_time(companies.only(session), wall=clock.wall_now())
    seen: set[str] = set()
    costs = []
    for username in PEOPLE:
        visitor = Visitor(app).sign_in(username)
        for address in _of_person(visitor, username, today=today):
            if address not in seen:
                seen.add(address)
                costs.append(_visit(database, visitor, address, process_id, visits=visits))
    return costs


def _of_person(visitor: Visitor, username: str, *, today: date) -> Iterator[str]:
    """The addresses one person can reach: kinds of page, what lists can be asked, and the documents at their tops."""
    lists: set[str] = set()
    documents: Counter[str] = Counter()
    for endpoint, address, html in list(walked(visitor.app, username, visits=addresses.PAGES, without="/export.")):
        if not html or address.startswith(NOT_PAGES) or endpoint not in access():
            continue
        yield address
        path = address.partition("?")[0]
        if "data-list=" not in html or 'class="filters"' not in html or path in lists:
            continue
        lists.add(path)
        for asked in addresses.of_list(visitor.get, path, html, today=today):
            yield asked
            if "?sort=-" not in asked:
                continue
            for top in addresses.top_rows(visitor.get(asked)):
                kind = endpoint_of(visitor.app, top) or ""
                if kind in access() and documents[kind] < DOCUMENTS:
                    documents[kind] += 1
                    yield top


def _visit(database: Database, visitor: Visitor, address: str, process_id: int | None, *, visits: int) -> Cost:
    with _noting(database) as statements:
        visitor.get(address)  # with it goes what earlier visits have not reported yet
        statements.clear()
        rows_before = _rows_read(database)
        visitor.get(address)
        rows = _rows_read(database) - rows_before
        count = len([statement for statement in statements if statement.startswith(("SELECT", "WITH"))])
    server_before = measuring.server_seconds(process_id)
    own = []
    for _ in range(visits):
        before = time.process_time()
        visitor.get(address)
        own.append((time.process_time() - before) * 1000)
    server = (measuring.server_seconds(process_id) - server_before) * 1000 / visits
    return Cost(address=address, own=own, server=server, statements=count, rows=rows)


@contextlib.contextmanager
def _noting(database: Database) -> Iterator[list[str]]:
    """Notes the statements meanwhile, and lets PostgreSQL report what it read when a transaction ends."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    def report(connection: sa.Connection) -> None:
        connection.connection.cursor().execute("SELECT pg_stat_force_next_flush()")

    sa.event.listen(database.engine, "before_cursor_execute", note)
    if not database.is_sqlite:
        sa.event.listen(database.engine, "begin", report)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)
    if not database.is_sqlite:
        sa.event.remove(database.engine, "begin", report)


def _rows_read(database: Database) -> int:
    """Rows that PostgreSQL has read in tables one after the other, and entries in their indexes; SQLite counts none."""
    if database.is_sqlite:
        return 0
    tables = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables"
    indexes = "SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes"
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT ({tables}) + ({indexes})").scalar_one())

"""Importing real invoices, beside a bare parse-and-insert of the same lines; and the nightly cycle over their items.

Both on a file of SQLite and on PostgreSQL, both committing to disk, each run in a process of its own. The bare one
reads with the csv module and inserts eight columns: executemany on SQLite, COPY on PostgreSQL.
"""

from __future__ import annotations

import csv
import gzip
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import workers
from benchmarks.reporting import Figure
from scm.core import clock
from scm.core.db import Database
from scm.core.progress import SILENT
from scm.loop import cycle
from scm.loop.importing import sales
from scm.master import companies, setup
from scm.sales import channels
from tests.postgres import Server, temporary_postgres
from web import migrations

SEED = 1
LAST_DAYS = 14
BATCH = 10_000
COLUMNS = "invoice, sku, description, quantity, sold_at, unit_price, customer, country"
TABLE = f"CREATE TABLE bare ({', '.join(f'{name} TEXT' for name in COLUMNS.split(', '))})"
MEGABYTE = 1_000_000


def measure(path: Path) -> list[Figure]:
    """This function will measure import and cycle on both databases."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        figures += _both("SQLite", path, f"sqlite:///{folder}/ours.db", f"{folder}/bare.db", server=None)
    with temporary_postgres(durable=True) as server:
        figures += _both("PostgreSQL", path, server.create("ours"), _plain(server.create("bare")), server=server)
    return figures


def _both(name: str, path: Path, ours: str, bare: str, *, server: Server | None) -> list[Figure]:
    file = str(path)
    migrations.upgrade(ours)
    plain = workers.run("benchmarks.imports", "bare", [{"path": file, "address": bare}], server=server)
    full = workers.run("benchmarks.imports", "full", [{"path": file, "url": ours}], server=server)
    night = workers.run("benchmarks.imports", "night", [{"url": ours}], server=server)
    return [
        Figure(f"import, {name}: CPU s, all processes", full.cpu_seconds),
        Figure(f"import, {name}: bare parse and insert, CPU s, all processes", plain.cpu_seconds),
        Figure(f"import, {name}: times the bare one", full.cpu_seconds / plain.cpu_seconds, target="<= 6"),
        Figure(f"import, {name}: peak memory, MB", full.peak_bytes / MEGABYTE, target="<= 500"),
        Figure(f"nightly cycle, {name}: CPU s, all processes", night.cpu_seconds, target="<= 60"),
        Figure(f"nightly cycle, {name}: items", float(night.answers[0])),
    ]


def bare(start: Callable[[], None], *, path: str, address: str) -> int:
    """This function will parse the file and insert its lines, and nothing else."""
    start()
    rows = _rows(Path(path))
    return _bare_postgresql(rows, address) if address.startswith("postgresql") else _bare_sqlite(rows, address)


def full(start: Callable[[], None], *, path: str, url: str) -> int:
    """This function will import the file into a new company; creating the company is not counted."""
    database = Database(url)
    with database.unit_of_work(write=True) as session:
        created = setup.create_company(
            session,
            code="BENCH",
            name="Benchmark company (real invoices)",
            currency="GBP",
            zone="Europe/London",
            simulated=True,
            bin_count=400,
            actor_now=clock.wall_now(),
        )
        channels.open_own_shop(
            session, company_id=created.company_id, site_id=created.site_id, actor=created.users["system"]
        )
    start()
    report = sales.run(
        database,
        Path(path),
        format="online-retail",
        dry_run=False,
        go_live_date=None,
        seed=SEED,
        actor=created.users["system"],
        now=clock.wall_now(),
        progress=SILENT,
        last_days=LAST_DAYS,
    )
    database.dispose()
    return report.total_accepted + report.total_rejected


def night(start: Callable[[], None], *, url: str) -> int:
    """This function will run the cycle as of the evening before go-live and give the number of items."""
    database = Database(url)
    with database.unit_of_work(write=False) as session:
        go_live = companies.only(session).go_live_date
        actor = setup.load(session).users["system"]
    assert go_live is not None
    start()
    result = cycle.run(database, as_of=go_live - timedelta(days=1), actor=actor, now=clock.wall_now())
    database.dispose()
    return result.items


def _rows(path: Path) -> Iterator[list[str]]:
    reading: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with reading(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def _bare_sqlite(rows: Iterator[list[str]], address: str) -> int:
    connection = sqlite3.connect(address, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(TABLE)
    connection.execute("BEGIN IMMEDIATE")
    count = 0
    while batch := list(islice(rows, BATCH)):
        connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?)", batch)
        count += len(batch)
    connection.execute("COMMIT")
    connection.close()
    return count


def _bare_postgresql(rows: Iterator[list[str]], address: str) -> int:
    count = 0
    with psycopg.connect(address) as connection:
        connection.execute(TABLE)
        with connection.cursor().copy(f"COPY bare ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")

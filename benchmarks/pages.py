"""What a page costs the server, at the scale of a real retailer and at a hundred thousand orders.

Every page is found by walking along the links as each person. Each is then visited several times, lists also on a
random page, on the last page, filtered and sorted. CPU of the application and of the database; on SQLite they are one
process, on PostgreSQL the server's backends are added (their clock ticks only allow a mean).
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import growth, measuring
from benchmarks.reporting import Figure
from scm.core.db import Database
from tests.postgres import Server, temporary_postgres
from tests.web.visitor import Visitor, give_passwords
from tests.web.walking import walked
from web import cli
from web.app import create_app
from web.area import access

SEED = 1
PEOPLE = ("planner", "buyer", "approver", "warehouse", "returns", "sales", "admin")
VISITS = 20
ORDERS = 100_000
AIM = 60.0  # CPU milliseconds, p95
NOT_PAGES = ("/health", "/metrics")


@dataclass(frozen=True)
class Cost:
    """One address as one person: CPU milliseconds of each visit, the database's mean beside them, and statements."""

    address: str
    own: Sequence[float]
    server: float
    statements: int

    @property
    def p95(self) -> float:
        """The ninety-fifth percentile of the visits, with the database's mean on top."""
        return sorted(self.own)[max(0, -(-len(self.own) * 95 // 100) - 1)] + self.server


def measure(data: Path | None, *, quick: bool) -> list[Figure]:
    """This function will measure every page on both databases, before and after the company has grown."""
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
    process_id = server.process_id if server else None
    figures = _figures(f"pages, {name}, the company as it is", _costs(database, process_id))
    with database.unit_of_work(write=True) as session:
        count = growth.grow(session, orders=orders)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    figures += _figures(f"pages, {name}, {count // 1000:,},000 orders", _costs(database, process_id))
    database.dispose()
    return figures


def _figures(title: str, costs: Sequence[Cost]) -> list[Figure]:
    worst = sorted(costs, key=lambda cost: -cost.p95)
    print(f"\n{title}: {len(costs)} addresses, the dearest first (CPU ms p95, of that the database, statements)")
    for cost in worst[:15]:
        print(f"  {cost.p95:8.1f} {cost.server:8.1f} {cost.statements:5d}  {cost.address}")
    every = sorted(one + cost.server for cost in costs for one in cost.own)
    return [
        Figure(f"{title}: CPU ms p95 over all visits", every[-(-len(every) * 95 // 100) - 1], target=f"<= {AIM:.0f}"),
        Figure(f"{title}: CPU ms median", statistics.median(every)),
        Figure(f"{title}: CPU ms p95 of the dearest page", worst[0].p95, target=f"<= {AIM:.0f}"),
        Figure(f"{title}: most statements of a page", max(cost.statements for cost in costs)),
    ]


def _costs(database: Database, process_id: int | None) -> list[Cost]:
    app = create_app(database)
    gc.freeze()  # as scm serve does: what lives for ever is not walked through again and again
    seen: set[str] = set()
    costs = []
    for username in PEOPLE:
        visitor = Visitor(app).sign_in(username)
        for endpoint, address, html in list(walked(app, username)):
            if html and address not in seen and not address.startswith(NOT_PAGES) and endpoint in access():
                seen.add(address)
                costs += [_visit(database, visitor, one, process_id) for one in _ways(address, html)]
    return costs


def _ways(address: str, html: str) -> Iterator[str]:
    """An address, and for a list its random, last, filtered and sorted pages."""
    yield address
    if "data-list=" not in html or "?" in address:
        return
    chance = random.Random(f"{SEED} {address}")
    last = html.partition('rel="next"')[2]
    if last:
        yield f"{address}?page={chance.randint(2, 40)}"
        yield f"{address}?page=1000000"
    yield f"{address}?q=0{chance.randint(1, 9)}"
    for link in html.split('href="')[1:]:
        target = link.partition('"')[0]
        if "sort=" in target and target.startswith(address):
            yield target.replace("&amp;", "&")
            break


def _visit(database: Database, visitor: Visitor, address: str, process_id: int | None) -> Cost:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    visitor.get(address)
    sa.event.remove(database.engine, "before_cursor_execute", note)
    server_before = measuring.server_seconds(process_id)
    own = []
    for _ in range(VISITS):
        before = time.process_time()
        visitor.get(address)
        own.append((time.process_time() - before) * 1000)
    server = (measuring.server_seconds(process_id) - server_before) * 1000 / VISITS
    return Cost(
        address=address, own=own, server=server, statements=len([s for s in statements if s.startswith("SELECT")])
    )

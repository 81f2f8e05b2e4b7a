"""Three-line orders from place to shipped on PostgreSQL: ours, beside bare psycopg with the same effect.

Orders are placed one by one, each with its idempotency key in a transaction of its own, and leave in waves: release,
pick, pack, ship (which invoices), a transaction each. The server commits to disk. Valuation follows apart.
"""

from __future__ import annotations

from benchmarks import relay, shop, workers
from benchmarks.reporting import Figure
from benchmarks.workers import Spent
from scm.core.db import Database
from tests.postgres import Server, temporary_postgres
from web import migrations

SEED = 1
ITEMS, CUSTOMERS = 2000, 200
WAVE = 50
# Server CPU per three-line order from created to shipped, measured 2026-11 on two cores with PostgreSQL 15.
ODOO_19_MS, INVENTREE_12_MS = 460, 1390


def measure(*, quick: bool) -> list[Figure]:
    """This function will measure 1 and 8 clients of both kinds, and count our round trips."""
    count = 50 if quick else 400
    with temporary_postgres(durable=True) as server:
        figures = []
        for clients in (1, 2) if quick else (1, 8):
            each = max(WAVE, count // clients)
            ours = _run(server, "benchmarks.our_orders", clients, each)
            bare = _run(server, "benchmarks.bare_orders", clients, each)
            figures += _compared(ours, bare, clients=clients, orders=clients * each)
        figures.append(_round_trips(server, count=2 * WAVE))
        figures.append(_valuation(server))
    figures.append(Figure("orders: Odoo 19 Community, server CPU ms per order (measured earlier)", ODOO_19_MS))
    figures.append(Figure("orders: InvenTree 1.2-dev, server CPU ms per order (measured earlier)", INVENTREE_12_MS))
    return figures


def _compared(ours: Spent, bare: Spent, *, clients: int, orders: int) -> list[Figure]:
    name = f"orders, {clients} client{'s' if clients > 1 else ''}"
    our_ms, bare_ms = ours.cpu_seconds / orders * 1000, bare.cpu_seconds / orders * 1000
    return [
        Figure(f"{name}: CPU ms per order, all processes", our_ms),
        Figure(f"{name}: of that in the server", ours.server_seconds / orders * 1000),
        Figure(f"{name}: bare psycopg, CPU ms per order, all processes", bare_ms),
        Figure(f"{name}: our rate of the bare one, by CPU", bare_ms / our_ms, target=">= 0.4"),
        Figure(f"{name}: our rate of the bare one, by the clock", bare.wall_seconds / ours.wall_seconds),
    ]


def _run(server: Server, module: str, clients: int, count: int) -> Spent:
    name = f"{module.rpartition('.')[2]}_{clients}"
    url = _shop(server, name)
    calls = [{"url": url, "client": i, "seed": SEED, "count": count, "wave": WAVE} for i in range(clients)]
    return workers.run(module, "serve", calls, server=server)


def _round_trips(server: Server, *, count: int) -> Figure:
    """The way of `count` orders through a relay, less that of the warm-up before it."""
    trips = [_trips(server, f"trips_{orders}", orders) for orders in (WAVE, WAVE + count)]
    return Figure("orders: round trips per order, place to shipped", (trips[1] - trips[0]) / count, target="<= 12")


def _trips(server: Server, name: str, count: int) -> int:
    url = _shop(server, name)
    with relay.between(server.directory) as counted:
        through = url.replace(server.directory, counted.directory)
        call = {"url": through, "client": 0, "seed": SEED, "count": count, "wave": WAVE}
        workers.run("benchmarks.our_orders", "serve", [call], server=server)
        return counted.count


def _valuation(server: Server) -> Figure:
    spent = workers.run("benchmarks.our_orders", "value", [{"url": server.url("our_orders_1")}], server=server)
    moves = int(spent.answers[0])
    return Figure("orders: valuation afterwards, CPU ms per move", spent.cpu_seconds / moves * 1000)


def _shop(server: Server, name: str) -> str:
    url = server.create(name)
    migrations.upgrade(url)
    database = Database(url)
    database.run(lambda session: shop.build(session, item_count=ITEMS, customer_count=CUSTOMERS))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
    database.dispose()
    return url

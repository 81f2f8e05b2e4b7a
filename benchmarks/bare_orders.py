"""The same client with nothing between it and the database: plain SQL through psycopg.

It leaves the same rows behind, in the same transactions and under the same locks, and it checks nothing but that there
is stock: no roles, no states, no promised dates, no splits. It is the yardstick, not a way to write an order system.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks import shop
from benchmarks.shop import NOW, PRICE, TODAY, Shop, Wanted
from scm.core.db import Database

ARRIVES = TODAY + timedelta(days=3)
MILLIONTHS = int(PRICE.scaleb(6))
PENNIES = int(PRICE.scaleb(2))
OWN, NO_LOT = 1, 1
YEAR = TODAY.year

MOVE = (
    "INSERT INTO stock_move (company_id, item_id, lot_id, owner_id, pool, source_id, destination_id, onward, quantity, "
    "state, due_date, document_kind, document_id, line_id, allocated, over_quantity, needs_inspection, reason"
)
NEXT_LEG = (
    MOVE + ", previous_id) SELECT company_id, item_id, lot_id, owner_id, pool, destination_id, %s, %s, quantity, "
    "'planned', due_date, document_kind, document_id, line_id, false, 0, false, '', id FROM stock_move "
    "WHERE id = ANY(%s) ORDER BY id RETURNING id"
)
POST = "UPDATE stock_move SET state = 'posted', posted_at = %s, posted_date = %s WHERE id = ANY(%s)"
NUMBER = "'{}-' || %s || '-' || to_char(nextval('number_{}_seq'), 'FM999999000000')"
AUDIT = (
    "INSERT INTO audit_row (at, actor_id, verb, document_kind, document_id, detail) "
    "SELECT now(), %s, %s, %s, document_id, '{}' FROM unnest(%s::bigint[]) document_id"
)


@dataclass(frozen=True, slots=True)
class _Move:
    id: int
    item_id: int
    quantity: int
    order_id: int
    line_id: int
    source_id: int


class Client:
    """One connection, and the statements of an order's way."""

    def __init__(self, url: str) -> None:
        database = Database(url, pool_size=1)
        with database.unit_of_work(write=False) as session:
            self.shop: Shop = shop.load(session)
        database.dispose()
        address = sa.make_url(url)
        self.connection = psycopg.connect(
            host=str(address.query["host"]), user=address.username, dbname=address.database
        )
        self._warehouse = self.shop.places.users["warehouse"].user_id

    def place(self, wanted: Wanted) -> int:
        """This function will write one order with its key, lines, planned moves and promises, and commit."""
        places, actor = self.shop.places, self.shop.places.users["sales"]
        body = json.dumps({"customer": wanted.customer_id, "lines": wanted.lines})
        key = (actor.username, "sales_order.place_and_confirm", wanted.key)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO idempotency_key (principal, command, key, body_hash, created_at) "
                "VALUES (%s, %s, %s, %s, %s)",
                (*key, hashlib.sha256(body.encode()).hexdigest(), NOW),
            )
            cursor.execute(
                "INSERT INTO sales_order (company_id, site_id, customer_id, number, channel, external_id, currency, "
                "state, ordered_at, ordered_date, confirmed_at) VALUES (%s, %s, %s, "
                f"{NUMBER.format('SO', 'sales_order')}, "
                "'web', %s, %s, 'confirmed', %s, %s, %s) RETURNING id",
                (places.company_id, places.site_id, wanted.customer_id, str(YEAR), wanted.key, places.currency, NOW,
                 TODAY, NOW),
            )  # fmt: skip
            [[order_id]] = cursor.fetchall()
            items = [item_id for item_id, _ in wanted.lines]
            quantities = [quantity for _, quantity in wanted.lines]
            cursor.execute(
                "INSERT INTO sales_order_line (order_id, line_number, item_id, quantity, unit_price, promised_date, "
                "never_demand) SELECT %s, place, item_id, quantity, %s, %s, false FROM unnest(%s::int[], %s::bigint[]) "
                "WITH ORDINALITY AS line (item_id, quantity, place) ORDER BY place RETURNING id",
                (order_id, MILLIONTHS, ARRIVES, items, quantities),
            )
            line_ids = [line_id for (line_id,) in cursor.fetchall()]
            cursor.execute(
                MOVE + ") SELECT %s, item_id, %s, %s, 'general', %s, %s, %s, quantity, 'planned', %s, 'sales_order', "
                "%s, line_id, false, 0, false, '' FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) "
                "AS line (item_id, quantity, line_id) RETURNING id",
                (places.company_id, NO_LOT, OWN, places.area_id, places.staging_id,
                 f"[{places.delivery_location_id},{places.customer_location_id}]", TODAY, order_id, items, quantities,
                 line_ids),
            )  # fmt: skip
            move_ids = [move_id for (move_id,) in cursor.fetchall()]
            self._promise(cursor, items, quantities, move_ids)
            self._audit(cursor, actor.user_id, "sales_order.place_and_confirm", "sales_order", [order_id])
            cursor.execute(
                "UPDATE idempotency_key SET answer = %s WHERE principal = %s AND command = %s AND key = %s",
                (json.dumps(order_id), *key),
            )
        return int(order_id)

    def send_out(self, order_ids: Sequence[int]) -> None:
        """This function will release, pick, pack and ship orders, each in one transaction."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            wave_id, picks = self._release(cursor, order_ids)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            staged = self._pick(cursor, wave_id, picks)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            shipment_ids = self._pack(cursor, order_ids, staged)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self._ship(cursor, shipment_ids)

    def _promise(
        self, cursor: psycopg.Cursor[Any], items: list[int], quantities: list[int], move_ids: list[int]
    ) -> None:
        site_id = self.shop.places.site_id
        free = self._lock_pools(cursor, items)
        short = [item_id for item_id, quantity in zip(items, quantities, strict=True) if free[item_id] < quantity]
        assert not short, f"item {short[0]} is short: there is plenty"
        cursor.execute(
            "INSERT INTO reservation (move_id, item_id, site_id, owner_id, pool, quantity) "
            "SELECT move_id, item_id, %s, %s, 'general', quantity FROM unnest(%s::bigint[], %s::int[], %s::bigint[]) "
            "AS line (move_id, item_id, quantity)",
            (site_id, OWN, move_ids, items, quantities),
        )
        cursor.execute(
            "UPDATE stock_pool SET reserved = reserved + line.quantity FROM unnest(%s::int[], %s::bigint[]) "
            "AS line (item_id, quantity) WHERE stock_pool.item_id = line.item_id AND site_id = %s AND owner_id = %s "
            "AND pool = 'general'",
            (items, quantities, site_id, OWN),
        )

    def _release(self, cursor: psycopg.Cursor[Any], order_ids: Sequence[int]) -> tuple[int, list[_Move]]:
        places = self.shop.places
        waiting = self._lock_moves(
            cursor, "document_kind = 'sales_order' AND state = 'planned' AND document_id = ANY(%s)", list(order_ids)
        )
        taken = _by_item(waiting)
        self._lock_pools(cursor, list(taken))
        cursor.execute(
            "SELECT item_id, location_id, on_hand - allocated FROM stock_balance JOIN location l ON l.id = location_id "
            "WHERE l.kind = 'storage' AND l.site_id = %s AND item_id = ANY(%s) AND lot_id = %s AND owner_id = %s "
            "ORDER BY item_id, location_id FOR UPDATE OF stock_balance",
            (places.site_id, list(taken), NO_LOT, OWN),
        )
        bin_of = {item_id: bin_id for item_id, bin_id, free in cursor.fetchall() if free >= taken[item_id]}
        bins = [bin_of[move.item_id] for move in waiting]
        cursor.execute(
            "UPDATE stock_move SET source_id = pick.bin_id, allocated = true FROM unnest(%s::bigint[], %s::int[]) "
            "AS pick (move_id, bin_id) WHERE id = pick.move_id",
            ([move.id for move in waiting], bins),
        )
        self._change_balances(cursor, "allocated = allocated + line.quantity", taken, bin_of)
        cursor.execute(
            f"INSERT INTO wave (company_id, site_id, number, state, released_at) VALUES (%s, %s, "
            f"{NUMBER.format('WV', 'wave')}, 'released', %s) RETURNING id",
            (places.company_id, places.site_id, str(YEAR), NOW),
        )
        [[wave_id]] = cursor.fetchall()
        cursor.execute(
            "INSERT INTO pick (wave_id, move_id, short_quantity) "
            "SELECT %s, move_id, 0 FROM unnest(%s::bigint[]) move_id",
            (wave_id, [move.id for move in waiting]),
        )
        self._audit(cursor, self._warehouse, "wave.release", "wave", [wave_id])
        return wave_id, waiting

    def _pick(self, cursor: psycopg.Cursor[Any], wave_id: int, picks: Sequence[_Move]) -> list[int]:
        places, move_ids = self.shop.places, [move.id for move in picks]
        cursor.execute("SELECT state FROM wave WHERE id = %s FOR UPDATE", (wave_id,))
        locked = self._lock_moves(cursor, "id = ANY(%s)", move_ids)
        taken, bin_of = _by_item(locked), {move.item_id: move.source_id for move in locked}
        self._lock_pools(cursor, list(taken))
        self._lock_balances(cursor, taken, [*bin_of.values(), places.staging_id])
        cursor.execute(POST, (NOW, TODAY, move_ids))
        cursor.execute("DELETE FROM reservation WHERE move_id = ANY(%s)", (move_ids,))
        cursor.execute(
            "UPDATE stock_pool SET on_hand = on_hand - line.quantity, reserved = reserved - line.quantity "
            "FROM unnest(%s::int[], %s::bigint[]) AS line (item_id, quantity) "
            "WHERE stock_pool.item_id = line.item_id AND site_id = %s AND owner_id = %s AND pool = 'general'",
            (list(taken), list(taken.values()), places.site_id, OWN),
        )
        self._change_balances(
            cursor, "on_hand = on_hand - line.quantity, allocated = allocated - line.quantity", taken, bin_of
        )
        self._arrive(cursor, taken)
        cursor.execute(NEXT_LEG, (places.delivery_location_id, f"[{places.customer_location_id}]", move_ids))
        staged = [move_id for (move_id,) in cursor.fetchall()]
        cursor.execute("UPDATE pick SET confirmed_at = %s WHERE wave_id = %s", (NOW, wave_id))
        cursor.execute("UPDATE wave SET state = 'picked' WHERE id = %s", (wave_id,))
        self._audit(cursor, self._warehouse, "stock.post", "stock_move", move_ids)
        self._audit(cursor, self._warehouse, "wave.pick", "wave", [wave_id])
        return staged

    def _pack(self, cursor: psycopg.Cursor[Any], order_ids: Sequence[int], staged: Sequence[int]) -> list[int]:
        places = self.shop.places
        moves = self._lock_moves(cursor, "id = ANY(%s)", list(staged))
        cursor.execute(
            "INSERT INTO shipment (company_id, site_id, sales_order_id, number, state, packed_at) "
            f"SELECT %s, %s, order_id, {NUMBER.format('SH', 'shipment')}, 'packed', %s "
            "FROM unnest(%s::bigint[]) order_id RETURNING id, sales_order_id",
            (places.company_id, places.site_id, str(YEAR), NOW, list(order_ids)),
        )
        shipment_of = {order_id: shipment_id for shipment_id, order_id in cursor.fetchall()}
        cursor.execute(
            "INSERT INTO shipment_line (move_id, shipment_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
            ([move.id for move in moves], [shipment_of[move.order_id] for move in moves]),
        )
        shipment_ids = list(shipment_of.values())
        cursor.execute(
            "INSERT INTO carton (shipment_id, carton_number) "
            "SELECT shipment_id, 1 FROM unnest(%s::bigint[]) shipment_id",
            (shipment_ids,),
        )
        self._audit(cursor, self._warehouse, "shipment.pack", "shipment", shipment_ids)
        return shipment_ids

    def _ship(self, cursor: psycopg.Cursor[Any], shipment_ids: Sequence[int]) -> None:
        places = self.shop.places
        cursor.execute(
            "SELECT id, sales_order_id FROM shipment WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(shipment_ids),)
        )
        shipments = cursor.fetchall()
        cursor.execute(
            "UPDATE shipment SET state = 'shipped', shipped_at = %s, carrier_service_id = %s, tracking_number = number "
            "WHERE id = ANY(%s)",
            (NOW, places.carrier_service_id, list(shipment_ids)),
        )
        moves = self._lock_moves(
            cursor, "id IN (SELECT move_id FROM shipment_line WHERE shipment_id = ANY(%s))", list(shipment_ids)
        )
        move_ids, taken = [move.id for move in moves], _by_item(moves)
        self._lock_balances(cursor, taken, [places.staging_id])
        cursor.execute(POST, (NOW, TODAY, move_ids))
        self._change_balances(
            cursor, "on_hand = on_hand - line.quantity", taken, dict.fromkeys(taken, places.staging_id)
        )
        cursor.execute(NEXT_LEG, (places.customer_location_id, "[]", move_ids))
        self._audit(cursor, self._warehouse, "stock.post", "stock_move", move_ids)
        self._audit(cursor, self._warehouse, "shipment.ship", "shipment", list(shipment_ids))
        self._invoice(cursor, shipments, moves)

    def _invoice(
        self, cursor: psycopg.Cursor[Any], shipments: Sequence[tuple[int, int]], moves: Sequence[_Move]
    ) -> None:
        places = self.shop.places
        amount_of: Counter[int] = Counter()
        for move in moves:
            amount_of[move.order_id] += move.quantity * PENNIES
        cursor.execute(
            "INSERT INTO number_series (company_id, code, year, last_value) VALUES (%s, 'customer_invoice', %s, %s) "
            "ON CONFLICT (company_id, code, year) DO UPDATE SET last_value = number_series.last_value + "
            "excluded.last_value RETURNING last_value",
            (places.company_id, YEAR, len(shipments)),
        )
        [[last]] = cursor.fetchall()
        numbers = [f"INV-{YEAR}-{value:06d}" for value in range(last - len(shipments) + 1, last + 1)]
        cursor.execute(
            "INSERT INTO customer_invoice (company_id, number, document_kind, document_id, sales_order_id, "
            "customer_id, currency, amount, invoice_date, issued_at) "
            "SELECT %s, new.number, 'shipment', shipment_id, order_id, "
            "customer_id, %s, amount, %s, %s FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) "
            "AS new (number, shipment_id, order_id, amount) JOIN sales_order ON sales_order.id = order_id "
            "RETURNING id, sales_order_id, number",
            (places.company_id, places.currency, TODAY, NOW, numbers, [shipment_id for shipment_id, _ in shipments],
             [order_id for _, order_id in shipments], [amount_of[order_id] for _, order_id in shipments]),
        )  # fmt: skip
        invoices = cursor.fetchall()
        invoice_of = {order_id: invoice_id for invoice_id, order_id, _ in invoices}
        cursor.execute(
            "INSERT INTO customer_invoice_line (invoice_id, line_id, item_id, quantity, unit_price, amount) "
            "SELECT invoice_id, line_id, item_id, quantity, %s, quantity * %s "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::bigint[]) "
            "AS new (invoice_id, line_id, item_id, quantity)",
            (MILLIONTHS, PENNIES, [invoice_of[move.order_id] for move in moves], [move.line_id for move in moves],
             [move.item_id for move in moves], [move.quantity for move in moves]),
        )  # fmt: skip
        cursor.execute(
            "INSERT INTO journal_entry (company_id, entry_date, document_kind, document_id, text, recorded_at) "
            "SELECT %s, %s, 'customer_invoice', invoice_id, number, %s FROM unnest(%s::bigint[], %s::text[]) "
            "AS new (invoice_id, number) RETURNING id, document_id",
            (places.company_id, TODAY, NOW, [invoice_id for invoice_id, _, _ in invoices],
             [number for _, _, number in invoices]),
        )  # fmt: skip
        entry_of = {invoice_id: entry_id for entry_id, invoice_id in cursor.fetchall()}
        entries = [(entry_of[invoice_id], amount_of[order_id]) for invoice_id, order_id, _ in invoices]
        cursor.execute(
            "INSERT INTO posting (entry_id, account, currency, amount, company_amount) "
            "SELECT entry_id, account, %s, sign * amount, sign * amount FROM unnest(%s::bigint[], %s::bigint[]) "
            "AS new (entry_id, amount), (VALUES ('receivables', 1), ('revenue', -1)) AS side (account, sign)",
            (places.currency, [entry_id for entry_id, _ in entries], [amount for _, amount in entries]),
        )
        self._audit(cursor, self._warehouse, "invoice.issue", "customer_invoice", list(entry_of))

    def _lock_moves(self, cursor: psycopg.Cursor[Any], condition: str, ids: list[int]) -> list[_Move]:
        cursor.execute(
            "SELECT id, item_id, quantity, document_id, line_id, source_id FROM stock_move "
            f"WHERE {condition} ORDER BY id FOR NO KEY UPDATE",
            (ids,),
        )
        return [_Move(*row) for row in cursor.fetchall()]

    def _lock_pools(self, cursor: psycopg.Cursor[Any], items: list[int]) -> dict[int, int]:
        cursor.execute(
            "SELECT item_id, on_hand - reserved FROM stock_pool WHERE item_id = ANY(%s) AND site_id = %s "
            "AND owner_id = %s AND pool = 'general' ORDER BY item_id FOR UPDATE",
            (items, self.shop.places.site_id, OWN),
        )
        return dict(cursor.fetchall())

    def _lock_balances(self, cursor: psycopg.Cursor[Any], taken: Counter[int], locations: list[int]) -> None:
        cursor.execute(
            "SELECT item_id FROM stock_balance WHERE item_id = ANY(%s) AND location_id = ANY(%s) AND lot_id = %s "
            "AND owner_id = %s ORDER BY item_id, location_id FOR UPDATE",
            (list(taken), locations, NO_LOT, OWN),
        )

    def _change_balances(
        self, cursor: psycopg.Cursor[Any], change: str, taken: Counter[int], place_of: dict[int, int]
    ) -> None:
        cursor.execute(
            f"UPDATE stock_balance SET {change} FROM unnest(%s::int[], %s::int[], %s::bigint[]) "
            "AS line (item_id, location_id, quantity) WHERE stock_balance.item_id = line.item_id "
            "AND stock_balance.location_id = line.location_id AND lot_id = %s AND owner_id = %s",
            (list(taken), [place_of[item_id] for item_id in taken], list(taken.values()), NO_LOT, OWN),
        )

    def _arrive(self, cursor: psycopg.Cursor[Any], taken: Counter[int]) -> None:
        cursor.execute(
            "INSERT INTO stock_balance (item_id, location_id, lot_id, owner_id, on_hand, allocated) "
            "SELECT item_id, %s, %s, %s, quantity, 0 FROM unnest(%s::int[], %s::bigint[]) AS line (item_id, quantity) "
            "ON CONFLICT (item_id, location_id, lot_id, owner_id) DO UPDATE SET on_hand = stock_balance.on_hand + "
            "excluded.on_hand",
            (self.shop.places.staging_id, NO_LOT, OWN, list(taken), list(taken.values())),
        )

    def _audit(self, cursor: psycopg.Cursor[Any], actor_id: int, verb: str, kind: str, ids: list[int]) -> None:
        cursor.execute(AUDIT, (actor_id, verb, kind, ids))


def serve(start: Callable[[], None], *, url: str, client: int, seed: int, count: int, wave: int) -> None:
    """This function will be one client's day: after a warm-up wave, `count` orders in waves of `wave`."""
    person = Client(url)
    _send_out_in_waves(person, person.shop.orders(seed=seed, client=client, count=wave, name="warm-up"), wave)
    wanted = list(person.shop.orders(seed=seed, client=client, count=count, name="order"))
    start()
    _send_out_in_waves(person, wanted, wave)
    person.connection.close()


def _by_item(moves: Sequence[_Move]) -> Counter[int]:
    taken: Counter[int] = Counter()
    for move in sorted(moves, key=lambda move: move.item_id):
        taken[move.item_id] += move.quantity
    return taken


def _send_out_in_waves(person: Client, wanted: Sequence[Wanted] | Iterator[Wanted], wave: int) -> None:
    waiting = iter(wanted)
    while placed := [person.place(order) for order in islice(waiting, wave)]:
        person.send_out(placed)

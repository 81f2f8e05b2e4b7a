"""One client of the order benchmark: it places orders one by one, as requests do, and sends them out in waves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from benchmarks import shop
from benchmarks.shop import NOW, PRICE, TODAY, Shop, Wanted
from scm.core import idempotency
from scm.core.db import Database
from scm.finance import valuation
from scm.sales import orders
from scm.sales.orders import LineRequest, OrderRequest
from warehouse import packing, picking, shipping, waves

T = TypeVar("T")


class Client:
    """One connection to the database, and whoever works at it."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, pool_size=1)
        with self.database.unit_of_work(write=False) as session:
            self.shop: Shop = shop.load(session)

    def place(self, wanted: Wanted) -> int:
        """This function will place and confirm one order, once, as a request with a key would."""
        places = self.shop.places
        sales = places.users["sales"]
        request = OrderRequest(
            site_id=places.site_id,
            customer_id=wanted.customer_id,
            channel="web",
            external_id=wanted.key,
            requested_date=None,
            lines=[LineRequest(item_id=i, quantity=q, unit_price=PRICE) for i, q in wanted.lines],
        )

        def work(session: Session) -> int:
            [confirmed] = orders.place_and_confirm(session, [request], actor=sales, now=NOW, today=TODAY)
            assert confirmed.waiting == 0, f"{confirmed.number} waits for stock: there is plenty"
            return confirmed.order_id

        answer = idempotency.run_once(
            self.database,
            principal=sales.username,
            command="sales_order.place_and_confirm",
            key=wanted.key,
            body={"customer": wanted.customer_id, "lines": [list(line) for line in wanted.lines]},
            now=NOW,
            work=work,
        )
        assert not answer.replayed
        return int(answer.value)

    def send_out(self, order_ids: Sequence[int]) -> None:
        """This function will release, pick, pack and ship orders together: four transactions, as four people would."""
        places = self.shop.places
        who: Any = {"actor": places.users["warehouse"], "now": NOW, "today": TODAY}
        wave = self._do(
            lambda session: waves.release(
                session, site_id=places.site_id, order_ids=order_ids, limit=waves.LARGEST_WAVE, **who
            )
        )
        picked = self._do(lambda session: picking.confirm(session, wave_id=wave.wave_id, **who))
        assert picked.finished, f"{wave.number} is not picked whole"
        shipment_ids = self._do(lambda session: packing.pack(session, wave_id=wave.wave_id, **who))
        shipped = self._do(
            lambda session: shipping.ship(session, shipment_ids, carrier_service_id=places.carrier_service_id, **who)
        )
        assert len(shipped) == len(order_ids), f"{len(shipped)} of {len(order_ids)} orders left"

    def _do(self, work: Callable[[Session], T]) -> T:
        return self.database.run(work)


def serve(start: Callable[[], None], *, url: str, client: int, seed: int, count: int, wave: int) -> None:
    """This function will be one client's day: after a warm-up wave, `count` orders in waves of `wave`."""
    person = Client(url)
    _send_out_in_waves(person, person.shop.orders(seed=seed, client=client, count=wave, name="warm-up"), wave)
    wanted = list(person.shop.orders(seed=seed, client=client, count=count, name="order"))
    start()
    _send_out_in_waves(person, wanted, wave)
    person.database.dispose()


def value(start: Callable[[], None], *, url: str) -> int:
    """This function will value what the orders moved, as the nightly run does, and give the number of moves."""
    database = Database(url, pool_size=1)
    with database.unit_of_work(write=False) as session:
        company_id = shop.load(session).places.company_id
    start()
    return database.run(lambda session: valuation.run(session, company_id=company_id, now=NOW))


def _send_out_in_waves(person: Client, wanted: Sequence[Wanted] | Iterator[Wanted], wave: int) -> None:
    waiting = iter(wanted)
    while placed := [person.place(order) for order in islice(waiting, wave)]:
        person.send_out(placed)

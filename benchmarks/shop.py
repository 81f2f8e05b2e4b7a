"""The company that the order benchmark sells from, and the orders its clients place; both drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import items, partners, setup
from scm.master.items import Item, ItemRequest
from scm.master.partners import Partner, PartnerRequest
from scm.master.setup import Setup
from scm.sales import channels
from scm.stock import ledger
from scm.stock.ledger import MoveRequest

TODAY = date(2026, 11, 2)  # a Monday
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LINES = 3
LARGEST_QUANTITY = 12
PLENTY = 1_000_000  # nothing runs short: what is measured is the way of an order that can be filled
BINS = 400
PRICE = Decimal("2.950000")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One order of a client: a key that names it, its customer, and (item, quantity) lines."""

    key: str
    customer_id: int
    lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Shop:
    """The ids a client needs."""

    places: Setup
    item_ids: tuple[int, ...]
    customer_ids: tuple[int, ...]

    def orders(self, *, seed: int, client: int, count: int, name: str) -> Iterator[Wanted]:
        """This function will draw a client's orders: popular items more often, as in any shop."""
        chance = random.Random(f"{seed} {client} {name}")
        weights = [1 / (rank + 20) for rank in range(1, len(self.item_ids) + 1)]
        for number in range(count):
            chosen: list[int] = []
            while len(chosen) < LINES:
                [item_id] = chance.choices(self.item_ids, weights)
                if item_id not in chosen:
                    chosen.append(item_id)
            yield Wanted(
                key=f"{name}-{client}-{number}",
                customer_id=chance.choice(self.customer_ids),
                lines=tuple((item_id, chance.randint(1, LARGEST_QUANTITY)) for item_id in chosen),
            )


def build(session: Session, *, item_count: int, customer_count: int) -> None:
    """This function will create the company with its items, customers and opening stock, one bin per item."""
    places = setup.create_company(
        session,
        code="BENCH",
        name="Benchmark company (generated)",
        currency="GBP",
        zone="Europe/London",
        simulated=True,
        generated=True,
        go_live_date=TODAY,
        bin_count=BINS,
        actor_now=NOW,
    )
    channels.open_own_shop(session, company_id=places.company_id, site_id=places.site_id, actor=places.users["system"])
    system = places.users["system"]
    wanted = [
        ItemRequest(
            sku=f"ITEM-{number:05d}",
            name=f"Item {number}",
            base_unit_id=places.base_unit_id,
            sale_price=PRICE,
            opening_unit_cost=Decimal("1.100000"),
        )
        for number in range(item_count)
    ]
    item_ids = items.create(session, wanted, company_id=places.company_id, actor=system)
    customers = [
        PartnerRequest(code=f"CUSTOMER-{number:04d}", name=f"Customer {number}", is_customer=True)
        for number in range(customer_count)
    ]
    partners.add(session, customers, company_id=places.company_id, actor=system)
    stock = [
        MoveRequest(
            item_id=item_id,
            source_id=places.adjustment_location_id,
            destination_id=places.bin_ids[place % BINS],
            quantity=PLENTY,
            due_date=TODAY,
            document_kind="opening",
            document_id=0,
            line_id=0,
        )
        for place, item_id in enumerate(item_ids)
    ]
    ledger.move_now(session, stock, company_id=places.company_id, actor=system, now=NOW, today=TODAY)


def load(session: Session) -> Shop:
    """This function will read the company again, in the process of a client."""
    return Shop(
        places=setup.load(session),
        item_ids=tuple(session.scalars(sa.select(Item.id).order_by(Item.id))),
        customer_ids=tuple(session.scalars(sa.select(Partner.id).where(Partner.is_customer).order_by(Partner.id))),
    )

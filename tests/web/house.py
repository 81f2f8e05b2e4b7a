"""A small house with goods to receive and orders to send, and the browsers of its people."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from scm.core.db import Database
from scm.master.agreements import SupplierAgreement
from scm.master.locations import Site
from tests.selling import Shop
from tests.web.visitor import Visitor, signed_in, text_of
from tests.world import World
from web.app import create_app


class House:
    """A company whose purchase order of 12 bolts is due, with an order of 2 nuts that is to leave today."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.app: Flask = create_app(database)
        with database.unit_of_work(write=True) as session:
            world = self.world = World(session)
            self.bolt, self.nut = world.item("bolt"), world.item("nut")
            supplier = world.supplier("acme", over_receipt_rate="0.25")
            self.agreement = world.agreement(self.bolt, supplier)
            self.purchase_order = world.approved_order((self.agreement, 12), due_in=0)
            world.stock(self.nut, 20, bin_number=2)
            self.order = Shop(world).order((self.nut, 2))

    def visitor(self, username: str) -> Visitor:
        """This function will give somebody's browser."""
        return signed_in(self.database, username, app=self.app)

    def do(self, work: Callable[[World], Any]) -> Any:
        """This function will do something with the world in a transaction that is committed."""
        with self.database.unit_of_work(write=True) as session:
            return work(self.world.on(session))

    def value(self, statement: str) -> Any:
        """This function will read one value."""
        with self.database.unit_of_work(write=False) as session:
            return session.execute(sa.text(statement)).scalar_one()

    def number_of(self, table: str) -> str:
        """This function will read the newest number of a kind of document."""
        return str(self.value(f"SELECT number FROM {table} ORDER BY id DESC LIMIT 1"))

    def needs_inspection(self) -> None:
        """This function will have the bolts inspected from now on."""
        with self.database.unit_of_work(write=True) as session:
            session.execute(sa.update(SupplierAgreement).values(needs_inspection=True))

    def another_site(self) -> int:
        """This function will add a second site; the documents of the first belong to it from now on."""
        with self.database.unit_of_work(write=True) as session:
            site = Site(company_id=self.world.setup.company_id, code="OTHER", name="Other", zone="UTC")
            session.add(site)
            session.flush()
            for table in ("purchase_order", "wave", "shipment", "cycle_count", "goods_receipt", "sales_order"):
                session.execute(sa.text(f"UPDATE {table} SET site_id = :site"), {"site": site.id})
            return site.id


def data_of(page: str) -> dict[str, Any]:
    """This function will read the sheet that a page hands to its script."""
    found = re.search(r"data-sheet='([^']*)'", page)
    assert found is not None, text_of(page)[-600:]
    data: dict[str, Any] = json.loads(html.unescape(found[1]))
    return data


def rows(*given: dict[str, Any]) -> str:
    """This function will write a batch as a page's script does."""
    return json.dumps(given)


def led_to(answer: TestResponse) -> str:
    """This function will give the address a change led to."""
    assert answer.status_code == 303, text_of(answer.get_data(as_text=True))[-600:]
    return answer.headers["Location"]

"""A small trading company that tests tell their stories in: builders with readable names around the real verbs.

    world = World(session)
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    assert world.on_hand(bolt) == 40

A test's transaction stands for many: `world.begin()` gives its session as the next transaction would find it, without
the locks of the one before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import orders
from procurement.drafting import OrderLineRequest
from scm.core import audit
from scm.core.db import table_of
from scm.core.errors import ScmError
from scm.core.users import Actor
from scm.finance import rates
from scm.finance.rates import RateRequest
from scm.master import setup
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner
from scm.sales import channels
from scm.sales.channels import ChannelKind
from scm.stock import ledger, projection, reservations
from scm.stock.balances import StockBalance
from scm.stock.ledger import MoveRequest
from scm.stock.moves import GENERAL_POOL, Move, MoveState, StockMove
from scm.stock.projection import Position
from warehouse import putaway, receiving
from warehouse.putaway import PutAwayResult
from warehouse.receiving import Arrival, Received
from web import migrations

FIRST_DAY = date(2026, 1, 5)  # a Monday


class World:
    """One company with its places and people, and the day it has reached."""

    def __init__(self, session: Session, *, today: date = FIRST_DAY, bin_count: int = 5) -> None:
        self.setup = setup.create_company(
            session,
            code="TEST",
            name="Test Trading",
            currency="GBP",
            zone="Europe/London",
            simulated=True,
            generated=True,
            go_live_date=today,
            bin_count=bin_count,
            actor_now=datetime.combine(today, time(9), UTC),
        )
        channels.open_own_shop(
            session, company_id=self.setup.company_id, site_id=self.setup.site_id, actor=self.setup.users["system"]
        )
        self.today = today
        self._session = session
        self._names: dict[int, str] = {}
        self._orders = 0

    # The transaction, the clock and the people

    def on(self, session: Session) -> World:
        """This function will go on in another session of the same database."""
        self._session = session
        return self

    def begin(self) -> Session:
        """This function will give the session as a new transaction finds it: everything written, nothing locked."""
        self._session.flush()
        audit.write_pending(self._session)
        self._session.expunge_all()
        for name in set(self._session.info) - {"write", "audit_marks"}:
            del self._session.info[name]
        return self._session

    @property
    def now(self) -> datetime:
        """Nine o'clock of the present day."""
        return datetime.combine(self.today, time(9), UTC)

    def pass_days(self, days: int) -> None:
        """This function will let days go by."""
        self.today += timedelta(days=days)

    def day(self, days: int) -> date:
        """This function will give the date so many days from the present one."""
        return self.today + timedelta(days=days)

    def user(self, username: str) -> Actor:
        """This function will give one of the default users, whose names are their roles."""
        return self.setup.users[username]

    @contextlib.contextmanager
    def refuses(self, error: type[ScmError], match: str | None = None) -> Iterator[Session]:
        """This function will expect the block to be refused, and check that nothing changed by it."""
        session = self.begin()
        before = self.everything()
        point = session.begin_nested()
        with pytest.raises(error, match=match):
            yield session
        point.rollback()
        assert self.everything() == before

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """This function will read every row of every table, to compare before and after."""
        connection = self.begin().connection()
        rows = {
            table.name: connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()
            for table in migrations.metadata().sorted_tables
        }
        return {name: sorted((tuple(row) for row in found), key=repr) for name, found in rows.items()}

    # Items, suppliers and what was agreed with them

    def item(
        self,
        sku: str,
        *,
        sale_price: str = "10.00",
        unit_cost: str = "4.00",
        lot_tracked: bool = False,
        shelf_life_days: int | None = None,
        status: ItemStatus = ItemStatus.ACTIVE,
    ) -> int:
        """This function will add an item counted in pieces."""
        row = Item(
            company_id=self.setup.company_id,
            sku=sku,
            name=sku,
            base_unit_id=self.setup.base_unit_id,
            status=status,
            sale_price=Decimal(sale_price),
            opening_unit_cost=Decimal(unit_cost),
            lot_tracked=lot_tracked,
            shelf_life_days=shelf_life_days,
        )
        self._session.add(row)
        self._session.flush()
        self._names[row.id] = sku
        return row.id

    def items(self, count: int, *, prefix: str = "item") -> list[int]:
        """This function will add many items in one statement."""
        rows = [
            {
                "company_id": self.setup.company_id,
                "sku": f"{prefix}-{number:04d}",
                "name": f"{prefix} {number}",
                "base_unit_id": self.setup.base_unit_id,
                "status": ItemStatus.ACTIVE,
                "sale_price": Decimal(10),
                "opening_unit_cost": Decimal(4),
                "lot_tracked": False,
                "assumed": [],
            }
            for number in range(1, count + 1)
        ]
        inserted = sa.insert(table_of(Item)).returning(Item.id, sort_by_parameter_order=True)
        return list(self._session.execute(inserted, rows).scalars())

    def supplier(
        self,
        code: str,
        *,
        minimum_order_value: int = 0,
        joint_order_cost: int = 0,
        over_receipt_rate: str = "0",
        review_period_days: int = 7,
        currency: str | None = None,
    ) -> int:
        """This function will add a supplier with terms; amounts are pence."""
        row = Partner(company_id=self.setup.company_id, code=code, name=code, is_supplier=True, email=f"{code}@test")
        self._session.add(row)
        self._session.flush()
        self._session.add(
            SupplierTerms(
                partner_id=row.id,
                currency=currency or self.setup.currency,
                review_period_days=review_period_days,
                review_weekday=None,
                joint_order_cost=joint_order_cost,
                minimum_order_value=minimum_order_value,
                over_receipt_rate=Decimal(over_receipt_rate),
            )
        )
        self._session.flush()
        return row.id

    def agreement(
        self,
        item: int,
        supplier: int,
        *,
        unit_price: str = "4.00",
        lead_time_days: int = 7,
        minimum_order_quantity: int = 1,
        order_multiple: int = 1,
        priority: int = 1,
    ) -> int:
        """This function will agree on one item with one supplier."""
        row = SupplierAgreement(
            partner_id=supplier,
            item_id=item,
            priority=priority,
            lead_time_days=lead_time_days,
            minimum_order_quantity=minimum_order_quantity,
            order_multiple=order_multiple,
            unit_price=Decimal(unit_price),
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def customer(self, code: str = "customer") -> int:
        """This function will add a customer."""
        row = Partner(company_id=self.setup.company_id, code=code, name=code, is_customer=True)
        self._session.add(row)
        self._session.flush()
        return row.id

    def channel(
        self,
        code: str,
        *,
        kind: ChannelKind = ChannelKind.MARKETPLACE,
        pool: str = GENERAL_POOL,
        cut_off: time | None = None,
        ship_by_hours: int | None = None,
        prices_with_vat: bool = False,
    ) -> str:
        """This function will add a channel whose orders the site serves, and give its code."""
        terms = channels.Terms(
            name=code,
            kind=kind,
            prices_with_vat=prices_with_vat,
            pool=pool,
            cut_off=cut_off,
            ship_by_hours=ship_by_hours,
            retired=False,
        )
        setup = self.setup
        channels.add(
            self.begin(),
            code=code,
            terms=terms,
            site_id=setup.site_id,
            company_id=setup.company_id,
            actor=self.user("sales"),
        )
        return code

    def rate(self, currency: str, rate: str, *, in_days: int = 0) -> None:
        """This function will record what one unit of a currency costs on a day."""
        wanted = RateRequest(currency=currency, rate_date=self.day(in_days), rate=Decimal(rate))
        rates.record(self.begin(), [wanted], company_id=self.setup.company_id, actor=self.user("buyer"), now=self.now)

    # Stock

    def stock(self, item: int, quantity: int, *, bin_number: int = 1, lot_id: int = 1) -> None:
        """This function will put opening stock into a bin."""
        request = MoveRequest(
            item_id=item,
            source_id=self.setup.adjustment_location_id,
            destination_id=self.setup.bin_ids[bin_number - 1],
            quantity=quantity,
            due_date=self.today,
            document_kind="opening",
            document_id=0,
            line_id=0,
            lot_id=lot_id,
        )
        ledger.move_now(
            self.begin(),
            [request],
            company_id=self.setup.company_id,
            actor=self.user("system"),
            now=self.now,
            today=self.today,
        )
        self.begin()

    def demand(self, item: int, quantity: int, *, in_days: int = 0, reserve: bool = False) -> int:
        """This function will plan what a customer order would plan, and give the id of the move."""
        self._orders += 1
        request = MoveRequest(
            item_id=item,
            source_id=self.setup.area_id,
            destination_id=self.setup.staging_id,
            onward=(self.setup.delivery_location_id, self.setup.customer_location_id),
            quantity=quantity,
            due_date=self.day(in_days),
            document_kind="sales_order",
            document_id=self._orders,
            line_id=self._orders,
        )
        [move] = ledger.plan(self.begin(), [request], company_id=self.setup.company_id)
        if reserve:
            reservations.reserve(self._session, [move.id], shortage=reservations.Shortage.SPLIT)
        self.begin()
        return move.id

    def position(self, item: int) -> Position:
        """This function will read an item's position at the site."""
        self.begin()
        found = projection.positions(self._session, site_id=self.setup.site_id, item_ids=[item])
        return found.get(item, Position())

    def on_hand(self, item: int) -> int:
        """This function will count what stands in storage."""
        return self.position(item).on_hand

    def on_order(self, item: int) -> int:
        """This function will count what suppliers still owe."""
        return self.position(item).on_order

    def at(self, item: int, location_id: int) -> int:
        """This function will count what stands in one place."""
        total = sa.select(sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0)).where(
            StockBalance.item_id == item, StockBalance.location_id == location_id
        )
        return int(self.begin().execute(total).scalar_one())

    # Buying

    def order(self, *lines: tuple[int, int], due_in: int | None = None) -> int:
        """This function will draft one purchase order of (agreement, quantity) lines and give its id."""
        requests = [
            OrderLineRequest(
                agreement_id=agreement, quantity=quantity, due_date=self.day(7 if due_in is None else due_in)
            )
            for agreement, quantity in lines
        ]
        [order_id] = orders.write(
            self.begin(),
            requests,
            site_id=self.setup.site_id,
            actor=self.user("buyer"),
            now=self.now,
            today=self.today,
        )
        return order_id

    def submitted_order(self, *lines: tuple[int, int], due_in: int | None = None) -> int:
        """This function will draft a purchase order and ask for its approval."""
        order_id = self.order(*lines, due_in=due_in)
        orders.submit(self.begin(), [order_id], actor=self.user("buyer"), now=self.now)
        return order_id

    def approved_order(self, *lines: tuple[int, int], due_in: int | None = None) -> int:
        """This function will draft a purchase order and have it approved, so that its goods are on order."""
        order_id = self.submitted_order(*lines, due_in=due_in)
        orders.approve(self.begin(), [order_id], actor=self.user("approver"), now=self.now, today=self.today)
        return order_id

    def sent_order(self, *lines: tuple[int, int], due_in: int | None = None) -> int:
        """This function will send an approved purchase order to its supplier."""
        order_id = self.approved_order(*lines, due_in=due_in)
        orders.send(self.begin(), [order_id], actor=self.user("buyer"), now=self.now, today=self.today)
        return order_id

    def receive(self, order_id: int, quantity: int | None = None) -> Received:
        """This function will receive all that a purchase order owes, or so much of each of its lines."""
        owed = [
            Arrival(move_id=move.id, quantity=move.quantity if quantity is None else quantity)
            for move in self.moves_of("purchase_order", [order_id])
            if move.state is MoveState.PLANNED and move.source_id == self.setup.supplier_location_id
        ]
        return receiving.receive(
            self.begin(), owed, delivery_note="DN-1", actor=self.user("warehouse"), now=self.now, today=self.today
        )

    def put_away(self) -> PutAwayResult:
        """This function will put away whatever may leave the dock."""
        return putaway.put_away_all(
            self.begin(), site_id=self.setup.site_id, actor=self.user("warehouse"), now=self.now, today=self.today
        )

    def moves_of(self, kind: str, document_ids: Sequence[int]) -> list[Move]:
        """This function will read the stock moves of documents, oldest first."""
        rows = self.begin().execute(
            sa.select(table_of(StockMove))
            .where(StockMove.document_kind == kind, StockMove.document_id.in_(document_ids))
            .order_by(StockMove.id)
        )
        return [Move(**row._mapping) for row in rows]

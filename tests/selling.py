"""The selling side of the test company: orders from a customer through the warehouse to the customer's door.

    shop = Shop(world)
    order = shop.order((bolt, 10))
    shop.deliver(shop.ship(shop.pack(shop.pick(shop.wave()))))
    assert shop.line(order).delivered == 10

Every call is a transaction of its own, made by the person whose work it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from scm.sales import orders, status
from scm.sales.documents import OrderState, SalesOrder
from scm.sales.orders import Confirmation, LineRequest, OrderRequest, Shortage
from scm.sales.status import LineStatus
from tests.world import World
from warehouse import delivery, packing, picking, shipping, waves
from warehouse.delivery import DeliveryConfirmation
from warehouse.picking import PickingResult, PickResult
from warehouse.shipping import Shipped
from warehouse.waves import WaveResult


class Shop:
    """A customer of the world, and everybody who serves them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customer = world.customer()
        self.last: Confirmation | None = None

    def request(
        self,
        *lines: tuple[int, int],
        channel: str = "web",
        external_id: str | None = None,
        requested_date: date | None = None,
        unit_price: str = "10.00",
    ) -> OrderRequest:
        """This function will write (item, quantity) lines as an order to place."""
        return OrderRequest(
            site_id=self.world.setup.site_id,
            customer_id=self.customer,
            channel=channel,
            external_id=external_id,
            requested_date=requested_date,
            lines=[LineRequest(item_id=i, quantity=q, unit_price=Decimal(unit_price)) for i, q in lines],
        )

    def draft(self, *requests: OrderRequest) -> list[int]:
        """This function will place orders without confirming them."""
        return orders.place(
            self.world.begin(),
            requests,
            actor=self.world.user("sales"),
            now=self.world.now,
            today=self.world.today,
        )

    def confirm(self, *order_ids: int, shortage: Shortage = Shortage.SPLIT) -> list[Confirmation]:
        """This function will confirm drafts."""
        return orders.confirm(
            self.world.begin(),
            order_ids,
            shortage=shortage,
            actor=self.world.user("sales"),
            now=self.world.now,
            today=self.world.today,
        )

    def order(self, *lines: tuple[int, int], requested_date: date | None = None, unit_price: str = "10.00") -> int:
        """This function will place and confirm one order, and remember what it was promised in `last`."""
        request = self.request(*lines, requested_date=requested_date, unit_price=unit_price)
        [self.last] = orders.place_and_confirm(
            self.world.begin(),
            [request],
            actor=self.world.user("sales"),
            now=self.world.now,
            today=self.world.today,
        )
        return self.last.order_id

    def cancel(self, order_id: int, *, hours_later: int = 0) -> None:
        """This function will cancel a whole order."""
        orders.cancel(
            self.world.begin(),
            [order_id],
            reason="changed their mind",
            actor=self.world.user("sales"),
            now=self.world.now + timedelta(hours=hours_later),
            today=self.world.today,
        )

    def wave(self, *order_ids: int, limit: int = 500) -> WaveResult:
        """This function will release a wave of these orders, or of all that is due."""
        return waves.release(
            self.world.begin(),
            site_id=self.world.setup.site_id,
            order_ids=order_ids or None,
            limit=limit,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def pick(self, wave: WaveResult) -> WaveResult:
        """This function will pick a wave whole."""
        self.pick_some(wave, None)
        return wave

    def pick_some(self, wave: WaveResult, found: dict[int, int] | None) -> PickingResult:
        """This function will report what was found for some picks."""
        results = None if found is None else [PickResult(move_id=i, quantity=q) for i, q in found.items()]
        return picking.confirm(
            self.world.begin(),
            wave_id=wave.wave_id,
            results=results,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def pack(self, wave: WaveResult) -> list[int]:
        """This function will pack what stands in staging for a wave's orders."""
        return packing.pack(
            self.world.begin(),
            wave_id=wave.wave_id,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def ship(self, shipment_ids: Sequence[int], *, tracking_numbers: dict[int, str] | None = None) -> list[Shipped]:
        """This function will hand shipments to the carrier."""
        return shipping.ship(
            self.world.begin(),
            shipment_ids,
            carrier_service_id=self.world.setup.carrier_service_id,
            tracking_numbers=tracking_numbers,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def deliver(self, shipped: Sequence[Shipped], *, delivered_at: datetime | None = None) -> None:
        """This function will confirm that shipments arrived."""
        delivery.confirm(
            self.world.begin(),
            [
                DeliveryConfirmation(
                    shipment_id=one.shipment_id, delivered_at=delivered_at or self.world.now, signed_by="A. Customer"
                )
                for one in shipped
            ],
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def send_out(self, *order_ids: int) -> list[Shipped]:
        """This function will pick, pack and ship whatever is promised to these orders."""
        return self.ship(self.pack(self.pick(self.wave(*order_ids))))

    def lines(self, order_id: int) -> list[LineStatus]:
        """This function will read how far an order's lines are."""
        return status.fulfilment(self.world.begin(), [order_id])

    def line(self, order_id: int) -> LineStatus:
        """This function will read how far an order of one line is."""
        [line] = self.lines(order_id)
        return line

    def on_time_in_full(self, order_id: int) -> bool | None:
        """This function will tell whether an order arrived as promised."""
        return status.on_time_in_full(self.world.begin(), [order_id], today=self.world.today)[order_id]

    def state(self, order_id: int) -> OrderState:
        """This function will read what was decided about an order."""
        return self.world.begin().execute(sa.select(SalesOrder.state).where(SalesOrder.id == order_id)).scalar_one()

    def number(self, order_id: int) -> str:
        """This function will read an order's number."""
        return self.world.begin().execute(sa.select(SalesOrder.number).where(SalesOrder.id == order_id)).scalar_one()

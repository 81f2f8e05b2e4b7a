"""What the processes of a crew do in the warehouse. Each function is given its `Mate` first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from scm.core import idempotency
from scm.core.users import Actor
from scm.sales import orders
from scm.sales.orders import OrderRequest
from tests.races.crew import Mate
from warehouse import packing, shipping, waves


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Who works, when and where."""

    site_id: int
    carrier_service_id: int
    actor: Actor
    now: datetime
    today: date


def ship(mate: Mate, shift: Shift, shipment_ids: list[int]) -> int:
    """This function will ship at the same moment as the others and give the invoice."""
    mate.meet()
    with mate.database.unit_of_work(write=True) as session:
        [shipped] = shipping.ship(
            session,
            shipment_ids,
            carrier_service_id=shift.carrier_service_id,
            actor=shift.actor,
            now=shift.now,
            today=shift.today,
        )
    return shipped.invoice_id


def ship_by_key(mate: Mate, shift: Shift, shipment_ids: list[int], key: str) -> int:
    """This function will send the same command with the same key as the others."""
    mate.meet()
    answer = idempotency.run_once(
        mate.database,
        principal="warehouse",
        command="shipment.ship",
        key=key,
        body={"shipment_ids": shipment_ids},
        now=shift.now,
        work=lambda session: [
            one.invoice_id
            for one in shipping.ship(
                session,
                shipment_ids,
                carrier_service_id=shift.carrier_service_id,
                actor=shift.actor,
                now=shift.now,
                today=shift.today,
            )
        ],
    )
    return int(answer.value[0])


def pack(mate: Mate, shift: Shift, order_ids: list[int]) -> list[int]:
    """This function will pack the same orders as the others."""
    mate.meet()
    with mate.database.unit_of_work(write=True) as session:
        return packing.pack(session, order_ids=order_ids, actor=shift.actor, now=shift.now, today=shift.today)


def release(mate: Mate, shift: Shift, limit: int) -> tuple[int, ...]:
    """This function will release a wave of what is due."""
    mate.meet()
    with mate.database.unit_of_work(write=True) as session:
        return waves.release(
            session, site_id=shift.site_id, limit=limit, actor=shift.actor, now=shift.now, today=shift.today
        ).pick_ids


def place(mate: Mate, shift: Shift, request: OrderRequest) -> int:
    """This function will place the same order of a channel as the others."""
    mate.meet()
    with mate.database.unit_of_work(write=True) as session:
        [confirmation] = orders.place_and_confirm(
            session, [request], actor=shift.actor, now=shift.now, today=shift.today
        )
    return confirmation.order_id

"""The warehouse crew: waves out of the door in the afternoon, and counts where something did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.importing.tables import LineKind
from scm.loop.world import future
from scm.loop.world.stage import Stage
from scm.master.locations import Location, LocationKind
from scm.master.partners import OWN_STOCK
from scm.sales.documents import KIND as SALES_ORDER
from scm.stock import reservations
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove
from warehouse import counting, counts, packing, picking, shipping, waves
from warehouse.counting import CountedStock
from warehouse.counts import CountState, CycleCount, Target
from warehouse.packing import Shipment, ShipmentLine, ShipmentState
from warehouse.picking import PickResult
from warehouse.waves import Wave, WaveState

WAVE_LINES = 1500
# More waves than this in a day would mean that nothing leaves the pool of due lines.
MOST_WAVES = 20
LONGEST_COMMENT = 400


def ship_what_is_due(stage: Stage, *, today: date) -> int:
    """This function will release, pick, pack and ship until nothing due is left; it returns the shipments."""
    shipped = 0
    # Orders confirmed while goods were being put away wait although there is stock: they are served first.
    stage.act(lambda session: reservations.fill_backorders(session, item_ids=None, site_id=stage.setup.site_id))
    shipped += _finish_what_stands(stage, now=stage.at(today, 13, 59), today=today)
    for turn in range(MOST_WAVES):
        now = stage.at(today, 14, turn)
        try:
            wave = stage.act(
                lambda session, now=now: waves.release(  # type: ignore[misc]
                    session,
                    site_id=stage.setup.site_id,
                    actor=stage.person("warehouse"),
                    now=now,
                    today=today,
                    limit=WAVE_LINES,
                )
            )
        except waves.NothingToRelease:
            break
        _pick(stage, wave.wave_id, now=now, today=today)
        shipped += _pack_and_ship(stage, wave.wave_id, now=now, today=today)
    return shipped


def _finish_what_stands(stage: Stage, *, now: datetime, today: date) -> int:
    """Waves, staged goods and parcels that an interrupted day left behind; on other days there are none."""
    for wave_id in stage.look(lambda session: _open_waves(session, stage)):
        _pick(stage, wave_id, now=now, today=today)
    staged = stage.look(lambda session: staged_orders(session, stage))
    if staged:
        warehouse = stage.person("warehouse")
        stage.act(lambda session: packing.pack(session, order_ids=staged, actor=warehouse, now=now, today=today))
    packed = stage.look(lambda session: _packed(session, stage))
    if packed:
        _ship(stage, packed, now=now, today=today)
    return len(packed)


def _open_waves(session: Session, stage: Stage) -> list[int]:
    statement = sa.select(Wave.id).where(Wave.site_id == stage.setup.site_id, Wave.state == WaveState.RELEASED)
    return list(session.scalars(statement.order_by(Wave.id)))


def staged_orders(session: Session, stage: Stage) -> list[int]:
    """This function will name the orders of which something was picked and is not packed."""
    statement = sa.select(StockMove.document_id).where(
        StockMove.state == MoveState.PLANNED,
        StockMove.source_id == stage.setup.staging_id,
        StockMove.document_kind == SALES_ORDER,
        ~sa.exists().where(ShipmentLine.move_id == StockMove.id),
    )
    return sorted(set(session.scalars(statement)))


def _packed(session: Session, stage: Stage) -> list[int]:
    statement = sa.select(Shipment.id).where(
        Shipment.site_id == stage.setup.site_id, Shipment.state == ShipmentState.PACKED
    )
    return list(session.scalars(statement.order_by(Shipment.id)))


def count(stage: Stage, *, today: date) -> int:
    """This function will plan counts of what was written off today and carry out every planned count.

    Differences wait for the approver, who agrees. Returns the number of counts.
    """
    lost = stage.look(lambda session: _really_lost(session, today=today, site_id=stage.setup.site_id))
    now, warehouse = stage.at(today, 16), stage.person("warehouse")
    if lost:
        targets = [Target(location_id=bin_id, item_id=item_id) for item_id, bin_id in lost]
        stage.act(lambda session: counting.plan_count(session, targets, actor=warehouse, now=now, today=today))
    for count_id in stage.look(lambda session: _counts(session, CountState.COUNTED)):
        _approve(stage, count_id, now=now, today=today)
    planned = stage.look(lambda session: _counts(session, CountState.PLANNED))
    for count_id in planned:
        _count(stage, count_id, lost, now=now, today=today)
    return len(planned)


def _pick(stage: Stage, wave_id: int, *, now: datetime, today: date) -> None:
    rows = stage.look(lambda session: waves.pick_list(session, wave_id=wave_id))
    results = [
        PickResult(
            move_id=row.move_id,
            quantity=stage.temper.picked_quantity(move_id=row.move_id, quantity=row.quantity),
        )
        for row in rows
    ]
    stage.act(
        lambda session: picking.confirm(
            session, wave_id=wave_id, results=results, actor=stage.person("warehouse"), now=now, today=today
        )
    )


def _pack_and_ship(stage: Stage, wave_id: int, *, now: datetime, today: date) -> int:
    warehouse = stage.person("warehouse")
    try:
        shipment_ids = stage.act(
            lambda session: packing.pack(session, wave_id=wave_id, actor=warehouse, now=now, today=today)
        )
    except packing.NothingToPack:
        return 0
    _ship(stage, shipment_ids, now=now, today=today)
    return len(shipment_ids)


def _ship(stage: Stage, shipment_ids: Sequence[int], *, now: datetime, today: date) -> None:
    stage.act(
        lambda session: shipping.ship(
            session,
            shipment_ids,
            carrier_service_id=stage.setup.carrier_service_id,
            actor=stage.person("warehouse"),
            now=now,
            today=today,
        )
    )


def _count(stage: Stage, count_id: int, lost: dict[tuple[int, int], int], *, now: datetime, today: date) -> None:
    found = stage.look(lambda session: _look_into_bins(session, stage, count_id, lost, today=today))
    differing = stage.act(
        lambda session: counting.record_count(session, count_id, found, actor=stage.person("warehouse"), now=now)
    )
    if differing:
        _approve(stage, count_id, now=now, today=today)


def _approve(stage: Stage, count_id: int, *, now: datetime, today: date) -> None:
    approver = stage.person("approver")
    try:
        stage.act(lambda session: counting.approve(session, count_id, actor=approver, now=now, today=today))
    except counting.CountOutdated as error:
        comment = str(error)[:LONGEST_COMMENT]
        stage.act(lambda session: counting.reject(session, count_id, actor=approver, now=now, comment=comment))


def _really_lost(session: Session, *, today: date, site_id: int) -> dict[tuple[int, int], int]:
    """What the retailer really wrote off this day, as (item, bin) and units, as far as the bins hold it."""
    wanted: dict[int, int] = {}
    for line in future.lines_of_day(session, day=today):
        if line.kind is LineKind.ADJUSTMENT and line.written_off:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
    lost: dict[tuple[int, int], int] = {}
    for row in _bins(session, site_id=site_id, item_ids=sorted(wanted)):
        taken = min(wanted[row.item_id], row.on_hand)
        if taken > 0:
            lost[(row.item_id, row.location_id)] = taken
            wanted[row.item_id] -= taken
    return lost


def _bins(session: Session, *, site_id: int, item_ids: Sequence[int]) -> Sequence[sa.Row[int, int, int]]:
    return session.execute(
        sa.select(StockBalance.item_id, StockBalance.location_id, StockBalance.on_hand)
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            StockBalance.item_id.in_(item_ids),
            StockBalance.owner_id == OWN_STOCK,
            StockBalance.on_hand > 0,
        )
        .order_by(StockBalance.item_id, StockBalance.location_id)
    ).all()


def _counts(session: Session, state: CountState) -> list[int]:
    return list(session.scalars(sa.select(CycleCount.id).where(CycleCount.state == state).order_by(CycleCount.id)))


def _look_into_bins(
    session: Session, stage: Stage, count_id: int, lost: dict[tuple[int, int], int], *, today: date
) -> list[CountedStock]:
    """What somebody finds: what the books say, less what is really lost, less what has quietly gone missing."""
    found = []
    for target in counts.targets_of(session, count_id):
        statement = sa.select(StockBalance).where(StockBalance.location_id == target.location_id)
        if target.item_id is not None:
            statement = statement.where(StockBalance.item_id == target.item_id)
        for row in session.scalars(statement.order_by(StockBalance.item_id, StockBalance.lot_id)):
            gone = lost.get((row.item_id, row.location_id))
            if gone is None:
                gone = stage.temper.missing(bin_id=row.location_id, day=today.isoformat(), on_hand=row.on_hand)
            found.append(
                CountedStock(
                    location_id=row.location_id,
                    item_id=row.item_id,
                    lot_id=row.lot_id,
                    quantity=max(0, row.on_hand - gone),
                )
            )
    return found

"""What the sites of the company send each other before anything is bought: the plan's sites side by side.

Each site was netted by itself. Here its shortages meet the others' excess over the lanes in use; what is moved counts
as supply of the one and leaves the free stock of the other, so that only the rest is bought. Numbers in, numbers out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from scm.finance import money
from scm.loop.inputs import CycleInputs, Floats, Integers
from scm.loop.targets import Protection, Targets
from scm.master.transfer_lanes import Lane
from scm.planning import moving, requirements
from scm.planning.moving import Moved, Way


@dataclass(frozen=True, kw_only=True)
class Netted:
    """One site's needs before anything is moved: rows are the items it buys."""

    inputs: CycleInputs
    guarded: Protection
    wanted: Targets


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """So many units of an item that another site can send: what was missing, and could be spared, just before."""

    row: int
    lane: Lane
    quantity: int
    short_before: int
    spare_before: int


@dataclass(frozen=True, kw_only=True)
class SiteMoves:
    """What the plan moves to one site and from it. `outgoing` has a row for each item of the site."""

    arrivals: tuple[Arrival, ...]
    outgoing: Integers


def plan(sites: Sequence[Netted], lanes: Sequence[Lane]) -> list[SiteMoves]:
    """This function will decide what is moved, for each site in the order given; for a lone site nothing is."""
    place = {one.inputs.site_id: index for index, one in enumerate(sites)}
    known = {lane.id: lane for lane in lanes if lane.from_site_id in place and lane.to_site_id in place}
    found: list[Moved] = []
    items = sorted({source.item_id for one in sites for source in one.inputs.sources})
    at = {item_id: index for index, item_id in enumerate(items)}
    rows = [np.array([at[source.item_id] for source in one.inputs.sources], dtype=np.int64) for one in sites]

    def spread(values: Sequence[Integers]) -> list[Integers]:
        return [_spread(one, to, len(items)) for one, to in zip(values, rows, strict=True)]

    if known:
        found = moving.decide(
            need=spread([one.wanted.required.need[:, 0] for one in sites]),
            spare=spread([_spare(one) for one in sites]),
            runs_out=spread([moving.first_short_day(one.wanted.required) for one in sites]),
            bought_after=[days.astype(np.float64) for days in spread([_bought_after(one) for one in sites])],
            protected=spread([one.guarded.days for one in sites]),
            price=_prices(sites, at),
            ways=[
                Way(
                    lane_id=lane.id,
                    from_site=place[lane.from_site_id],
                    to_site=place[lane.to_site_id],
                    transit_days=lane.transit_days,
                    joint_cost=float(lane.joint_cost),
                    priority=lane.priority,
                )
                for lane in known.values()
            ],
        )
    return [_of_site(index, to, found, known) for index, to in enumerate(rows)]


def after(wanted: Targets, moves: SiteMoves) -> Targets:
    """This function will net a site again with what is moved to it, by the day it arrives, and from it."""
    supply = wanted.positions.supply.copy()
    for one in moves.arrivals:
        supply[one.row, min(one.lane.transit_days, supply.shape[1] - 1)] += one.quantity
    positions = replace(wanted.positions, supply=supply, on_hand=wanted.positions.on_hand - moves.outgoing)
    return replace(wanted, positions=positions, required=requirements.net(positions=positions))


def _of_site(index: int, rows: Integers, found: Sequence[Moved], lanes: dict[int, Lane]) -> SiteMoves:
    outgoing = np.zeros(len(rows), dtype=np.int64)
    arrivals = []
    for moved in found:
        if moved.way.from_site == index:
            outgoing += moved.quantity[rows]
        if moved.way.to_site == index:
            arrivals += [
                Arrival(
                    row=row,
                    lane=lanes[moved.way.lane_id],
                    quantity=int(moved.quantity[item]),
                    short_before=int(moved.short_before[item]),
                    spare_before=int(moved.spare_before[item]),
                )
                for row, item in enumerate(rows.tolist())
                if moved.quantity[item]
            ]
    return SiteMoves(arrivals=tuple(arrivals), outgoing=outgoing)


def _spread(values: Integers, rows: Integers, count: int) -> Integers:
    """An item that a site does not buy is neither missing nor spared there."""
    spread = np.zeros(count, dtype=np.int64)
    spread[rows] = values
    return spread


def _spare(one: Netted) -> Integers:
    suppliers, found = one.inputs.suppliers, one.inputs.sources
    review = np.array([suppliers[source.supplier_id].review_period_days for source in found], dtype=np.int64)
    return moving.spare(one.wanted.positions, one.wanted.required, review_days=review)


def _bought_after(one: Netted) -> Integers:
    days = np.array([counted.mean_days for counted in one.guarded.lead_times])
    return np.asarray(np.floor(days), dtype=np.int64)


def _prices(sites: Sequence[Netted], at: dict[int, int]) -> Floats:
    """What a unit costs to buy, in minor units: the same at every site."""
    prices = np.zeros(len(at))
    for one in sites:
        minor = Decimal(10) ** money.places(one.inputs.currency)
        for source in one.inputs.sources:
            prices[at[source.item_id]] = float(source.unit_price * minor)
    return prices

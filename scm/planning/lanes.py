"""The cheapest plan of every item of a block, given when its supplier is ordered from and what money costs.

A *lane* is one block with one pattern of open opportunities. Inside a lane nothing but money couples the items,
so each is solved exactly by a small dynamic programme over its candidate levels, for all items at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import Active, ItemCosts, LevelGroup

_STRICTLY = 1e-9
"""An order must save at least this, so that equal costs always mean fewer orders."""


@dataclass(frozen=True)
class LaneGroup:
    """The rows of some lanes that belong to one group of levels, gathered once for many evaluations."""

    here: Integers
    """(r) position in the lanes' rows."""
    lane: Integers
    """(r)"""
    open: Flags
    """(T, r, 1)"""
    levels: Integers
    cost: Floats
    """(T, r, L)"""
    value: Floats
    """(r, L)"""
    source: Integers
    """(r, L) flat position of the last level from which an order to this one is large enough (0 if none is)."""
    entry: Floats
    """(r, L) line cost of an order up to the level; infinite where no order is large enough."""


@dataclass(frozen=True)
class Lanes:
    """Some blocks, each with a pattern; `row` lists their items one lane after the other."""

    block: Integers
    """(l) block of each lane."""
    open: Flags
    """(l, T) opportunities at which the lane orders."""
    row: Integers
    """(r) active row of each lane's items."""
    lane: Integers
    """(r) lane of each entry of `row`."""
    starts: Integers
    """(l + 1) where each lane's items begin in `row`, and the end."""
    unit_value: Floats
    """(r) purchase value of one pack."""
    groups: tuple[LaneGroup, ...]

    def rows_of(self, lane: int) -> slice:
        """Return where one lane's items stand in `row`."""
        return slice(int(self.starts[lane]), int(self.starts[lane + 1]))


@dataclass(frozen=True)
class LanePlans:
    """The cheapest plan of each lane at the prices given."""

    packs: Integers
    """(r, T) cumulated packs."""
    spend: Floats
    """(l, T) purchase value of the orders."""
    priced: Floats
    """(l) cost including spend × price, without joint order costs."""


def lanes_of(active: Active, costs: ItemCosts, block: Integers, open_: Flags) -> Lanes:
    """Return lanes for these blocks and patterns (l, T), with their items gathered."""
    sizes = (active.starts[1:] - active.starts[:-1])[block]
    lane = np.repeat(np.arange(len(block)), sizes)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    row = active.starts[block][lane] + np.arange(len(lane)) - starts[lane]
    group_of_row = costs.group[row]
    groups = []
    for number, group in enumerate(costs.groups):
        here = np.flatnonzero(group_of_row == number)
        if len(here):
            groups.append(_gather(group, costs.place[row[here]], here, lane[here], open_))
    unit_value = (active.multiple * active.unit_price)[row]
    return Lanes(block, open_, row, lane, starts, unit_value, tuple(groups))


def evaluate(lanes: Lanes, price: Floats) -> LanePlans:
    """Return the cheapest plans when money spent at opportunity t of lane l costs `price[l, t]` more.

    A negative price rewards spending. Exact over the candidate levels.
    """
    periods = lanes.open.shape[1]
    packs = np.zeros((len(lanes.row), periods), dtype=np.int64)
    priced = np.zeros(len(lanes.row))
    for group in lanes.groups:
        packs[group.here], priced[group.here] = _cheapest(group, price[group.lane])
    value = np.diff(packs, axis=1, prepend=0) * lanes.unit_value[:, None]
    spend = np.zeros(lanes.open.shape)
    for period in range(periods):
        spend[:, period] = np.bincount(lanes.lane, value[:, period], len(lanes.block))
    total = np.asarray(np.bincount(lanes.lane, priced, len(lanes.block)), dtype=np.float64)
    return LanePlans(packs=packs, spend=spend, priced=total)


def _gather(group: LevelGroup, place: Integers, here: Integers, lane: Integers, open_: Flags) -> LaneGroup:
    before = group.before[place]
    rows, width = before.shape
    return LaneGroup(
        here=here,
        lane=lane,
        open=open_[lane].T[:, :, None],
        levels=group.levels[place],
        cost=group.cost[:, place],
        value=group.value[place],
        source=np.maximum(before, 0) + (np.arange(rows) * width)[:, None],
        entry=np.where(before >= 0, group.line_cost[place][:, None], np.inf),
    )


def _cheapest(group: LaneGroup, price: Floats) -> tuple[Integers, Floats]:
    """Return cumulated packs (r, T) and least cost (r) of each row: forward over opportunities, then back."""
    rows, width = group.levels.shape
    periods = len(group.open)
    positions = np.arange(width, dtype=np.int16)
    least = np.full((rows, width), np.inf)
    least[:, 0] = 0.0
    came_from: list[npt.NDArray[np.int16] | None] = []
    for period in range(periods):
        if group.open[period].any():
            money = price[:, period, None] * group.value
            from_here = least - money
            cheapest = np.minimum.accumulate(from_here, axis=1)
            source = np.maximum.accumulate(np.where(from_here == cheapest, positions, 0), axis=1)
            into = cheapest.ravel()[group.source] + money + group.entry
            better = group.open[period] & (into < least - _STRICTLY)
            least = np.where(better, into, least)
            came_from.append(np.where(better, source.ravel()[group.source], positions))
        else:
            came_from.append(None)
        least = least + group.cost[period]
    packs = np.zeros((rows, periods), dtype=np.int64)
    every = np.arange(rows)
    at = least.argmin(axis=1)
    total = least[every, at]
    for period in reversed(range(periods)):
        packs[:, period] = group.levels[every, at]
        origin = came_from[period]
        if origin is not None:
            at = origin[every, at].astype(np.int64)
    return packs, total

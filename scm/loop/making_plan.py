"""Netting of what the site makes, level by level, and what that needs of every component. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecasting import engine
from scm.loop.inputs import CycleInputs, Floats, Integers
from scm.loop.making import Making
from scm.loop.targets import WEEK_DAYS, PlanSettings, day_of, open_needs
from scm.planning import explosion, multilevel, policy
from scm.planning.explosion import Structure
from scm.planning.lots import NO_LIMIT, Lots
from scm.planning.multilevel import Plan, Situation
from scm.planning.policy import StockTargets
from scm.stock.projection import Position


@dataclass(frozen=True, kw_only=True)
class MadeProtection:
    """What the safety stock of each made item must last for: its lead time, and the day until the next run."""

    days: Integers
    buckets: Integers
    lead_time_sd_days: Floats


@dataclass(frozen=True, kw_only=True)
class MakingPlan:
    """The plan of the made items (rows first, as in `inputs.making`) and of their components behind them."""

    rows: dict[int, int]
    """Row of each item by its id."""
    guarded: MadeProtection
    situation: Situation
    structure: Structure
    safety: StockTargets
    demand_mean: Floats
    """(made,) demand over the protection interval."""
    demand_quantiles: Floats
    """(made, quantiles) of it."""
    plan: Plan

    def dependent(self, item_ids: Sequence[int], days: int) -> Integers:
        """This function will give what planned work orders need of items, by day: (items, days)."""
        needed = np.zeros((len(item_ids), days), dtype=np.int64)
        for index, item_id in enumerate(item_ids):
            row = self.rows.get(item_id)
            if row is not None:
                needed[index] = self.plan.dependent[row, :days]
        return needed


def protection(inputs: CycleInputs, *, settings: PlanSettings) -> MadeProtection:
    """This function will give every made item's protection interval, cut to what the forecast can answer for."""
    lead = np.array([made.lead_time_days for made in inputs.making.items], dtype=np.int64)
    days = np.minimum(lead + 1, settings.longest_days)
    spread = lead.astype(np.float64) * settings.lead_time_spread
    return MadeProtection(days=days, buckets=-(-days // WEEK_DAYS), lead_time_sd_days=spread)


def plan(
    inputs: CycleInputs, guarded: MadeProtection, result: engine.ForecastResult, *, settings: PlanSettings
) -> MakingPlan:
    """This function will net every made item through all levels, from the forecast of the made items.

    Days from the morning after the run. An order comes when it is needed, as its bill's lead time allows, and brings
    `settings.make_cover_days` of demand together. Customers' dated orders consume the forecast. Raises
    InvalidPlanningInput.
    """
    making = inputs.making
    days = settings.forecast.horizon * WEEK_DAYS
    rows = _rows(making)
    share = guarded.days / (guarded.buckets * WEEK_DAYS)
    mean = result.protection_mean * share
    spread = result.protection_quantiles - result.protection_mean[:, None]
    quantiles = np.maximum.accumulate(np.maximum(mean[:, None] + spread * np.sqrt(share)[:, None], 0.0), axis=1)
    safety = policy.stock_targets(
        demand_mean=mean,
        demand_quantile=quantiles[:, settings.quantile_index],
        mean_demand_per_day=mean / np.maximum(guarded.days, 1),
        lead_time_sd_days=guarded.lead_time_sd_days,
        z=settings.service_factor,
    )
    situation = _situation(inputs, rows, result, safety, settings, days)
    structure = _structure(making, rows)
    return MakingPlan(
        rows=rows,
        guarded=guarded,
        situation=situation,
        structure=structure,
        safety=safety,
        demand_mean=mean,
        demand_quantiles=quantiles,
        plan=multilevel.plan(situation=situation, structure=structure),
    )


def _rows(making: Making) -> dict[int, int]:
    """Made items first, then every other item that stands in a bill."""
    made = making.item_ids
    known = set(made)
    others = sorted(
        {item for line in making.lines for item in (line.parent_id, line.component_id)} - known | set(making.through)
    )
    return {item_id: row for row, item_id in enumerate([*made, *(item for item in others if item not in known)])}


def _structure(making: Making, rows: dict[int, int]) -> Structure:
    """The lines between rows, phantoms and kits dissolved."""
    columns = [
        (rows[line.parent_id], rows[line.component_id], line.numerator, line.denominator) for line in making.lines
    ]
    parent, component, numerator, denominator = np.array(columns, dtype=np.int64).reshape(-1, 4).T
    whole = Structure(items=len(rows), parent=parent, component=component, numerator=numerator, denominator=denominator)
    through = np.zeros(len(rows), dtype=np.bool_)
    through[[rows[item_id] for item_id in making.through]] = True
    return explosion.without_phantoms(whole, phantom=through)


def _situation(
    inputs: CycleInputs,
    rows: dict[int, int],
    result: engine.ForecastResult,
    safety: StockTargets,
    settings: PlanSettings,
    days: int,
) -> Situation:
    made, items = inputs.making.items, len(rows)
    stand = inputs.made_standing
    count = len(made)

    def of_made(values: Sequence[int] | Integers) -> Integers:
        padded = np.zeros(items, dtype=np.int64)
        padded[:count] = values
        return padded

    def grid() -> Integers:
        return np.zeros((items, days), dtype=np.int64)

    supply, confirmed, forecast, returns = grid(), grid(), grid().astype(np.float64), grid().astype(np.float64)
    backordered, allocated = np.zeros(items, dtype=np.int64), grid()
    allocated[:count] = open_needs(stand, inputs.order_date, days)
    rates = np.array([inputs.returns.resellable_rate(one.item_id) for one in made])
    forecast[:count] = np.repeat(result.mean / WEEK_DAYS, WEEK_DAYS, axis=1)
    returns[:count] = forecast[:count] * rates.reshape(-1, 1)
    for row, (position, undecided) in enumerate(zip(stand.positions, stand.undecided, strict=True)):
        supply[row, 0] += position.inbound
        for due, quantity in (*position.supply, *undecided):
            supply[row, day_of(due, inputs.order_date, days)] += quantity
        for due, quantity in waiting(position, besides=stand.started[row]):
            if due < inputs.order_date:
                backordered[row] += quantity
            else:
                confirmed[row, day_of(due, inputs.order_date, days)] += quantity
    limits = [NO_LIMIT if one.cover_limit_days is None else one.cover_limit_days for one in made]
    return Situation(
        on_hand=of_made([position.available for position in stand.positions]),
        backordered=backordered,
        safety_stock=of_made(safety.safety_stock),
        supply=supply,
        confirmed=confirmed,
        forecast=forecast,
        allocated=allocated,
        returns=returns,
        lots=Lots.plain(
            of_made([min(one.lead_time_days, days - 1) for one in made]),
            planned=np.arange(items) < count,
            cover=np.full(items, settings.make_cover_days),
            minimum=of_made([one.minimum_order_quantity for one in made]),
            multiple=np.maximum(of_made([one.order_multiple for one in made]), 1),
            cover_limit=np.concatenate([np.array(limits, dtype=np.int64), np.full(items - count, NO_LIMIT)]),
        ),
    )


def waiting(position: Position, *, besides: Sequence[tuple[date, int]] = ()) -> list[tuple[date, int]]:
    """This function will give what customers wait for without a promise, by due date.

    Promises are held by what is due first. `besides` is what work orders wait for: it is demand, too, and left out.

    >>> two = Position(reserved=5, demand=[(date(2026, 1, 5), 4), (date(2026, 1, 9), 6)], backordered=5)
    >>> waiting(two)
    [(datetime.date(2026, 1, 9), 5)]
    >>> waiting(two, besides=[(date(2026, 1, 9), 2)])
    [(datetime.date(2026, 1, 9), 3)]
    """
    left = dict(position.demand)
    for due, quantity in besides:
        left[due] = left.get(due, 0) - quantity
    promised, found = sum(left.values()) - position.backordered + sum(quantity for _, quantity in besides), []
    for due, quantity in sorted(left.items()):
        open_quantity = max(quantity - max(promised, 0), 0)
        promised -= max(quantity, 0)
        if open_quantity:
            found.append((due, open_quantity))
    return found

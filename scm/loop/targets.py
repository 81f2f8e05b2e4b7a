"""From forecast and measured lead times to what each item needs, as the plan's problem. Numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from forecasting import engine
from procurement.scorecard import LeadTimes
from scm.finance import money
from scm.loop.inputs import CycleInputs, Floats, Integers, Standing
from scm.planning import policy, requirements
from scm.planning.problem import ReplenishmentProblem
from scm.planning.requirements import Positions, Requirements

WEEK_DAYS = 7
DAYS_A_YEAR = 365.0
LONGEST_HORIZON = 104  # weeks


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """What the company decides about its plan. Rates are per year or per unit of sale price."""

    cycle_service_level: float = 0.95
    opportunities: int = 3
    """Order opportunities looked at, a week apart; the first is the morning after the run."""
    holding_rate: float = 0.25
    """Cost of capital, place and ageing of stock, of its value a year."""
    shortage_rate: float = 0.5
    """Cost of one unit wanted and not there for a week, of its sale price."""
    line_cost: float = 50.0
    """Cost of one order line, in minor units."""
    lead_time_prior: float = 3.0
    """The agreed lead time counts like so many measured deliveries."""
    lead_time_spread: float = 0.1
    """Standard deviation of a lead time nobody has measured yet, of the agreed one."""
    make_cover_days: int = 7
    """Days of demand that one work order brings together."""
    forecast: engine.ForecastSettings = field(default_factory=engine.ForecastSettings)

    @property
    def quantile_index(self) -> int:
        """Position of the service level among the forecast's quantiles."""
        return self.forecast.quantiles.index(self.cycle_service_level)

    @property
    def service_factor(self) -> float:
        """The standard normal quantile of the service level."""
        return policy.service_factor(cycle_service_level=self.cycle_service_level)

    @property
    def longest_days(self) -> int:
        """The longest protection interval the forecast's horizon can answer for, later opportunities included."""
        return (self.forecast.horizon - self.opportunities + 1) * WEEK_DAYS


@dataclass(frozen=True, kw_only=True)
class LeadTime:
    """The lead time the plan counts on, in days: agreed and measured figures weighed against each other."""

    agreed_days: int
    mean_days: float
    sd_days: float
    deliveries: int


@dataclass(frozen=True, kw_only=True)
class Protection:
    """Each item's protection interval: mean lead time plus review period, in whole days. Arrays are (items,)."""

    lead_times: tuple[LeadTime, ...]
    days: Integers
    buckets: Integers
    lead_time_sd_days: Floats


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What the plan is made from: positions by day, what they net to, and the figures of the safety stock."""

    positions: Positions
    required: Requirements
    demand_mean: Floats
    """(items,) demand over the protection interval."""
    demand_quantiles: Floats
    """(items, quantiles) of it."""
    weekly_demand: Floats
    """(items,) mean demand a week, that of work orders included."""


def lead_time(*, agreed_days: int, measured: LeadTimes | None, settings: PlanSettings) -> LeadTime:
    """This function will weigh the agreed lead time against a supplier's measured ones.

    Measured lead times count as ratios of the agreed ones, so that a supplier's long and short lead times learn from
    each other. With n deliveries, prior weight k and mean ratio r, the ratio counted on is (k + n·r) / (k + n); its
    variance is the same mix of the prior's and the measured one (shrinkage with known weights).

    >>> from decimal import Decimal
    >>> seen = LeadTimes(supplier_id=1, days=(18, 22), mean_days=Decimal(20), sd_days=Decimal(0), p90_days=22,
    ...                  late_rate=Decimal(1), agreed_mean_days=Decimal(10), open_count=0)
    >>> lead_time(agreed_days=10, measured=seen, settings=PlanSettings(lead_time_prior=2)).mean_days
    15.0
    """
    prior = settings.lead_time_prior
    count = measured.n if measured and measured.agreed_mean_days > 0 else 0
    ratio, variance = 1.0, settings.lead_time_spread**2
    if measured and count:
        agreed = float(measured.agreed_mean_days)
        ratio = (prior + count * float(measured.mean_days) / agreed) / (prior + count)
        variance = (prior * variance + count * (float(measured.sd_days) / agreed) ** 2) / (prior + count)
    return LeadTime(
        agreed_days=agreed_days,
        mean_days=agreed_days * ratio,
        sd_days=agreed_days * math.sqrt(variance),
        deliveries=count,
    )


def reaching_far_enough(inputs: CycleInputs, *, settings: PlanSettings) -> PlanSettings:
    """This function will lengthen the forecast where a lead time needs it, to two years at most."""
    making = (made.lead_time_days + settings.make_cover_days for made in inputs.making.items)
    longest = max(int(_interval_days(inputs, _lead_times(inputs, settings)).max(initial=1)), *making, 1)
    weeks = min(-(-longest // WEEK_DAYS) + settings.opportunities - 1, LONGEST_HORIZON)
    if weeks <= settings.forecast.horizon:
        return settings
    return replace(settings, forecast=replace(settings.forecast, horizon=weeks))


def protection(inputs: CycleInputs, *, settings: PlanSettings) -> Protection:
    """This function will give every item's protection interval, in whole days and in whole forecast buckets.

    It is cut to what the forecast's horizon can answer for.
    """
    lead_times = _lead_times(inputs, settings)
    in_days = np.minimum(_interval_days(inputs, lead_times), settings.longest_days)
    return Protection(
        lead_times=lead_times,
        days=in_days,
        buckets=-(-in_days // WEEK_DAYS),
        lead_time_sd_days=np.array([counted.sd_days for counted in lead_times], dtype=np.float64),
    )


def _lead_times(inputs: CycleInputs, settings: PlanSettings) -> tuple[LeadTime, ...]:
    return tuple(
        lead_time(
            agreed_days=source.lead_time_days,
            measured=inputs.suppliers[source.supplier_id].measured,
            settings=settings,
        )
        for source in inputs.sources
    )


def _interval_days(inputs: CycleInputs, lead_times: Sequence[LeadTime]) -> Integers:
    days = [
        math.ceil(counted.mean_days - 1e-9) + inputs.suppliers[source.supplier_id].review_period_days
        for source, counted in zip(inputs.sources, lead_times, strict=True)
    ]
    return np.array(days, dtype=np.int64)


def targets(
    inputs: CycleInputs,
    guarded: Protection,
    result: engine.ForecastResult,
    dependent: Integers,
    *,
    settings: PlanSettings,
) -> Targets:
    """This function will net every item: what must be ordered by each opportunity to stay protected.

    The forecast is of whole weeks, its days alike; an interval of 17 days takes its three weeks' distribution in
    proportion: the mean by days, the deviation of a quantile by their square root. `dependent` (items, days) is what
    work orders need that this plan proposes; what open ones need is added to it.
    """
    share = guarded.days / (guarded.buckets * WEEK_DAYS)
    mean = result.protection_mean * share
    spread = result.protection_quantiles - result.protection_mean[:, None]
    quantiles = np.maximum.accumulate(np.maximum(mean[:, None] + spread * np.sqrt(share)[:, None], 0.0), axis=1)
    safety = policy.stock_targets(
        demand_mean=mean,
        demand_quantile=quantiles[:, settings.quantile_index],
        mean_demand_per_day=mean / guarded.days,
        lead_time_sd_days=guarded.lead_time_sd_days,
        z=settings.service_factor,
    )
    found = _positions(inputs, guarded, result, dependent, safety, settings)
    return Targets(
        positions=found,
        required=requirements.net(positions=found),
        demand_mean=mean,
        demand_quantiles=quantiles,
        weekly_demand=np.maximum(result.mean[:, : settings.opportunities].mean(axis=1), 0.0)
        + dependent.mean(axis=1) * WEEK_DAYS,
    )


def problem(inputs: CycleInputs, wanted: Targets, *, settings: PlanSettings) -> ReplenishmentProblem:
    """This function will state the replenishment problem in minor currency units."""
    supplier_ids = sorted(inputs.suppliers)
    position = {supplier_id: index for index, supplier_id in enumerate(supplier_ids)}
    terms = [inputs.suppliers[supplier_id] for supplier_id in supplier_ids]
    minor = 10 ** money.places(inputs.currency)
    prices = np.array([max(float(source.unit_price) * minor, 0.01) for source in inputs.sources])
    sold_for = np.array([float(source.sale_price or source.unit_price) * minor for source in inputs.sources])
    shortage = np.maximum(sold_for * settings.shortage_rate, prices * 0.05)
    return ReplenishmentProblem(
        supplier=np.array([position[source.supplier_id] for source in inputs.sources], dtype=np.int64),
        need=wanted.required.need,
        safety_stock=wanted.required.safety_stock,
        unit_price=prices,
        order_multiple=np.array([source.order_multiple for source in inputs.sources], dtype=np.int64),
        minimum_order_quantity=np.array([source.minimum_order_quantity for source in inputs.sources], dtype=np.int64),
        holding_cost=prices * settings.holding_rate * WEEK_DAYS / DAYS_A_YEAR,
        shortage_cost=shortage,
        safety_shortage_cost=shortage * (1 - settings.cycle_service_level) * 2,
        mean_demand=wanted.weekly_demand,
        line_cost=np.full(len(inputs.sources), settings.line_cost),
        joint_order_cost=np.array([float(t.joint_order_cost) for t in terms]),
        minimum_value=np.array([float(t.minimum_order_value) for t in terms]),
        order_today=np.array([t.reviewed_on(inputs.order_date) for t in terms], dtype=np.bool_),
        budget=_budget(inputs, settings),
    )


def _positions(
    inputs: CycleInputs,
    guarded: Protection,
    result: engine.ForecastResult,
    dependent: Integers,
    safety: policy.StockTargets,
    settings: PlanSettings,
) -> Positions:
    """Days from the morning after the run. What is reserved has left: free stock is counted against what waits."""
    days = settings.forecast.horizon * WEEK_DAYS
    daily = np.repeat(result.mean / WEEK_DAYS, WEEK_DAYS, axis=1)
    rates = np.array([inputs.returns.resellable_rate(source.item_id) for source in inputs.sources])
    ends = guarded.days[:, None] + WEEK_DAYS * np.arange(settings.opportunities)[None, :]
    return Positions(
        on_hand=np.array([position.available for position in inputs.standing.positions], dtype=np.int64),
        backordered=np.array(_owed(inputs.standing), dtype=np.int64),
        supply=_supply(inputs, days),
        forecast=daily,
        confirmed=np.zeros(daily.shape, dtype=np.int64),
        dependent=dependent + open_needs(inputs.standing, inputs.order_date, days),
        returns=daily * rates[:, None],
        safety_demand=safety.safety_demand,
        safety_lead_time=safety.safety_lead_time,
        protection_end=ends,
    )


def open_needs(stand: Standing, first: date, days: int) -> Integers:
    """This function will give what open work orders still need of items, by day: (items, days)."""
    needed = np.zeros((len(stand.positions), days), dtype=np.int64)
    for row, dated in enumerate(zip(stand.started, stand.to_start, strict=True)):
        for due, quantity in (*dated[0], *dated[1]):
            needed[row, day_of(due, first, days)] += quantity
    return needed


def _owed(stand: Standing) -> list[int]:
    """What customers are owed: what work orders wait for is counted by day."""
    return [
        max(position.backordered - sum(quantity for _, quantity in started), 0)
        for position, started in zip(stand.positions, stand.started, strict=True)
    ]


def _supply(inputs: CycleInputs, days: int) -> Integers:
    """What is at the dock, on order, or being decided on, by the day it is expected; overdue counts as today."""
    supply = np.zeros((len(inputs.sources), days), dtype=np.int64)
    stand = inputs.standing
    for row, (position, undecided) in enumerate(zip(stand.positions, stand.undecided, strict=True)):
        supply[row, 0] += position.inbound
        for due, quantity in (*position.supply, *undecided):
            supply[row, day_of(due, inputs.order_date, days)] += quantity
    return supply


def day_of(due: date, first: date, days: int) -> int:
    """This function will give the place of a date among so many days; what is overdue counts as the first."""
    return min(max((due - first).days, 0), days - 1)


def _budget(inputs: CycleInputs, settings: PlanSettings) -> Floats:
    """Money for each opportunity: what is left of its week's share of the budget of the period in which it falls."""
    amounts = np.full(settings.opportunities, np.inf)
    for opportunity in range(settings.opportunities):
        day = inputs.order_date + timedelta(days=WEEK_DAYS * opportunity)
        for period in inputs.budget:
            share = period.share_of_week(day, today=inputs.order_date)
            if share is not None:
                amounts[opportunity] = float(share)
    return amounts

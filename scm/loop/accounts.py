"""From a plan to proposals: each with the exact account of its quantity, its causes, and what skipping it would risk.

Only the orders of today become proposals; what the plan orders later will be decided by later runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from forecasting.classes import DemandClass
from forecasting.engine import ForecastResult
from procurement.proposals import ProposalRequest
from scm.finance import money
from scm.loop.inputs import CycleInputs, Integers
from scm.loop.making_plan import MakingPlan
from scm.loop.sources import Supplier
from scm.loop.targets import PlanSettings, Protection, Targets
from scm.planning import explain
from scm.planning.explain import Account
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem

# A counted lead time this far from the agreed one is named as a cause.
WORTH_NAMING = 0.1
# So is a return rate this far from the company's, if it changes the returns counted on by a unit at least.
RETURNS_WORTH_NAMING = 0.25


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Everything a run computed, as its publication needs it. The forecast's rows are `item_ids`."""

    inputs: CycleInputs
    guarded: Protection
    wanted: Targets
    forecast: ForecastResult
    problem: ReplenishmentProblem
    plan: ReplenishmentPlan
    making: MakingPlan
    settings: PlanSettings

    @property
    def item_ids(self) -> Integers:
        """Ids of the rows of the forecast: what is bought, then what is made."""
        return np.concatenate([self.inputs.item_ids, np.array(self.inputs.making.item_ids, dtype=np.int64)])


def proposals_of(planned: Planned) -> list[tuple[ProposalRequest, int]]:
    """This function will give today's proposals in the order of the items, each with its value in minor units."""
    found = explain.account_for(
        planned.problem,
        planned.plan,
        planned.wanted.required,
        quantile_probabilities=np.array(planned.settings.forecast.quantiles),
        demand_quantiles=planned.wanted.demand_quantiles,
    )
    return [_proposal(planned, account) for account in found if account.quantity]


def _proposal(planned: Planned, account: Account) -> tuple[ProposalRequest, int]:
    inputs = planned.inputs
    source = inputs.sources[account.item]
    supplier = inputs.suppliers[source.supplier_id]
    request = ProposalRequest(
        item_id=source.item_id,
        supplier_id=source.supplier_id,
        agreement_id=source.agreement_id,
        quantity=account.quantity,
        order_date=inputs.order_date,
        due_date=inputs.order_date + timedelta(days=source.lead_time_days),
        unit_price=source.unit_price,
        account=[{"name": name, "quantity": quantity} for name, quantity in account.terms.items() if quantity],
        inputs=_inputs(planned, account, supplier),
        next_best=_next_best(account),
        risk=_risk(planned, account),
        assumed=sorted({*source.assumed, *supplier.assumed}),
    )
    return request, money.line_amount(source.unit_price, account.quantity, currency=inputs.currency)


def _inputs(planned: Planned, account: Account, supplier: Supplier) -> dict[str, Any]:
    """What every term can be counted again from, and the causes worth telling. Daily figures end with the interval."""
    row, settings = account.item, planned.settings
    source, lead_time = planned.inputs.sources[row], planned.guarded.lead_times[row]
    wanted, forecast = planned.wanted, planned.forecast
    days = int(planned.guarded.days[row])
    return {
        "binding": account.binding,
        "need": account.need,
        "lead_time_days": source.lead_time_days,
        "counted_lead_time_days": lead_time.mean_days,
        "lead_time_sd_days": lead_time.sd_days,
        "deliveries": lead_time.deliveries,
        "review_period_days": supplier.review_period_days,
        "protection_days": days,
        "cycle_service_level": settings.cycle_service_level,
        "z": settings.service_factor,
        "demand_mean": float(wanted.demand_mean[row]),
        "demand_quantile": float(wanted.demand_quantiles[row, settings.quantile_index]),
        "forecast": wanted.positions.forecast[row, :days].tolist(),
        "supply": wanted.positions.supply[row, :days].tolist(),
        "returns": wanted.positions.returns[row, :days].tolist(),
        "dependent": wanted.positions.dependent[row, :days].tolist(),
        "on_hand": int(wanted.positions.on_hand[row]),
        "backordered": int(wanted.positions.backordered[row]),
        "demand_class": DemandClass(int(forecast.demand_class[row])).name.lower(),
        "method": str(forecast.method[row]),
        "minimum_order_quantity": source.minimum_order_quantity,
        "order_multiple": source.order_multiple,
        "causes": _causes(planned, row, supplier),
    }


def _causes(planned: Planned, row: int, supplier: Supplier) -> list[dict[str, Any]]:
    """What was learnt from facts and moved this quantity, by name."""
    causes: list[dict[str, Any]] = []
    source, lead_time = planned.inputs.sources[row], planned.guarded.lead_times[row]
    away = lead_time.mean_days - source.lead_time_days
    if supplier.measured is not None and abs(away) >= WORTH_NAMING * max(source.lead_time_days, 1):
        causes.append(
            {
                "cause": "lead_time",
                "supplier": supplier.code,
                "deliveries": supplier.measured.n,
                "overdue": supplier.measured.open_count,
                "mean_days": str(supplier.measured.mean_days),
                "agreed_days": str(supplier.measured.agreed_mean_days),
                "counted_days": round(lead_time.mean_days, 1),
            }
        )
    rates = planned.inputs.returns
    rate = rates.by_item.get(source.item_id, rates.overall)
    if abs(rate - rates.overall) >= RETURNS_WORTH_NAMING * rates.overall and _returns_differ(planned, row):
        causes.append({"cause": "returns", "return_rate": round(rate, 4), "overall_rate": round(rates.overall, 4)})
    return causes


def _returns_differ(planned: Planned, row: int) -> bool:
    """Whether the item's own return rate, in place of the company's, changed the returns that were counted on."""
    rates, days = planned.inputs.returns, int(planned.guarded.days[row])
    usual = float(planned.wanted.positions.forecast[row, :days].sum()) * rates.overall * rates.resellable_share
    return int(planned.wanted.required.expected_returns[row, 0]) != math.floor(usual + 1e-9)


def _next_best(account: Account) -> dict[str, Any] | None:
    other = account.alternative
    if other is None:
        return None
    return {
        "kind": other.kind,
        "quantity": other.quantity,
        "extra_cost": round(other.extra_cost, 2),
        "later": other.later,
    }


def _risk(planned: Planned, account: Account) -> dict[str, Any]:
    """How likely the stock runs out before the order after this one arrives, without this order; and the cover."""
    required, row = planned.wanted.required, account.item
    weekly = float(planned.wanted.weekly_demand[row])
    free = int(required.on_hand[row] - required.backordered[row])
    return {
        "stock_out_without": round(account.stock_out_risk, 3),
        "cover_days": None if weekly <= 0 else max(0, round(free / weekly * 7)),
    }

"""From planned work orders to proposals to make: each with the exact account of its quantity, and what was cut."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from forecasting.classes import DemandClass
from forecasting.engine import ForecastResult
from procurement.proposals import ProposalKind, ProposalRequest
from scm.loop.inputs import CycleInputs
from scm.loop.making_plan import MakingPlan
from scm.loop.targets import PlanSettings
from scm.planning import explain
from scm.planning.checks import Integers

_NAMES = {"backordered": "backorders"}
"""Terms that an account calls by another name than the engine."""


def proposals_of(
    inputs: CycleInputs, found: MakingPlan, forecast: ForecastResult, *, settings: PlanSettings
) -> list[ProposalRequest]:
    """This function will give the work orders to release now as proposals, in the order of the items.

    `forecast` is that of the made items.
    """
    orders = found.plan.orders
    return [
        _proposal(inputs, found, forecast, settings, int(position)) for position in np.flatnonzero(orders.release == 0)
    ]


def _proposal(
    inputs: CycleInputs, found: MakingPlan, forecast: ForecastResult, settings: PlanSettings, position: int
) -> ProposalRequest:
    orders = found.plan.orders
    row = int(orders.item[position])
    made = inputs.making.items[row]
    terms = _terms(found, row, position)
    return ProposalRequest(
        kind=ProposalKind.MAKE,
        item_id=made.item_id,
        bom_id=made.bom_id,
        quantity=int(orders.quantity[position]),
        order_date=inputs.order_date,
        due_date=inputs.order_date + timedelta(days=made.lead_time_days),
        account=[{"name": name, "quantity": quantity} for name, quantity in terms.items() if quantity],
        inputs=_inputs(inputs, found, forecast, settings, row, position, terms),
        risk=_risk(found, settings, row),
        assumed=made.assumed,
    )


def _terms(found: MakingPlan, row: int, position: int) -> dict[str, int]:
    """The terms as accounts name them; the safety stock in its two parts."""
    terms: dict[str, int] = {}
    for name, values in found.plan.orders.terms.items():
        if name == "safety_stock":
            terms["safety_demand"] = int(found.safety.safety_demand[row])
            terms["safety_lead_time"] = int(found.safety.safety_lead_time[row])
        else:
            terms[_NAMES.get(name, name)] = int(values[position])
    return terms


def _inputs(
    inputs: CycleInputs,
    found: MakingPlan,
    forecast: ForecastResult,
    settings: PlanSettings,
    row: int,
    position: int,
    terms: dict[str, int],
) -> dict[str, Any]:
    """What every term can be counted again from. Daily figures end with the day up to which the order is counted."""
    made, situation, orders = inputs.making.items[row], found.situation, found.plan.orders
    days = 1 + int(orders.counted_until[position])
    rounding = sum(terms[name] for name in ("minimum", "multiple", "cover_limit"))
    return {
        "binding": _binding(terms),
        "need": int(orders.quantity[position]) - rounding,
        "lead_time_days": made.lead_time_days,
        "lead_time_sd_days": float(found.guarded.lead_time_sd_days[row]),
        "protection_days": days,
        "safety_days": int(found.guarded.days[row]),
        "cover_days": settings.make_cover_days,
        "cover_limit_days": made.cover_limit_days,
        "late_days": int(orders.late[position]),
        "cycle_service_level": settings.cycle_service_level,
        "z": settings.service_factor,
        "demand_mean": float(situation.forecast[row, :days].sum()),
        "safety_mean": float(found.demand_mean[row]),
        "safety_quantile": float(found.demand_quantiles[row, settings.quantile_index]),
        "forecast": situation.forecast[row, :days].tolist(),
        "confirmed": situation.confirmed[row, :days].tolist(),
        "dependent": found.plan.dependent[row, :days].tolist(),
        "allocated": situation.allocated[row, :days].tolist(),
        "supply": situation.supply[row, :days].tolist(),
        "returns": situation.returns[row, :days].tolist(),
        "on_hand": int(situation.on_hand[row]),
        "backordered": int(situation.backordered[row]),
        "demand_class": DemandClass(int(forecast.demand_class[row])).name.lower(),
        "method": str(forecast.method[row]),
        "minimum_order_quantity": made.minimum_order_quantity,
        "order_multiple": made.order_multiple,
        "causes": [],
    }


def _binding(terms: dict[str, int]) -> str:
    if terms["cover_limit"]:
        return "cover_limit"
    if terms["multiple"]:
        return "order_multiple"
    return "minimum_order_quantity" if terms["minimum"] else "need"


def _risk(found: MakingPlan, settings: PlanSettings, row: int) -> dict[str, Any]:
    """How likely the stock runs out within the lead time without this order; and how long what is free lasts."""
    situation, days = found.situation, int(found.guarded.days[row])
    dated: Integers = situation.supply[row, :days] - situation.confirmed[row, :days]
    used = int(found.plan.dependent[row, :days].sum() + situation.allocated[row, :days].sum())
    free = int(situation.on_hand[row] - situation.backordered[row])
    chance = explain.stock_out_risk(
        available=np.array([free + int(dated.sum()) - used]),
        probabilities=np.array(settings.forecast.quantiles),
        demand_quantiles=found.demand_quantiles[[row]],
    )
    a_day = float(found.demand_mean[row]) / max(days, 1) + float(found.plan.dependent[row].mean())
    return {
        "stock_out_without": round(float(chance[0]), 3),
        "cover_days": None if a_day <= 0 else max(0, round(free / a_day)),
    }

"""From what the plan moves to proposals: each with the exact account of its quantity, as what is bought has one.

    demand + confirmed_orders + dependent + backorders + safety_demand + safety_lead_time − on_hand − on_order
        − expected_returns = need
    need + moved_by_others + not_spared = quantity

`moved_by_others` is what other sites send; `not_spared` what this one cannot spare, which is bought.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from procurement.proposals import ProposalKind, ProposalRequest
from scm.loop.accounts import Planned
from scm.loop.moving_plan import Arrival
from scm.loop.targets import Targets
from scm.planning import explain


def proposals_of(planned: Planned, before: Targets, arrivals: tuple[Arrival, ...]) -> list[ProposalRequest]:
    """This function will give a site's proposals to move. `before` is what it was short of before anything moved."""
    return [_proposal(planned, before, one) for one in arrivals]


def _proposal(planned: Planned, before: Targets, arrival: Arrival) -> ProposalRequest:
    inputs = planned.inputs
    return ProposalRequest(
        kind=ProposalKind.MOVE,
        item_id=inputs.sources[arrival.row].item_id,
        from_site_id=arrival.lane.from_site_id,
        quantity=arrival.quantity,
        order_date=inputs.order_date,
        due_date=inputs.order_date + timedelta(days=arrival.lane.transit_days),
        account=[
            {"name": name, "quantity": quantity} for name, quantity in _terms(before, arrival).items() if quantity
        ],
        inputs=_inputs(planned, before, arrival),
        risk=_risk(planned, before, arrival.row),
        assumed=inputs.sources[arrival.row].assumed,
    )


def _terms(before: Targets, arrival: Arrival) -> dict[str, int]:
    required, row = before.required, arrival.row
    need = int(required.need[row, 0])
    return {
        "demand": int(required.demand[row, 0]),
        "confirmed_orders": int(required.confirmed_orders[row, 0]),
        "dependent": int(required.dependent[row, 0]),
        "backorders": int(required.backordered[row]),
        "safety_demand": int(required.safety_demand[row]),
        "safety_lead_time": int(required.safety_lead_time[row]),
        "on_hand": -int(required.on_hand[row]),
        "on_order": -int(required.on_order[row, 0]),
        "expected_returns": -int(required.expected_returns[row, 0]),
        "moved_by_others": arrival.short_before - need,
        "not_spared": arrival.quantity - arrival.short_before,
    }


def _inputs(planned: Planned, before: Targets, arrival: Arrival) -> dict[str, Any]:
    """What every term can be counted again from. Daily figures end with the interval."""
    row, days = arrival.row, int(planned.guarded.days[arrival.row])
    positions = before.positions
    return {
        "binding": "need" if arrival.quantity == arrival.short_before else "spare",
        "need": int(before.required.need[row, 0]),
        "short_before": arrival.short_before,
        "spare": arrival.spare_before,
        "transit_days": arrival.lane.transit_days,
        "joint_cost": arrival.lane.joint_cost,
        "protection_days": days,
        "demand_mean": float(before.demand_mean[row]),
        "forecast": positions.forecast[row, :days].tolist(),
        "supply": positions.supply[row, :days].tolist(),
        "returns": positions.returns[row, :days].tolist(),
        "dependent": positions.dependent[row, :days].tolist(),
        "on_hand": int(positions.on_hand[row]),
        "backordered": int(positions.backordered[row]),
        "causes": [],
    }


def _risk(planned: Planned, before: Targets, row: int) -> dict[str, Any]:
    """How likely the stock runs out before an order after today's arrives, if nothing is moved or bought."""
    required = before.required
    there = required.demand[row, 0] + required.safety_stock[row] - required.need[row, 0]
    chance = explain.stock_out_risk(
        available=np.array([there]),
        probabilities=np.array(planned.settings.forecast.quantiles),
        demand_quantiles=before.demand_quantiles[row : row + 1],
    )
    weekly, free = float(before.weekly_demand[row]), int(required.on_hand[row] - required.backordered[row])
    return {
        "stock_out_without": round(float(chance[0]), 3),
        "cover_days": None if weekly <= 0 else max(0, round(free / weekly * 7)),
    }

"""What a run learns about the runs before it: how wrong the last forecast was, and how late suppliers were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from forecasting import accuracy
from forecasting.runs import PastForecast
from scm.loop.inputs import CycleInputs, Floats

# Suppliers this much slower than agreed are named.
LATE_RATIO = 1.2
WORST_NAMED = 5


def measure(found: CycleInputs) -> dict[str, Any]:
    """This function will give the figures that are stored with the run, ready for JSON."""
    return {
        "forecast": _forecast_error(found),
        "late_suppliers": _late_suppliers(found),
        "defective_suppliers": _defective_suppliers(found),
    }


def _forecast_error(found: CycleInputs) -> dict[str, Any] | None:
    """The error of the run one week ago for the week since; none when there was no run."""
    past = found.past
    if past is None:
        return None
    row_of = {int(item_id): row for row, item_id in enumerate(found.item_ids)}
    pairs = [(row_of[int(item_id)], index) for index, item_id in enumerate(past.item_ids) if int(item_id) in row_of]
    if not pairs:
        return None
    actual = np.nan_to_num(found.demand[[row for row, _ in pairs], -1])
    expected = past.mean[[index for _, index in pairs]]
    return {
        "as_of": past.as_of_date.isoformat(),
        "items": len(pairs),
        "demand": float(actual.sum()),
        "wape": _finite(float(accuracy.wape(demand=actual, forecast=expected))),
        "bias": _finite(float(accuracy.bias(demand=actual, forecast=expected))),
        "naive_wape": _naive_wape(found, [row for row, _ in pairs]),
        "by_class": _by_class(past, [index for _, index in pairs], actual, expected),
    }


def _by_class(past: PastForecast, indices: Sequence[int], actual: Floats, expected: Floats) -> list[dict[str, Any]]:
    """The error within each class of demand, as the earlier run had classed the items."""
    if not past.demand_class:
        return []
    classes = np.array([past.demand_class[index] for index in indices])
    return [
        {
            "class": str(name),
            "items": int((classes == name).sum()),
            "demand": float(actual[classes == name].sum()),
            "wape": _finite(float(accuracy.wape(demand=actual[classes == name], forecast=expected[classes == name]))),
        }
        for name in sorted(set(classes.tolist()))
    ]


def _naive_wape(found: CycleInputs, rows: Sequence[int]) -> float | None:
    """What repeating the week before would have erred: a forecast that does no better is worth nothing."""
    if found.demand.shape[1] < 2:
        return None
    last, before = np.nan_to_num(found.demand[list(rows)][:, [-1, -2]]).T
    return _finite(float(accuracy.wape(demand=last, forecast=before)))


def _late_suppliers(found: CycleInputs) -> list[dict[str, Any]]:
    late = []
    for supplier in sorted(found.suppliers.values(), key=lambda one: one.code):
        seen = supplier.measured
        if seen is not None and seen.agreed_mean_days > 0 and seen.mean_days / seen.agreed_mean_days >= LATE_RATIO:
            late.append(
                {
                    "supplier": supplier.code,
                    "deliveries": seen.n,
                    "mean_days": str(seen.mean_days),
                    "agreed_days": str(seen.agreed_mean_days),
                    "late_rate": str(seen.late_rate),
                }
            )
    return late


def _defective_suppliers(found: CycleInputs) -> list[dict[str, Any]]:
    """Suppliers whose goods came back as defective by their fault, the most units first."""
    worst = sorted(found.defects.values(), key=lambda seen: (-seen.defective, seen.supplier_id))
    return [
        {
            "supplier": found.suppliers[seen.supplier_id].code,
            "defective": seen.defective,
            "received": seen.received,
        }
        for seen in worst
        if seen.defective and seen.supplier_id in found.suppliers
    ][:WORST_NAMED]


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None

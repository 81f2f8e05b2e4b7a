"""Tiny problems with the plan each must have, and why; the costs in the files were worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scm.planning import feasibility, replenishment
from scm.planning.problem import Settings
from tests.planning.instances import problem_of

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_plan_is_the_expected_one(path: Path) -> None:
    golden: dict[str, Any] = json.loads(path.read_text())
    fields = {name: _field(name, value) for name, value in golden["problem"].items()}
    problem = problem_of(**fields)
    plan = replenishment.solve(problem, settings=Settings())
    expected = golden["expected"]
    assert plan.quantities.tolist() == expected["quantities"], golden["why"]
    assert plan.objective == pytest.approx(expected["cost"])
    assert [message.kind for message in plan.messages] == expected["messages"]
    assert feasibility.check(problem, plan) == []


def _field(name: str, value: Any) -> Any:
    if name == "budget_overrun_cost":
        return value
    return np.array(value, dtype=np.bool_) if name == "order_today" else np.array(value)

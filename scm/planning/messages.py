"""Why a plan leaves something unmet: budgets that bind, supplier minimums that are out of reach or not worth it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scm.planning.checks import Floats, Integers
from scm.planning.problem import Message, ReplenishmentProblem
from scm.planning.search import BlockSearch


def about(search: BlockSearch, quantities: Integers, free_quantities: Integers, overrun: Floats) -> Iterator[Message]:
    """Yield the reasons, budgets first; `free_quantities` are the orders if budgets had no limit."""
    yield from _budgets(search.problem, quantities, free_quantities, overrun)
    yield from _minimums(search, quantities)
    for note in search.notes:
        yield Message(kind="solver", text=note)


def _budgets(
    problem: ReplenishmentProblem, quantities: Integers, free_quantities: Integers, overrun: Floats
) -> Iterator[Message]:
    for opportunity in np.flatnonzero(np.isfinite(problem.budget)).tolist():
        budget = float(problem.budget[opportunity])
        wanted = float((free_quantities[:, opportunity] * problem.unit_price).sum())
        short = wanted - budget
        if short > 1e-6 * max(budget, 1.0):
            less = np.flatnonzero(quantities[:, opportunity] < free_quantities[:, opportunity])
            yield Message(
                kind="budget_short",
                text=(
                    f"opportunity {opportunity}: orders worth {wanted:,.2f} are wanted and the budget is "
                    f"{budget:,.2f}, short by {short:,.2f}; {len(less)} items are ordered less of or later"
                ),
                opportunity=opportunity,
                items=tuple(less.tolist()),
                amount=short,
            )
        if overrun[opportunity] > 0:
            yield Message(
                kind="budget_overrun",
                text=(
                    f"opportunity {opportunity}: the orders exceed the budget of {budget:,.2f} by "
                    f"{overrun[opportunity]:,.2f}, because the shortage would cost more than "
                    f"{problem.budget_overrun_cost:g} for each unit of money"
                ),
                opportunity=opportunity,
                amount=float(overrun[opportunity]),
            )


def _minimums(search: BlockSearch, quantities: Integers) -> Iterator[Message]:
    problem, active = search.problem, search.active
    for block, supplier in enumerate(active.supplier.tolist()):
        minimum = float(problem.minimum_value[supplier])
        items = active.item[active.rows_of(block)]
        if minimum <= 0 or quantities[items].any():
            continue
        needed = items[(problem.need[items] > 0).any(axis=1)]
        most = search.most_value(block)
        if most < minimum:
            yield Message(
                kind="supplier_minimum_not_reached",
                text=(
                    f"supplier {supplier}: its minimum order value is {minimum:,.2f}, and all that can sensibly be "
                    f"bought comes to {most:,.2f}; {len(needed)} items stay short"
                ),
                supplier=supplier,
                items=tuple(needed.tolist()),
                amount=minimum - most,
            )
        elif search.would_order_without_minimum(block):
            yield Message(
                kind="supplier_minimum_not_worth_it",
                text=(
                    f"supplier {supplier}: reaching its minimum order value of {minimum:,.2f} would cost more than "
                    f"leaving {len(needed)} items short for now"
                ),
                supplier=supplier,
                items=tuple(needed.tolist()),
                amount=minimum,
            )

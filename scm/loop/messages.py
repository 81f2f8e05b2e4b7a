"""What a plan could not meet, in words a buyer knows: codes, dates and money in place of the engine's positions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from scm.finance import money
from scm.loop.accounts import Planned
from scm.loop.targets import WEEK_DAYS
from scm.planning.problem import Message

FEW = 5


def texts(planned: Planned) -> list[str]:
    """This function will word the plan's messages in their order, each with the figures and, where it helps, the SKUs.

    Raises KeyError for a kind of message that has no words.
    """
    said = [_WORDS[message.kind](planned, message) for message in planned.plan.messages]
    cuts = planned.making.plan.cuts
    blocked = np.flatnonzero((cuts.release == 0) & (cuts.kept == 0)).tolist()
    return [*said, *(_blocked(planned, position) for position in blocked)]


def _blocked(planned: Planned, position: int) -> str:
    """What a cover limit blocks altogether today."""
    cuts = planned.making.plan.cuts
    made, quantity = planned.inputs.making.items[int(cuts.item[position])], int(cuts.wanted[position])
    return (
        f"Item {made.sku}: making {quantity}, the least that can be made, would last longer than the "
        f"{made.cover_limit_days} days of demand its bill allows: none is proposed"
    )


def _budget_short(planned: Planned, message: Message) -> str:
    budget = float(planned.problem.budget[message.opportunity or 0])
    return (
        f"The budget for {_when(planned, message)} is {_money(planned, budget)} and orders worth "
        f"{_money(planned, budget + message.amount)} are wanted: {_items(planned, message)} ordered less of or later"
    )


def _budget_overrun(planned: Planned, message: Message) -> str:
    budget = float(planned.problem.budget[message.opportunity or 0])
    return (
        f"The orders for {_when(planned, message)} exceed the budget of {_money(planned, budget)} by "
        f"{_money(planned, message.amount)}: the shortage would cost more than "
        f"{planned.problem.budget_overrun_cost:g} times that"
    )


def _minimum_not_reached(planned: Planned, message: Message) -> str:
    minimum = float(planned.problem.minimum_value[message.supplier or 0])
    return (
        f"Supplier {_supplier(planned, message)}: its minimum order value is {_money(planned, minimum)} and all that "
        f"can sensibly be bought comes to {_money(planned, minimum - message.amount)}: {_items(planned, message)} short"
    )


def _minimum_not_worth_it(planned: Planned, message: Message) -> str:
    return (
        f"Supplier {_supplier(planned, message)}: reaching its minimum order value of "
        f"{_money(planned, message.amount)} now would cost more than leaving {_items(planned, message)} short"
    )


def _from_the_solver(planned: Planned, message: Message) -> str:
    return message.text


_WORDS = {
    "budget_short": _budget_short,
    "budget_overrun": _budget_overrun,
    "supplier_minimum_not_reached": _minimum_not_reached,
    "supplier_minimum_not_worth_it": _minimum_not_worth_it,
    "solver": _from_the_solver,
}


def _when(planned: Planned, message: Message) -> str:
    return (planned.inputs.order_date + timedelta(days=WEEK_DAYS * (message.opportunity or 0))).isoformat()


def _supplier(planned: Planned, message: Message) -> str:
    supplier_ids = sorted(planned.inputs.suppliers)
    return planned.inputs.suppliers[supplier_ids[message.supplier or 0]].code


def _items(planned: Planned, message: Message) -> str:
    skus = [planned.inputs.sources[row].sku for row in message.items]
    named = ", ".join(skus[:FEW]) + (" …" if len(skus) > FEW else "")
    return f"{len(skus)} {'item' if len(skus) == 1 else 'items'} ({named})"


def _money(planned: Planned, amount: float) -> str:
    places = money.places(planned.inputs.currency)
    return f"{planned.inputs.currency} {amount / 10**places:,.{places}f}"

"""What the people of the brand decided: who may approve how much, the budget, and what is not bought any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import budgets, rules
from procurement.rules import AcceptanceRule
from scm.core.users import Actor
from scm.finance import money
from scm.loop.generated.history import History
from scm.loop.generated.stories import Stories
from scm.master import cells
from scm.master.cells import Edit
from scm.master.items import Item, ItemStatus
from scm.master.setup import Setup

# Amounts are whole units of the currency.
LIMIT = 12_000  # the largest order that the second approver may approve
SMALL = 300  # a proposal that nobody needs to look at
RULE = "小额补货 Small replenishments"
BUDGET_WEEKS, BUDGET_A_WEEK = 4, 55_000  # what the season would need is more


def is_decided(session: Session) -> bool:
    """This function will tell whether the decisions were made."""
    return session.scalar(sa.select(AcceptanceRule.id).limit(1)) is not None


def phase_out(session: Session, planted: Stories, *, company_id: int, actor: Actor) -> None:
    """This function will let the planner decide that one item is sold while stock lasts and not bought any more."""
    status = session.scalar(sa.select(Item.status).where(Item.sku == planted.phased_out))
    if status is ItemStatus.ACTIVE:
        edit = Edit(
            key=(planted.phased_out,),
            column="status",
            believed=ItemStatus.ACTIVE.value,
            wanted=ItemStatus.PHASE_OUT.value,
        )
        cells.change_items(session, [edit], company_id=company_id, actor=actor)


def decide(session: Session, history: History, *, places: Setup, people: Mapping[str, Actor], now: datetime) -> None:
    """This function will limit the second approver and put a rule in force.

    Where stories are planted, it sets the budget of the four weeks to come, too.
    `people` are the admin, the planner and the approver; the second approver is the user `approver2`.
    """
    minor = 10 ** money.places(places.currency)
    rules.set_limit(
        session,
        username="approver2",
        currency=places.currency,
        largest_amount=LIMIT * minor,
        actor=people["admin"],
    )
    rules.sign(
        session, name=RULE, currency=places.currency, largest_amount=SMALL * minor, actor=people["planner"], now=now
    )
    if history.stories is not None:
        budgets.set_budget(
            session,
            company_id=places.company_id,
            from_date=history.go_live,
            until_date=history.go_live + timedelta(weeks=BUDGET_WEEKS, days=-1),
            amount=BUDGET_WEEKS * BUDGET_A_WEEK * minor,
            actor=people["approver"],
        )

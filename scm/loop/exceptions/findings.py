"""The kinds of exceptions, whose desk each belongs on, and what one looks like when it is found."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Role
from scm.finance import money


class Kind(enum.Enum):
    """Why something stands in an inbox; the order is that of groups with nothing at risk in money."""

    STOCK_OUT = "stock_out"
    LATE_SUPPLY = "late_supply"
    PROPOSALS_DUE = "proposals_due"
    FORECAST_BREAK = "forecast_break"
    LATE_SUPPLIER = "late_supplier"
    EXCESS = "excess"
    TO_APPROVE = "to_approve"
    TO_DRAFT = "to_draft"
    TO_SUBMIT = "to_submit"
    TO_SEND = "to_send"
    PRICE_MOVED = "price_moved"
    UNCONFIRMED = "unconfirmed"
    PAST_CUT_OFF = "past_cut_off"
    SHIP_BY_RISK = "ship_by_risk"
    INBOUND_DUE = "inbound_due"
    SHORT_PICK = "short_pick"
    TO_PUT_AWAY = "to_put_away"
    COUNT_TO_APPROVE = "count_to_approve"
    QUARANTINED = "quarantined"
    TRANSFER_LATE = "transfer_late"
    TRANSFER_SHORT = "transfer_short"
    TO_INSPECT = "to_inspect"
    TO_DISPOSE = "to_dispose"
    TO_REFUND = "to_refund"
    RETURN_OVERDUE = "return_overdue"
    ORDER_LATE = "order_late"
    ORDER_WAITS = "order_waits"
    JOB_FAILED = "job_failed"
    MESSAGE_DEAD = "message_dead"
    FIGURES_ASSUMED = "figures_assumed"


class Subject(enum.Enum):
    """What a case is about; it says which page opens it."""

    ITEM = "item"
    SUPPLIER = "supplier"
    PURCHASE_ORDER = "purchase_order"
    SALES_ORDER = "sales_order"
    CYCLE_COUNT = "cycle_count"
    TRANSFER = "transfer"
    RETURN = "return_authorization"
    JOB_RUN = "job_run"
    MESSAGE = "outbox_message"


@dataclass(frozen=True)
class Desk:
    """Whose inbox a kind belongs in, and what its cases are about."""

    subject: Subject
    roles: frozenset[Role]


def _desk(subject: Subject, *roles: Role) -> Desk:
    return Desk(subject, frozenset(roles))


DESKS: Mapping[Kind, Desk] = {
    Kind.STOCK_OUT: _desk(Subject.ITEM, Role.PLANNER),
    Kind.LATE_SUPPLY: _desk(Subject.PURCHASE_ORDER, Role.PLANNER, Role.BUYER),
    Kind.PROPOSALS_DUE: _desk(Subject.SUPPLIER, Role.PLANNER),
    Kind.FORECAST_BREAK: _desk(Subject.ITEM, Role.PLANNER),
    Kind.LATE_SUPPLIER: _desk(Subject.SUPPLIER, Role.PLANNER, Role.BUYER),
    Kind.EXCESS: _desk(Subject.ITEM, Role.PLANNER),
    Kind.TO_APPROVE: _desk(Subject.PURCHASE_ORDER, Role.APPROVER),
    Kind.TO_DRAFT: _desk(Subject.SUPPLIER, Role.BUYER),
    Kind.TO_SUBMIT: _desk(Subject.PURCHASE_ORDER, Role.BUYER),
    Kind.TO_SEND: _desk(Subject.PURCHASE_ORDER, Role.BUYER),
    Kind.PRICE_MOVED: _desk(Subject.PURCHASE_ORDER, Role.BUYER, Role.APPROVER),
    Kind.UNCONFIRMED: _desk(Subject.PURCHASE_ORDER, Role.BUYER),
    Kind.PAST_CUT_OFF: _desk(Subject.SALES_ORDER, Role.WAREHOUSE),
    Kind.SHIP_BY_RISK: _desk(Subject.SALES_ORDER, Role.WAREHOUSE, Role.SALES),
    Kind.INBOUND_DUE: _desk(Subject.PURCHASE_ORDER, Role.WAREHOUSE),
    Kind.SHORT_PICK: _desk(Subject.SALES_ORDER, Role.WAREHOUSE),
    Kind.TO_PUT_AWAY: _desk(Subject.ITEM, Role.WAREHOUSE),
    Kind.COUNT_TO_APPROVE: _desk(Subject.CYCLE_COUNT, Role.WAREHOUSE, Role.APPROVER),
    Kind.QUARANTINED: _desk(Subject.ITEM, Role.WAREHOUSE),
    Kind.TRANSFER_LATE: _desk(Subject.TRANSFER, Role.WAREHOUSE, Role.PLANNER),
    Kind.TRANSFER_SHORT: _desk(Subject.TRANSFER, Role.WAREHOUSE, Role.PLANNER),
    Kind.TO_INSPECT: _desk(Subject.RETURN, Role.RETURNS),
    Kind.TO_DISPOSE: _desk(Subject.RETURN, Role.RETURNS),
    Kind.TO_REFUND: _desk(Subject.RETURN, Role.RETURNS),
    Kind.RETURN_OVERDUE: _desk(Subject.RETURN, Role.RETURNS),
    Kind.ORDER_LATE: _desk(Subject.SALES_ORDER, Role.SALES),
    Kind.ORDER_WAITS: _desk(Subject.SALES_ORDER, Role.SALES),
    Kind.JOB_FAILED: _desk(Subject.JOB_RUN, Role.ADMIN),
    Kind.MESSAGE_DEAD: _desk(Subject.MESSAGE, Role.ADMIN),
    Kind.FIGURES_ASSUMED: _desk(Subject.SUPPLIER, Role.ADMIN),
}


# What is lost or waits when nobody acts; the amounts of the others say how large a task is.
RISKS = frozenset(
    {
        Kind.STOCK_OUT,
        Kind.LATE_SUPPLY,
        Kind.FORECAST_BREAK,
        Kind.EXCESS,
        Kind.PAST_CUT_OFF,
        Kind.SHIP_BY_RISK,
        Kind.SHORT_PICK,
        Kind.ORDER_LATE,
        Kind.ORDER_WAITS,
    }
)


def kinds_of(roles: Iterable[Role]) -> frozenset[Kind]:
    """This function will name the kinds of exceptions that people of these roles look after."""
    held = frozenset(roles)
    return frozenset(kind for kind, desk in DESKS.items() if desk.roles & held)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where and when the finders look."""

    company_id: int
    currency: str
    site_id: int
    zone: str
    now: datetime
    today: date


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong. `amount` is what it puts at risk, in minor units; `facts` are JSON for its sentence."""

    kind: Kind
    subject_id: int
    label: str
    name: str = ""
    amount: int | None = None
    quantity: int | None = None
    due_date: date | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def amount_of_scaled(total: int, *, currency: str) -> int:
    """This function will turn a sum of quantities times scaled unit prices, as a database adds it up, into money.

    >>> amount_of_scaled(12_500_000, currency="GBP")  # 12.50 in millionths
    1250
    """
    return money.share(int(total), 1, 10 ** (UNIT_PRICE_PLACES - money.places(currency)))

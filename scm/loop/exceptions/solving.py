"""Solving an exception where it stands: the deed itself, noted on the case, and a look whether its cause has gone.

The deed is the verb of its own room, with its own rules about who may do it; nothing here goes around them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import accepting, orders
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrderLine
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.loop import cover
from scm.loop.exceptions import answers, refresh, selling
from scm.loop.exceptions.cases import ExceptionCase
from scm.loop.exceptions.findings import Kind
from scm.sales import orders as sales_orders
from scm.sales.cancelling import NothingWaits
from warehouse import counting


class Solution(enum.Enum):
    """What can be done about an exception without leaving the inbox."""

    ACCEPT_PROPOSALS = "accept_proposals"
    DRAFT = "draft"
    SUBMIT = "submit"
    APPROVE = "approve"
    SEND = "send"
    CANCEL = "cancel"
    STOP_BUYING = "stop_buying"
    APPROVE_COUNT = "approve_count"
    GIVE_UP = "give_up"


@dataclass(frozen=True, kw_only=True)
class _Deed:
    """Who may do it, and which kinds of exceptions it can change."""

    roles: frozenset[Role]
    changes: frozenset[Kind]
    needs_reason: bool = False


_ORDERS = frozenset({Kind.TO_DRAFT, Kind.TO_SUBMIT, Kind.TO_APPROVE, Kind.TO_SEND, Kind.PRICE_MOVED})
DEEDS: Mapping[Solution, _Deed] = {
    Solution.ACCEPT_PROPOSALS: _Deed(
        roles=frozenset({Role.PLANNER, Role.BUYER}), changes=frozenset({Kind.PROPOSALS_DUE, Kind.TO_DRAFT})
    ),
    Solution.DRAFT: _Deed(roles=frozenset({Role.BUYER}), changes=_ORDERS),
    Solution.SUBMIT: _Deed(roles=frozenset({Role.BUYER}), changes=_ORDERS),
    Solution.APPROVE: _Deed(roles=frozenset({Role.APPROVER}), changes=_ORDERS),
    Solution.SEND: _Deed(roles=frozenset({Role.BUYER}), changes=_ORDERS),
    Solution.CANCEL: _Deed(
        roles=frozenset({Role.BUYER}),
        changes=_ORDERS | {Kind.LATE_SUPPLY, Kind.INBOUND_DUE, Kind.UNCONFIRMED},
        needs_reason=True,
    ),
    Solution.STOP_BUYING: _Deed(
        roles=frozenset({Role.PLANNER}), changes=frozenset({Kind.PROPOSALS_DUE}), needs_reason=True
    ),
    Solution.APPROVE_COUNT: _Deed(
        roles=frozenset({Role.APPROVER, Role.WAREHOUSE}), changes=frozenset({Kind.COUNT_TO_APPROVE})
    ),
    Solution.GIVE_UP: _Deed(roles=frozenset({Role.SALES}), changes=frozenset({Kind.ORDER_WAITS}), needs_reason=True),
}
SOLUTIONS: Mapping[Kind, tuple[Solution, ...]] = {
    Kind.STOCK_OUT: (Solution.ACCEPT_PROPOSALS,),
    Kind.PROPOSALS_DUE: (Solution.ACCEPT_PROPOSALS,),
    Kind.LATE_SUPPLY: (Solution.CANCEL,),
    Kind.UNCONFIRMED: (Solution.CANCEL,),
    Kind.EXCESS: (Solution.STOP_BUYING,),
    Kind.TO_DRAFT: (Solution.DRAFT,),
    Kind.TO_SUBMIT: (Solution.SUBMIT, Solution.CANCEL),
    Kind.TO_APPROVE: (Solution.APPROVE,),
    Kind.TO_SEND: (Solution.SEND,),
    Kind.COUNT_TO_APPROVE: (Solution.APPROVE_COUNT,),
    Kind.ORDER_WAITS: (Solution.GIVE_UP,),
}


@dataclass(frozen=True, kw_only=True)
class Solved:
    """What was done, and whether the case closed with it."""

    label: str
    closed: bool


class NotItsSolution(InvalidInput):
    """A kind of exception is not solved like this."""


class NothingProposed(Conflict):
    """No open proposal is left to accept."""


def possible(kind: Kind, roles: Collection[Role]) -> tuple[Solution, ...]:
    """This function will name what people of these roles can do about a kind of exception on the spot."""
    return tuple(one for one in SOLUTIONS.get(kind, ()) if DEEDS[one].roles.intersection(roles))


def solve(
    session: Session,
    case_id: int,
    solution: Solution,
    *,
    site_id: int,
    reason: str = "",
    actor: Actor,
    now: datetime,
    today: date,
) -> Solved:
    """This function will do what solves a case, and close it at once if its cause went with it.

    Raises `CaseUnknown`, `NotYourDesk`, `NotItsSolution`, `NothingProposed`, and whatever the deed refuses.
    """
    refresh.one_at_a_time(session, site_id=site_id)  # first, as whoever looks around locks: site, then cases
    [case] = answers.mine(session, [case_id], site_id=site_id, actor=actor)
    if solution not in SOLUTIONS.get(case.kind, ()):
        raise NotItsSolution(f"the exception about {case.label} is not solved by {solution.value}: open its document")
    deed = DEEDS[solution]
    actor.require(*deed.roles)
    _DOING[solution](_Doing(session=session, case=case, reason=reason, actor=actor, now=now, today=today))
    answers.solved(session, case, text=reason, action=solution.value, actor=actor, now=now)
    refresh.refresh(session, site_id=site_id, actor=actor, now=now, today=today, kinds=deed.changes)
    session.refresh(case)
    return Solved(label=case.label, closed=case.closed_at is not None)


@dataclass(frozen=True, kw_only=True)
class _Doing:
    session: Session
    case: ExceptionCase
    reason: str
    actor: Actor
    now: datetime
    today: date


def _accept_proposals(do: _Doing) -> None:
    about = Proposal.item_id if do.case.kind is Kind.STOCK_OUT else Proposal.supplier_id
    wanted = sa.select(Proposal).where(
        Proposal.site_id == do.case.site_id, Proposal.state == ProposalState.OPEN, about == do.case.subject_id
    )
    if do.case.kind is Kind.PROPOSALS_DUE:
        wanted = wanted.where(Proposal.order_date <= do.today)
    found = list(do.session.scalars(wanted.order_by(Proposal.id)))
    if not found:
        raise NothingProposed(f"nothing is proposed for {do.case.label} any more: load the page again")
    ids = [proposal.id for proposal in found]
    arrives = min(proposal.due_date for proposal in found)
    accepting.accept(
        do.session, ids, actor=do.actor, now=do.now, today=do.today, reason=do.reason, site_id=do.case.site_id
    )
    if do.case.kind is Kind.STOCK_OUT and arrives > do.today:
        # Nothing more can be done until the goods are due; if they do not come, it is back on that day.
        answers.rest_until(do.case, arrives, actor=do.actor)


def _draft(do: _Doing) -> None:
    waiting = do.session.scalars(
        sa.select(Proposal.id).where(
            Proposal.site_id == do.case.site_id,
            Proposal.state == ProposalState.ACCEPTED,
            Proposal.supplier_id == do.case.subject_id,
            ~sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id),
        )
    ).all()
    if not waiting:
        raise NothingProposed(f"nothing accepted waits for an order to {do.case.label} any more: load the page again")
    orders.draft(do.session, list(waiting), actor=do.actor, now=do.now, today=do.today)


def _submit(do: _Doing) -> None:
    orders.submit(do.session, [do.case.subject_id], actor=do.actor, now=do.now)


def _approve(do: _Doing) -> None:
    orders.approve(do.session, [do.case.subject_id], actor=do.actor, now=do.now, today=do.today, comment=do.reason)


def _send(do: _Doing) -> None:
    orders.send(do.session, [do.case.subject_id], actor=do.actor, now=do.now, today=do.today)


def _cancel(do: _Doing) -> None:
    orders.cancel(do.session, [do.case.subject_id], reason=do.reason, actor=do.actor, now=do.now)


def _stop_buying(do: _Doing) -> None:
    cover.stop_buying(
        do.session,
        [do.case.subject_id],
        site_id=do.case.site_id,
        reason=do.reason,
        actor=do.actor,
        now=do.now,
    )
    answers.settle(do.case, do.reason, actor=do.actor)  # the stock is still there, but it is decided about


def _approve_count(do: _Doing) -> None:
    counting.approve(do.session, do.case.subject_id, actor=do.actor, now=do.now, today=do.today, comment=do.reason)


def _give_up(do: _Doing) -> None:
    waiting = selling.waiting_lines(do.session, do.case.subject_id, site_id=do.case.site_id, today=do.today)
    if not waiting:
        raise NothingWaits(f"{do.case.label} waits for nothing any more: load the page again")
    sales_orders.give_up(do.session, waiting, actor=do.actor, now=do.now, today=do.today)


_DOING: Mapping[Solution, Callable[[_Doing], None]] = {
    Solution.ACCEPT_PROPOSALS: _accept_proposals,
    Solution.DRAFT: _draft,
    Solution.SUBMIT: _submit,
    Solution.APPROVE: _approve,
    Solution.SEND: _send,
    Solution.CANCEL: _cancel,
    Solution.STOP_BUYING: _stop_buying,
    Solution.APPROVE_COUNT: _approve_count,
    Solution.GIVE_UP: _give_up,
}

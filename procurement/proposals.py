"""Proposals: what a run of the plan says should be bought, made or moved, with the account of every quantity.

A run replaces the open proposals of the run before it. A person, or a rule a person signed, accepts or rejects;
accepted ones become purchase orders in `procurement.orders`, or what makes and moves goods.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from procurement.outcomes import Outcome, Refused
from scm.core import audit, documents, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.bom import Bom

KIND = "proposal"
CHUNK = 5000


class ProposalKind(enum.Enum):
    """What is proposed: an order to a supplier, making at the site, or goods of another site."""

    BUY = "buy"
    MAKE = "make"
    MOVE = "move"


class ProposalState(enum.Enum):
    """Where a proposal stands. It is answered, or replaced by a later run; `undo` takes an answer back."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


MACHINE = documents.Machine(
    kind=KIND,
    initial=ProposalState.OPEN,
    transitions={
        (ProposalState.OPEN, "accept"): ProposalState.ACCEPTED,
        (ProposalState.OPEN, "reject"): ProposalState.REJECTED,
        (ProposalState.OPEN, "edit"): ProposalState.OPEN,
        (ProposalState.OPEN, "supersede"): ProposalState.SUPERSEDED,
        (ProposalState.ACCEPTED, "undo"): ProposalState.OPEN,
        (ProposalState.REJECTED, "undo"): ProposalState.OPEN,
    },
)


class Proposal(Base):
    """One proposed order line. `run_id` names the run of the cycle, which a room above keeps."""

    __tablename__ = "proposal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    run_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    kind: Mapped[ProposalKind] = mapped_column(types.enum_column(ProposalKind))
    state: Mapped[ProposalState] = mapped_column(types.enum_column(ProposalState))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))  # these three: of BUY only
    agreement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("supplier_agreement.id"))
    unit_price: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    bom_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Bom.id))  # of MAKE only
    from_site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))  # of MOVE only
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    order_date: Mapped[date]
    due_date: Mapped[date]
    account: Mapped[list[Any]] = mapped_column(types.Json)  # terms, people's edits too, that add up to `quantity`
    inputs: Mapped[dict[str, Any]] = mapped_column(types.Json)  # what the terms were computed from
    next_best: Mapped[Any] = mapped_column(types.Json, nullable=True)  # what else could be done, and what it costs
    risk: Mapped[Any] = mapped_column(types.Json, nullable=True)  # what happens without it
    assumed: Mapped[list[Any]] = mapped_column(types.Json)  # names of the inputs that were assumed
    # Of `inputs` and `risk`, what lists filter and sort by.
    need: Mapped[int | None] = mapped_column(sa.BigInteger)
    binding: Mapped[str | None] = mapped_column(sa.String(30))
    cover_days: Mapped[int | None]
    stock_out_thousandths: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    rule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("acceptance_rule.id"))  # the signed rule that accepted it
    reason: Mapped[str] = mapped_column(sa.String(400), default="")
    note: Mapped[Any] = mapped_column(types.Json, nullable=True)  # what people decided about the item before

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="proposes_something"),
        sa.CheckConstraint("due_date >= order_date", name="due_after_ordered"),
        sa.CheckConstraint(
            "(kind = 'buy') = (supplier_id IS NOT NULL) AND (kind = 'buy') = (agreement_id IS NOT NULL) "
            "AND (kind = 'buy') = (unit_price IS NOT NULL)",
            name="bought_from_a_supplier",
        ),
        sa.CheckConstraint("(kind = 'make') = (bom_id IS NOT NULL)", name="made_by_a_bom"),
        sa.CheckConstraint("(kind = 'move') = (from_site_id IS NOT NULL)", name="moved_from_a_site"),
        sa.CheckConstraint("from_site_id <> site_id", name="moved_from_elsewhere"),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'rejected') OR decided_by_id IS NOT NULL", name="answered_by_somebody"
        ),
        sa.Index(None, "site_id", "state"),
    )


@dataclass(frozen=True, kw_only=True)
class ProposalRequest:
    """One line of a plan. `account` is a list of terms, each with `name`, `quantity` and its sentence's data.

    BUY names supplier, agreement and price, MAKE the bill of materials, MOVE the site that sends.
    """

    kind: ProposalKind = ProposalKind.BUY
    item_id: int
    supplier_id: int | None = None
    agreement_id: int | None = None
    unit_price: Decimal | None = None
    bom_id: int | None = None
    from_site_id: int | None = None
    quantity: int
    order_date: date
    due_date: date
    account: Sequence[Mapping[str, Any]]
    inputs: Mapping[str, Any]
    next_best: Any = None
    risk: Any = None
    assumed: Sequence[str] = ()
    note: Any = None


class BadProposal(InvalidInput):
    """A proposal cannot be published: its quantity or its account is wrong."""


class ProposalUnknown(NotFound):
    """There is no proposal of that id."""


class ReasonMissing(InvalidInput):
    """Somebody who says no must say why."""


def publish(
    session: Session,
    requests: Sequence[ProposalRequest],
    *,
    run_id: int,
    company_id: int,
    site_id: int,
    actor: Actor,
    now: datetime,
    kept: Sequence[int] = (),
) -> list[int]:
    """This function will replace the site's open proposals by those of a run, and return the new ids in order.

    `kept` ones stay open: `procurement.renewing` knows which. Raises `BadProposal` when an account does not add up to
    its quantity; nothing is replaced then.
    """
    actor.require(Role.PLANNER, Role.SYSTEM)
    for request in requests:
        _refuse(request)
    session.execute(
        sa.update(Proposal)
        .where(Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN, Proposal.id.not_in(kept))
        .values(state=MACHINE.advance(ProposalState.OPEN, "supersede", number="an open proposal"), decided_at=now)
        .execution_options(synchronize_session=False)
    )
    common = {
        "company_id": company_id,
        "site_id": site_id,
        "run_id": run_id,
        "state": MACHINE.initial,
        "created_at": now,
        "reason": "",
    }
    ids: list[int] = []
    table = table_of(Proposal)
    if requests:
        insert = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
        ids = list(session.execute(insert, [common | _columns(request) for request in requests]).scalars())
    audit.record(session, actor=actor, verb="proposal.publish", document_kind=KIND, document_ids=ids, run_id=run_id)
    return ids


def accept(
    session: Session,
    proposal_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    site_id: int | None = None,
) -> Outcome:
    """This function will accept the open ones of some proposals, and say of each other why it stays as it is."""
    actor.require(Role.PLANNER, Role.BUYER)
    return _answer(session, proposal_ids, action="accept", actor=actor, now=now, reason=reason, site_id=site_id)


def reject(
    session: Session,
    proposal_ids: Sequence[int],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    site_id: int | None = None,
) -> Outcome:
    """This function will reject the open ones of some proposals, and say of each other why it stays as it is.

    Raises `ReasonMissing`.
    """
    actor.require(Role.PLANNER, Role.BUYER)
    if not reason.strip():
        raise ReasonMissing("rejecting a proposal needs a reason: the planner reads it")
    return _answer(session, proposal_ids, action="reject", actor=actor, now=now, reason=reason, site_id=site_id)


def decide(
    session: Session,
    proposal_ids: Sequence[int],
    *,
    action: str,
    actor: Actor,
    now: datetime,
    reason: str,
    rule_id: int | None = None,
) -> None:
    """This function will answer open proposals in the name of whoever the calling verb has checked.

    All or none. Only `accept`, `reject` and `procurement.rules` call it. Raises `ProposalUnknown`, `IllegalTransition`.
    """
    states = lock(session, proposal_ids)
    for proposal_id, state in states.items():
        MACHINE.advance(state, action, number=f"proposal {proposal_id}")
    for chunk in _chunks(sorted(states)):
        session.execute(
            sa.update(Proposal)
            .where(Proposal.id.in_(chunk))
            .values(
                state=MACHINE.transitions[ProposalState.OPEN, action],
                decided_at=now,
                decided_by_id=actor.user_id,
                reason=reason,
                rule_id=rule_id,
            )
            .execution_options(synchronize_session=False)
        )
    audit.record(
        session,
        actor=actor,
        verb=f"proposal.{action}",
        document_kind=KIND,
        document_ids=sorted(states),
        reason=reason,
        rule_id=rule_id,
    )


def open_ids(session: Session, *, site_id: int, run_id: int | None = None) -> list[int]:
    """This function will list the open proposals of a site, in the order of their order dates."""
    statement = sa.select(Proposal.id).where(Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN)
    if run_id is not None:
        statement = statement.where(Proposal.run_id == run_id)
    return list(session.scalars(statement.order_by(Proposal.order_date, Proposal.id)))


def lock(session: Session, proposal_ids: Sequence[int]) -> dict[int, ProposalState]:
    """This function will lock proposals in the order of their ids and read their states. Raises `ProposalUnknown`."""
    found = lock_known(session, proposal_ids)
    for proposal_id in proposal_ids:
        if proposal_id not in found:
            raise unknown(proposal_id)
    return found


def lock_known(
    session: Session, proposal_ids: Sequence[int], *, site_id: int | None = None
) -> dict[int, ProposalState]:
    """This function will lock those of some proposals that exist (at a site), and read their states."""
    found: dict[int, ProposalState] = {}
    for chunk in _chunks(sorted(set(proposal_ids))):
        statement = sa.select(Proposal.id, Proposal.state).where(Proposal.id.in_(chunk))
        if site_id is not None:
            statement = statement.where(Proposal.site_id == site_id)
        rows = session.execute(statement.order_by(Proposal.id).with_for_update())
        found.update((row.id, row.state) for row in rows)
    return found


def unknown(proposal_id: int) -> ProposalUnknown:
    """This function will give the refusal of an id that no proposal has."""
    return ProposalUnknown(f"there is no proposal {proposal_id}")


def _answer(
    session: Session,
    proposal_ids: Sequence[int],
    *,
    action: str,
    actor: Actor,
    now: datetime,
    reason: str,
    site_id: int | None,
) -> Outcome:
    states = lock_known(session, proposal_ids, site_id=site_id)
    done, refused = [], []
    for proposal_id in dict.fromkeys(proposal_ids):
        try:
            if proposal_id not in states:
                raise unknown(proposal_id)
            MACHINE.advance(states[proposal_id], action, number=f"proposal {proposal_id}")
        except (ProposalUnknown, documents.IllegalTransition) as error:
            refused.append(Refused(id=proposal_id, error=error))
        else:
            done.append(proposal_id)
    if done:
        decide(session, done, action=action, actor=actor, now=now, reason=reason)
    return Outcome(done=tuple(done), refused=tuple(refused))


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def _columns(request: ProposalRequest) -> dict[str, Any]:
    risk = request.risk or {}
    chance = risk.get("stock_out_without")
    return vars(request) | {
        "need": request.inputs.get("need"),
        "binding": request.inputs.get("binding"),
        "cover_days": risk.get("cover_days"),
        "stock_out_thousandths": None if chance is None else round(chance * 1000),
        "account": [dict(term) for term in request.account],
        "inputs": dict(request.inputs),
        "assumed": sorted(request.assumed),
    }


def _refuse(request: ProposalRequest) -> None:
    line = f"proposal for item {request.item_id}"
    if type(request.quantity) is not int or request.quantity <= 0:
        raise BadProposal(f"{line}: quantity {request.quantity!r} must be a whole number above 0")
    _refuse_source(request, line)
    if request.due_date < request.order_date:
        raise BadProposal(f"{line}: due on {request.due_date}, before it is ordered on {request.order_date}")
    quantities = [term["quantity"] for term in request.account]
    if any(type(quantity) is not int for quantity in quantities):
        raise BadProposal(f"{line}: the terms of its account must be whole numbers, not {quantities}")
    if sum(quantities) != request.quantity:
        raise BadProposal(
            f"{line}: the terms of its account add up to {sum(quantities)}, its quantity is {request.quantity}"
        )


def _refuse_source(request: ProposalRequest, line: str) -> None:
    """A kind names what it is got from, and nothing else."""
    bought, moved = request.kind is ProposalKind.BUY, request.kind is ProposalKind.MOVE
    for field, wanted in (
        ("supplier_id", bought),
        ("agreement_id", bought),
        ("unit_price", bought),
        ("bom_id", request.kind is ProposalKind.MAKE),
        ("from_site_id", moved),
    ):
        named = getattr(request, field) is not None
        if wanted and not named:
            raise BadProposal(f"{line}: {field} is missing, a proposal to {request.kind.value} needs it")
        if named and not wanted:
            raise BadProposal(f"{line}: leave {field} out, a proposal to {request.kind.value} has none")

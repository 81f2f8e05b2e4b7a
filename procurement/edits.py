"""What a person changed in a proposal: quantity, dates or supplier, kept beside what the plan said.

An edit never overwrites what it changes: its row holds the value before and after, who changed it and why, and undoing
it is another row. The account keeps the plan's terms and gains one signed term for each edit, so that it still adds up
exactly to the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from procurement import proposals
from procurement.proposals import KIND, MACHINE, Proposal, ProposalKind, ReasonMissing
from scm.core import audit, types
from scm.core.db import Base, BigId
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role, User
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.partners import Partner

TERM = "changed"  # the account's term of an edit


class ProposalEdit(Base):
    """One change of one proposal. `undoes_id` names the edit that this one takes back."""

    __tablename__ = "proposal_edit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposal.id"), index=True)
    quantity_before: Mapped[int] = mapped_column(sa.BigInteger)
    quantity_after: Mapped[int] = mapped_column(sa.BigInteger)
    order_date_before: Mapped[date]
    order_date_after: Mapped[date]
    due_date_before: Mapped[date]
    due_date_after: Mapped[date]
    # Of what is bought; what is made or moved has neither.
    agreement_before_id: Mapped[int | None] = mapped_column(sa.ForeignKey("supplier_agreement.id"))
    agreement_after_id: Mapped[int | None] = mapped_column(sa.ForeignKey("supplier_agreement.id"))
    unit_price_before: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    unit_price_after: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    reason: Mapped[str] = mapped_column(sa.String(400))
    edited_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    edited_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    undoes_id: Mapped[int | None] = mapped_column(sa.ForeignKey("proposal_edit.id"), unique=True)

    __table_args__ = (
        sa.CheckConstraint("quantity_after > 0", name="proposes_something"),
        sa.CheckConstraint("reason <> '' OR undoes_id IS NOT NULL", name="has_a_reason"),
    )


@dataclass(frozen=True, kw_only=True)
class Change:
    """What somebody wants of a proposal; what is None stays. A new supplier is another agreement of the item."""

    quantity: int | None = None
    order_date: date | None = None
    due_date: date | None = None
    agreement_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a proposal would be after a change. Agreement, supplier and price: of what is bought."""

    quantity: int
    order_date: date
    due_date: date
    agreement_id: int | None = None
    supplier_id: int | None = None
    unit_price: Decimal | None = None


class BadEdit(InvalidInput):
    """A change asks for what was not agreed, or for nothing."""


class EditedMeanwhile(Conflict):
    """Somebody else changed the proposal after it was looked at."""


class NothingEdited(Conflict):
    """No edit stands that could be undone."""


def edit(
    session: Session,
    *,
    proposal_id: int,
    site_id: int,
    change: Change,
    reason: str,
    actor: Actor,
    now: datetime,
    today: date,
    believed_quantity: int | None = None,
) -> int:
    """This function will change an open proposal and return the id of the edit; what it was stays visible.

    A new order date or supplier moves the due date by the agreed lead time unless one is given. `believed_quantity` is
    what the person saw when they decided. Raises `ReasonMissing`, `BadEdit`, `EditedMeanwhile`, `ProposalUnknown`,
    `IllegalTransition`.
    """
    actor.require(Role.PLANNER, Role.BUYER)
    if not reason.strip():
        raise ReasonMissing("changing a proposal needs a reason: the next run shows it to whoever looks again")
    proposal = _locked(session, proposal_id, site_id=site_id)
    MACHINE.advance(proposal.state, "edit", number=f"proposal {proposal_id}")
    if believed_quantity is not None and believed_quantity != proposal.quantity:
        raise EditedMeanwhile(
            f"proposal {proposal_id} was changed meanwhile: its quantity is {proposal.quantity}, not "
            f"{believed_quantity} as you saw it; look again, then change it"
        )
    wanted = resolve(session, proposal, change, today=today)
    row = _row(proposal, actor=actor, now=now, reason=reason.strip())
    row.agreement_after_id, row.unit_price_after = wanted.agreement_id, wanted.unit_price
    row.quantity_after, row.order_date_after, row.due_date_after = wanted.quantity, wanted.order_date, wanted.due_date
    return _write(session, proposal, row, supplier_id=wanted.supplier_id, verb="proposal.edit", actor=actor)


def edit_many(
    session: Session,
    changes: Mapping[int, Change],
    *,
    site_id: int,
    reason: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will change several open proposals for one reason, all or none. Raises what `edit` raises."""
    for proposal_id, change in sorted(changes.items()):
        edit(
            session,
            proposal_id=proposal_id,
            site_id=site_id,
            change=change,
            reason=reason,
            actor=actor,
            now=now,
            today=today,
        )


def resolve(session: Session, proposal: Proposal, change: Change, *, today: date) -> Wanted:
    """This function will give what a proposal would be after a change; nothing is written. Raises `BadEdit`."""
    if proposal.kind is not ProposalKind.BUY:
        return _resolve_unbought(proposal, change, today=today)
    agreed = _agreement(session, proposal, change)
    order_date = change.order_date or proposal.order_date
    follows = order_date != proposal.order_date or agreed.id != proposal.agreement_id
    due_date = change.due_date or (order_date + timedelta(days=agreed.lead_time_days) if follows else proposal.due_date)
    quantity = proposal.quantity if change.quantity is None else change.quantity
    _refuse(proposal, agreement_id=agreed.id, quantity=quantity, order_date=order_date, due_date=due_date, today=today)
    _refuse_terms(proposal, agreed, quantity=quantity)
    return Wanted(
        quantity=quantity,
        order_date=order_date,
        due_date=due_date,
        agreement_id=agreed.id,
        supplier_id=agreed.partner_id,
        unit_price=proposal.unit_price if agreed.id == proposal.agreement_id else agreed.unit_price,
    )


def _resolve_unbought(proposal: Proposal, change: Change, *, today: date) -> Wanted:
    """What is made or moved takes as long on another day as the plan counted on."""
    if change.agreement_id is not None:
        raise BadEdit(f"proposal {proposal.id}: it is not bought, so it has no supplier; reject it and order by hand")
    order_date = change.order_date or proposal.order_date
    due_date = change.due_date or (proposal.due_date + (order_date - proposal.order_date))
    quantity = proposal.quantity if change.quantity is None else change.quantity
    _refuse(proposal, agreement_id=None, quantity=quantity, order_date=order_date, due_date=due_date, today=today)
    return Wanted(quantity=quantity, order_date=order_date, due_date=due_date)


def undo_edit(session: Session, *, proposal_id: int, site_id: int, actor: Actor, now: datetime) -> int:
    """This function will take the newest standing edit of an open proposal back, and return the id of its undoing.

    Raises `NothingEdited`, `ProposalUnknown`, `IllegalTransition`.
    """
    actor.require(Role.PLANNER, Role.BUYER)
    proposal = _locked(session, proposal_id, site_id=site_id)
    MACHINE.advance(proposal.state, "edit", number=f"proposal {proposal_id}")
    last = session.scalars(standing_edits().where(ProposalEdit.proposal_id == proposal_id).limit(1)).one_or_none()
    if last is None:
        raise NothingEdited(f"proposal {proposal_id} stands as the plan made it: there is no change to undo")
    row = _row(proposal, actor=actor, now=now, reason="")
    row.quantity_after, row.undoes_id = last.quantity_before, last.id
    row.order_date_after, row.due_date_after = last.order_date_before, last.due_date_before
    row.agreement_after_id, row.unit_price_after = last.agreement_before_id, last.unit_price_before
    supplier_id = session.scalar(
        sa.select(SupplierAgreement.partner_id).where(SupplierAgreement.id == last.agreement_before_id)
    )
    return _write(session, proposal, row, supplier_id=supplier_id, verb="proposal.undo_edit", actor=actor)


def standing_edits() -> sa.Select[Any]:
    undoing = aliased(ProposalEdit)
    return (
        sa.select(ProposalEdit)
        .where(ProposalEdit.undoes_id.is_(None), ~sa.exists().where(undoing.undoes_id == ProposalEdit.id))
        .order_by(ProposalEdit.id.desc())
    )


def is_edited() -> sa.ColumnElement[bool]:
    """This function will give the condition that an edit of a proposal stands."""
    return sa.exists(standing_edits().with_only_columns(ProposalEdit.id).where(ProposalEdit.proposal_id == Proposal.id))


def standing(session: Session, proposal_ids: Sequence[int]) -> dict[int, list[tuple[ProposalEdit, str]]]:
    """This function will read the edits that stand, the newest first, each with the name of its author."""
    found: dict[int, list[tuple[ProposalEdit, str]]] = {}
    statement = standing_edits().add_columns(User.display_name).join(User, User.id == ProposalEdit.edited_by_id)
    for row, name in session.execute(statement.where(ProposalEdit.proposal_id.in_(proposal_ids))):
        found.setdefault(row.proposal_id, []).append((row, name))
    return found


def planned_quantity(proposal_account: Sequence[dict[str, Any]]) -> int:
    """This function will give the quantity the plan proposed, whatever people changed since.

    >>> planned_quantity([{"name": "demand", "quantity": 50}, {"name": "changed", "quantity": 10, "edit_id": 1}])
    50
    """
    return sum(term["quantity"] for term in proposal_account if term["name"] != TERM)


def _locked(session: Session, proposal_id: int, *, site_id: int) -> Proposal:
    proposals.lock(session, [proposal_id])
    proposal = session.get_one(Proposal, proposal_id, populate_existing=True)
    if proposal.site_id != site_id:
        raise proposals.ProposalUnknown(f"there is no proposal {proposal_id}")
    return proposal


def _agreement(session: Session, proposal: Proposal, change: Change) -> SupplierAgreement:
    agreed = session.get(SupplierAgreement, change.agreement_id or proposal.agreement_id)
    if agreed is None or agreed.item_id != proposal.item_id:
        raise BadEdit(
            f"proposal {proposal.id}: agreement {change.agreement_id} is not one of its item; choose one of the item's"
        )
    retired = session.scalar(sa.select(Partner.retired).where(Partner.id == agreed.partner_id))
    if change.agreement_id is not None and (agreed.retired or retired):
        raise BadEdit(f"proposal {proposal.id}: agreement {agreed.id} is retired; choose another supplier")
    if agreed.partner_id != proposal.supplier_id:
        _refuse_other_currency(session, proposal, agreed)
    return agreed


def _refuse_other_currency(session: Session, proposal: Proposal, agreed: SupplierAgreement) -> None:
    partners = [proposal.supplier_id, agreed.partner_id]
    rows = session.execute(
        sa.select(SupplierTerms.partner_id, SupplierTerms.currency).where(SupplierTerms.partner_id.in_(partners))
    )
    currency = {row.partner_id: row.currency for row in rows}
    before, after = currency.get(proposal.supplier_id), currency.get(agreed.partner_id)
    if after is None:
        raise BadEdit(f"proposal {proposal.id}: the supplier has no terms of order; enter them, or choose another")
    if before != after:
        raise BadEdit(f"proposal {proposal.id}: the supplier is paid in {after}; choose one who is paid in {before}")


def _refuse(
    proposal: Proposal, *, agreement_id: int | None, quantity: int, order_date: date, due_date: date, today: date
) -> None:
    line = f"proposal {proposal.id}"
    present = (proposal.quantity, proposal.order_date, proposal.due_date, proposal.agreement_id)
    if present == (quantity, order_date, due_date, agreement_id):
        raise BadEdit(f"{line}: nothing would change; name another quantity, date or supplier")
    if type(quantity) is not int or quantity <= 0:
        raise BadEdit(f"{line}: quantity {quantity!r} must be a whole number above 0; reject it to order none")
    if order_date < today and order_date != proposal.order_date:
        raise BadEdit(f"{line}: order on {order_date}, which has passed; choose {today} or later")
    if due_date < max(order_date, today):
        raise BadEdit(f"{line}: due on {due_date}; choose {max(order_date, today)}, the day of the order, or later")


def _refuse_terms(proposal: Proposal, agreed: SupplierAgreement, *, quantity: int) -> None:
    line = f"proposal {proposal.id}"
    if quantity < agreed.minimum_order_quantity:
        raise BadEdit(
            f"{line}: {quantity} is below the supplier's minimum of {agreed.minimum_order_quantity}; "
            f"order {agreed.minimum_order_quantity} or more, or reject it"
        )
    if quantity % agreed.order_multiple:
        lower = quantity - quantity % agreed.order_multiple
        upper = lower + agreed.order_multiple
        choice = f"{lower} or {upper}" if lower >= max(agreed.minimum_order_quantity, 1) else f"{upper}"
        raise BadEdit(f"{line}: {quantity} is no multiple of {agreed.order_multiple}; order {choice}")


def _row(proposal: Proposal, *, actor: Actor, now: datetime, reason: str) -> ProposalEdit:
    return ProposalEdit(
        proposal_id=proposal.id,
        quantity_before=proposal.quantity,
        quantity_after=proposal.quantity,
        order_date_before=proposal.order_date,
        order_date_after=proposal.order_date,
        due_date_before=proposal.due_date,
        due_date_after=proposal.due_date,
        agreement_before_id=proposal.agreement_id,
        agreement_after_id=proposal.agreement_id,
        unit_price_before=proposal.unit_price,
        unit_price_after=proposal.unit_price,
        reason=reason,
        edited_by_id=actor.user_id,
        edited_at=now,
    )


def _write(
    session: Session, proposal: Proposal, row: ProposalEdit, *, supplier_id: int | None, verb: str, actor: Actor
) -> int:
    session.add(row)
    session.flush()
    proposal.account = _account(session, proposal.account, row, actor)
    proposal.quantity = row.quantity_after
    proposal.order_date, proposal.due_date = row.order_date_after, row.due_date_after
    proposal.agreement_id, proposal.supplier_id = row.agreement_after_id, supplier_id
    proposal.unit_price = row.unit_price_after
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=verb,
        document_kind=KIND,
        document_ids=[proposal.id],
        reason=row.reason,
        quantity=[row.quantity_before, row.quantity_after],
        order_date=[row.order_date_before.isoformat(), row.order_date_after.isoformat()],
        due_date=[row.due_date_before.isoformat(), row.due_date_after.isoformat()],
        agreement_id=[row.agreement_before_id, row.agreement_after_id],
    )
    return row.id


def _account(session: Session, account: list[Any], row: ProposalEdit, actor: Actor) -> list[Any]:
    """The plan's terms, and one for each edit that stands and changed the quantity."""
    if row.undoes_id is not None:
        return [term for term in account if term.get("edit_id") != row.undoes_id]
    if row.quantity_after == row.quantity_before:
        return account
    name = session.scalar(sa.select(User.display_name).where(User.id == actor.user_id))
    changed = {
        "name": TERM,
        "quantity": row.quantity_after - row.quantity_before,
        "edit_id": row.id,
        "by": name,
        "reason": row.reason,
    }
    return [*account, changed]

"""Proposals as a person reads them: names, worth, account, what people changed, and where they went. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement import edits
from procurement.edits import ProposalEdit
from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.rules import AcceptanceRule
from scm.core.users import User
from scm.finance import money
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.companies import Company
from scm.master.items import BaseUnit, Item
from scm.master.locations import Site
from scm.master.partners import Partner
from warehouse.transfer_documents import Transfer, TransferLine, TransferState


@dataclass(frozen=True, kw_only=True)
class ShownEdit:
    """One change that stands, with its author and the suppliers' codes."""

    quantity_before: int
    quantity_after: int
    order_date_before: date
    order_date_after: date
    due_date_before: date
    due_date_after: date
    supplier_before: str
    supplier_after: str
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ShownProposal:
    """One proposal with the names people know; `value` is in minor units of `currency`. Edits: the newest first.

    Only what is bought has a supplier, a price and a value; only what is moved has a site that sends it.
    """

    id: int
    kind: ProposalKind
    state: ProposalState
    item_id: int
    sku: str
    item_name: str
    unit: str
    supplier_code: str
    supplier_name: str
    agreement_id: int | None
    from_site_code: str
    from_site_name: str
    quantity: int
    unit_price: Decimal | None
    value: int
    currency: str
    order_date: date
    due_date: date
    account: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    next_best: dict[str, Any] | None
    risk: dict[str, Any] | None
    assumed: Sequence[str]
    note: dict[str, Any] | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    rule: str | None
    reason: str
    order_number: str | None
    order_state: PurchaseOrderState | None
    transfer_number: str | None
    transfer_state: TransferState | None
    edits: Sequence[ShownEdit]

    @property
    def planned_quantity(self) -> int:
        """What the run proposed, before anybody changed it."""
        return edits.planned_quantity(self.account)

    @property
    def left_the_house(self) -> bool:
        """Whether the supplier was told, or the other site has promised the goods, so that the answer stands."""
        return self.order_state is PurchaseOrderState.SENT or self.transfer_state not in (None, TransferState.DRAFT)


def by_ids(session: Session, proposal_ids: Sequence[int], *, site_id: int) -> dict[int, ShownProposal]:
    """This function will read those of some proposals that belong to the site, in two queries."""
    return _read(session, _rows(site_id).where(Proposal.id.in_(proposal_ids)))


def of_item(session: Session, *, item_id: int, site_id: int, most: int = 12) -> list[ShownProposal]:
    """This function will read an item's newest proposals that were not replaced, the newest first, in two queries."""
    statement = _rows(site_id).where(Proposal.item_id == item_id, Proposal.state != ProposalState.SUPERSEDED)
    return list(_read(session, statement.order_by(Proposal.id.desc()).limit(most)).values())


def _rows(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Proposal,
            Item.sku,
            Item.shown_name.label("item_name"),
            BaseUnit.code.label("unit"),
            Partner.code.label("supplier_code"),
            Partner.name.label("supplier_name"),
            sa.func.coalesce(SupplierTerms.currency, Company.currency).label("currency"),
            Site.code.label("from_site_code"),
            Site.name.label("from_site_name"),
            User.display_name.label("decided_by"),
            AcceptanceRule.name.label("rule"),
            PurchaseOrder.number.label("order_number"),
            PurchaseOrder.state.label("order_state"),
            Transfer.number.label("transfer_number"),
            Transfer.state.label("transfer_state"),
        )
        .join(Item, Item.id == Proposal.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .join(Company, Company.id == Proposal.company_id)
        .outerjoin(Partner, Partner.id == Proposal.supplier_id)
        .outerjoin(SupplierTerms, SupplierTerms.partner_id == Proposal.supplier_id)
        .outerjoin(Site, Site.id == Proposal.from_site_id)
        .outerjoin(User, User.id == Proposal.decided_by_id)
        .outerjoin(AcceptanceRule, AcceptanceRule.id == Proposal.rule_id)
        .outerjoin(PurchaseOrderLine, PurchaseOrderLine.proposal_id == Proposal.id)
        .outerjoin(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .outerjoin(TransferLine, TransferLine.proposal_id == Proposal.id)
        .outerjoin(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(Proposal.site_id == site_id)
    )


def _read(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> dict[int, ShownProposal]:
    rows = session.execute(statement).all()
    changed = _edits(session, [row.Proposal.id for row in rows])
    return {row.Proposal.id: _shown(row, changed.get(row.Proposal.id, ())) for row in rows}


def _edits(session: Session, proposal_ids: Sequence[int]) -> dict[int, list[ShownEdit]]:
    agreed_before, agreed_after = aliased(SupplierAgreement), aliased(SupplierAgreement)
    before, after = aliased(Partner), aliased(Partner)
    statement = (
        edits.standing_edits()
        .add_columns(
            User.display_name.label("author"), before.code.label("supplier_before"), after.code.label("supplier_after")
        )
        .join(User, User.id == ProposalEdit.edited_by_id)
        .outerjoin(agreed_before, agreed_before.id == ProposalEdit.agreement_before_id)
        .outerjoin(before, before.id == agreed_before.partner_id)
        .outerjoin(agreed_after, agreed_after.id == ProposalEdit.agreement_after_id)
        .outerjoin(after, after.id == agreed_after.partner_id)
        .where(ProposalEdit.proposal_id.in_(proposal_ids))
    )
    found: dict[int, list[ShownEdit]] = {}
    for row in session.execute(statement):
        edit: ProposalEdit = row.ProposalEdit
        shown = ShownEdit(
            quantity_before=edit.quantity_before,
            quantity_after=edit.quantity_after,
            order_date_before=edit.order_date_before,
            order_date_after=edit.order_date_after,
            due_date_before=edit.due_date_before,
            due_date_after=edit.due_date_after,
            supplier_before=row.supplier_before or "",
            supplier_after=row.supplier_after or "",
            reason=edit.reason,
            author=row.author,
            at=edit.edited_at,
        )
        found.setdefault(edit.proposal_id, []).append(shown)
    return found


def _shown(row: sa.Row[Any], changed: Sequence[ShownEdit]) -> ShownProposal:
    proposal: Proposal = row.Proposal
    price = proposal.unit_price
    return ShownProposal(
        id=proposal.id,
        kind=proposal.kind,
        state=proposal.state,
        item_id=proposal.item_id,
        sku=row.sku,
        item_name=row.item_name,
        unit=row.unit,
        supplier_code=row.supplier_code or "",
        supplier_name=row.supplier_name or "",
        agreement_id=proposal.agreement_id,
        from_site_code=row.from_site_code or "",
        from_site_name=row.from_site_name or "",
        quantity=proposal.quantity,
        unit_price=price,
        value=0 if price is None else money.line_amount(price, proposal.quantity, currency=row.currency),
        currency=row.currency,
        order_date=proposal.order_date,
        due_date=proposal.due_date,
        account=proposal.account,
        inputs=proposal.inputs,
        next_best=proposal.next_best,
        risk=proposal.risk,
        assumed=proposal.assumed,
        note=proposal.note,
        created_at=proposal.created_at,
        decided_at=proposal.decided_at,
        decided_by=row.decided_by,
        rule=row.rule,
        reason=proposal.reason,
        order_number=row.order_number,
        order_state=row.order_state,
        transfer_number=row.transfer_number,
        transfer_state=row.transfer_state,
        edits=tuple(changed),
    )

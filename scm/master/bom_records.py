"""The lists of bills and work centres, and one revision as its page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.approval import Approval, Decision
from scm.core.listing import Field, Kind, Listing
from scm.core.users import User
from scm.master import bom_content
from scm.master.bom import KIND, Bom, BomKind, BomLine, BomState, number
from scm.master.bom_content import BomContent
from scm.master.items import SEARCHED, BaseUnit, Item
from scm.master.locations import Site
from scm.master.partners import Partner
from scm.master.routing import Operation, Routing, Shift, WorkCenter


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision among those of an item at a site."""

    id: int
    revision: int
    state: BomState
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asked for an approval, and what came of it."""

    requester: str
    requester_id: int
    requested_at: datetime
    decision: Decision
    approver: str | None
    decided_at: datetime | None
    comment: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """One revision with everything its page says besides its components."""

    id: int
    number: str
    site_id: int
    site: str
    item_id: int
    sku: str
    item: str
    unit: str
    state: BomState
    content: BomContent
    subcontractor: str | None
    revisions: tuple[Revision, ...]  # the newest first
    asked: tuple[Asked, ...]  # the newest first


@dataclass(frozen=True, kw_only=True)
class Named:
    """An item as a line calls it."""

    sku: str
    name: str
    unit: str


def boms(*, company_id: int) -> Listing:
    """This function will describe the list of all revisions of all items at all sites."""
    lines = sa.select(sa.func.count()).where(BomLine.bom_id == Bom.id).correlate(Bom).scalar_subquery()
    steps = (
        sa.select(sa.func.count())
        .select_from(Operation)
        .join(Routing, Routing.id == Operation.routing_id)
        .where(Routing.bom_id == Bom.id)
        .correlate(Bom)
        .scalar_subquery()
    )
    revision = sa.cast(Bom.revision, sa.String)
    return Listing(
        name="master_boms",
        rows=sa.select(Bom.id)
        .join(Item, Item.id == Bom.item_id)
        .join(Site, Site.id == Bom.site_id)
        .outerjoin(Partner, Partner.id == Bom.partner_id)
        .where(Bom.company_id == company_id),
        key=Bom.__table__.c.id,
        fields=(
            # One text that names the row, as `number` does.
            Field(name="name", kind=Kind.CODE, value="BOM " + Item.sku + "@" + Site.code + " r" + revision),
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="item", kind=Kind.TEXT, value=Item.shown_name),
            Field(name="site", kind=Kind.CODE, value=Site.code),
            Field(name="revision", kind=Kind.NUMBER, value=Bom.revision),
            Field(name="kind", kind=Kind.CHOICE, value=Bom.kind, choices=BomKind),
            Field(name="state", kind=Kind.CHOICE, value=Bom.state, choices=BomState),
            Field(name="valid_from", kind=Kind.DATE, value=Bom.valid_from),
            Field(name="valid_until", kind=Kind.DATE, value=Bom.valid_until),
            Field(name="lines", kind=Kind.NUMBER, value=lines),
            Field(name="operations", kind=Kind.NUMBER, value=steps),
            Field(name="lead_time_days", kind=Kind.NUMBER, value=Bom.lead_time_days),
            Field(name="subcontractor", kind=Kind.CODE, value=Partner.code),
        ),
        search=SEARCHED,
        order=("name", False),
    )


def work_centers(*, site_id: int) -> Listing:
    """This function will describe the list of a site's work centres."""
    shifts = (
        sa.select(sa.func.count()).where(Shift.work_center_id == WorkCenter.id).correlate(WorkCenter).scalar_subquery()
    )
    return Listing(
        name="master_work_centers",
        rows=sa.select(WorkCenter.id).where(WorkCenter.site_id == site_id),
        key=WorkCenter.__table__.c.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=WorkCenter.code),
            Field(name="name", kind=Kind.TEXT, value=WorkCenter.name),
            Field(name="machines", kind=Kind.NUMBER, value=WorkCenter.machines),
            Field(name="shifts", kind=Kind.NUMBER, value=shifts),
            Field(name="retired", kind=Kind.FLAG, value=WorkCenter.retired),
        ),
        search=(WorkCenter.code, WorkCenter.name),
        order=("code", False),
    )


def document(session: Session, *, bom_id: int, company_id: int) -> Document | None:
    """This function will read one revision; None when the company has no such."""
    row = session.execute(
        sa.select(
            Bom.id,
            Bom.site_id,
            Site.code.label("site"),
            Bom.item_id,
            Item.sku,
            Item.shown_name.label("item"),
            BaseUnit.code.label("unit"),
            Bom.state,
            Bom.revision,
            Partner.code.label("subcontractor"),
        )
        .join(Site, Site.id == Bom.site_id)
        .join(Item, Item.id == Bom.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(Partner, Partner.id == Bom.partner_id)
        .where(Bom.id == bom_id, Bom.company_id == company_id)
    ).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    revision = values.pop("revision")
    return Document(
        **values,
        number=number(row.sku, row.site, revision),
        content=bom_content.read(session, [bom_id])[bom_id],
        revisions=_revisions(session, item_id=row.item_id, site_id=row.site_id),
        asked=_asked(session, bom_id),
    )


def names(session: Session, item_ids: Iterable[int]) -> dict[int, Named]:
    """This function will give what items are called and counted in."""
    rows = session.execute(
        sa.select(Item.id, Item.sku, Item.shown_name.label("name"), BaseUnit.code.label("unit"))
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .where(Item.id.in_(sorted(set(item_ids))))
    )
    return {row.id: Named(sku=row.sku, name=row.name, unit=row.unit) for row in rows}


def of_item(session: Session, *, item_id: int, site_id: int) -> int | None:
    """This function will find the revision that says most about how an item is made at a site: the newest one in use,
    else the newest that is not retired; None when there is none."""
    return session.scalar(
        sa.select(Bom.id)
        .where(Bom.item_id == item_id, Bom.site_id == site_id, Bom.state != BomState.RETIRED)
        .order_by(Bom.state != BomState.APPROVED, Bom.revision.desc())
        .limit(1)
    )


def _revisions(session: Session, *, item_id: int, site_id: int) -> tuple[Revision, ...]:
    columns = [getattr(Bom, name) for name in Revision.__dataclass_fields__]
    rows = session.execute(
        sa.select(*columns).where(Bom.item_id == item_id, Bom.site_id == site_id).order_by(Bom.revision.desc())
    )
    return tuple(Revision(**row._mapping) for row in rows)


def _asked(session: Session, bom_id: int) -> tuple[Asked, ...]:
    requester, approver = aliased(User), aliased(User)
    rows = session.execute(
        sa.select(
            requester.display_name.label("requester"),
            Approval.requester_id,
            Approval.requested_at,
            Approval.decision,
            approver.display_name.label("approver"),
            Approval.decided_at,
            Approval.comment,
        )
        .join(requester, requester.id == Approval.requester_id)
        .outerjoin(approver, approver.id == Approval.approver_id)
        .where(Approval.subject_kind == KIND, Approval.subject_id == bom_id)
        .order_by(Approval.id.desc())
    )
    return tuple(Asked(**row._mapping) for row in rows)

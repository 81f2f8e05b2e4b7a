"""A revision is submitted, approved by somebody else, and one day retired.

What is approved is the content's hash: whoever changes the content after it was submitted makes the request void.
Approving closes the validity of the revision before it, so that on any day at most one is valid.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import approval, audit
from scm.core.approval import Decision
from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from scm.master import bom_checking, bom_content, bom_writing
from scm.master.bom import KIND, MACHINE, Bom, BomState, number
from scm.master.bom_checking import Subject
from scm.master.bom_content import BadBom, BomContent
from scm.master.bom_writing import BomUnknown
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.locations import Site

LONGEST_COMMENT = 400


class BomChanged(Conflict):
    """The revision is no longer what somebody believes."""


class ValidAlready(Conflict):
    """Another approved revision is valid on the same days, and cannot be closed before this one begins."""


def believed(content: BomContent) -> str:
    """This function will give the mark of a content, by which a page says what it believes a revision to be."""
    return approval.content_hash(bom_content.as_json(content))


def edit(
    session: Session, *, bom_id: int, believes: str, content: BomContent, company_id: int, actor: Actor, now: datetime
) -> None:
    """This function will change a draft; what was submitted becomes a draft again, and its request void.

    `believes` is the `believed` mark of what was read. Raises `BomUnknown`, `BomChanged`, `IllegalTransition`,
    `BadBom`, `PartUnknown`, `Cycle`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    bom, called = _locked(session, bom_id, company_id)
    bom.state = MACHINE.advance(bom.state, "edit", number=called)
    if believed(_content(session, bom)) != believes:
        raise BomChanged(f"{called} has changed meanwhile: load it again; nothing was changed")
    _check(session, bom, called, content)
    approval.void(session, subject_kind=KIND, subject_id=bom.id, now=now)
    session.flush()
    bom_writing.rewrite(session, bom_id=bom.id, content=content)
    _record(session, "edit", bom, actor)


def submit(session: Session, *, bom_id: int, company_id: int, actor: Actor, now: datetime) -> None:
    """This function will ask for the approval of a draft.

    Raises `BomUnknown`, `IllegalTransition`, `BadBom`, `PartUnknown`, `Cycle`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    bom, called = _locked(session, bom_id, company_id)
    bom.state = MACHINE.advance(bom.state, "submit", number=called)
    content = _content(session, bom)
    if not content.lines:
        raise BadBom(f"{called} has no lines: say what it is made of")
    _check(session, bom, called, content)
    approval.request(
        session,
        subject_kind=KIND,
        subject_id=bom.id,
        content=bom_content.as_json(content),
        requester=actor,
        now=now,
    )
    _record(session, "submit", bom, actor)


def withdraw(session: Session, *, bom_id: int, company_id: int, actor: Actor, now: datetime) -> None:
    """This function will take back a request for approval. Raises `BomUnknown`, `IllegalTransition`."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    bom, called = _locked(session, bom_id, company_id)
    bom.state = MACHINE.advance(bom.state, "withdraw", number=called)
    approval.void(session, subject_kind=KIND, subject_id=bom.id, now=now)
    _record(session, "withdraw", bom, actor)


def reject(session: Session, *, bom_id: int, company_id: int, actor: Actor, now: datetime, comment: str) -> None:
    """This function will send a submitted revision back to its draft, and say why.

    Raises `BomUnknown`, `IllegalTransition`, `SelfApproval`, `ContentChanged`, `BadBom` without a reason.
    """
    actor.require(Role.PLANNER, Role.ADMIN)
    bom, called = _locked(session, bom_id, company_id)
    state = MACHINE.advance(bom.state, "reject", number=called)
    if not 0 < len(comment.strip()) <= LONGEST_COMMENT:
        raise BadBom(f"{called}: say in 1 to {LONGEST_COMMENT} characters why it is rejected")
    _decide(session, bom, called, Decision.REJECTED, actor, now, comment.strip())
    bom.state = state
    session.flush()
    _record(session, "reject", bom, actor, comment=comment.strip())


def approve(session: Session, *, bom_id: int, company_id: int, actor: Actor, now: datetime, comment: str = "") -> None:
    """This function will approve a submitted revision and close the one before it the day before it begins.

    Raises `BomUnknown`, `IllegalTransition`, `SelfApproval`, `ContentChanged`, `Cycle`, `ValidAlready`.
    """
    actor.require(Role.PLANNER, Role.ADMIN)
    _lock_company(session, company_id)
    bom, called = _locked(session, bom_id, company_id)
    state = MACHINE.advance(bom.state, "approve", number=called)
    content = _decide(session, bom, called, Decision.APPROVED, actor, now, comment)
    _check(session, bom, called, content)
    closed = _close_earlier(session, bom, called)
    bom.state = state
    session.flush()
    _record(session, "approve", bom, actor, closed=closed)


def retire(session: Session, *, bom_id: int, company_id: int, actor: Actor) -> None:
    """This function will let a draft or an approved revision be used no more. Raises `BomUnknown`, `IllegalTransition`.

    What an approval says stays with it.
    """
    actor.require(Role.PLANNER, Role.ADMIN)
    bom, called = _locked(session, bom_id, company_id)
    bom.state = MACHINE.advance(bom.state, "retire", number=called)
    session.flush()
    _record(session, "retire", bom, actor)


def _lock_company(session: Session, company_id: int) -> None:
    """One approval at a time: two at once could close a circle that neither of them sees."""
    session.execute(sa.select(Company.id).where(Company.id == company_id).with_for_update(key_share=True))


def _close_earlier(session: Session, bom: Bom, called: str) -> list[int]:
    """Two approved revisions of an item at a site never share a day."""
    others = session.scalars(
        sa.select(Bom)
        .where(
            Bom.item_id == bom.item_id,
            Bom.site_id == bom.site_id,
            Bom.id != bom.id,
            Bom.state == BomState.APPROVED,
            sa.or_(Bom.valid_until.is_(None), Bom.valid_until >= bom.valid_from),
            *([] if bom.valid_until is None else [Bom.valid_from <= bom.valid_until]),
        )
        .order_by(Bom.revision)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for other in others:
        if other.valid_from > bom.valid_from:
            raise ValidAlready(
                f"{called} is valid from {bom.valid_from}, but revision {other.revision} begins on {other.valid_from}: "
                "let this one end before it, or retire that one first"
            )
        if other.valid_from == bom.valid_from:
            other.state = MACHINE.advance(other.state, "retire", number=called)
        else:
            other.valid_until = bom.valid_from - timedelta(days=1)
    session.flush()
    return [other.revision for other in others]


def _check(session: Session, bom: Bom, called: str, content: BomContent) -> None:
    subject = Subject(number=called, site_id=bom.site_id, item_id=bom.item_id, content=content)
    bom_checking.check_one(session, subject, company_id=bom.company_id)


def _decide(
    session: Session, bom: Bom, called: str, decision: Decision, actor: Actor, now: datetime, comment: str
) -> BomContent:
    content = _content(session, bom)
    approval.decide(
        session,
        subject_kind=KIND,
        subject_id=bom.id,
        number=called,
        content=bom_content.as_json(content),
        decision=decision,
        approver=actor,
        now=now,
        comment=comment,
    )
    return content


def _content(session: Session, bom: Bom) -> BomContent:
    session.flush()
    return bom_content.read(session, [bom.id])[bom.id]


def _locked(session: Session, bom_id: int, company_id: int) -> tuple[Bom, str]:
    bom = session.scalars(
        sa.select(Bom)
        .where(Bom.id == bom_id, Bom.company_id == company_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if bom is None:
        raise BomUnknown(f"there is no bill of materials {bom_id} in this company")
    sku = session.scalars(sa.select(Item.sku).where(Item.id == bom.item_id)).one()
    site = session.scalars(sa.select(Site.code).where(Site.id == bom.site_id)).one()
    return bom, number(sku, site, bom.revision)


def _record(session: Session, action: str, bom: Bom, actor: Actor, **detail: object) -> None:
    audit.record(session, actor=actor, verb=f"bom.{action}", document_kind=KIND, document_ids=[bom.id], **detail)

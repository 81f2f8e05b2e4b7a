"""People write bills of materials: a first draft, a next revision, a change of a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import NotFound
from scm.core.users import Actor, Role
from scm.master import bom_checking, bom_content, items
from scm.master.bom import KIND, MACHINE, Bom, BomLine, BomSubstitute, number
from scm.master.bom_checking import PartUnknown, Subject
from scm.master.bom_content import BomContent
from scm.master.locations import Site
from scm.master.routing import Operation, Routing


class BomUnknown(NotFound):
    """There is no such revision in the company."""


def create(session: Session, content: BomContent, *, site_id: int, item_id: int, company_id: int, actor: Actor) -> int:
    """This function will write a draft of the next revision of what an item is made of, and give its id.

    Raises `BadBom`, `PartUnknown`, `Cycle`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    # The site's row is the lock: two people who write a revision at once get two numbers.
    site = session.execute(
        sa.select(Site.id, Site.code)
        .where(Site.id == site_id, Site.company_id == company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if site is None:
        raise PartUnknown(f"there is no site {site_id} in this company")
    last = session.scalar(sa.select(sa.func.max(Bom.revision)).where(Bom.item_id == item_id, Bom.site_id == site_id))
    revision = (last or 0) + 1
    sku = items.skus(session, [item_id])[item_id]
    subject = Subject(number=number(sku, site.code, revision), site_id=site_id, item_id=item_id, content=content)
    bom_checking.check_one(session, subject, company_id=company_id)
    bom = Bom(
        company_id=company_id,
        site_id=site_id,
        item_id=item_id,
        revision=revision,
        state=MACHINE.initial,
        **{name: getattr(content, name) for name in bom_content.HEAD},
    )
    session.add(bom)
    session.flush()
    _write_parts(session, bom.id, content)
    audit.record(
        session,
        actor=actor,
        verb="bom.create",
        document_kind=KIND,
        document_ids=[bom.id],
        item=sku,
        site=site.code,
        revision=revision,
    )
    return bom.id


def revise(session: Session, *, bom_id: int, valid_from: date, company_id: int, actor: Actor) -> int:
    """This function will write the next revision as a draft that says the same from another day on, and give its id.

    Raises `BomUnknown`, and what `create` raises.
    """
    row = session.execute(
        sa.select(Bom.item_id, Bom.site_id).where(Bom.id == bom_id, Bom.company_id == company_id)
    ).one_or_none()
    if row is None:
        raise BomUnknown(f"there is no bill of materials {bom_id} in this company")
    content = bom_content.read(session, [bom_id])[bom_id]
    return create(
        session,
        replace(content, valid_from=valid_from, valid_until=None),
        site_id=row.site_id,
        item_id=row.item_id,
        company_id=company_id,
        actor=actor,
    )


def rewrite(session: Session, *, bom_id: int, content: BomContent) -> None:
    """This function will let a draft say something else that was checked."""
    _remove_parts(session, bom_id)
    head = {name: getattr(content, name) for name in bom_content.HEAD}
    session.execute(sa.update(Bom).where(Bom.id == bom_id).values(**head))
    _write_parts(session, bom_id, content)


def _remove_parts(session: Session, bom_id: int) -> None:
    lines = sa.select(BomLine.id).where(BomLine.bom_id == bom_id)
    routings = sa.select(Routing.id).where(Routing.bom_id == bom_id)
    session.execute(sa.delete(BomSubstitute).where(BomSubstitute.bom_line_id.in_(lines)))
    session.execute(sa.delete(BomLine).where(BomLine.bom_id == bom_id))
    session.execute(sa.delete(Operation).where(Operation.routing_id.in_(routings)))
    session.execute(sa.delete(Routing).where(Routing.bom_id == bom_id))


def _write_parts(session: Session, bom_id: int, content: BomContent) -> None:
    lines = [
        BomLine(
            bom_id=bom_id,
            line_number=line.line_number,
            item_id=line.item_id,
            quantity=line.quantity,
            scrap_rate=line.scrap_rate,
        )
        for line in content.lines
    ]
    session.add_all(lines)
    session.flush()
    session.add_all(
        BomSubstitute(bom_line_id=row.id, **vars(other))
        for row, line in zip(lines, content.lines, strict=True)
        for other in line.substitutes
    )
    if content.operations:
        routing = Routing(bom_id=bom_id)
        session.add(routing)
        session.flush()
        session.add_all(Operation(routing_id=routing.id, **vars(operation)) for operation in content.operations)
    session.flush()

"""Whether revisions may say what they say: many at once against the same facts, in a few queries altogether."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import NotFound
from scm.master import bom_content, bom_cycles
from scm.master.bom_content import BadBom, BomContent
from scm.master.bom_cycles import Graph
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner
from scm.master.routing import WorkCenter


class PartUnknown(NotFound):
    """Something a bill names does not exist, or not in this company or at this site."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A revision that is to be checked: what it is called, where and of what it is, and what it says."""

    number: str
    site_id: int
    item_id: int
    content: BomContent

    @property
    def used(self) -> frozenset[int]:
        """The components and what may stand in for them."""
        lines = self.content.lines
        return frozenset(
            {line.item_id for line in lines} | {other.item_id for line in lines for other in line.substitutes}
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What there is of that which revisions name."""

    items: dict[int, str]  # SKUs
    retired: frozenset[int]
    centers: frozenset[tuple[int, int]]  # site and work centre in use
    suppliers: frozenset[int]
    graph: Graph


def facts(session: Session, subjects: Iterable[Subject], *, company_id: int) -> Facts:
    """This function will read what some revisions name: three queries, and one for each level below them."""
    wanted = list(subjects)
    used = {item_id for subject in wanted for item_id in (*subject.used, subject.item_id)}
    items = session.execute(
        sa.select(Item.id, Item.sku, Item.status).where(Item.company_id == company_id, Item.id.in_(sorted(used)))
    ).all()
    centers = {step.work_center_id for subject in wanted for step in subject.content.operations}
    partners = {subject.content.partner_id for subject in wanted if subject.content.partner_id is not None}
    live = sa.and_(Partner.company_id == company_id, Partner.is_supplier, ~Partner.retired)
    return Facts(
        items={row.id: row.sku for row in items},
        retired=frozenset(row.id for row in items if row.status is ItemStatus.RETIRED),
        centers=frozenset(
            (row.site_id, row.id)
            for row in session.execute(
                sa.select(WorkCenter.site_id, WorkCenter.id).where(
                    WorkCenter.id.in_(sorted(centers)), ~WorkCenter.retired
                )
            )
        ),
        suppliers=frozenset(session.scalars(sa.select(Partner.id).where(Partner.id.in_(sorted(partners)), live))),
        graph=bom_cycles.below(
            session,
            {item_id for subject in wanted for item_id in subject.used},
            company_id=company_id,
            valid_from=min((subject.content.valid_from for subject in wanted), default=None),
        ),
    )


def check(session: Session, subject: Subject, known: Facts) -> None:
    """This function will refuse a revision that names what does not exist, or is wrong in itself.

    Raises `BadBom`, `PartUnknown`, `Cycle`.
    """
    number, content = subject.number, subject.content
    bom_content.check(content, number=number, item_id=subject.item_id)
    for item_id in sorted({subject.item_id, *subject.used}):
        if item_id not in known.items:
            raise PartUnknown(f"{number}: there is no item {item_id}")
        if item_id in known.retired:
            raise BadBom(f"{number}: item {known.items[item_id]} is retired: name what replaces it")
    for step in content.operations:
        if (subject.site_id, step.work_center_id) not in known.centers:
            raise PartUnknown(f"{number}: there is no work centre {step.work_center_id} in use at its site")
    if content.partner_id is not None and content.partner_id not in known.suppliers:
        raise PartUnknown(f"{number}: there is no supplier {content.partner_id} to make it")
    bom_cycles.refuse(
        session,
        known.graph,
        number=number,
        item_id=subject.item_id,
        used=subject.used,
        valid_from=content.valid_from,
        valid_until=content.valid_until,
    )


def check_one(session: Session, subject: Subject, *, company_id: int) -> None:
    """This function will check a single revision. Raises what `check` raises."""
    check(session, subject, facts(session, [subject], company_id=company_id))

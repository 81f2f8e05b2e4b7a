"""How operations are rows of a CSV file: the steps by which a revision is made, and the work centre of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import Actor
from scm.master import bom_content, bom_drafts, sheets
from scm.master.bom import Bom
from scm.master.bom_content import BomContent, OperationContent
from scm.master.items import Item
from scm.master.locations import Site
from scm.master.routing import Operation, Routing, WorkCenter
from scm.master.sheets import Column, Row, RowError

Values = Mapping[str, Any]
Key = tuple[str, str, int, int]  # site, SKU, revision, sequence
LARGEST = bom_content.LARGEST

COLUMNS = (
    Column(name="site", read=sheets.code(longest=20), required=True),
    Column(name="sku", read=sheets.code(longest=40), required=True),
    Column(name="revision", read=sheets.whole(smallest=1, largest=100_000), required=True),
    Column(name="sequence", read=sheets.whole(smallest=1, largest=1_000_000), required=True),
    Column(name="name", read=sheets.text(longest=120), required=True),
    Column(name="work_center", read=sheets.code(longest=30), required=True),
    Column(name="setup_seconds", read=sheets.whole(largest=LARGEST), missing=0),
    Column(name="run_seconds", read=sheets.whole(largest=LARGEST), missing=0),
    Column(name="run_quantity", read=sheets.whole(smallest=1, largest=LARGEST), missing=1),
)


def existing(session: Session, *, company_id: int) -> dict[Key, Values]:
    """This function will read all operations as rows, by site, SKU, revision and sequence."""
    rows = session.execute(
        sa.select(
            Site.code.label("site"),
            Item.sku,
            Bom.revision,
            Operation.sequence,
            Operation.name,
            WorkCenter.code.label("work_center"),
            Operation.setup_seconds,
            Operation.run_seconds,
            Operation.run_quantity,
        )
        .join(Routing, Routing.id == Operation.routing_id)
        .join(Bom, Bom.id == Routing.bom_id)
        .join(Site, Site.id == Bom.site_id)
        .join(Item, Item.id == Bom.item_id)
        .join(WorkCenter, WorkCenter.id == Operation.work_center_id)
        .where(Bom.company_id == company_id)
    )
    return {(row.site, row.sku, row.revision, row.sequence): dict(row._mapping) for row in rows}


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock the revisions of operations, and give their ids by operation."""
    ids = bom_drafts.lock(session, {key[:3] for key in keys}, company_id=company_id)
    return {key: ids[key[:3]] for key in keys}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse unknown work centres, and revisions that would not make sense with these operations."""
    centers = _centers(session, company_id=company_id)
    errors = []
    for row in rows:
        code = row.values["work_center"]
        if (row.values["site"], code) not in centers:
            reason, mend = "the site has no such work centre", "import the work centre first"
            errors.append(RowError(row=row.number, column="work_center", value=code, reason=reason, mend=mend))
    wrong = {error.row for error in errors}
    good = [row for row in rows if row.number not in wrong]
    apply = _applied(centers)
    return errors + bom_drafts.check(session, good, known, company_id=company_id, apply=apply, part="sequence")


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will write operations whose rows were checked."""
    apply = _applied(_centers(session, company_id=company_id))
    bom_drafts.rewrite(session, [*created, *changed], company_id=company_id, apply=apply)


def _centers(session: Session, *, company_id: int) -> dict[tuple[str, str], int]:
    rows = session.execute(
        sa.select(Site.code.label("site"), WorkCenter.code, WorkCenter.id)
        .join(Site, Site.id == WorkCenter.site_id)
        .where(WorkCenter.company_id == company_id)
    )
    return {(row.site, row.code): row.id for row in rows}


def _applied(centers: Mapping[tuple[str, str], int]) -> bom_drafts.Apply:
    def operation(values: Values) -> OperationContent:
        return OperationContent(
            sequence=values["sequence"],
            name=values["name"].strip(),
            work_center_id=centers[values["site"], values["work_center"]],
            setup_seconds=values["setup_seconds"],
            run_seconds=values["run_seconds"],
            run_quantity=values["run_quantity"],
        )

    def apply(content: BomContent, rows: Sequence[Values]) -> BomContent:
        steps = {one.sequence: one for one in content.operations} | {row["sequence"]: operation(row) for row in rows}
        return replace(content, operations=tuple(steps[sequence] for sequence in sorted(steps)))

    return apply

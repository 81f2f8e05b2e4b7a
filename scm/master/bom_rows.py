"""How revisions of bills are rows of a CSV file: what they make and on which terms; their lines are another file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.types import RATE_PLACES
from scm.core.users import Actor
from scm.master import bom_checking, bom_content, bom_drafts, bom_writing, items, partners, sheets
from scm.master.bom import Bom, BomKind, number
from scm.master.bom_checking import Subject
from scm.master.bom_content import BomContent
from scm.master.bom_drafts import BomKey, key_of
from scm.master.items import Item
from scm.master.locations import Site
from scm.master.partners import Partner
from scm.master.sheets import Column, Row, RowError, WrongCell

Values = Mapping[str, Any]
LARGEST = bom_content.LARGEST


def _kind(cell: str) -> BomKind:
    return BomKind(sheets.one_of([kind.value for kind in BomKind])(cell))


def day(cell: str) -> date:
    """This function will read a day. Raises `WrongCell`."""
    try:
        return date.fromisoformat(cell.strip())
    except ValueError:
        raise WrongCell("it is no date", "write it as YYYY-MM-DD") from None


COLUMNS = (
    Column(name="site", read=sheets.code(longest=20), required=True),
    Column(name="sku", read=sheets.code(longest=40), required=True),
    Column(name="revision", read=sheets.whole(smallest=1, largest=100_000), required=True),
    Column(name="kind", read=_kind, write=lambda kind: str(kind.value), missing=BomKind.MAKE),
    Column(name="valid_from", read=day, write=date.isoformat, required=True),
    Column(name="valid_until", read=day, write=date.isoformat),
    Column(name="output_quantity", read=sheets.whole(smallest=1, largest=LARGEST), missing=1),
    Column(
        name="yield_rate",
        read=sheets.decimal(places=RATE_PLACES, largest=1),
        write=sheets.show_plain,
        missing=BomContent.yield_rate,
    ),
    Column(name="subcontractor", read=sheets.code(longest=40)),
    Column(name="lead_time_days", read=sheets.whole(largest=3650), missing=0),
    Column(name="minimum_order_quantity", read=sheets.whole(largest=LARGEST), missing=0),
    Column(name="order_multiple", read=sheets.whole(smallest=1, largest=LARGEST), missing=1),
    Column(name="cover_limit_days", read=sheets.whole(smallest=1, largest=3650)),
)
TERMS = tuple(name for name in bom_content.HEAD if name != "partner_id")


def existing(session: Session, *, company_id: int) -> dict[BomKey, Values]:
    """This function will read all revisions as rows, by site, SKU and revision."""
    rows = session.execute(
        sa.select(
            Site.code.label("site"),
            Item.sku,
            Bom.revision,
            Partner.code.label("subcontractor"),
            *(getattr(Bom, name) for name in TERMS),
        )
        .join(Site, Site.id == Bom.site_id)
        .join(Item, Item.id == Bom.item_id)
        .outerjoin(Partner, Partner.id == Bom.partner_id)
        .where(Bom.company_id == company_id)
    )
    found = ({column.name: row._mapping[column.name] for column in COLUMNS} for row in rows)
    return {key_of(values): values for values in found}


def check(session: Session, rows: Sequence[Row], known: Mapping[BomKey, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse what does not exist, revisions out of turn, and changes of what is no draft."""
    sites = _sites(session, company_id=company_id)
    found = items.ids_by_sku(session, [row.values["sku"] for row in rows], company_id=company_id)
    suppliers = partners.ids_by_code(
        session, [row.values["subcontractor"] for row in rows if row.values["subcontractor"]], company_id=company_id
    )
    last: dict[tuple[str, str], int] = {}
    for site, sku, revision in known:
        last[site, sku] = max(revision, last.get((site, sku), 0))
    errors = []
    for row in rows:
        values, key = row.values, key_of(row.values)
        for column, among, mend in (
            ("site", sites, "name a site of the company"),
            ("sku", found, "import the item first"),
            ("subcontractor", {None, *suppliers}, "import the supplier first"),
        ):
            if values[column] not in among:
                reason = "it is not known here"
                errors.append(
                    RowError(row=row.number, column=column, value=str(values[column]), reason=reason, mend=mend)
                )
        following = last.get(key[:2], 0) + 1
        if key not in known and key[2] != following:
            mend = f"write {following}, the next one of this item at this site"
            reason = "revisions are counted one by one"
            errors.append(RowError(row=row.number, column="revision", value=str(key[2]), reason=reason, mend=mend))
        elif key not in known:
            last[key[:2]] = following
    wrong = {error.row for error in errors}
    new = {
        row.number: Subject(
            number=number(row.values["sku"], row.values["site"], row.values["revision"]),
            site_id=sites[row.values["site"]],
            item_id=found[row.values["sku"]],
            content=_content(row.values, suppliers),
        )
        for row in rows
        if row.number not in wrong and key_of(row.values) not in known
    }
    facts = bom_checking.facts(session, new.values(), company_id=company_id)
    for row in rows:
        if row.number in new:
            errors += bom_drafts.refused(session, new[row.number], facts, row, part="sku")
    old = [row for row in rows if row.number not in wrong and key_of(row.values) in known]
    whole = {(*key, values["sku"]): values for key, values in known.items()}
    apply = _applied(suppliers)
    return errors + bom_drafts.check(session, old, whole, company_id=company_id, apply=apply, part="sku")


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will write revisions whose rows were checked."""
    rows = [*created, *changed]
    sites = _sites(session, company_id=company_id)
    found = items.ids_by_sku(session, [row["sku"] for row in rows], company_id=company_id)
    suppliers = partners.ids_by_code(
        session, [row["subcontractor"] for row in rows if row["subcontractor"]], company_id=company_id
    )
    for values in created:
        bom_writing.create(
            session,
            _content(values, suppliers),
            site_id=sites[values["site"]],
            item_id=found[values["sku"]],
            company_id=company_id,
            actor=actor,
        )
    bom_drafts.rewrite(session, changed, company_id=company_id, apply=_applied(suppliers))


def _content(values: Values, suppliers: Mapping[str, int]) -> BomContent:
    terms = {name: values[name] for name in TERMS}
    return BomContent(lines=(), partner_id=suppliers.get(values["subcontractor"]), **terms)


def _applied(suppliers: Mapping[str, int]) -> bom_drafts.Apply:
    def apply(content: BomContent, rows: Sequence[Values]) -> BomContent:
        [values] = rows
        return BomContent(
            **vars(_content(values, suppliers)) | {"lines": content.lines, "operations": content.operations}
        )

    return apply


def _sites(session: Session, *, company_id: int) -> dict[str, int]:
    rows = session.execute(sa.select(Site.code, Site.id).where(Site.company_id == company_id))
    return {row.code: row.id for row in rows}

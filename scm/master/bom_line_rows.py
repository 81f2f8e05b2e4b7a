"""How lines of bills are rows of a CSV file: a component, how much of it, and what may stand in for it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.types import RATE_PLACES
from scm.core.users import Actor
from scm.master import bom_content, bom_drafts, items, sheets
from scm.master.bom import Bom, BomLine, BomSubstitute
from scm.master.bom_content import BomContent, LineContent, SubstituteContent
from scm.master.items import Item
from scm.master.locations import Site
from scm.master.sheets import Column, Row, RowError, WrongCell

Values = Mapping[str, Any]
Key = tuple[str, str, int, int]  # site, SKU, revision, line
LARGEST = bom_content.LARGEST


def read_substitutes(cell: str) -> tuple[tuple[str, int], ...]:
    """This function will read SKUs with quantities, the first choice first: "OAK:25;PINE:30". Raises `WrongCell`."""
    found = []
    for part in next(csv.reader([cell], delimiter=";")):
        sku, _, quantity = part.strip().rpartition(":")
        if not sku or not quantity.strip().isdecimal():
            raise WrongCell(f"{part.strip()[:40]!r} is no SKU with a quantity", "write them as OAK:25;PINE:30")
        found.append((sku.strip(), int(quantity)))
    return tuple(found)


def show_substitutes(pairs: Sequence[tuple[str, int]]) -> str:
    """This function will write substitutes as `read_substitutes` reads them."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="").writerow([f"{sku}:{quantity}" for sku, quantity in pairs])
    return out.getvalue()


COLUMNS = (
    Column(name="site", read=sheets.code(longest=20), required=True),
    Column(name="sku", read=sheets.code(longest=40), required=True),
    Column(name="revision", read=sheets.whole(smallest=1, largest=100_000), required=True),
    Column(name="line_number", read=sheets.whole(smallest=1, largest=1_000_000), required=True),
    Column(name="component", read=sheets.code(longest=40), required=True),
    Column(name="quantity", read=sheets.whole(smallest=1, largest=LARGEST), required=True),
    Column(
        name="scrap_rate",
        read=sheets.decimal(places=RATE_PLACES, largest=1),
        write=sheets.show_plain,
        missing=LineContent.scrap_rate,
    ),
    Column(name="substitutes", read=read_substitutes, write=show_substitutes, missing=()),
)


def existing(session: Session, *, company_id: int) -> dict[Key, Values]:
    """This function will read all lines as rows, by site, SKU, revision and line."""
    component = aliased(Item)
    others: dict[int, list[tuple[str, int]]] = {}
    for row in session.execute(
        sa.select(BomSubstitute.bom_line_id, Item.sku, BomSubstitute.quantity)
        .join(Item, Item.id == BomSubstitute.item_id)
        .where(Item.company_id == company_id)
        .order_by(BomSubstitute.bom_line_id, BomSubstitute.priority)
    ):
        others.setdefault(row.bom_line_id, []).append((row.sku, row.quantity))
    rows = session.execute(
        sa.select(
            Site.code.label("site"),
            Item.sku,
            Bom.revision,
            BomLine.id,
            BomLine.line_number,
            component.sku.label("component"),
            BomLine.quantity,
            BomLine.scrap_rate,
        )
        .join(Bom, Bom.id == BomLine.bom_id)
        .join(Site, Site.id == Bom.site_id)
        .join(Item, Item.id == Bom.item_id)
        .join(component, component.id == BomLine.item_id)
        .where(Bom.company_id == company_id)
    )
    found: dict[Key, Values] = {}
    for line in rows:
        values = {column.name: line._mapping[column.name] for column in COLUMNS if column.name != "substitutes"}
        key = (line.site, line.sku, line.revision, line.line_number)
        found[key] = values | {"substitutes": tuple(others.get(line.id, ()))}
    return found


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock the revisions of lines, and give their ids by line."""
    ids = bom_drafts.lock(session, {key[:3] for key in keys}, company_id=company_id)
    return {key: ids[key[:3]] for key in keys}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse items that do not exist, and revisions that would not make sense with these lines."""
    found = _items(session, [row.values for row in rows], company_id=company_id)
    errors = []
    for row in rows:
        for column, skus in (
            ("component", [row.values["component"]]),
            ("substitutes", [sku for sku, _ in row.values["substitutes"]]),
        ):
            for sku in skus:
                if sku not in found:
                    reason, mend = "there is no such item", "import the item first"
                    errors.append(RowError(row=row.number, column=column, value=sku, reason=reason, mend=mend))
    wrong = {error.row for error in errors}
    good = [row for row in rows if row.number not in wrong]
    apply = _applied(found)
    return errors + bom_drafts.check(session, good, known, company_id=company_id, apply=apply, part="line_number")


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will write lines whose rows were checked."""
    rows = [*created, *changed]
    apply = _applied(_items(session, rows, company_id=company_id))
    bom_drafts.rewrite(session, rows, company_id=company_id, apply=apply)


def _items(session: Session, rows: Sequence[Values], *, company_id: int) -> dict[str, int]:
    skus = {row["component"] for row in rows} | {sku for row in rows for sku, _ in row["substitutes"]}
    return items.ids_by_sku(session, skus, company_id=company_id)


def _applied(found: Mapping[str, int]) -> bom_drafts.Apply:
    def line(values: Values) -> LineContent:
        return LineContent(
            line_number=values["line_number"],
            item_id=found[values["component"]],
            quantity=values["quantity"],
            scrap_rate=values["scrap_rate"],
            substitutes=tuple(
                SubstituteContent(item_id=found[sku], priority=priority, quantity=quantity)
                for priority, (sku, quantity) in enumerate(values["substitutes"], start=1)
            ),
        )

    def apply(content: BomContent, rows: Sequence[Values]) -> BomContent:
        lines = {one.line_number: one for one in content.lines} | {row["line_number"]: line(row) for row in rows}
        return replace(content, lines=tuple(lines[number] for number in sorted(lines)))

    return apply

"""How items are rows of a CSV file: their columns, what can be wrong with them, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Actor
from scm.master import gtin, items, sheets
from scm.master.gtin import BadGtin
from scm.master.items import BaseUnit, Item, ItemCategory, ItemRequest, ItemStatus
from scm.master.sheets import Column, Row, RowError, WrongCell

Values = Mapping[str, Any]
Key = tuple[str]
_PRICE = sheets.decimal(places=UNIT_PRICE_PLACES)


def _gtin(cell: str) -> str:
    try:
        return gtin.check(cell.strip())
    except BadGtin as error:
        raise WrongCell(str(error), "read the label again, or leave the cell empty") from None


def _status(cell: str) -> ItemStatus:
    return ItemStatus(sheets.one_of([status.value for status in ItemStatus])(cell))


COLUMNS = (
    Column(name="sku", read=sheets.code(longest=40), required=True),
    Column(name="name", read=sheets.text(longest=200), required=True),
    Column(name="english_name", read=sheets.text(longest=200)),
    Column(name="gtin", read=_gtin),
    Column(name="base_unit", read=sheets.code(longest=12), required=True),
    Column(name="category", read=sheets.code(longest=40)),
    Column(name="status", read=_status, write=lambda status: str(status.value), missing=ItemStatus.ACTIVE),
    Column(name="sale_price", read=_PRICE, write=sheets.show_plain),
    Column(name="opening_unit_cost", read=_PRICE, write=sheets.show_plain),
    Column(name="lot_tracked", read=sheets.yes_or_no, write=sheets.show_yes, missing=False),
    Column(name="shelf_life_days", read=sheets.whole(smallest=1, largest=36500)),
    Column(name="assumed", read=sheets.words, write=";".join, missing=()),
)


def existing(session: Session, *, company_id: int, keys: Sequence[Key] | None = None) -> dict[Key, Values]:
    """This function will read all items, or some of them, as rows, by SKU."""
    statement = (
        sa.select(*table_of(Item).columns, BaseUnit.code.label("base_unit"), ItemCategory.code.label("category"))
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(ItemCategory, ItemCategory.id == Item.category_id)
        .where(Item.company_id == company_id)
    )
    if keys is not None:
        statement = statement.where(Item.sku.in_([sku for (sku,) in keys]))
    rows: dict[Key, Values] = {}
    for row in session.execute(statement):
        values = {column.name: row._mapping[column.name] for column in COLUMNS}
        rows[row.sku,] = values | {"assumed": tuple(sorted(row.assumed))}
    return rows


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock items in the order of their ids, and give the ids."""
    statement = sa.select(Item.sku, Item.id).where(
        Item.company_id == company_id, Item.sku.in_([sku for (sku,) in keys])
    )
    rows = session.execute(statement.order_by(Item.id).with_for_update())
    return {(row.sku,): row.id for row in rows}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will list what is wrong with rows whose cells are right, beside each other and the database."""
    units = set(session.scalars(sa.select(BaseUnit.code)))
    named = {row.values["sku"] for row in rows}
    owner = _owners(session, {row.values["gtin"] for row in rows} - {None}, besides=named)
    errors = []
    for row in rows:
        values = row.values
        before = known.get((values["sku"],))
        if values["base_unit"] not in units:
            mend = f"write one of {', '.join(sorted(units))}"
            errors.append(_error(row, "base_unit", "there is no such unit", mend))
        elif before is not None and before["base_unit"] != values["base_unit"]:
            reason = f"the item is counted in {before['base_unit']}"
            errors.append(_error(row, "base_unit", reason, "retire the item and add another"))
        elif before is not None and before["lot_tracked"] != values["lot_tracked"]:
            reason = "whether lots are tracked may only change before an item moves"
            errors.append(_error(row, "lot_tracked", reason, "put it back here and change it on the page of the items"))
        if values["shelf_life_days"] is not None and not values["lot_tracked"]:
            reason = "goods with a shelf life are tracked by lot"
            errors.append(_error(row, "lot_tracked", reason, "write yes, or empty shelf_life_days"))
        if values["gtin"] is not None:
            taken = owner.setdefault(values["gtin"], values["sku"])
            if taken != values["sku"]:
                errors.append(_error(row, "gtin", f"it belongs to {taken}", "read the label again"))
    return errors


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will add and change items whose rows were checked."""
    units = {row.code: row.id for row in session.execute(sa.select(BaseUnit.code, BaseUnit.id))}
    categories = _categories(session, [*created, *changed], company_id=company_id)
    requests = [ItemRequest(**_without_names(values), **_ids(values, units, categories)) for values in created]
    table = table_of(Item)
    ids = items.ids_by_sku(session, [values["sku"] for values in changed], company_id=company_id)
    rows = [
        {f"v_{name}": value for name, value in (_without_names(values) | _ids(values, units, categories)).items()}
        | {"k_id": ids[values["sku"]], "v_assumed": sorted(values["assumed"])}
        for values in changed
    ]
    if rows:
        # Two items may trade their numbers: each is free before the other takes it.
        session.execute(
            sa.update(table).where(table.c.id == sa.bindparam("k_id")).values(gtin=None),
            [{"k_id": row["k_id"]} for row in rows],
        )
        names = [name.removeprefix("v_") for name in rows[0] if name.startswith("v_")]
        update = sa.update(table).where(table.c.id == sa.bindparam("k_id"))
        session.execute(update.values({name: sa.bindparam(f"v_{name}") for name in names}), rows)
    items.create(session, requests, company_id=company_id, actor=actor)


def _without_names(values: Values) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("base_unit", "category")}


def _ids(values: Values, units: Mapping[str, int], categories: Mapping[str, int]) -> dict[str, Any]:
    category = values["category"]
    return {
        "base_unit_id": units[values["base_unit"]],
        "category_id": None if category is None else categories[category],
    }


def _owners(session: Session, gtins: Set[str], *, besides: Set[str]) -> dict[str, str]:
    """The items that have these numbers, but for those that a file speaks of."""
    wanted = sorted(gtins)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), items.CHUNK):
        chunk = wanted[start : start + items.CHUNK]
        rows = session.execute(sa.select(Item.gtin, Item.sku).where(Item.gtin.in_(chunk)))
        found.update((row.gtin, row.sku) for row in rows if row.gtin is not None and row.sku not in besides)
    return found


def _categories(session: Session, rows: Sequence[Values], *, company_id: int) -> dict[str, int]:
    """The ids of the categories rows name; a new name is a new category."""
    statement = sa.select(ItemCategory.code, ItemCategory.id).where(ItemCategory.company_id == company_id)
    found = {row.code: row.id for row in session.execute(statement)}
    new = sorted({row["category"] for row in rows if row["category"] is not None} - set(found))
    if new:
        session.execute(
            sa.insert(ItemCategory), [{"company_id": company_id, "code": code, "name": code} for code in new]
        )
        found = {row.code: row.id for row in session.execute(statement)}
    return found


def _error(row: Row, column: str, reason: str, mend: str) -> RowError:
    value = row.values[column]
    shown = "" if value is None else sheets.show_yes(value) if isinstance(value, bool) else str(value)
    return RowError(row=row.number, column=column, value=shown, reason=reason, mend=mend)

"""How agreements on items are rows of a CSV file: they name a supplier and an item that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Actor
from scm.master import agreements, items, partners, sheets
from scm.master.agreements import AgreementRequest, SupplierAgreement
from scm.master.items import Item
from scm.master.partners import Partner
from scm.master.sheets import Column, Row, RowError

Values = Mapping[str, Any]
Key = tuple[str, str]

COLUMNS = (
    Column(name="supplier", read=sheets.code(longest=40), required=True),
    Column(name="sku", read=sheets.code(longest=40), required=True),
    Column(name="priority", read=sheets.whole(smallest=1, largest=1000), missing=1),
    Column(name="lead_time_days", read=sheets.whole(largest=3650), required=True),
    Column(name="minimum_order_quantity", read=sheets.whole(), missing=1),
    Column(name="order_multiple", read=sheets.whole(smallest=1), missing=1),
    Column(
        name="unit_price",
        read=sheets.decimal(places=UNIT_PRICE_PLACES),
        write=sheets.show_plain,
        required=True,
    ),
    Column(name="needs_inspection", read=sheets.yes_or_no, write=sheets.show_yes, missing=False),
    Column(name="retired", read=sheets.yes_or_no, write=sheets.show_yes, missing=False),
    Column(name="assumed", read=sheets.words, write=";".join, missing=()),
)


def existing(session: Session, *, company_id: int, keys: Sequence[Key] | None = None) -> dict[Key, Values]:
    """This function will read all agreements, or some of them, as rows, by supplier and SKU."""
    statement = (
        sa.select(*table_of(SupplierAgreement).columns, Partner.code.label("supplier"), Item.sku)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .join(Item, Item.id == SupplierAgreement.item_id)
        .where(Partner.company_id == company_id)
    )
    if keys is not None:
        statement = statement.where(sa.tuple_(Partner.code, Item.sku).in_(list(keys)))
    rows: dict[Key, Values] = {}
    for row in session.execute(statement):
        values = {column.name: row._mapping[column.name] for column in COLUMNS}
        rows[row.supplier, row.sku] = values | {"assumed": tuple(sorted(row.assumed))}
    return rows


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock agreements in the order of their ids, and give the ids of their items."""
    statement = (
        sa.select(Partner.code, Item.sku, SupplierAgreement.item_id)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .join(Item, Item.id == SupplierAgreement.item_id)
        .where(Partner.company_id == company_id, sa.tuple_(Partner.code, Item.sku).in_(list(keys)))
        .order_by(SupplierAgreement.id)
        .with_for_update(of=table_of(SupplierAgreement))
    )
    return {(row.code, row.sku): row.item_id for row in session.execute(statement)}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse suppliers and items that do not exist."""
    suppliers = _suppliers(session, company_id=company_id)
    found = items.ids_by_sku(session, [row.values["sku"] for row in rows], company_id=company_id)
    errors = []
    for row in rows:
        for column, among, mend in (
            ("supplier", suppliers, "import the supplier first"),
            ("sku", found, "import the item first"),
        ):
            if row.values[column] not in among:
                reason = f"there is no such {'item' if column == 'sku' else 'supplier'}"
                value = row.values[column]
                errors.append(RowError(row=row.number, column=column, value=value, reason=reason, mend=mend))
    return errors


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will write agreements whose rows were checked."""
    rows = [*created, *changed]
    suppliers = partners.ids_by_code(session, [row["supplier"] for row in rows], company_id=company_id)
    found = items.ids_by_sku(session, [row["sku"] for row in rows], company_id=company_id)
    requests = [
        AgreementRequest(
            partner_id=suppliers[row["supplier"]],
            item_id=found[row["sku"]],
            **{name: value for name, value in row.items() if name not in ("supplier", "sku")},
        )
        for row in rows
    ]
    agreements.set_agreements(session, requests, actor=actor)


def _suppliers(session: Session, *, company_id: int) -> frozenset[str]:
    return frozenset(
        session.scalars(sa.select(Partner.code).where(Partner.company_id == company_id, Partner.is_supplier))
    )

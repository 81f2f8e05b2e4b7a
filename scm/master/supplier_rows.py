"""How suppliers and their terms are rows of a CSV file. Amounts are minor units of the currency, as everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.types import RATE_PLACES
from scm.core.users import Actor
from scm.master import agreements, partners, sheets
from scm.master.agreements import SupplierTerms, TermsRequest
from scm.master.partners import Partner, PartnerRequest
from scm.master.sheets import Column, Row, RowError, WrongCell

Values = Mapping[str, Any]
Key = tuple[str]
_CURRENCY = re.compile(r"[A-Z]{3}")
OF_PARTNER = ("name", "email", "country", "retired")


def _currency(cell: str) -> str:
    if not _CURRENCY.fullmatch(cell.strip()):
        raise WrongCell("it is no currency", "write the three capital letters of ISO 4217, for example GBP")
    return cell.strip()


COLUMNS = (
    Column(name="code", read=sheets.code(longest=40), required=True),
    Column(name="name", read=sheets.text(longest=160), required=True),
    Column(name="email", read=sheets.code(longest=200)),
    Column(name="country", read=sheets.text(longest=60)),
    Column(name="retired", read=sheets.yes_or_no, write=sheets.show_yes, missing=False),
    Column(name="currency", read=_currency, required=True),
    Column(name="review_period_days", read=sheets.whole(smallest=1, largest=3650), required=True),
    Column(name="review_weekday", read=sheets.whole(smallest=0, largest=6)),
    Column(name="joint_order_cost", read=sheets.whole(), missing=0),
    Column(name="minimum_order_value", read=sheets.whole(), missing=0),
    Column(
        name="over_receipt_rate",
        read=sheets.decimal(places=RATE_PLACES, largest=1),
        write=sheets.show_plain,
        missing=sheets.ZERO,
    ),
    Column(name="assumed", read=sheets.words, write=";".join, missing=()),
)


def existing(session: Session, *, company_id: int, keys: Sequence[Key] | None = None) -> dict[Key, Values]:
    """This function will read all suppliers, or some of them, with their terms as rows, by code.

    Terms that nobody has entered are empty.
    """
    statement = (
        sa.select(*table_of(Partner).columns, *table_of(SupplierTerms).columns)
        .outerjoin(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id, Partner.is_supplier)
    )
    if keys is not None:
        statement = statement.where(Partner.code.in_([code for (code,) in keys]))
    rows: dict[Key, Values] = {}
    for row in session.execute(statement):
        values = {column.name: row._mapping[column.name] for column in COLUMNS}
        rows[row.code,] = values | {"assumed": tuple(sorted(row.assumed or ()))}
    return rows


def lock(session: Session, keys: Sequence[Key], *, company_id: int) -> dict[Key, int]:
    """This function will lock suppliers in the order of their ids, and give the ids."""
    wanted = [code for (code,) in keys]
    statement = sa.select(Partner.code, Partner.id).where(Partner.company_id == company_id, Partner.code.in_(wanted))
    rows = session.execute(statement.order_by(Partner.id).with_for_update())
    return {(row.code,): row.id for row in rows}


def check(session: Session, rows: Sequence[Row], known: Mapping[Key, Values], *, company_id: int) -> list[RowError]:
    """This function will refuse a code that another kind of partner has, and terms that lack something."""
    new = [row for row in rows if (row.values["code"],) not in known]
    taken = partners.ids_by_code(session, [row.values["code"] for row in new], company_id=company_id)
    reason, mend = "a partner who supplies nothing has this code", "choose another code"
    errors = [
        RowError(row=row.number, column="code", value=row.values["code"], reason=reason, mend=mend)
        for row in new
        if row.values["code"] in taken
    ]
    required = [column.name for column in COLUMNS if column.required]
    errors += [
        RowError(row=row.number, column=name, value="", reason="it is empty", mend="fill it in")
        for row in rows
        for name in required
        if row.values[name] is None
    ]
    return errors


def write(
    session: Session, *, created: Sequence[Values], changed: Sequence[Values], company_id: int, actor: Actor
) -> None:
    """This function will add and change suppliers whose rows were checked."""
    requests = [
        PartnerRequest(code=row["code"], name=row["name"], email=row["email"], country=row["country"], is_supplier=True)
        for row in created
    ]
    partners.add(session, requests, company_id=company_id, actor=actor)
    ids = partners.ids_by_code(session, [row["code"] for row in [*created, *changed]], company_id=company_id)
    table = table_of(Partner)
    updates = [
        {"k_id": ids[row["code"]]} | {f"v_{name}": row[name] for name in OF_PARTNER} for row in [*created, *changed]
    ]
    if updates:
        update = sa.update(table).where(table.c.id == sa.bindparam("k_id"))
        session.execute(update.values({name: sa.bindparam(f"v_{name}") for name in OF_PARTNER}), updates)
    agreements.set_terms(session, [_terms(row, ids) for row in [*created, *changed]], actor=actor)


def _terms(row: Values, ids: Mapping[str, int]) -> TermsRequest:
    return TermsRequest(
        partner_id=ids[row["code"]],
        currency=row["currency"],
        review_period_days=row["review_period_days"],
        review_weekday=row["review_weekday"],
        joint_order_cost=row["joint_order_cost"] or 0,
        minimum_order_value=row["minimum_order_value"] or 0,
        over_receipt_rate=row["over_receipt_rate"] or sheets.ZERO,
        assumed=row["assumed"],
    )

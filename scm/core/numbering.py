"""Document numbers: unique everywhere, gapless only where the law wants it (invoices and credit notes).

A gapless series keeps its counter row locked until the commit, so it is drawn last in a transaction. The other
series use a database sequence on PostgreSQL, which never makes one order wait for another.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core.db import Base, dialect_insert


@dataclass(frozen=True, kw_only=True)
class Series:
    """One kind of number: PREFIX-YEAR-00001."""

    code: str
    prefix: str
    gapless: bool = False


SALES_ORDER = Series(code="sales_order", prefix="SO")
PURCHASE_ORDER = Series(code="purchase_order", prefix="PO")
GOODS_RECEIPT = Series(code="goods_receipt", prefix="GR")
WAVE = Series(code="wave", prefix="WV")
SHIPMENT = Series(code="shipment", prefix="SH")
CYCLE_COUNT = Series(code="cycle_count", prefix="CC")
TRANSFER = Series(code="transfer", prefix="TR")
RETURN_AUTHORIZATION = Series(code="return_authorization", prefix="RMA")
UNKNOWN_PARCEL = Series(code="unknown_parcel", prefix="UP")
WORK_ORDER = Series(code="work_order", prefix="WO")
CUSTOMER_INVOICE = Series(code="customer_invoice", prefix="INV", gapless=True)
CREDIT_NOTE = Series(code="credit_note", prefix="CN", gapless=True)
ALL_SERIES = (
    SALES_ORDER,
    PURCHASE_ORDER,
    GOODS_RECEIPT,
    WAVE,
    SHIPMENT,
    CYCLE_COUNT,
    TRANSFER,
    RETURN_AUTHORIZATION,
    UNKNOWN_PARCEL,
    WORK_ORDER,
    CUSTOMER_INVOICE,
    CREDIT_NOTE,
)


class NumberSeries(Base):
    """The last number given out of a series in a company's year. The lock on this row is the gapless guarantee."""

    __tablename__ = "number_series"

    company_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last_value: Mapped[int] = mapped_column(sa.BigInteger)


def sequence_name(series: Series) -> str:
    """This function will name the PostgreSQL sequence behind a series that may have gaps."""
    return f"number_{series.code}_seq"


def draw(session: Session, *, series: Series, company_id: int, year: int, count: int = 1) -> list[str]:
    """This function will draw `count` new numbers, in one round trip. Draw gapless numbers last."""
    if count < 1:
        return []
    if not series.gapless and session.get_bind().dialect.name == "postgresql":
        drawn = sa.select(sa.func.nextval(sequence_name(series))).select_from(sa.func.generate_series(1, count))
        values = [int(value) for value in session.scalars(drawn)]
    else:
        insert = dialect_insert(session, NumberSeries).values(
            company_id=company_id, code=series.code, year=year, last_value=count
        )
        upsert = insert.on_conflict_do_update(
            index_elements=[NumberSeries.company_id, NumberSeries.code, NumberSeries.year],
            set_={"last_value": NumberSeries.last_value + count},
        ).returning(NumberSeries.last_value)
        last = int(session.execute(upsert).scalar_one())
        values = list(range(last - count + 1, last + 1))
    return [f"{series.prefix}-{year}-{value:06d}" for value in values]


def drawn_by_insert(session: Session, *, series: Series, year: int) -> sa.ColumnElement[str] | None:
    """This function will give an expression that draws a number while a row is inserted, which saves a round trip.

    None where the database has no sequences: `draw` there. Raises `ValueError` for a gapless series.
    """
    if series.gapless:
        raise ValueError(f"{series.code} is gapless: a sequence would leave gaps")
    if session.get_bind().dialect.name != "postgresql":
        return None
    drawn = f"to_char(nextval('{sequence_name(series)}'), 'FM999999000000')"
    return sa.literal_column(f"'{series.prefix}-{int(year)}-' || {drawn}", sa.String)

"""Value added tax: the rate of each item on a day, and how much of an amount it is.

A rate holds for one item, for a category, or for everything, from a day on. The most particular one counts: that of the
item before that of its category, and that before the company's. A company that has recorded none has no VAT.

VAT is rounded once per line, half up, in the currency's minor unit. With prices that include it, the line's amount is
what the customer pays and the net amount is rounded; with prices that do not, the tax is rounded and added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, table_of
from scm.core.errors import InvalidInput, NotFound
from scm.core.types import RATE_PLACES
from scm.core.users import Actor, Role
from scm.finance import money
from scm.master.items import Item, ItemCategory

KIND = "vat_rate"
KEEPERS = (Role.ADMIN, Role.SYSTEM)
ONE = 10**RATE_PLACES
CHUNK = 5_000


class VatRate(Base):
    """The rate of an item, of a category, or of everything, from a day on, and until a day if it ends."""

    __tablename__ = "vat_rate"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item_category.id"))
    rate: Mapped[Decimal] = mapped_column(types.Rate)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]

    __table_args__ = (
        sa.CheckConstraint(f"rate >= 0 AND rate < {ONE}", name="rate_is_a_share"),
        sa.CheckConstraint("item_id IS NULL OR category_id IS NULL", name="of_one_thing"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_begins"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class VatRequest:
    """A rate that is to hold from a day on: of an item (its SKU), of a category (its code), or of everything."""

    rate: Decimal
    valid_from: date
    sku: str = ""
    category: str = ""


class BadVat(InvalidInput):
    """A rate is no share, or of two things at once."""


class ScopeUnknown(NotFound):
    """There is no such item or category."""


def set_rate(session: Session, request: VatRequest, *, company_id: int, actor: Actor) -> int:
    """This function will let a rate hold from a day on; the one that held before ends the day before.

    A rate that begins on that day or later is replaced. What was sold and invoiced keeps the rate it was sold at.
    Raises `BadVat`, `ScopeUnknown`.
    """
    actor.require(*KEEPERS)
    rate = request.rate
    if not rate.is_finite() or not 0 <= rate < 1 or rate.scaleb(RATE_PLACES) % 1:
        raise BadVat(f"the rate is {rate}: give a share of at least 0 and below 1, with at most {RATE_PLACES} places")
    if request.sku and request.category:
        raise BadVat(f"the rate is of item {request.sku} and of category {request.category}: name only one of them")
    # The company's rates are changed one after the other, or two could hold on one day.
    session.execute(sa.select(VatRate.id).where(VatRate.company_id == company_id).with_for_update())
    item_id, category_id = _scope(session, request, company_id=company_id)
    table = table_of(VatRate)
    same = (table.c.company_id == company_id, _is(table.c.item_id, item_id), _is(table.c.category_id, category_id))
    session.execute(sa.delete(table).where(*same, table.c.valid_from >= request.valid_from))
    still = sa.or_(table.c.valid_until.is_(None), table.c.valid_until >= request.valid_from)
    session.execute(sa.update(table).where(*same, still).values(valid_until=request.valid_from - timedelta(days=1)))
    row = VatRate(
        company_id=company_id, item_id=item_id, category_id=category_id, rate=rate, valid_from=request.valid_from
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="vat_rate.set",
        document_kind=KIND,
        document_ids=[row.id],
        rate=str(rate.normalize()),
        valid_from=request.valid_from.isoformat(),
        scope=request.sku or request.category or "*",
    )
    return row.id


def rates_on(session: Session, item_ids: Iterable[int], day: date, *, company_id: int) -> dict[int, Decimal]:
    """This function will give the rate of each item on a day; 0 where none is recorded. In two queries at most."""
    wanted = sorted(set(item_ids))
    holds = (
        VatRate.company_id == company_id,
        VatRate.valid_from <= day,
        sa.or_(VatRate.valid_until.is_(None), VatRate.valid_until >= day),
    )
    rows = session.execute(sa.select(VatRate.item_id, VatRate.category_id, VatRate.rate).where(*holds)).all()
    if not rows:
        return dict.fromkeys(wanted, Decimal(0))
    of_item = {row.item_id: row.rate for row in rows if row.item_id is not None}
    of_category = {row.category_id: row.rate for row in rows if row.category_id is not None}
    usual = next((row.rate for row in rows if row.item_id is None and row.category_id is None), Decimal(0))
    found: dict[int, Decimal] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        for item in session.execute(sa.select(Item.id, Item.category_id).where(Item.id.in_(chunk))):
            found[item.id] = of_item.get(item.id, of_category.get(item.category_id, usual))
    return found


def part_of(amount: int, rate: Decimal, *, included: bool) -> int:
    """This function will give the VAT of a line's amount, in minor units, rounded once as the module says.

    >>> part_of(11900, Decimal("0.19"), included=True), part_of(10000, Decimal("0.19"), included=False)
    (1900, 1900)
    >>> part_of(1000, Decimal("0.13"), included=True)  # the net amount is 884.96, rounded 885
    115
    """
    scaled = int(rate.scaleb(RATE_PLACES))
    return amount - money.share(amount, ONE, ONE + scaled) if included else money.share(amount, scaled, ONE)


def _scope(session: Session, request: VatRequest, *, company_id: int) -> tuple[int | None, int | None]:
    if request.sku:
        found = session.scalar(sa.select(Item.id).where(Item.company_id == company_id, Item.sku == request.sku))
        if found is None:
            raise ScopeUnknown(f"there is no item {request.sku[:40]!r}: check the SKU")
        return found, None
    if request.category:
        found = session.scalar(
            sa.select(ItemCategory.id).where(
                ItemCategory.company_id == company_id, ItemCategory.code == request.category
            )
        )
        if found is None:
            raise ScopeUnknown(f"there is no category {request.category[:40]!r}: check the code")
        return None, found
    return None, None


def _is(column: sa.Column[int | None], value: int | None) -> sa.ColumnElement[bool]:
    return column.is_(None) if value is None else column == value

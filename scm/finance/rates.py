"""Exchange rates as they were recorded, and what an amount of another currency is worth in the company's.

A rate is the price of one unit of the other currency in the company's. It never changes once it is recorded, because
goods were valued and payments settled by it. A day without a rate of its own, a Sunday for instance, has that of the
last day before it, up to a week back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.types import RATE_PLACES
from scm.core.users import Actor, Role
from scm.finance import currencies, money

KIND = "exchange_rate"
KEEPERS = (Role.BUYER, Role.ADMIN, Role.SYSTEM)
LONGEST_AGE = timedelta(days=7)
LARGEST = Decimal(10) ** 6
ONE = 10**RATE_PLACES


class ExchangeRate(Base):
    """What one unit of a currency cost on a day, in the company's. Append-only; a trigger refuses every change."""

    __tablename__ = "exchange_rate"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    currency: Mapped[str] = mapped_column(sa.String(3))
    rate_date: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(types.Rate)
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("company_id", "currency", "rate_date"),
        sa.CheckConstraint("rate > 0", name="rate_is_positive"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RateRequest:
    """A rate to record."""

    currency: str
    rate_date: date
    rate: Decimal


class BadRate(InvalidInput):
    """A rate cannot be recorded like this."""


class RateStands(Conflict):
    """Another rate is recorded for that day, and goods may have been valued by it."""


class RateMissing(Conflict):
    """No rate of a currency is recorded for a day, or shortly before it."""


def record(
    session: Session, requests: Sequence[RateRequest], *, company_id: int, actor: Actor, now: datetime
) -> list[RateRequest]:
    """This function will record rates and give those that are new; one that stands already changes nothing.

    Raises `BadRate`, and `RateStands` when another rate is recorded for that day; nothing is recorded then.
    """
    actor.require(*KEEPERS)
    own = currencies.of_company(session, company_id)
    for request in requests:
        _check(request, own=own)
    known = _standing(session, company_id, {request.rate_date for request in requests})
    new: dict[tuple[str, date], RateRequest] = {}
    for request in requests:
        key = (request.currency, request.rate_date)
        standing = new[key].rate if key in new else known.get(key)
        if standing is None:
            new[key] = request
        elif standing != request.rate:
            raise RateStands(
                f"one {request.currency} was {standing.normalize():f} {own} on {request.rate_date}: a recorded rate "
                f"never changes, record {request.rate.normalize():f} for another day"
            )
    if new:
        values = [
            {
                "company_id": company_id,
                "currency": one.currency,
                "rate_date": one.rate_date,
                "rate": one.rate,
                "recorded_at": now,
            }
            for one in new.values()
        ]
        inserted = sa.insert(table_of(ExchangeRate)).returning(ExchangeRate.id, sort_by_parameter_order=True)
        ids = list(session.scalars(inserted, values))
        audit.record(session, actor=actor, verb="exchange_rate.record", document_kind=KIND, document_ids=ids)
    return list(new.values())


def on_days(
    session: Session, wanted: Iterable[tuple[str, date]], *, company_id: int
) -> dict[tuple[str, date], Decimal]:
    """This function will give the rate of each currency on each day, in one query. Raises `RateMissing`."""
    asked = sorted(set(wanted))
    found = known(session, asked, company_id=company_id)
    for currency, day in asked:
        if (currency, day) not in found:
            raise missing(currency, day, own=currencies.of_company(session, company_id))
    return found


def missing(currency: str, day: date, *, own: str) -> RateMissing:
    """This function will give the error that names the day and the mend."""
    return RateMissing(
        f"no rate of {currency} in {own} is recorded for {day}, nor in the {LONGEST_AGE.days} days before it: record "
        "the rate of that day"
    )


def known(session: Session, wanted: Iterable[tuple[str, date]], *, company_id: int) -> dict[tuple[str, date], Decimal]:
    """This function will give the rates that are recorded, in one query. The company's own currency is worth itself."""
    own = currencies.of_company(session, company_id)
    found: dict[tuple[str, date], Decimal] = {}
    foreign = []
    for currency, day in sorted(set(wanted)):
        if currency == own:
            found[currency, day] = Decimal(1)
        else:
            foreign.append((currency, day))
    if not foreign:
        return found
    first, last = min(day for _, day in foreign), max(day for _, day in foreign)
    rows = session.execute(
        sa.select(ExchangeRate.currency, ExchangeRate.rate_date, ExchangeRate.rate).where(
            ExchangeRate.company_id == company_id,
            ExchangeRate.currency.in_({currency for currency, _ in foreign}),
            ExchangeRate.rate_date.between(first - LONGEST_AGE, last),
        )
    )
    recorded = {(row.currency, row.rate_date): row.rate for row in rows}
    for currency, day in foreign:
        for back in range(LONGEST_AGE.days + 1):
            rate = recorded.get((currency, day - timedelta(days=back)))
            if rate is not None:
                found[currency, day] = rate
                break
    return found


def on_day(session: Session, currency: str, day: date, *, company_id: int) -> Decimal:
    """This function will give the rate of a currency on a day. Raises `RateMissing`."""
    return on_days(session, [(currency, day)], company_id=company_id)[currency, day]


def convert(amount: int, rate: Decimal, *, currency: str, own: str) -> int:
    """This function will turn minor units of a currency into those of the company's, rounded half up once.

    >>> convert(1005, Decimal("0.9"), currency="USD", own="GBP")  # 10.05 × 0.9 = 9.045
    905
    >>> convert(1000, Decimal("0.005"), currency="JPY", own="GBP")
    500
    """
    scaled = rate.scaleb(RATE_PLACES)
    whole = int(scaled)
    assert whole == scaled, "a rate has at most nine places"
    up, down = 10 ** money.places(own), ONE * 10 ** money.places(currency)
    return money.share(amount * whole, up, down)


def _standing(session: Session, company_id: int, days: set[date]) -> dict[tuple[str, date], Decimal]:
    rows = session.execute(
        sa.select(ExchangeRate.currency, ExchangeRate.rate_date, ExchangeRate.rate).where(
            ExchangeRate.company_id == company_id, ExchangeRate.rate_date.in_(sorted(days))
        )
    )
    return {(row.currency, row.rate_date): row.rate for row in rows}


def _check(request: RateRequest, *, own: str) -> None:
    label = f"the rate of {request.currency[:10]!r} on {request.rate_date}"
    code = request.currency
    if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()) or code == own:
        raise BadRate(f"{label}: give the three capital letters of a currency other than {own}")
    rate = request.rate
    if not rate.is_finite() or not 0 < rate <= LARGEST or rate.scaleb(RATE_PLACES) % 1:
        raise BadRate(f"{label}: {rate} must be above 0 and at most {LARGEST}, with at most {RATE_PLACES} places")

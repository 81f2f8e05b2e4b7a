"""The list of recorded exchange rates. Reads only."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.listing import Field, Kind, Listing
from scm.finance.rates import ExchangeRate

_RATES = ExchangeRate.__table__.c


def listing(*, company_id: int) -> Listing:
    """This function will describe the recorded rates of a company, the newest first."""
    name = _RATES.currency + " " + sa.cast(_RATES.rate_date, sa.String)
    return Listing(
        name="rates",
        rows=sa.select(ExchangeRate.id).where(ExchangeRate.company_id == company_id),
        key=_RATES.id,
        fields=(
            Field(name="name", kind=Kind.CODE, value=name),
            Field(name="currency", kind=Kind.CODE, value=_RATES.currency),
            Field(name="rate_date", kind=Kind.DATE, value=_RATES.rate_date),
            Field(name="rate", kind=Kind.TEXT, value=_RATES.rate),
            Field(name="recorded_at", kind=Kind.INSTANT, value=_RATES.recorded_at),
        ),
        search=(_RATES.currency,),
        order=("rate_date", True),
    )

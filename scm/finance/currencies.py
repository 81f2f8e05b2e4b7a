"""The currency of the books. What is sold is invoiced in it; purchases are converted, in `scm.finance.rates`."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.master.companies import Company, CompanyMissing

_READ = "currency_of_company"
_known: WeakKeyDictionary[Any, dict[int, str]] = WeakKeyDictionary()


class ForeignCurrency(InvalidInput):
    """A document must be in the company's currency, and is not."""


def of_company(session: Session, company_id: int) -> str:
    """This function will give the currency of a company's books. Raises `CompanyMissing`.

    It never changes, so it is read once per database: an invoice would otherwise pay a round trip for it.
    """
    known = _known.setdefault(session.get_bind().engine, {})
    if company_id in known:
        return known[company_id]
    currency = session.scalar(sa.select(Company.currency).where(Company.id == company_id))
    if currency is None:
        raise CompanyMissing(f"there is no company {company_id}")
    session.info.setdefault(_READ, {})[company_id] = currency
    return currency


def require(session: Session, *, company_id: int, currency: str, document: str) -> None:
    """This function will refuse a document in another currency than the books. Raises `ForeignCurrency`."""
    own = of_company(session, company_id)
    if currency != own:
        raise ForeignCurrency(f"{document} is in {currency}, the books are in {own}: convert it before it is recorded")


@event.listens_for(Session, "after_commit")
def _remember(session: Session) -> None:
    """Only what is committed is remembered: the id of a company that was rolled back may be given again.

    The end of a savepoint is no commit.
    """
    if session.in_nested_transaction():
        return
    read = session.info.pop(_READ, None)
    if read:
        _known.setdefault(session.get_bind().engine, {}).update(read)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_READ, None)

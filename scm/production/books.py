"""Proves the books together with the work orders: what `scm verify-books`, its job and a backup run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scm.finance import reconcile
from scm.finance.reconcile import BooksReport
from scm.production import proof


def verify(session: Session, *, now: datetime) -> BooksReport:
    """This function will run every check of the books and of work orders and report each place that disagrees.

    `now` is the business instant that the age of what is not valued is measured from. A read-only session will do.
    """
    return reconcile.verify_books(session, now=now, also=proof.CHECKS)

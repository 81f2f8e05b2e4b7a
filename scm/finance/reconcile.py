"""Proves the books: goods, promises, costs, journal and invoices against each other (`scm verify-books`).

It recomputes from posted moves, postings and documents, never from a balance, and writes nothing. Each check is one
statement, so it may run while others post.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Base
from scm.finance import goods_proof, money_proof, production_proof, value_proof
from scm.finance.claims import CreditNote, CustomerInvoice, Payment
from scm.finance.costs import ItemCost, MoveValue
from scm.finance.findings import Check, Finding
from scm.finance.journal import JournalEntry, Posting
from scm.finance.payables import SupplierInvoice, SupplierPayment
from scm.stock.balances import StockBalance, StockPool
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation

__all__ = ["BooksReport", "Finding", "verify_books"]

CHECKS = (*goods_proof.CHECKS, *value_proof.CHECKS, *money_proof.CHECKS, *production_proof.CHECKS)
COUNTED: Mapping[str, type[Base]] = {
    "balances": StockBalance,
    "pools": StockPool,
    "reservations": Reservation,
    "item costs": ItemCost,
    "valued moves": MoveValue,
    "journal entries": JournalEntry,
    "postings": Posting,
    "invoices": CustomerInvoice,
    "payments": Payment,
    "credit notes": CreditNote,
    "suppliers' invoices": SupplierInvoice,
    "payments to suppliers": SupplierPayment,
}


@dataclass(frozen=True, kw_only=True)
class BooksReport:
    """What was checked, where the books disagree, and what is not valued yet."""

    findings: tuple[Finding, ...]
    checks: int
    checked: Mapping[str, int]  # rows by kind
    unvalued: int
    oldest_unvalued_at: datetime | None
    verified_at: datetime

    @property
    def unvalued_age(self) -> timedelta | None:
        """How long the oldest move without a value has waited for it."""
        return None if self.oldest_unvalued_at is None else self.verified_at - self.oldest_unvalued_at

    def summary(self) -> str:
        """This function will say in two sentences what was checked and what was found."""
        rows = ", ".join(f"{count} {kind}" for kind, count in self.checked.items())
        found = {0: "nothing disagrees", 1: "1 place disagrees"}.get(
            len(self.findings), f"{len(self.findings)} places disagree"
        )
        waiting = "every move is valued"
        if self.oldest_unvalued_at is not None:
            oldest = f"{self.oldest_unvalued_at:%Y-%m-%d %H:%M}"
            waiting = f"{self.unvalued} moves are not valued yet, the oldest posted at {oldest}"
        return f"{self.checks} checks over {rows}: {found}; {waiting}."


def verify_books(session: Session, *, now: datetime, also: Sequence[Check] = ()) -> BooksReport:
    """This function will run every check and report each place that disagrees, with what should be there.

    `also` are the checks of rooms above, of their documents against the moves. `now` is the business instant that the
    age of what is not valued is measured from. A read-only session will do.
    """
    findings = [finding for check in (*CHECKS, *also) for finding in check(session)]
    unvalued, oldest = value_proof.unvalued(session)
    return BooksReport(
        findings=tuple(findings),
        checks=len(CHECKS) + len(also),
        checked=_counts(session),
        unvalued=unvalued,
        oldest_unvalued_at=oldest,
        verified_at=now,
    )


def _counts(session: Session) -> dict[str, int]:
    posted = sa.select(sa.func.count()).select_from(StockMove).where(StockMove.state == MoveState.POSTED)
    counts = {"posted moves": int(session.scalar(posted) or 0)}
    for kind, model in COUNTED.items():
        counts[kind] = int(session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)
    return counts

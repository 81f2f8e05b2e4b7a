"""Supplier defects: what inspection of returned goods found to be the supplier's fault, and how often that happens.

The facts are learned by the returns desk, which calls down to record them; the scorecard reads their rates.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from procurement.purchase_orders import KIND, PurchaseOrder
from procurement.scorecard import THOUSANDTH
from scm.core.db import Base, BigId, table_of
from scm.master import agreements, locations
from scm.master.locations import LocationKind
from scm.stock.moves import MoveState, StockMove

CHUNK = 5000


class DefectFact(Base):
    """So many units of an item turned out to be defective when they left their supplier. Recorded once."""

    __tablename__ = "defect_fact"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    found_date: Mapped[date]
    source_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)  # the inspection that found it

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="finds_something"),
        sa.Index(None, "supplier_id", "found_date"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect:
    """What `record_defects` learns of one inspection; `sold_date` says which delivery the units came from."""

    item_id: int
    quantity: int
    source_id: int
    sold_date: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DefectRate:
    """Units of one supplier that were found defective, and units received from it in the same time."""

    supplier_id: int
    defective: int
    received: int

    @property
    def rate(self) -> Decimal | None:
        """Defective units per unit received, three places; none when nothing was received.

        >>> DefectRate(supplier_id=1, defective=3, received=400).rate
        Decimal('0.008')
        """
        return (Decimal(self.defective) / self.received).quantize(THOUSANDTH) if self.received else None


def record_defects(session: Session, defects: Sequence[Defect], *, today: date) -> int:
    """This function will note defects on the record of whoever supplied the units, and return how many were noted.

    That is the supplier of the last receipt of the item before it was sold; when none was received by then, the
    preferred one. An item that nobody supplies has no record to note it on.
    """
    if not defects:
        return 0
    item_ids = {defect.item_id for defect in defects}
    receipts = _receipts(session, item_ids)
    preferred = agreements.preferred(session, item_ids=item_ids)
    rows = []
    for defect in defects:
        supplier_id = _supplier(receipts[defect.item_id], sold_date=defect.sold_date)
        if supplier_id is None and defect.item_id in preferred:
            supplier_id = preferred[defect.item_id].supplier_id
        if supplier_id is not None:
            rows.append(
                {
                    "supplier_id": supplier_id,
                    "item_id": defect.item_id,
                    "quantity": defect.quantity,
                    "found_date": today,
                    "source_id": defect.source_id,
                }
            )
    if rows:
        session.execute(sa.insert(table_of(DefectFact)), rows)
    return len(rows)


def defect_rates(
    session: Session, *, until: date, since: date | None = None, supplier_ids: Sequence[int] | None = None
) -> dict[int, DefectRate]:
    """This function will count suppliers' defective and received units from `since` to `until`, by supplier.

    All suppliers, when none are named. A supplier with neither is missing from the answer.
    """
    found = sa.select(DefectFact.supplier_id, sa.func.sum(DefectFact.quantity)).where(DefectFact.found_date <= until)
    if since is not None:
        found = found.where(DefectFact.found_date >= since)
    counted = _received(session, until=until).with_only_columns(
        PurchaseOrder.supplier_id, sa.func.sum(StockMove.quantity)
    )
    if since is not None:
        counted = counted.where(StockMove.posted_date >= since)
    if supplier_ids is not None:
        found = found.where(DefectFact.supplier_id.in_(list(supplier_ids)))
        # By their orders, so that the moves of other suppliers are not read.
        theirs = sa.select(PurchaseOrder.id).where(PurchaseOrder.supplier_id.in_(list(supplier_ids)))
        counted = counted.where(StockMove.document_id.in_(theirs))
    defective = {row[0]: int(row[1]) for row in session.execute(found.group_by(DefectFact.supplier_id))}
    received = {row[0]: int(row[1]) for row in session.execute(counted.group_by(PurchaseOrder.supplier_id))}
    return {
        supplier_id: DefectRate(
            supplier_id=supplier_id,
            defective=defective.get(supplier_id, 0),
            received=received.get(supplier_id, 0),
        )
        for supplier_id in sorted(defective.keys() | received.keys())
    }


def _supplier(receipts: Sequence[tuple[date, int]], *, sold_date: date | None) -> int | None:
    """Of receipts by date, the supplier of the last one that the units can have come with."""
    known = len(receipts) if sold_date is None else bisect.bisect_right(receipts, sold_date, key=lambda one: one[0])
    return receipts[known - 1][1] if known else None


def _receipts(session: Session, item_ids: Iterable[int]) -> defaultdict[int, list[tuple[date, int]]]:
    """When each item was received, and from whom, the oldest first."""
    receipts: defaultdict[int, list[tuple[date, int]]] = defaultdict(list)
    wanted = sorted(item_ids)
    statement = (
        _received(session, until=None)
        .with_only_columns(StockMove.item_id, StockMove.posted_date, PurchaseOrder.supplier_id)
        .order_by(StockMove.posted_date, StockMove.id)
    )
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        for item_id, received_date, supplier_id in session.execute(statement.where(StockMove.item_id.in_(chunk))):
            assert received_date is not None, "a posted move has its date"
            receipts[item_id].append((received_date, supplier_id))
    return receipts


def _received(session: Session, *, until: date | None) -> sa.Select[int]:
    """Receipts from suppliers that were not put right up to a date (or ever)."""
    mirror = aliased(StockMove)
    put_right = sa.exists().where(mirror.reverses_id == StockMove.id)
    if until is not None:
        put_right = put_right.where(mirror.posted_date <= until)
    statement = (
        sa.select(StockMove.id)
        .join(PurchaseOrder, sa.and_(StockMove.document_kind == KIND, StockMove.document_id == PurchaseOrder.id))
        .where(
            StockMove.source_id == locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None),
            StockMove.state == MoveState.POSTED,
            ~put_right,
        )
    )
    return statement if until is None else statement.where(StockMove.posted_date <= until)

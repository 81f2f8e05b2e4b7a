"""What one run of the cycle reads: items, agreements, suppliers, history, positions, returns, budget.

Everything the plan depends on is in `CycleInputs`, read in one short transaction and hashed, so that the same inputs
can be seen to be the same, and a plan made from figures that have changed since is not published.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting import history, runs, signals
from procurement import budgets, scorecard, supply
from scm.core import types
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.companies import Company
from scm.master.items import Item, ItemStatus
from scm.master.locations import Site
from scm.master.partners import Partner
from scm.stock import projection
from scm.stock.projection import Position

HISTORY_WEEKS = 104
LEAD_TIME_DAYS = 365  # deliveries of orders sent longer ago say little about a supplier of today
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One item and its preferred supplier's terms for it."""

    item_id: int
    sku: str
    category_id: int
    sale_price: Decimal | None
    agreement_id: int
    supplier_id: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    unit_price: Decimal
    assumed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """One supplier's terms of an order, and how punctual it was measured to be."""

    supplier_id: int
    code: str
    review_period_days: int
    review_weekday: int | None
    joint_order_cost: int
    minimum_order_value: int
    assumed: tuple[str, ...]
    measured: scorecard.LeadTimes | None

    def reviewed_on(self, day: date) -> bool:
        """Whether the supplier may be ordered from on a day."""
        return self.review_weekday is None or day.weekday() == self.review_weekday


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What can change while a plan is made: stock, orders and promises, and what is being decided on."""

    positions: tuple[Position, ...]
    undecided: tuple[tuple[tuple[date, int], ...], ...]  # accepted, drafted or submitted, by due date

    def digest(self) -> str:
        """This function will hash it."""
        text = types.canonical_json([_plain(position) for position in self.positions]) + repr(self.undecided)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CycleInputs:
    """All a run reads. Arrays and sequences are in the order of `sources`."""

    company_id: int
    currency: str
    site_id: int
    as_of: date
    sources: tuple[Source, ...]
    suppliers: Mapping[int, Supplier]
    demand: Floats  # (items, weeks), NaN before an item's first sale
    standing: Standing
    returns: signals.ReturnRates
    budget: tuple[budgets.Open, ...]
    past: runs.PastForecast | None

    @property
    def order_date(self) -> date:
        """The day on which the proposals are to be ordered: the morning after the run."""
        return self.as_of + timedelta(days=1)

    @property
    def item_ids(self) -> Integers:
        """Ids of the items."""
        return np.array([source.item_id for source in self.sources], dtype=np.int64)

    def digest(self) -> str:
        """This function will hash everything the plan depends on."""
        digest = hashlib.sha256()
        digest.update(repr((self.company_id, self.site_id, self.as_of, self.budget)).encode())
        digest.update(repr(self.sources).encode())
        digest.update(repr(sorted(self.suppliers.items())).encode())
        digest.update(np.ascontiguousarray(self.demand).tobytes())
        digest.update(self.standing.digest().encode())
        digest.update(repr(self.returns).encode())
        return digest.hexdigest()


def read(session: Session, *, company: Company, site: Site, as_of: date) -> CycleInputs:
    """This function will read the inputs of a run as of the end of a day, in a fixed number of queries."""
    sources = _sources(session, company_id=company.id)
    item_ids = [source.item_id for source in sources]
    tomorrow = as_of + timedelta(days=1)
    known, weekly = history.weekly_demand(session, site_id=site.id, as_of=tomorrow, weeks=HISTORY_WEEKS)
    return CycleInputs(
        company_id=company.id,
        currency=company.currency,
        site_id=site.id,
        as_of=as_of,
        sources=sources,
        suppliers=_suppliers(session, company_id=company.id, until=as_of),
        demand=_aligned(item_ids, known, weekly),
        standing=standing(session, site_id=site.id, item_ids=item_ids),
        returns=signals.return_rates(session, site_id=site.id, as_of=as_of),
        budget=tuple(budgets.open_budgets(session, company_id=company.id, today=tomorrow)),
        past=runs.one_bucket_ago(session, site_id=site.id, as_of=as_of),
    )


def standing(session: Session, *, site_id: int, item_ids: Sequence[int]) -> Standing:
    """This function will read how items stand; it is read again before a plan is published."""
    positions = projection.positions(session, site_id=site_id)
    waiting: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for line in supply.undecided(session, site_id=site_id):
        waiting[line.item_id].append((line.due_date, line.quantity))
    return Standing(
        positions=tuple(positions.get(item_id, Position()) for item_id in item_ids),
        undecided=tuple(tuple(waiting.get(item_id, ())) for item_id in item_ids),
    )


def _sources(session: Session, *, company_id: int) -> tuple[Source, ...]:
    """Active items with their preferred agreement, in the order of their ids."""
    best = (
        sa.select(SupplierAgreement.item_id, sa.func.min(SupplierAgreement.priority).label("priority"))
        .where(~SupplierAgreement.retired)
        .group_by(SupplierAgreement.item_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            Item.id.label("item_id"),
            Item.sku,
            Item.category_id,
            Item.sale_price,
            Item.assumed.label("item_assumed"),
            SupplierAgreement.id.label("agreement_id"),
            SupplierAgreement.partner_id,
            SupplierAgreement.lead_time_days,
            SupplierAgreement.minimum_order_quantity,
            SupplierAgreement.order_multiple,
            SupplierAgreement.unit_price,
            SupplierAgreement.assumed.label("agreement_assumed"),
        )
        .join(SupplierAgreement, SupplierAgreement.item_id == Item.id)
        .join(
            best, sa.and_(best.c.item_id == Item.id, best.c.priority == SupplierAgreement.priority)
        )
        .where(Item.company_id == company_id, Item.status == ItemStatus.ACTIVE, ~SupplierAgreement.retired)
        .order_by(Item.id, SupplierAgreement.id)
    )
    found: dict[int, Source] = {}
    for row in rows:
        found.setdefault(
            row.item_id,
            Source(
                item_id=row.item_id,
                sku=row.sku,
                category_id=row.category_id or 0,
                sale_price=row.sale_price,
                agreement_id=row.agreement_id,
                supplier_id=row.partner_id,
                lead_time_days=row.lead_time_days,
                minimum_order_quantity=row.minimum_order_quantity,
                order_multiple=row.order_multiple,
                unit_price=row.unit_price,
                assumed=tuple(sorted({*row.item_assumed, *row.agreement_assumed})),
            ),
        )
    return tuple(found.values())


def _suppliers(session: Session, *, company_id: int, until: date) -> dict[int, Supplier]:
    measured = scorecard.lead_times(session, until=until, since=until - timedelta(days=LEAD_TIME_DAYS))
    rows = session.execute(
        sa.select(Partner.code, SupplierTerms)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id)
        .order_by(Partner.id)
    )
    return {
        terms.partner_id: Supplier(
            supplier_id=terms.partner_id,
            code=code,
            review_period_days=terms.review_period_days,
            review_weekday=terms.review_weekday,
            joint_order_cost=terms.joint_order_cost,
            minimum_order_value=terms.minimum_order_value,
            assumed=tuple(terms.assumed),
            measured=measured.get(terms.partner_id),
        )
        for code, terms in rows
    }


def _aligned(item_ids: Sequence[int], known: Sequence[int] | Integers, weekly: Floats) -> Floats:
    """The demand matrix in the order of the items; an item never sold has no history at all."""
    row_of = {int(item_id): row for row, item_id in enumerate(known)}
    aligned = np.full((len(item_ids), weekly.shape[1]), np.nan)
    for index, item_id in enumerate(item_ids):
        row = row_of.get(item_id)
        if row is not None:
            aligned[index] = weekly[row]
    return aligned


def _plain(position: Position) -> list[object]:
    return [
        position.on_hand,
        position.inbound,
        position.reserved,
        position.backordered,
        [[due.isoformat(), quantity] for due, quantity in position.supply],
        [[due.isoformat(), quantity] for due, quantity in position.demand],
    ]

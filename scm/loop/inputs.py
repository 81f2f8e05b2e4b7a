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

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from forecasting import history, runs, signals
from procurement import budgets, defects, supply
from scm.core import types
from scm.loop import making, open_orders, sources
from scm.loop.making import Making
from scm.loop.sources import Source, Supplier
from scm.master.companies import Company
from scm.master.locations import Site
from scm.stock import projection
from scm.stock.projection import Position

HISTORY_WEEKS = 104
DEFECT_DAYS = 365
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What can change while a plan is made: stock, orders and promises, and what is being decided on."""

    positions: tuple[Position, ...]
    undecided: tuple[tuple[tuple[date, int], ...], ...]  # accepted, drafted or submitted, by due date
    started: tuple[tuple[tuple[date, int], ...], ...]  # components that released work orders wait for, by due date
    to_start: tuple[tuple[tuple[date, int], ...], ...]  # components of work orders not yet released, by their start

    def digest(self) -> str:
        """This function will hash it."""
        text = types.canonical_json([_plain(position) for position in self.positions]) + repr(
            (self.undecided, self.started, self.to_start)
        )
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CycleInputs:
    """All a run reads. Arrays and sequences are in the order of `sources`; those of made items in that of `making`."""

    company_id: int
    currency: str
    site_id: int
    as_of: date
    sources: tuple[Source, ...]
    suppliers: Mapping[int, Supplier]
    demand: Floats  # (items, weeks), NaN before an item's first sale
    standing: Standing
    making: Making
    made_demand: Floats  # of the made items
    made_standing: Standing
    returns: signals.ReturnRates
    budget: tuple[budgets.Open, ...]
    past: runs.PastForecast | None
    defects: Mapping[int, defects.DefectRate]  # by supplier; for the measures, the plan does not use them

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
        digest.update(repr((self.company_id, self.site_id, self.as_of)).encode())
        digest.update(np.ascontiguousarray(self.demand).tobytes())
        digest.update(np.ascontiguousarray(self.made_demand).tobytes())
        digest.update(repr(self.returns).encode())
        digest.update(self.fence().encode())
        return digest.hexdigest()

    def fence(self) -> str:
        """This function will hash what people may change while a plan is made; `fence_now` reads it again."""
        return _fence(self.sources, self.suppliers, self.budget, self.making, (self.standing, self.made_standing))


def fence_now(session: Session, *, found: CycleInputs) -> str:
    """This function will read terms, budgets, stock and orders again, and hash them as `CycleInputs.fence` does.

    History is left out: a day that has ended does not change.
    """
    company_id, site_id = found.company_id, found.site_id
    made = making.read(session, company_id=company_id, site_id=site_id, on=found.order_date)
    return _fence(
        _bought(session, company_id, made),
        sources.suppliers(session, company_id=company_id, until=found.as_of),
        tuple(budgets.open_budgets(session, company_id=company_id, today=found.order_date)),
        made,
        (
            standing(session, site_id=site_id, item_ids=found.item_ids.tolist()),
            standing(session, site_id=site_id, item_ids=found.making.item_ids),
        ),
    )


def _fence(
    bought: tuple[Source, ...],
    suppliers: Mapping[int, Supplier],
    budget: tuple[budgets.Open, ...],
    made: Making,
    stand: Sequence[Standing],
) -> str:
    text = repr((bought, sorted(suppliers.items()), budget, made)) + "".join(one.digest() for one in stand)
    return hashlib.sha256(text.encode()).hexdigest()


def read(session: Session, *, company: Company, site: Site, as_of: date) -> CycleInputs:
    """This function will read the inputs of a run as of the end of a day, in a fixed number of queries.

    Raises `SupplierWithoutTerms`.
    """
    tomorrow = as_of + timedelta(days=1)
    made = making.read(session, company_id=company.id, site_id=site.id, on=tomorrow)
    bought = _bought(session, company.id, made)
    suppliers = sources.suppliers(session, company_id=company.id, until=as_of)
    sources.refuse_without_terms(session, bought, suppliers)
    item_ids = [source.item_id for source in bought]
    known, weekly = history.weekly_demand(session, site_id=site.id, as_of=tomorrow, weeks=HISTORY_WEEKS)
    return CycleInputs(
        company_id=company.id,
        currency=company.currency,
        site_id=site.id,
        as_of=as_of,
        sources=bought,
        suppliers=suppliers,
        demand=_aligned(item_ids, known, weekly),
        standing=standing(session, site_id=site.id, item_ids=item_ids),
        making=made,
        made_demand=_aligned(made.item_ids, known, weekly),
        made_standing=standing(session, site_id=site.id, item_ids=made.item_ids),
        returns=signals.return_rates(session, site_id=site.id, as_of=as_of),
        budget=tuple(budgets.open_budgets(session, company_id=company.id, today=tomorrow)),
        past=runs.one_bucket_ago(session, site_id=site.id, as_of=as_of),
        defects=defects.defect_rates(session, until=as_of, since=as_of - timedelta(days=DEFECT_DAYS)),
    )


def _bought(session: Session, company_id: int, made: Making) -> tuple[Source, ...]:
    """What is made at the site is not bought."""
    own = set(made.item_ids)
    return tuple(source for source in sources.of_company(session, company_id=company_id) if source.item_id not in own)


def standing(session: Session, *, site_id: int, item_ids: Sequence[int]) -> Standing:
    """This function will read how items stand now."""
    positions = projection.positions(session, site_id=site_id)
    for line in supply.leaving(session, site_id=site_id):  # promised to another site as good as to a customer
        position = positions.setdefault(line.item_id, Position())
        position.demand = sorted([*position.demand, (line.due_date, line.quantity)])
        position.backordered += line.quantity
    waiting: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for line in supply.undecided(session, site_id=site_id):
        waiting[line.item_id].append((line.due_date, line.quantity))
    started, to_start = (
        read_needs(session, site_id=site_id) for read_needs in (open_orders.waiting, open_orders.planned)
    )
    return Standing(
        positions=tuple(positions.get(item_id, Position()) for item_id in item_ids),
        undecided=tuple(tuple(waiting.get(item_id, ())) for item_id in item_ids),
        started=tuple(tuple(started.get(item_id, ())) for item_id in item_ids),
        to_start=tuple(tuple(to_start.get(item_id, ())) for item_id in item_ids),
    )


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

"""What to do with inspected units, proposed from what the database knows: cost, price, stock at hand and forecast.

`disposition.decide` decides; here its facts are read, and a person's answer is carried out: agreed, or decided
otherwise for a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import disposition
from aftersales.disposition import BinMissing, Decision, Disposition, Facts, InspectionUnknown, Proposed
from aftersales.documents import ReturnAuthorization, ReturnLine
from aftersales.inspection import Inspection
from forecasting import runs
from scm.core.errors import InvalidInput
from scm.core.users import Actor
from scm.finance import costs, money
from scm.master import locations
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.stock import projection
from scm.stock.ledger import PostResult
from warehouse import putaway

# Nobody has measured what mending costs: a third of the sale price is assumed, and pages say so.
REFURBISH_SHARE = 3
ASSUMED = ("refurbish_cost",)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What is proposed for the units of one inspection, and what it rests on.

    Amounts of `facts` are minor units of `currency` a piece. `bin_id` is where the item lies already, or the first bin.
    """

    inspection_id: int
    facts: Facts
    proposed: Proposed
    currency: str
    bin_id: int
    bin_code: str
    assumed: tuple[str, ...] = ASSUMED


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A person's answer to a suggestion. Whoever decides otherwise says why; a bin is named by its code."""

    inspection_id: int
    disposition: Disposition
    why: str = ""
    bin_code: str | None = None


class ReasonNeeded(InvalidInput):
    """Somebody decides otherwise than was proposed, and does not say why."""


def suggest(session: Session, inspection_ids: Iterable[int]) -> dict[int, Suggestion]:
    """This function will propose what to do with inspected units, by inspection, in a fixed number of queries for
    each site. Raises `InspectionUnknown`."""
    wanted = sorted(set(inspection_ids))
    rows = session.execute(
        sa.select(
            Inspection.id,
            Inspection.grade,
            Inspection.finding,
            ReturnLine.item_id,
            ReturnAuthorization.site_id,
            ReturnAuthorization.company_id,
            Item.sale_price,
            Company.currency,
        )
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .join(Item, Item.id == ReturnLine.item_id)
        .join(Company, Company.id == ReturnAuthorization.company_id)
        .where(Inspection.id.in_(wanted))
        .order_by(Inspection.id)
    ).all()
    unknown = sorted(set(wanted) - {row.id for row in rows})
    if unknown:
        raise InspectionUnknown(f"there is no inspection {unknown[0]}")
    found: dict[int, Suggestion] = {}
    for site_id in sorted({row.site_id for row in rows}):
        found |= _suggest(session, [row for row in rows if row.site_id == site_id], site_id=site_id)
    return found


def settle(session: Session, choices: Sequence[Choice], *, actor: Actor, now: datetime, today: date) -> PostResult:
    """This function will dispose of inspected units as a person decided, and note where that was not as proposed.

    Goods go back to the shelf where the item lies, unless a bin is named. Raises `ReasonNeeded`, `BinMissing` and what
    `disposition.dispose` raises.
    """
    suggestions = suggest(session, [choice.inspection_id for choice in choices])
    bins = _bins(session, choices)
    decisions = []
    for choice in choices:
        suggestion = suggestions[choice.inspection_id]
        overridden = choice.disposition is not suggestion.proposed.disposition
        if overridden and not choice.why.strip():
            raise ReasonNeeded(
                f"inspection {choice.inspection_id}: {suggestion.proposed.disposition.value} was proposed "
                f"({suggestion.proposed.why}): say why it is {choice.disposition.value} instead"
            )
        restocked = choice.disposition is Disposition.RESTOCK
        named = bins[choice.bin_code] if choice.bin_code else suggestion.bin_id
        decisions.append(
            Decision(
                inspection_id=choice.inspection_id,
                disposition=choice.disposition,
                why=choice.why.strip() or suggestion.proposed.why,
                bin_id=named if restocked else None,
                overridden=overridden,
            )
        )
    return disposition.dispose(session, decisions, actor=actor, now=now, today=today)


def _suggest(session: Session, rows: Sequence[Any], *, site_id: int) -> dict[int, Suggestion]:
    item_ids = sorted({row.item_id for row in rows})
    known = costs.item_costs(session, company_id=rows[0].company_id, item_ids=item_ids)
    cover = _weeks_of_cover(session, item_ids, site_id=site_id)
    homes = putaway.homes(session, set(item_ids), site_id=site_id)
    first = locations.of_kind(session, kind=LocationKind.STORAGE, site_id=site_id)
    places = locations.places(session, {first, *homes.values()})
    found = {}
    for row in rows:
        cost = known.get(row.item_id)
        price = money.line_amount(row.sale_price or Decimal(0), 1, currency=row.currency)
        facts = Facts(
            grade=row.grade,
            finding=row.finding,
            unit_cost=cost.value // cost.quantity if cost and cost.quantity else 0,
            resale_value=price,
            refurbish_cost=price // REFURBISH_SHARE,
            weeks_of_cover=cover.get(row.item_id, 0),
            currency=row.currency,
        )
        home = homes.get(row.item_id, first)
        found[row.id] = Suggestion(
            inspection_id=row.id,
            facts=facts,
            proposed=disposition.decide(facts),
            currency=row.currency,
            bin_id=home,
            bin_code=places[home].code,
        )
    return found


def _weeks_of_cover(session: Session, item_ids: Sequence[int], *, site_id: int) -> dict[int, int]:
    """How long the stock at hand lasts by the newest forecast; an item nobody wants lasts for ever."""
    expected = runs.newest_weekly_means(session, site_id=site_id, item_ids=item_ids)
    stock = projection.positions(session, site_id=site_id, item_ids=item_ids)
    return {
        item_id: int(stock[item_id].on_hand / weekly) if weekly > 0 else disposition.LONGEST_COVER_WEEKS + 1
        for item_id, weekly in expected.items()
        if item_id in stock
    }


def _bins(session: Session, choices: Sequence[Choice]) -> Mapping[str, int]:
    """Bins by the codes that were scanned; whether one is of the right site, `dispose` checks."""
    codes = {choice.bin_code for choice in choices if choice.bin_code}
    if not codes:
        return {}
    rows = session.execute(
        sa.select(Location.code, Location.id).where(
            Location.code.in_(sorted(codes)), Location.kind == LocationKind.STORAGE, ~Location.retired
        )
    )
    found = {row.code: row.id for row in rows}
    for code in sorted(codes - found.keys()):
        raise BinMissing(f"there is no bin {code}: scan the label of a storage bin")
    return found

"""Which site serves an order: by what it has, when it arrives, and what the parcels cost. A decision, and the verb.

The decision weighs a day of waiting against money. An order is split over sites only where the rule allows it, by
whole lines and never within one; each part is then an order of its own, so that it is picked, shipped and invoiced
where its goods are.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from scm.master import sites as site_rows
from scm.master.agreements import SupplierAgreement
from scm.master.lanes import CarrierService
from scm.master.partners import OWN_STOCK, Partner
from scm.sales import confirming, facts, promising
from scm.sales.facts import ANY_COUNTRY, Facts
from scm.sales.intake import OrderRequest
from scm.sales.promising import Supply, Waiting
from scm.stock import projection
from scm.stock.balances import StockPool
from scm.stock.projection import Position

MOST_SITES = 8  # looked at together: every set of them is weighed
LONGEST_EXTERNAL_ID = 60


@dataclass(frozen=True, kw_only=True)
class RoutingRule:
    """What decides between sites. Amounts are minor units of the company's currency.

    `day_cost` is what a day of waiting is worth; `sites` are those that may serve, the preferred first (none: all of
    the company in their order). `may_split` lets an order be served from several, at the cost of a parcel each.
    """

    day_cost: int = 100
    may_split: bool = False
    sites: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What one site could do: when each line would arrive (None: never), and what its parcel costs."""

    site_id: int
    arrives: Sequence[date | None]
    parcel_cost: int


@dataclass(frozen=True, kw_only=True)
class Route:
    """The site of each line, when the last of them arrives, and what the parcels cost."""

    sites: tuple[int, ...]
    arrives: date
    cost: int


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    score: int
    parcels: int
    preference: tuple[int, ...]
    route: Route = field(compare=False)


class NobodyServes(Conflict):
    """No site can serve an order: none has a way to the customer and stock or supply for every line."""


def choose(offers: Sequence[Offer], rule: RoutingRule, *, today: date) -> Route | None:
    """This function will choose the site of every line of an order, or say None when no site can serve it whole.

    The score of a choice is what its parcels cost and `day_cost` for every day until the last line arrives; the lowest
    is taken, with fewer parcels among equals, then the sites named first.

    >>> near = Offer(site_id=1, arrives=[date(2026, 1, 9)], parcel_cost=300)
    >>> far = Offer(site_id=2, arrives=[date(2026, 1, 7)], parcel_cost=450)
    >>> monday = date(2026, 1, 5)
    >>> [choose([near, far], RoutingRule(day_cost=cost), today=monday).sites for cost in (50, 100)]
    [(1,), (2,)]
    """
    able = list(offers)[:MOST_SITES]
    best: _Candidate | None = None
    largest = min(len(able), len(able[0].arrives)) if able and rule.may_split else 1
    for size in range(1, largest + 1):
        for places in itertools.combinations(range(len(able)), size):
            found = _served_by(able, places, rule, today=today)
            if found is not None and (best is None or _better(found, best)):
                best = found
    return None if best is None else best.route


def route(
    session: Session,
    requests: Sequence[OrderRequest],
    rule: RoutingRule,
    *,
    company_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[OrderRequest]:
    """This function will give each order the site that serves it best; one that is split becomes several.

    The parts of a split order keep its external id, the second and later with /2, /3 … behind it. Nothing is written:
    place what is returned. The demand of a site follows, because an order is the demand of its site. Raises
    `NobodyServes`, and what reading the facts raises.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    company_sites = [site.id for site in site_rows.all_of(session, company_id=company_id)]
    allowed = [site_id for site_id in rule.sites if site_id in company_sites] if rule.sites else company_sites
    routed: list[OrderRequest] = []
    known = facts.read(
        session,
        site_ids=allowed,
        customer_ids={request.customer_id for request in requests},
        channels={request.channel for request in requests},
        item_ids={line.item_id for request in requests for line in request.lines},
        today=today,
    )
    stand = _Standing(session, allowed, {line.item_id for request in requests for line in request.lines})
    for request in requests:
        offers = [
            _offer(request, site_id, known, stand, cost, now=now, today=today)
            for site_id, cost in _parcel_costs(session, request.customer_id, allowed).items()
            if (site_id, request.customer_id) in known.services
        ]
        chosen = choose(offers, rule, today=today)
        if chosen is None:
            raise NobodyServes(f"{request.label}: no site can serve every line: add supply, a carrier or another site")
        for line, site_id in zip(request.lines, chosen.sites, strict=True):
            stand.take(site_id, line.item_id, _pool(request, known), line.quantity)
        routed += _parts(request, chosen)
    return routed


def _served_by(
    offers: Sequence[Offer], places: tuple[int, ...], rule: RoutingRule, *, today: date
) -> _Candidate | None:
    """Each line from the site of the set from which it comes first; None where a line comes from none."""
    taken: list[tuple[date, int]] = []
    for line in range(len(offers[0].arrives)):
        ways = [(day, place) for place in places if (day := offers[place].arrives[line]) is not None]
        if not ways:
            return None
        taken.append(min(ways, key=lambda way: (way[0], offers[way[1]].parcel_cost, way[1])))
    used = sorted({place for _, place in taken})
    cost, last = sum(offers[place].parcel_cost for place in used), max(day for day, _ in taken)
    return _Candidate(
        score=cost + rule.day_cost * max((last - today).days, 0),
        parcels=len(used),
        preference=tuple(used),
        route=Route(sites=tuple(offers[place].site_id for _, place in taken), arrives=last, cost=cost),
    )


def _better(one: _Candidate, other: _Candidate) -> bool:
    return (one.score, one.parcels, one.preference) < (other.score, other.parcels, other.preference)


def _pool(request: OrderRequest, known: Facts) -> str:
    return known.channels[request.channel].pool


class _Standing:
    """What the sites have of the items, read once; what one order is given is gone for the next."""

    def __init__(self, session: Session, site_ids: Sequence[int], item_ids: set[int]) -> None:
        self.positions = {
            site_id: projection.positions(session, site_id=site_id, item_ids=item_ids) for site_id in site_ids
        }
        self._free = {
            (row.site_id, row.item_id, row.pool): row.on_hand - row.reserved
            for row in session.execute(
                sa.select(
                    StockPool.site_id, StockPool.item_id, StockPool.pool, StockPool.on_hand, StockPool.reserved
                ).where(
                    StockPool.site_id.in_(list(site_ids)),
                    StockPool.item_id.in_(sorted(item_ids)),
                    StockPool.owner_id == OWN_STOCK,
                )
            )
        }
        best = (
            sa.select(SupplierAgreement.item_id, sa.func.min(SupplierAgreement.priority).label("priority"))
            .where(SupplierAgreement.item_id.in_(sorted(item_ids)), ~SupplierAgreement.retired)
            .group_by(SupplierAgreement.item_id)
            .subquery()
        )
        self.lead_time_days: dict[int, int] = {
            row.item_id: row.days
            for row in session.execute(
                sa.select(SupplierAgreement.item_id, sa.func.min(SupplierAgreement.lead_time_days).label("days"))
                .join(
                    best,
                    sa.and_(best.c.item_id == SupplierAgreement.item_id, best.c.priority == SupplierAgreement.priority),
                )
                .where(~SupplierAgreement.retired)
                .group_by(SupplierAgreement.item_id)
            )
        }

    def free(self, site_id: int, item_id: int, pool: str) -> int:
        """This function will give what may be promised from a channel's pool at a site."""
        return int(self._free.get((site_id, item_id, pool), 0))

    def take(self, site_id: int, item_id: int, pool: str, quantity: int) -> None:
        """This function will count units as gone; what is not there waits, before whoever comes next."""
        key = (site_id, item_id, pool)
        there = max(self._free.get(key, 0), 0)
        self._free[key] = self._free.get(key, 0) - min(there, quantity)
        position = self.positions[site_id].setdefault(item_id, Position())
        position.backordered += quantity - min(there, quantity)


def _offer(
    request: OrderRequest, site_id: int, known: Facts, stand: _Standing, cost: int, *, now: datetime, today: date
) -> Offer:
    here = replace(request, site_id=site_id)
    in_stock = confirming.stock_date(known, here, now=now, today=today)[1]
    service = known.service_to(site_id=site_id, customer_id=request.customer_id)
    arrives: list[date | None] = []
    for line in request.lines:
        free = max(stand.free(site_id, line.item_id, _pool(request, known)), 0)
        if free >= line.quantity:
            arrives.append(in_stock)
            continue
        position = stand.positions[site_id].get(line.item_id, Position())
        waiting = Waiting(
            line.item_id, line.quantity - free, known.sites[site_id].calendar, service, request.requested_date
        )
        supply = Supply(
            ahead=position.backordered,
            inbound=position.inbound,
            due=position.supply,
            lead_time_days=stand.lead_time_days.get(line.item_id),
        )
        arrives += promising.promise_dates([waiting], {line.item_id: supply}, today=today)
    return Offer(site_id=site_id, arrives=arrives, parcel_cost=cost)


def _parcel_costs(session: Session, customer_id: int, site_ids: Sequence[int]) -> dict[int, int]:
    """What a parcel from each site to a customer costs, in the order of the sites: by the service that goes there."""
    rows = session.execute(
        sa.select(CarrierService.site_id, CarrierService.parcel_cost)
        .join(Partner, Partner.id == customer_id)
        .where(
            CarrierService.site_id.in_(list(site_ids)),
            ~CarrierService.retired,
            CarrierService.country.in_([ANY_COUNTRY, sa.func.coalesce(Partner.country, ANY_COUNTRY)]),
        )
        .order_by((CarrierService.country == ANY_COUNTRY).desc(), CarrierService.id.desc())
    )
    found = {row.site_id: int(row.parcel_cost) for row in rows}  # the last of a site is the one that promises use
    return {site_id: found[site_id] for site_id in site_ids if site_id in found}


def _parts(request: OrderRequest, chosen: Route) -> list[OrderRequest]:
    used = list(dict.fromkeys(chosen.sites))
    parts = []
    for number, site_id in enumerate(used, start=1):
        lines = [line for line, place in zip(request.lines, chosen.sites, strict=True) if place == site_id]
        external_id = request.external_id
        if external_id is not None and number > 1:
            external_id = f"{external_id[: LONGEST_EXTERNAL_ID - 3]}/{number}"
        parts.append(replace(request, site_id=site_id, lines=lines, external_id=external_id))
    return parts

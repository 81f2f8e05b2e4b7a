"""Asks every finder. Reads only: what is found now, at one site, is all there is to an exception."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from functools import cached_property

from sqlalchemy.orm import Session

from scm.finance import costs
from scm.finance.averages import StockCost
from scm.loop.exceptions import buying, moving, operating, planning, planning_facts, returning, selling, storing
from scm.loop.exceptions.findings import Finding, Kind, Scope
from scm.loop.exceptions.planning import Coming
from scm.loop.exceptions.planning_facts import PlanningFacts
from scm.master.companies import Company
from scm.master.locations import LocationUnknown, Site


def scope_of(session: Session, *, site_id: int, now: datetime, today: date) -> Scope:
    """This function will say where and when to look. Raises `LocationUnknown`."""
    site = session.get(Site, site_id)
    if site is None:
        raise LocationUnknown(f"there is no site {site_id}")
    company = session.get_one(Company, site.company_id)
    return Scope(
        company_id=company.id, currency=company.currency, site_id=site.id, zone=site.zone, now=now, today=today
    )


def look(session: Session, scope: Scope, *, kinds: Collection[Kind]) -> list[Finding]:
    """This function will find everything of these kinds that is wrong now, in a fixed number of queries."""
    seen = _Seen(session, scope)
    found: list[Finding] = []
    for family, finder in _FINDERS:
        if family.intersection(kinds):
            found += (finding for finding in finder(seen) if finding.kind in kinds)
    return found


class _Seen:
    """What several finders need, read when the first of them asks."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self.session = session
        self.scope = scope

    @cached_property
    def planned(self) -> PlanningFacts:
        return planning_facts.read(self.session, self.scope)

    @cached_property
    def coming(self) -> list[Coming]:
        return planning_facts.on_order(self.session, self.scope)

    @cached_property
    def names(self) -> dict[int, tuple[str, str]]:
        return buying.supplier_names(self.session, self.scope)

    @cached_property
    def costs(self) -> dict[int, StockCost]:
        return costs.item_costs(self.session, company_id=self.scope.company_id)


def _items(seen: _Seen) -> Iterable[Finding]:
    scope, items = seen.scope, list(seen.planned.items.values())
    yield from planning.stock_outs(items, today=scope.today, currency=scope.currency)
    yield from planning.excesses(items)
    yield from planning.forecast_breaks(items, currency=scope.currency)
    yield from planning.late_supply(
        seen.planned.coming, seen.planned.items, seen.names, today=scope.today, currency=scope.currency
    )


_FINDERS: tuple[tuple[frozenset[Kind], Callable[[_Seen], Iterable[Finding]]], ...] = (
    (frozenset({Kind.STOCK_OUT, Kind.EXCESS, Kind.FORECAST_BREAK, Kind.LATE_SUPPLY}), _items),
    (frozenset({Kind.PROPOSALS_DUE, Kind.TO_DRAFT}), lambda s: buying.proposals(s.session, s.scope, s.names)),
    (frozenset({Kind.LATE_SUPPLIER}), lambda s: buying.late_suppliers(s.session, s.scope, s.coming, s.names)),
    (
        frozenset({Kind.TO_SUBMIT, Kind.TO_APPROVE, Kind.TO_SEND, Kind.PRICE_MOVED}),
        lambda s: buying.unsent_orders(s.session, s.scope),
    ),
    (frozenset({Kind.UNCONFIRMED}), lambda s: buying.unconfirmed(s.session, s.scope, s.coming, s.names)),
    (frozenset({Kind.INBOUND_DUE}), lambda s: storing.inbound_due(s.coming, s.names, today=s.scope.today)),
    (frozenset({Kind.PAST_CUT_OFF, Kind.SHORT_PICK}), lambda s: storing.outbound(s.session, s.scope)),
    (frozenset({Kind.SHIP_BY_RISK}), lambda s: storing.ship_by_risks(s.session, s.scope)),
    (frozenset({Kind.ORDER_LATE}), lambda s: storing.late_orders(s.session, s.scope)),
    (frozenset({Kind.ORDER_WAITS}), lambda s: selling.waiting_orders(s.session, s.scope)),
    (frozenset({Kind.TO_PUT_AWAY, Kind.QUARANTINED}), lambda s: storing.standing(s.session, s.scope, s.costs)),
    (frozenset({Kind.TRANSFER_LATE, Kind.TRANSFER_SHORT}), lambda s: moving.transfers(s.session, s.scope, s.costs)),
    (frozenset({Kind.COUNT_TO_APPROVE}), lambda s: storing.counts(s.session, s.scope, s.costs)),
    (
        frozenset({Kind.TO_INSPECT, Kind.TO_DISPOSE, Kind.TO_REFUND, Kind.RETURN_OVERDUE}),
        lambda s: returning.returns(s.session, s.scope),
    ),
    (frozenset({Kind.JOB_FAILED}), lambda s: operating.failed_jobs(s.session, s.scope)),
    (frozenset({Kind.MESSAGE_DEAD}), lambda s: operating.dead_messages(s.session, s.scope)),
    (frozenset({Kind.FIGURES_ASSUMED}), lambda s: operating.assumed_figures(s.session, s.scope, s.coming)),
)

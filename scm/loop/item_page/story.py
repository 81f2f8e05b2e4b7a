"""The whole story of one item, read in a fixed number of queries whatever has happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import outlook, proposal_book, scorecard
from procurement.proposal_book import ShownProposal
from procurement.proposals import ProposalState
from procurement.scorecard import LeadTimes
from procurement.supply import UNDECIDED
from scm.loop import item_targets
from scm.loop.item_page import ahead, past, returns, supply
from scm.loop.item_page.ahead import Forecast, Projection
from scm.loop.item_page.past import Day
from scm.loop.item_page.returns import Returns
from scm.loop.item_page.supply import Coming, Receipt, Waiting
from scm.loop.item_targets import ItemTarget
from scm.loop.sources import LEAD_TIME_DAYS
from scm.master.agreements import SupplierAgreement
from scm.master.items import BaseUnit, Item, ItemCategory, ItemStatus
from scm.master.partners import Partner
from scm.stock import projection
from scm.stock.projection import Position

HISTORY_DAYS = 26 * 7
DAYS_AHEAD = 13 * 7


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Who the item is."""

    id: int
    sku: str
    name: str
    unit: str
    category: str | None
    status: ItemStatus
    sale_price: Decimal | None
    assumed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """One agreement for the item, and how long its supplier was measured to take."""

    agreement_id: int
    supplier_code: str
    supplier_name: str
    priority: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    unit_price: Decimal
    retired: bool
    assumed: Sequence[str]
    measured: LeadTimes | None


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a planner decides on. `target` is the last run's, `target_before` that of the run before it."""

    facts: Facts
    today: date
    position: Position
    days: Sequence[Day]
    forecast: Forecast | None
    projection: Projection
    target: ItemTarget | None
    target_before: ItemTarget | None
    coming: Sequence[Coming]
    received: Sequence[Receipt]
    waiting: Sequence[Waiting]
    returns: Returns
    proposals: Sequence[ShownProposal]
    agreements: Sequence[Agreed]

    @property
    def open_proposals(self) -> list[ShownProposal]:
        """What waits for an answer."""
        return [one for one in self.proposals if one.state is ProposalState.OPEN]

    @property
    def cover_days(self) -> int | None:
        """How long the free stock lasts at the forecast demand; None without demand."""
        weekly = self.forecast.weekly if self.forecast else 0.0
        free = self.position.available - self.position.backordered
        return None if weekly <= 0 else max(0, round(free / weekly * 7))


def find(session: Session, *, sku: str, company_id: int) -> Facts | None:
    """This function will find an item of the company by its SKU, or give None."""
    row = session.execute(
        sa.select(Item, BaseUnit.code, ItemCategory.name)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(ItemCategory, ItemCategory.id == Item.category_id)
        .where(Item.sku == sku, Item.company_id == company_id)
    ).one_or_none()
    if row is None:
        return None
    item: Item = row[0]
    return Facts(
        id=item.id,
        sku=item.sku,
        name=item.shown_name,
        unit=row[1],
        category=row[2],
        status=item.status,
        sale_price=item.sale_price,
        assumed=tuple(item.assumed),
    )


def tell(session: Session, facts: Facts, *, site_id: int, today: date) -> Story:
    """This function will read the story of an item at a site as of a day."""
    position = projection.positions(session, site_id=site_id, item_ids=[facts.id]).get(facts.id, Position())
    forecast = ahead.forecast(session, item_id=facts.id, site_id=site_id)
    # History ends where the forecast begins, so that a week is in one of the two and the weeks meet.
    until = min(forecast.as_of, today) if forecast else today
    since = until - timedelta(days=HISTORY_DAYS - 1)
    coming = supply.coming(session, item_id=facts.id, site_id=site_id)
    proposals = proposal_book.of_item(session, item_id=facts.id, site_id=site_id)
    targets = [*item_targets.newest(session, item_id=facts.id, site_id=site_id), None, None]
    return Story(
        facts=facts,
        today=today,
        position=position,
        days=past.days(session, item_id=facts.id, site_id=site_id, since=since, until=until),
        forecast=forecast,
        projection=ahead.project(
            position,
            forecast,
            today=today,
            undecided=[
                outlook.Coming(one.due_date, one.quantity)
                for one in coming
                if one.state is None or one.state in UNDECIDED
            ],
            proposed=[
                outlook.Coming(one.due_date, one.quantity) for one in proposals if one.state is ProposalState.OPEN
            ],
            days=DAYS_AHEAD,
        ),
        target=targets[0],
        target_before=targets[1],
        coming=coming,
        received=supply.received(session, item_id=facts.id, site_id=site_id),
        waiting=supply.waiting(session, item_id=facts.id, site_id=site_id),
        returns=returns.returns(session, item_id=facts.id, site_id=site_id, today=today),
        proposals=proposals,
        agreements=agreements(session, item_id=facts.id, today=today),
    )


def agreements(session: Session, *, item_id: int, today: date) -> list[Agreed]:
    """This function will list an item's agreements, the preferred one first, in four queries."""
    rows = session.execute(
        sa.select(SupplierAgreement, Partner.code, Partner.name, Partner.retired)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(SupplierAgreement.item_id == item_id)
        .order_by(SupplierAgreement.priority, SupplierAgreement.id)
    ).all()
    measured = scorecard.lead_times(
        session,
        until=today,
        since=today - timedelta(days=LEAD_TIME_DAYS),
        supplier_ids=[row.SupplierAgreement.partner_id for row in rows],
    )
    return [
        Agreed(
            agreement_id=row.SupplierAgreement.id,
            supplier_code=row.code,
            supplier_name=row.name,
            priority=row.SupplierAgreement.priority,
            lead_time_days=row.SupplierAgreement.lead_time_days,
            minimum_order_quantity=row.SupplierAgreement.minimum_order_quantity,
            order_multiple=row.SupplierAgreement.order_multiple,
            unit_price=row.SupplierAgreement.unit_price,
            retired=row.SupplierAgreement.retired or row.retired,
            assumed=tuple(row.SupplierAgreement.assumed),
            measured=measured.get(row.SupplierAgreement.partner_id),
        )
        for row in rows
    ]

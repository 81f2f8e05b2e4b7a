"""What was planted in the demo's company shows where people look for it: `scm demo` is made whole, once a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.history import DemandFact
from procurement import scorecard, splits
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core.db import Database
from scm.loop import cycle_runs, kpis
from scm.loop.exceptions.cases import ExceptionCase
from scm.loop.exceptions.findings import DESKS, Kind
from scm.loop.generated import stories
from scm.loop.item_page import past
from scm.loop.sources import LEAD_TIME_DAYS
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.companies import Company
from scm.master.items import Item, ItemStatus
from scm.master.locations import Site
from scm.master.partners import Partner
from scm.stock.balances import StockBalance
from scm.stock.lots import Lot
from tests.browser import company as demo

TODAY = date(2026, 9, 25)
PLANTED = stories.before(TODAY)


@pytest.fixture(scope="module")
def brand() -> Iterator[Database]:
    """The whole company of `scm demo`, read only."""
    database = Database(f"sqlite:///{demo.made_once(whole=True)}")
    yield database
    database.dispose()


@pytest.fixture
def session(brand: Database) -> Iterator[Session]:
    with brand.unit_of_work(write=False) as session:
        yield session


def test_the_company_says_what_it_is_and_which_day_it_has_reached(session: Session) -> None:
    company = session.scalars(sa.select(Company)).one()
    assert company.generated and company.simulated and "(generated)" in company.name
    assert (company.business_date, company.currency, company.zone) == (TODAY, "CNY", "Asia/Shanghai")
    assert session.scalar(sa.select(sa.func.count(Item.id)).where(Item.english_name.is_not(None))) == 400
    assert session.scalar(sa.select(sa.func.count(SupplierTerms.partner_id))) == 12
    assumed = session.scalars(sa.select(SupplierAgreement.assumed)).all()
    assert sum(bool(labels) for labels in assumed) == 8, "of the newest supplier only"


def test_the_late_supplier_is_found_by_name_with_his_ninth_decile(session: Session) -> None:
    supplier = session.scalars(sa.select(Partner).where(Partner.code == PLANTED.late_supplier)).one()
    measured = scorecard.lead_times(session, until=TODAY, since=TODAY - timedelta(days=LEAD_TIME_DAYS))[supplier.id]
    assert measured.agreed_mean_days == 20
    assert 32 <= measured.p90_days <= 34
    [late] = cases(session, Kind.LATE_SUPPLIER)
    assert (late.subject_id, late.label) == (supplier.id, PLANTED.late_supplier)
    assert late.facts["open_orders"] >= 1


def test_the_budget_binds_and_says_so(session: Session) -> None:
    run = cycle_runs.latest(session, site_id=site(session))
    assert run is not None
    assert any(message.startswith("The budget for 2026-") for message in run.messages)


def test_the_split_order_is_seen_at_approval(session: Session) -> None:
    submitted = session.scalars(
        sa.select(PurchaseOrder.id).where(PurchaseOrder.state == PurchaseOrderState.SUBMITTED)
    ).all()
    found = splits.suspected(session, submitted)
    assert {case.subject_id for case in cases(session, Kind.TO_APPROVE)} >= set(found)
    of_today = session.scalars(sa.select(PurchaseOrder.number).where(PurchaseOrder.drafted_date == TODAY)).all()
    [halves] = {one.numbers for one in found.values() if set(one.numbers) <= set(of_today)}
    assert len(halves) == 2
    [one, _] = [one for one in found.values() if one.numbers == halves]
    assert one.total > one.limit


def test_the_bestsellers_empty_june_stands_on_its_page(session: Session) -> None:
    item = of_sku(session, PLANTED.bestseller)
    told = past.days(session, item_id=item.id, site_id=site(session), since=date(2026, 5, 1), until=date(2026, 7, 31))
    out = [day for day in told if day.stocked_out and day.day.month == 6]
    assert len(out) >= 20 and sum(day.asked for day in out[1:]) == 0
    [longest] = [span for span in past.outages(told) if (span[1] - span[0]).days > 14]
    assert longest[0] < date(2026, 6, 8) and longest[1] > date(2026, 6, 25)


def test_the_launch_has_sold_for_some_weeks_only(session: Session) -> None:
    item = of_sku(session, PLANTED.launched)
    first = session.scalar(sa.select(sa.func.min(DemandFact.demand_date)).where(DemandFact.item_id == item.id))
    assert first is not None and first >= PLANTED.launch_date


def test_what_is_phased_out_lies_there_for_more_than_half_a_year(session: Session) -> None:
    item = of_sku(session, PLANTED.phased_out)
    assert item.status is ItemStatus.PHASE_OUT
    [excess] = [case for case in cases(session, Kind.EXCESS) if case.subject_id == item.id]
    assert excess.facts["bought"] is False and excess.facts["cover_days"] > excess.facts["limit_days"]


def test_more_of_one_item_is_there_than_can_be_sold_before_it_expires(session: Session) -> None:
    item = of_sku(session, PLANTED.expiring)
    lot = session.execute(
        sa.select(Lot.expiry_date, sa.func.sum(StockBalance.on_hand).label("units"))
        .join(StockBalance, StockBalance.lot_id == Lot.id)
        .where(Lot.item_id == item.id, StockBalance.on_hand > 0)
        .group_by(Lot.expiry_date)
    ).one()
    left = (lot.expiry_date - TODAY).days
    assert 30 < left < 90
    asked = session.scalar(
        sa.select(sa.func.sum(DemandFact.quantity)).where(
            DemandFact.item_id == item.id, DemandFact.demand_date >= TODAY - timedelta(days=180)
        )
    )
    assert lot.units > 2 * (asked or 0) / 180 * left


def test_every_desk_has_work_and_nothing_is_perfect(session: Session) -> None:
    waiting = set(session.scalars(sa.select(ExceptionCase.kind).where(ExceptionCase.closed_at.is_(None))))
    roles = {role for kind in waiting for role in DESKS[kind].roles}
    assert roles == {role for desk in DESKS.values() for role in desk.roles}
    on_time, due = kpis.on_time(
        session, site_id=site(session), from_date=TODAY - timedelta(days=14), until_date=TODAY - timedelta(days=1)
    )
    assert 0.85 < on_time / due < 0.96


def cases(session: Session, kind: Kind) -> list[ExceptionCase]:
    """The open cases of a kind."""
    found = sa.select(ExceptionCase).where(ExceptionCase.kind == kind, ExceptionCase.closed_at.is_(None))
    return list(session.scalars(found))


def of_sku(session: Session, sku: str) -> Item:
    """One item."""
    return session.scalars(sa.select(Item).where(Item.sku == sku)).one()


def site(session: Session) -> int:
    """The only site."""
    return session.scalars(sa.select(Site.id).order_by(Site.id)).first() or 0

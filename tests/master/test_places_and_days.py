"""Bins, carriers' services and the calendar change for whoever knows what they are, and are retired, never deleted."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core.users import RoleMissing
from scm.master import calendars, companies, lanes
from scm.master.calendars import BadClosure, NeverOpen, NotClosed, WeekChanged
from scm.master.companies import BadFacts, Facts, FactsChanged
from scm.master.lanes import (
    BadService,
    CarrierService,
    CarrierUnknown,
    ServiceChanged,
    ServiceExists,
    ServiceRequest,
    Terms,
)
from scm.master.locations import Location, LocationUnknown
from scm.sales import facts
from scm.stock import bins
from scm.stock.bins import BadBin, BinChanged, BinExists, BinInUse, BinRow
from tests.world import World


def site(world: World, by: str = "warehouse") -> dict[str, Any]:
    return {"site_id": world.setup.site_id, "actor": world.user(by)}


def add_bins(world: World, *codes: str) -> list[int]:
    return bins.add(world.begin(), codes, first_sequence=900, company_id=world.setup.company_id, **site(world))


def bin_row(world: World, code: str) -> BinRow:
    row = world.begin().scalars(sa.select(Location).where(Location.code == code)).one()
    return BinRow(pick_sequence=row.pick_sequence, retired=row.retired)


def test_bins_are_added_along_the_pick_path_and_change_for_who_knows_them(world: World) -> None:
    add_bins(world, "A-01", "A-02")
    assert bin_row(world, "A-02") == BinRow(pick_sequence=901, retired=False)
    wanted = BinRow(pick_sequence=5, retired=False)
    bins.change(world.begin(), code="A-02", believed=bin_row(world, "A-02"), wanted=wanted, **site(world))
    assert bin_row(world, "A-02") == wanted
    with world.refuses(BinChanged, "number 5 on the pick path") as session:
        old = BinRow(pick_sequence=901, retired=False)
        bins.change(session, code="A-02", believed=old, wanted=wanted, **site(world))


def test_a_bin_is_retired_when_it_is_empty_and_nothing_goes_there(world: World) -> None:
    [code] = [
        row.code for row in world.begin().scalars(sa.select(Location).where(Location.id == world.setup.bin_ids[0]))
    ]
    bolt = world.item("bolt")
    world.stock(bolt, 3)
    full = bin_row(world, code)
    retired = BinRow(pick_sequence=full.pick_sequence, retired=True)
    with world.refuses(BinInUse, "3 units lie in bin") as session:
        bins.change(session, code=code, believed=full, wanted=retired, **site(world))
    add_bins(world, "EMPTY")
    empty = bin_row(world, "EMPTY")
    gone = BinRow(pick_sequence=empty.pick_sequence, retired=True)
    bins.change(world.begin(), code="EMPTY", believed=empty, wanted=gone, **site(world))
    assert bin_row(world, "EMPTY").retired
    bins.change(world.begin(), code="EMPTY", believed=gone, wanted=empty, **site(world))
    assert not bin_row(world, "EMPTY").retired


@pytest.mark.parametrize("codes", [[], ["x", "x"], [" x"], ["x" * 41], ["a\nb"]])
def test_codes_of_bins_are_plain(world: World, codes: list[str]) -> None:
    with world.refuses(BadBin) as session:
        bins.add(session, codes, first_sequence=1, company_id=world.setup.company_id, **site(world))


def test_a_place_is_not_added_twice_nor_by_anybody(world: World) -> None:
    with world.refuses(BinExists, "MAIN-DOCK") as session:
        bins.add(session, ["MAIN-DOCK"], first_sequence=1, company_id=world.setup.company_id, **site(world))
    with world.refuses(RoleMissing) as session:
        bins.add(session, ["B"], first_sequence=1, company_id=world.setup.company_id, **site(world, "sales"))
    with world.refuses(LocationUnknown, "no bin MAIN-DOCK") as session:
        row = BinRow(pick_sequence=1, retired=False)
        bins.change(session, code="MAIN-DOCK", believed=row, wanted=row, **site(world))


def test_a_service_is_added_changed_and_retired(world: World) -> None:
    request = ServiceRequest(carrier="CARRIER", code="FAST", country="France", transit_days=1, cut_off=time(12))
    service_id = lanes.add(world.begin(), request, company_id=world.setup.company_id, **site(world))
    now, later = (
        Terms(transit_days=1, cut_off=time(12), retired=False),
        Terms(transit_days=2, cut_off=time(13), retired=False),
    )
    lanes.change(world.begin(), service_id=service_id, believed=now, wanted=later, **site(world))
    with world.refuses(ServiceChanged, "takes 2 days, parcels are ready by 13:00") as session:
        lanes.change(session, service_id=service_id, believed=now, wanted=later, **site(world))
    with world.refuses(ServiceExists) as session:
        lanes.add(session, request, company_id=world.setup.company_id, **site(world))
    with world.refuses(BadService, "transit_days is -1") as session:
        wrong = Terms(transit_days=-1, cut_off=time(13), retired=False)
        lanes.change(session, service_id=service_id, believed=later, wanted=wrong, **site(world))
    with world.refuses(CarrierUnknown):
        strange = ServiceRequest(carrier="NOBODY", code="X", country="*", transit_days=1, cut_off=time(12))
        lanes.add(world.begin(), strange, company_id=world.setup.company_id, **site(world))


def test_what_is_retired_is_promised_no_more(world: World) -> None:
    session = world.begin()
    [service] = session.scalars(sa.select(CarrierService))
    customer_id = world.customer()
    wanted: dict[str, Any] = {
        "site_ids": [world.setup.site_id],
        "customer_ids": [customer_id],
        "channels": ["web"],
        "today": world.today,
    }
    assert facts.read(session, **wanted).services
    now = Terms(transit_days=service.transit_days, cut_off=service.cut_off, retired=False)
    gone = Terms(transit_days=service.transit_days, cut_off=service.cut_off, retired=True)
    lanes.change(world.begin(), service_id=service.id, believed=now, wanted=gone, **site(world))
    assert not facts.read(world.begin(), **wanted).services


def test_a_day_is_closed_for_a_reason_and_opened_again(world: World) -> None:
    day = date(2026, 12, 25)
    calendars.close(world.begin(), closed_dates=[day], reason="Christmas", **site(world, "planner"))
    assert [row.reason for row in calendars.closed_days(world.begin(), site_id=world.setup.site_id, since=day)] == [
        "Christmas"
    ]
    calendars.reopen(world.begin(), closed_dates=[day], **site(world, "planner"))
    assert calendars.load(world.begin(), site_id=world.setup.site_id).closed_dates == frozenset()
    with world.refuses(NotClosed, "2026-12-25") as session:
        calendars.reopen(session, closed_dates=[day], **site(world, "planner"))
    with world.refuses(BadClosure) as session:
        calendars.close(session, closed_dates=[day], reason=" ", **site(world, "planner"))


def test_the_working_week_changes_for_who_knows_it_and_never_to_nothing(world: World) -> None:
    works = calendars.load(world.begin(), site_id=world.setup.site_id).weekdays
    for weekday in sorted(works)[1:]:
        calendars.set_weekday(world.begin(), weekday=weekday, believed=True, works=False, **site(world, "planner"))
    with world.refuses(NeverOpen, "no other weekday") as session:
        calendars.set_weekday(session, weekday=min(works), believed=True, works=False, **site(world, "planner"))
    with world.refuses(WeekChanged) as session:
        calendars.set_weekday(session, weekday=max(works), believed=True, works=False, **site(world, "planner"))


def test_a_company_is_renamed_by_its_administrator(world: World) -> None:
    company = companies.only(world.begin())
    old, new = Facts(name=company.name, default_locale=None), Facts(name="New name", default_locale="zh_CN")
    companies.change(world.begin(), believed=old, wanted=new, actor=world.user("admin"))
    assert companies.only(world.begin()).default_locale == "zh_CN"
    with world.refuses(FactsChanged, "called New name") as session:
        companies.change(session, believed=old, wanted=new, actor=world.user("admin"))
    with world.refuses(BadFacts) as session:
        companies.change(session, believed=new, wanted=Facts(name="x", default_locale="fr"), actor=world.user("admin"))
    with world.refuses(RoleMissing) as session:
        companies.change(session, believed=new, wanted=old, actor=world.user("planner"))

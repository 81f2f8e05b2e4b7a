"""A company opens more sites, and lanes between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core.errors import NotAllowed
from scm.master import calendars, locations, setup, site_access, sites, transfer_lanes
from scm.master.lanes import CarrierService
from scm.master.locations import Location, LocationKind
from scm.master.sites import BadSite, SiteExists, SiteRequest
from scm.master.transfer_lanes import BadLane, LaneChanged, LaneExists, LaneTerms, LaneUnknown
from tests.world import World

NORTH = SiteRequest(code="north", name="North", zone="Europe/Paris", bin_count=4, working_weekdays=range(6))
TERMS = LaneTerms(transit_days=2, joint_cost=500, priority=1)


def open_site(world: World, request: SiteRequest = NORTH) -> int:
    return sites.add(world.begin(), request, company_id=world.setup.company_id, actor=world.user("admin"))


def open_lane(world: World, from_code: str = "MAIN", to_code: str = "NORTH", terms: LaneTerms = TERMS) -> int:
    return transfer_lanes.add(
        world.begin(),
        from_code=from_code,
        to_code=to_code,
        terms=terms,
        company_id=world.setup.company_id,
        actor=world.user("planner"),
    )


def test_a_new_site_can_be_worked_at_at_once(world: World) -> None:
    site_id = open_site(world)
    session = world.begin()
    bins = session.scalars(
        sa.select(Location.code).where(
            Location.site_id == site_id, Location.kind == LocationKind.STORAGE, ~Location.is_area
        )
    ).all()
    assert sorted(bins) == ["NORTH-BIN-0001", "NORTH-BIN-0002", "NORTH-BIN-0003", "NORTH-BIN-0004"]
    for kind in sites.SITE_PLACES:
        assert locations.of_kind(session, kind=kind, site_id=site_id)
    assert locations.of_kind(session, kind=LocationKind.STORAGE, site_id=site_id, area=True)
    services = sa.select(CarrierService.code, CarrierService.transit_days).where(CarrierService.site_id == site_id)
    assert session.execute(services).all() == [("STANDARD", 3)]
    saturday, sunday = world.day(5), world.day(6)
    calendar = calendars.load(session, site_id=site_id)
    assert (calendar.is_working_day(saturday), calendar.is_working_day(sunday)) == (True, False)
    assert [one.code for one in site_access.of_user(session, user_id=0, company_id=world.setup.company_id)] == [
        "MAIN",
        "NORTH",
    ]


def test_the_first_site_stays_what_everything_starts_from(world: World) -> None:
    before = setup.load(world.begin())
    open_site(world)
    assert setup.load(world.begin()) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": ""}, "code is ''"),
        ({"code": "N%"}, "letters and digits"),
        ({"code": "LONGER-THAN-IT-MAY-BE"}, "1 to 12"),
        ({"name": " "}, "name is ' '"),
        ({"zone": "Nowhere/Land"}, "Europe/London"),
        ({"bin_count": 0}, "a site has 1 to"),
    ],
)
def test_a_site_that_cannot_work_is_refused(world: World, change: dict[str, Any], said: str) -> None:
    with world.refuses(BadSite, match=said):
        open_site(world, replace(NORTH, **change))


@pytest.mark.parametrize("code", ["MAIN", "main", "TRANSIT", "BIN"])
def test_a_site_is_not_called_like_what_is_there(world: World, code: str) -> None:
    with world.refuses(SiteExists, match="exists already: choose another code"):
        open_site(world, replace(NORTH, code=code))


def test_only_an_administrator_opens_a_site(world: World) -> None:
    with world.refuses(NotAllowed) as session:
        sites.add(session, NORTH, company_id=world.setup.company_id, actor=world.user("warehouse"))


def test_a_lane_is_opened_once_and_changed_as_believed(world: World) -> None:
    open_site(world)
    lane_id = open_lane(world)
    with world.refuses(LaneExists):
        open_lane(world)
    wanted = replace(TERMS, transit_days=3, retired=True)
    for believed in (replace(TERMS, transit_days=9), TERMS):
        if believed != TERMS:
            with world.refuses(LaneChanged, match="it takes 2 days at priority 1"):
                change(world, lane_id, believed, wanted)
        else:
            change(world, lane_id, believed, wanted)
    assert transfer_lanes.in_use(world.begin(), company_id=world.setup.company_id) == []
    change(world, lane_id, wanted, replace(wanted, retired=False))
    [lane] = transfer_lanes.in_use(world.begin(), company_id=world.setup.company_id)
    assert (lane.id, lane.transit_days, lane.joint_cost) == (lane_id, 3, 500)


def change(world: World, lane_id: int, believed: LaneTerms, wanted: LaneTerms) -> None:
    transfer_lanes.change(
        world.begin(),
        lane_id=lane_id,
        company_id=world.setup.company_id,
        believed=believed,
        wanted=wanted,
        actor=world.user("planner"),
    )


def test_a_lane_that_leads_nowhere_is_refused(world: World) -> None:
    open_site(world)
    with world.refuses(LaneUnknown, match="there is no site 'SOUTH'"):
        open_lane(world, to_code="SOUTH")
    with world.refuses(BadLane, match="leads to another site"):
        open_lane(world, to_code="MAIN")
    wrong: list[dict[str, Any]] = [{"transit_days": -1}, {"joint_cost": -1}, {"priority": 0}]
    for one in wrong:
        [(field, value)] = one.items()
        with world.refuses(BadLane, match=f"{field} is {value}"):
            open_lane(world, terms=replace(TERMS, **one))
    with world.refuses(LaneUnknown, match="there is no lane 0"):
        change(world, 0, TERMS, TERMS)

"""Sites and the lanes between them are opened on pages, and people switch between the sites they work at."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.db import Database
from scm.master.locations import Site
from scm.master.transfer_lanes import TransferLane
from tests.web.house import House
from tests.web.visitor import text_of


def opened(database: Database) -> House:
    house = House(database)
    admin = house.visitor("admin")
    answer = admin.post(
        "/master/sites/new", code="north", name="Northern store", zone="Europe/London", bins="3", works="0"
    )
    assert answer.status_code == 303
    return house


def test_a_site_and_its_lane_are_opened_and_changed(database: Database) -> None:
    house = opened(database)
    admin, planner = house.visitor("admin"), house.visitor("planner")
    assert "Northern store" in text_of(admin.get("/master/sites"))
    assert "New site" not in planner.get("/master/sites")
    assert planner.post("/master/sites/new", code="X", name="X", zone="UTC", bins="1").status_code == 403
    lane = {"from_site": "MAIN", "to_site": "NORTH", "transit_days": "2", "joint_cost": "12.50", "priority": "1"}
    assert planner.post("/master/lanes/new", data=lane).status_code == 303
    assert planner.post("/master/lanes/new", data=lane | {"joint_cost": "1.005"}).status_code == 400
    with database.unit_of_work(write=False) as session:
        found = session.scalars(sa.select(TransferLane)).one()
    assert (found.transit_days, found.joint_cost) == (2, 1250)
    assert "12.50" in text_of(planner.get("/master/lanes"))
    cell = {"row": str(found.id), "field": "joint_cost", "believed": "12.50", "wanted": "15.00"}
    assert planner.post("/master/lanes/cell", partial=True, data=cell).status_code == 200
    assert planner.post("/master/lanes/cell", partial=True, data=cell).status_code == 409, "it is 15.00 by now"
    assert house.value("SELECT joint_cost FROM transfer_lane") == 1500


def test_whoever_works_at_both_switches_between_them(database: Database) -> None:
    house = opened(database)
    sales = house.visitor("sales")
    assert house.number_of("sales_order") in sales.get("/sales-orders", follow_redirects=True)
    assert sales.post("/account/preferences", site="NORTH").status_code == 303
    assert house.number_of("sales_order") not in sales.get("/sales-orders", follow_redirects=True)
    assert sales.post("/account/preferences", site="SOUTH").status_code == 404
    with database.unit_of_work(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Site)) == 2

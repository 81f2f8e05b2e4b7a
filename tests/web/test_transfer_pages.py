"""A transfer written on a page, sent and received on the phone, with what is missing written off."""

from __future__ import annotations

import pytest

from scm.core.db import Database
from scm.core.users import Role, UserRole
from tests.moving import Lanes
from tests.web.house import House, data_of, led_to, rows
from tests.web.visitor import Visitor, text_of


class Depot(House):
    """A house with a second site, where somebody works for whom the transfers come."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lanes = self.do(Lanes)
        self.south = self.visitor("warehouse")
        self.north = self.visitor("returns")  # any other account; the roles are given below
        with database.unit_of_work(write=True) as session:
            session.add(UserRole(user_id=self.world.user("returns").user_id, role=Role.WAREHOUSE))
        self.north.post("/account/preferences", site="NORTH", status=303)

    def written(self, lines: str = "nut 5") -> str:
        """This function will write a transfer to the north and give its number."""
        self.south.get("/warehouse/transfers")
        answer = self.south.post("/warehouse/transfers/new", to_site="NORTH", lines=lines)
        return led_to(answer).rpartition("/")[2]

    def picked(self) -> tuple[str, int]:
        """This function will bring a transfer as far as its bins; gives its number and its pick."""
        number = self.written()
        self.south.post(f"/warehouse/transfers/{number}/release", status=303)
        self.south.post(f"/warehouse/transfers/{number}/pick", status=303)
        [line] = data_of(self.south.get(f"/warehouse/transfers/{number}/send"))["lines"]
        assert (line["sku"], line["wanted"], line["bin"]) == ("nut", 5, "BIN-0002")
        return number, line["id"]

    def sent(self) -> tuple[str, int]:
        """This function will send a transfer; gives its number and the move that is on the way."""
        number, pick = self.picked()
        answer = self.south.post(f"/warehouse/transfers/{number}/ship", picked=rows({"line": pick, "quantity": 5}))
        assert led_to(answer) == f"/warehouse/transfers/{number}"
        [line] = data_of(self.north.get(f"/warehouse/transfers/{number}/receive"))["lines"]
        return number, line["id"]


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


def page(visitor: Visitor, number: str) -> str:
    return text_of(visitor.get(f"/warehouse/transfers/{number}"))


def test_from_one_page_to_the_other(depot: Depot) -> None:
    number, move = depot.sent()
    assert "On its way" in page(depot.north, number)
    counted = rows({"line": move, "quantity": 3, "lot": None, "expiry": None})
    depot.north.post(f"/warehouse/transfers/{number}/take-in", counted=counted, delivery_note="", status=303)
    assert "Partly received" in page(depot.north, number)
    [line] = data_of(depot.north.get(f"/warehouse/transfers/{number}/receive"))["lines"]
    assert line["wanted"] == 2
    loss = {"move": str(line["id"]), "quantity": "2", "party": "carrier", "reason": "fell off", "spoilt": ""}
    assert depot.north.post(f"/warehouse/transfers/{number}/lose", data=loss | {"reason": ""}).status_code == 400
    depot.north.post(f"/warehouse/transfers/{number}/lose", data=loss, status=303)
    said = page(depot.north, number)
    assert "Closed" in said and "the carrier" in said and "fell off" in said
    assert "Nothing is on the way" in text_of(depot.north.get(f"/warehouse/transfers/{number}/receive"))


def test_each_site_does_its_own_part_only(depot: Depot) -> None:
    number, move = depot.sent()
    counted = rows({"line": move, "quantity": 3, "lot": None, "expiry": None})
    loss = {"move": str(move), "quantity": "2", "party": "carrier", "reason": "gone", "spoilt": ""}
    assert depot.south.post(f"/warehouse/transfers/{number}/take-in", counted=counted).status_code == 404
    assert depot.south.post(f"/warehouse/transfers/{number}/lose", data=loss).status_code == 404
    draft = depot.written()
    for action in ("release", "pick", "cancel"):
        assert depot.north.post(f"/warehouse/transfers/{draft}/{action}", reason="no").status_code == 404
    assert depot.visitor("sales").get("/warehouse/transfers", status=403)


def test_a_half_picked_transfer_is_not_sent_and_a_short_one_says_so(depot: Depot) -> None:
    number, pick = depot.picked()
    refused = depot.south.post(f"/warehouse/transfers/{number}/ship", picked=rows())
    assert refused.status_code == 400
    short = rows({"line": pick, "quantity": 2})
    depot.south.post(f"/warehouse/transfers/{number}/ship", picked=short, status=303)
    assert "not found when it was picked" in page(depot.south, number)


@pytest.mark.parametrize("lines", ["", "nut", "nut x", "nut 5 6", "unknown 3"])
def test_lines_that_say_nothing_are_refused(depot: Depot, lines: str) -> None:
    depot.south.get("/warehouse/transfers")
    answer = depot.south.post("/warehouse/transfers/new", to_site="NORTH", lines=lines)
    assert answer.status_code in (400, 404)
    assert depot.value("SELECT COUNT(*) FROM transfer") == 0


def test_lists_and_scans_lead_to_a_transfer_at_both_sites_only(depot: Depot) -> None:
    number = depot.written()
    for visitor in (depot.south, depot.north):
        assert number in visitor.get("/warehouse/transfers")
        found = visitor.client.get(f"/warehouse/scan?text={number.lower()}").get_json()
        assert (found["kind"], found["address"]) == ("transfer", f"/warehouse/transfers/{number}")
    depot.do(lambda world: depot.lanes.site("EAST"))
    depot.north.post("/account/preferences", site="EAST", status=303)
    assert number not in depot.north.get("/warehouse/transfers")
    depot.north.get(f"/warehouse/transfers/{number}", status=404)

"""The returns desk as a browser sees it: a parcel is taken back step by step, and photos are guarded."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from aftersales import return_sheet, status
from aftersales.photos import LARGEST_PHOTO
from scm.core.db import Database
from tests.aftersales import snapshots
from tests.aftersales.desk import Desk
from tests.web.visitor import Visitor, signed_in, text_of
from tests.world import World
from web.app import create_app

MOST_STATEMENTS = 45


class Office:
    """A company of the test's own, in which somebody bought five mugs and a plate."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.unit_of_work(write=True) as session:
            desk = Desk(World(session))
            self.sold = desk.delivered(desk.world.item("MUG-1"), 5)
            self.site_id = desk.world.setup.site_id
            self.order = session.execute(sa.text("SELECT number FROM sales_order")).scalar_one()
        self.app = create_app(database)

    def visit(self, username: str) -> Visitor:
        return signed_in(self.database, username, app=self.app)

    def number(self) -> str:
        """The newest return's number."""
        with self.database.unit_of_work(write=False) as session:
            newest = sa.text("SELECT number FROM return_authorization ORDER BY id DESC LIMIT 1")
            return str(session.execute(newest).scalar_one())

    def line(self) -> status.LineStatus:
        """How far the only line of the newest return is."""
        with self.database.unit_of_work(write=False) as session:
            return_id = return_sheet.find(session, number=self.number(), site_id=self.site_id)
            [line] = status.of_returns(session, [return_id])
            return line


@pytest.fixture
def office(database: Database) -> Office:
    """The company."""
    return Office(database)


def authorize(office: Office, visitor: Visitor, quantity: int = 2) -> str:
    visitor.post(
        f"/returns/authorize/{office.order}", line=office.sold, quantity=quantity, reason="damaged", status=303
    )
    return office.number()


def photo(content: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> dict[str, object]:
    return {"photo": (io.BytesIO(content), name, kind)}


def verdict(office: Office, **more: object) -> dict[str, object]:
    return {"line": office.line().line_id, "quantity": 1, "grade": "a", "finding": "no_fault"} | more


def test_a_parcel_is_taken_back_from_scan_to_refund(office: Office) -> None:
    desk = office.visit("returns")
    answer = desk.client.get(f"/returns/scan?code={office.order}")
    assert answer.headers["Location"] == f"/returns/authorize/{office.order}"
    assert "5 at most" in text_of(desk.get(f"/returns/authorize/{office.order}"))
    number = authorize(office, desk)
    assert desk.client.get(f"/returns/scan?code={office.order}").headers["Location"] == f"/returns/{number}/work"
    assert "of 2 pc expected" in text_of(desk.get(f"/returns/{number}/work"))
    desk.post(f"/returns/{number}/receive", line=office.line().line_id, quantity=2, status=303)
    assert office.line().received == 2
    assert 'capture="environment"' in desk.get(f"/returns/{number}/work")
    fields = verdict(office, quantity=2, note="box dented") | photo(snapshots.jpeg())
    desk.post(f"/returns/{number}/inspect", data=fields, status=303)
    page = desk.get(f"/returns/{number}/work")
    assert "it sells again for" in text_of(page)
    shown = re.search(r'src="(/returns/photos/\d+)"', page)
    assert shown is not None
    settled = {
        name: found[1]
        for name in ("inspection", "proposed", "disposition", "said", "bin")
        if (found := re.search(rf'name="{name}"[^>]* value="([^"]*)"', page))
    }
    desk.post(f"/returns/{number}/settle", data=settled, status=303)
    assert office.line().to_dispose == 0
    assert "20.00" in text_of(desk.get(f"/returns/{number}/work"))
    desk.post(f"/returns/{number}/refund", line=office.line().line_id, quantity=1, status=303)
    desk.post(f"/returns/{number}/refund", line=office.line().line_id, quantity=1, status=303)
    assert office.line().refunded_amount == 2000
    desk.post(f"/returns/{number}/close", reason="all done", status=303)
    page = text_of(desk.get(f"/returns/{number}"))
    for said in ("authorized the return", "inspected what came back", "1 photo", "refunded the customer", "Closed"):
        assert said in page
    assert office.order in page
    assert "Came back in a year" in text_of(desk.get(f"/returns/{number}/taught"))


def test_deciding_otherwise_wants_a_reason_whatever_the_form_says(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk, 1)
    desk.post(f"/returns/{number}/receive", line=office.line().line_id, quantity=1, status=303)
    desk.post(f"/returns/{number}/inspect", data=verdict(office), status=303)
    found = re.search(r'name="inspection" value="(\d+)"', desk.get(f"/returns/{number}/work"))
    assert found is not None
    otherwise = {"inspection": found[1], "proposed": "restock", "disposition": "scrap", "said": "the proposal's words"}
    answer = desk.post(f"/returns/{number}/settle", data=otherwise, status=400)
    assert "restock was proposed" in text_of(answer.get_data(as_text=True))
    desk.post(f"/returns/{number}/settle", data=otherwise | {"reason": "smells of smoke"}, status=303)
    assert "smells of smoke" in desk.get(f"/returns/{number}")


def test_a_photo_is_served_as_what_it_is_and_nothing_runs(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk, 1)
    desk.post(f"/returns/{number}/receive", line=office.line().line_id, quantity=1, status=303)
    # A page hidden behind the start of a picture, under a name that climbs out of folders.
    hidden = snapshots.png() + b"<script>alert(1)</script>"
    fields = verdict(office) | photo(hidden, "../../../etc/passwd.html", "text/html")
    desk.post(f"/returns/{number}/inspect", data=fields, status=303)
    found = re.search(r'src="(/returns/photos/\d+)"', desk.get(f"/returns/{number}"))
    assert found is not None
    answer = desk.client.get(found[1])
    assert answer.data == hidden
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "passwd" not in answer.headers["Content-Disposition"]
    assert office.visit("returns").client.get("/returns/photos/999999").status_code == 404
    assert Visitor(office.app).client.get(found[1]).status_code == 302, "nobody without a name"


def test_what_is_no_photo_or_too_large_is_refused_and_the_verdict_with_it(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk, 1)
    desk.post(f"/returns/{number}/receive", line=office.line().line_id, quantity=1, status=303)
    large = snapshots.png().ljust(LARGEST_PHOTO + 1, b"\0")
    for content in (*filter(None, snapshots.PRETENDERS.values()), snapshots.BOMB, large):
        desk.post(f"/returns/{number}/inspect", data=verdict(office) | photo(content), status=400)
    desk.post(f"/returns/{number}/inspect", data=verdict(office) | photo(large * 4), status=413)
    assert office.line().to_inspect == 1


def test_an_unknown_parcel_is_written_down_and_finds_its_order(office: Office) -> None:
    desk = office.visit("returns")
    assert "Nobody expects this parcel" in desk.get("/returns/scan?code=XYZ-1")
    fields = {"label": "XYZ-1", "contents": "one mug"} | photo(snapshots.webp())
    desk.post("/returns/parcels", data=fields, status=303)
    found = re.search(r"UP-\d+-\d+", desk.get("/returns"))
    assert found is not None
    page = desk.get(f"/returns/parcels/{found[0]}")
    assert "one mug" in page
    assert "/returns/photos/" in page
    where = desk.client.get(f"/returns/orders?parcel={found[0]}&code={office.order}").headers["Location"]
    assert where == f"/returns/authorize/{office.order}?parcel={found[0]}"
    assert f'value="{found[0]}"' in desk.get(where)
    desk.post(
        f"/returns/authorize/{office.order}",
        line=office.sold,
        quantity=1,
        reason="unwanted",
        parcel=found[0],
        status=303,
    )
    assert found[0] in desk.get(f"/returns/{office.number()}")
    assert "Matched" in desk.get(f"/returns/parcels/{found[0]}")
    desk.post(f"/returns/parcels/{found[0]}/dispose", reason="sent back", status=409)


def test_a_form_that_is_sent_twice_acts_once(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk, 2)
    for _ in range(2):
        desk.post(f"/returns/{number}/receive", key="once", line=office.line().line_id, quantity=1, status=303)
    assert office.line().received == 1
    for picture, expected in ((snapshots.png(2, 2), 303), (snapshots.png(2, 2), 303), (snapshots.png(3, 3), 409)):
        fields = verdict(office) | photo(picture)
        desk.post(f"/returns/{number}/inspect", key="twice", data=fields, status=expected)
    assert office.line().inspected == 1


def test_each_step_is_for_those_whose_work_it_is(office: Office) -> None:
    number = authorize(office, office.visit("returns"))
    others = {"planner": ("receive", "refund"), "sales": ("inspect",), "warehouse": ("refund", "close")}
    for username, actions in others.items():
        visitor = office.visit(username)
        for action in actions:
            visitor.post(f"/returns/{number}/{action}", reason="-", status=403)
        visitor.get(f"/returns/{number}")


def test_fields_nobody_asked_for_and_odd_ones_are_refused(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk)
    line = office.line().line_id
    for fields in (
        {"line": line, "quantity": "two"},
        {"line": line, "quantity": -1},
        {"line": "x", "quantity": 1},
        {"line": line, "quantity": [1, 1]},
        {"line": line, "quantity": 1, "site_id": 2},
        {"line": 2**70, "quantity": 1},
    ):
        desk.post(f"/returns/{number}/receive", data=fields, status=400)
    assert office.line().received == 0
    for address in (f"/returns/{number}/inspect", f"/returns/authorize/{office.order}", "/returns/parcels"):
        desk.post(address, data={"grade": "z", "state": "closed"}, status=400)


def test_pages_are_read_in_a_bounded_number_of_statements(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk)
    seen: list[str] = []
    sa.event.listen(office.database.engine, "before_cursor_execute", lambda *args: seen.append(str(args[2])))
    for address in ("/returns", "/returns/all", f"/returns/{number}", f"/returns/{number}/work"):
        seen.clear()
        desk.get(address)
        assert len(seen) <= MOST_STATEMENTS, f"{address}: {len(seen)}"


def test_what_is_not_here_is_not_found(office: Office) -> None:
    desk = office.visit("returns")
    for address in ("/returns/RMA-2026-999999", "/returns/RMA-1/work", "/returns/parcels/UP-1", "/returns/photos/9"):
        desk.get(address, status=404)


def test_the_desk_speaks_chinese(office: Office) -> None:
    desk = office.visit("returns")
    number = authorize(office, desk)
    said = {
        "/returns": "退货台",
        "/returns/all": "张退货",
        f"/returns/{number}": "授权了退货",
        f"/returns/{number}/work": "实收数量",
        "/returns/scan": "请扫描包裹面单",
    }
    for address, words in said.items():
        assert words in desk.get(address, headers={"Accept-Language": "zh-CN"}), address

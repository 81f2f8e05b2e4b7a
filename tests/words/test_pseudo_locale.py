"""No page says anything that cannot be said in another language.

The demo company is walked through as each of its people, along the links of the pages, with every text in brackets:
a Latin letter outside them is a text nobody can translate, unless it is the name of something.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from aftersales import parcels
from scm.core import clock
from scm.core.db import Base, Database
from scm.core.preferences import Preference
from scm.core.users import User
from scm.master import companies, setup
from scm.sales.documents import SalesOrder
from tests.browser import company as demo
from tests.web.visitor import Visitor
from tests.web.walking import reachable, walked
from tests.words import pseudo, visible
from warehouse.packing import Shipment, ShipmentState
from web.app import create_app

LETTERS = re.compile(r"[A-Za-z]{2,}|\b[A-Za-z]\b")
NAMES = (
    "name", "code", "sku", "username", "display_name", "number", "external_id", "reference", "tracking_number",
    "delivery_note", "email", "country", "currency", "zone", "base_unit", "symbol", "prefix", "channel", "file_name",
)  # fmt: skip
"""Columns that hold what things and people are called."""
EVERYWHERE = re.compile(
    r"\bBOM \S*@\S* r\d+|"
    r"\bscm\b|\b(?:SKU|GTIN|SSCC|OTIF|WAPE|MASE|RMA|CSV|XLSX|UTC|SCM_\w+)\b|https?://\S*|[A-Z]{2,4}-\d[\w-]*|\bCtrl\b|\b(?:English|WeCom|DingTalk|Slack)\b|\b[A-Z]\b"
)
"""Names that are the same in every language: abbreviations, numbers of documents, keys, addresses, languages."""
# Nobody of the first site unloads the lorry of the second one: `tests/web/test_transfer_pages.py` opens that page.
LEADING = frozenset({"returns.find_order", "returns.photo", "scanning.resolve", "transfers.take_in"})
"""Endpoints that lead on to another page, to a picture or to what a scan means, and are no pages themselves."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    file = tmp_path_factory.mktemp("pseudo") / "scm.db"
    shutil.copyfile(demo.made_once(), file)
    found = Database(f"sqlite:///{file}")
    with found.unit_of_work(write=True) as session:
        session.execute(sa.delete(Preference))
        for user_id in session.scalars(sa.select(User.id)).all():
            session.add(Preference(user_id=user_id, locale=pseudo.WORN_BY))
        _receive_a_parcel_nobody_expects(session)
    yield found
    found.dispose()


@pytest.fixture
def app(database: Database, monkeypatch: pytest.MonkeyPatch) -> Flask:
    made = create_app(database)
    pseudo.speak(monkeypatch)
    return made


@pytest.fixture(scope="module")
def names(database: Database) -> re.Pattern[str]:
    """Everything that has a name in the company, as one pattern, long names first."""
    found: set[str] = set()
    with database.unit_of_work(write=False) as session:
        for table in Base.metadata.tables.values():
            for column in table.columns:
                if column.name in NAMES and isinstance(column.type, sa.String):
                    found.update(one for one in session.scalars(sa.select(column).distinct()) if one)
    return re.compile("|".join(re.escape(one) for one in sorted(found, key=len, reverse=True)))


def test_every_text_of_every_page_can_be_translated(app: Flask, database: Database, names: re.Pattern[str]) -> None:
    with database.unit_of_work(write=False) as session:
        people = list(session.scalars(sa.select(User.username).where(User.active).order_by(User.id)))
    admin = Visitor(app).sign_in("admin")
    admin.post("/jobs/run/verify_books", status=303)
    seen: set[str] = set()
    bare: dict[str, set[str]] = {}
    for username in people:
        if username == "system":
            continue
        for endpoint, address, html in walked(app, username, more=_more_documents(database)):
            seen.add(endpoint)
            for text in visible.read(html).words:
                rest = " ".join(visible.outside(text))
                if LETTERS.search(EVERYWHERE.sub("", names.sub("", rest))):
                    bare.setdefault(f"{endpoint} ({address}): {rest.strip()[:120]}", set()).add(username)
    assert not bare, f"{len(bare)} texts are not looked up:\n" + "\n".join(sorted(bare))
    unseen = sorted(reachable(app) - seen - LEADING)
    assert not unseen, f"no page leads to {', '.join(unseen)}"


def _more_documents(database: Database) -> list[str]:
    """Documents in states that the first ones of their lists are not in."""
    with database.unit_of_work(write=False) as session:
        delivered = session.scalars(
            sa.select(SalesOrder.number)
            .join(Shipment, Shipment.sales_order_id == SalesOrder.id)
            .where(Shipment.state == ShipmentState.DELIVERED)
            .limit(1)
        ).one()
    return [f"/sales-orders/{delivered}", f"/returns/authorize/{delivered}"]


def _receive_a_parcel_nobody_expects(session: Session) -> None:
    company = companies.only(session)
    found = setup.load(session)
    now, today = companies.business_time(company, wall=clock.wall_now())
    parcels.record(
        session,
        site_id=found.site_id,
        label="4711",
        sender="4711",
        contents="4711",
        actor=found.users["returns"],
        now=now,
        today=today,
    )


def test_the_errors_of_a_file_can_be_translated(app: Flask, names: re.Pattern[str]) -> None:
    admin = Visitor(app).sign_in("admin")
    address = "/master/files/items"
    sheet = admin.client.get(f"{address}/rows.csv").get_data().splitlines()
    spoilt = sheet[0] + b"\r\n" + b",".join(b"?" for _ in sheet[0].split(b",")) + b"\r\n" + sheet[1]
    answer = admin.post(f"{address}/check", status=200, file=(io.BytesIO(spoilt), "4711"))
    page = visible.read(answer.get_data(as_text=True))
    rest = [" ".join(visible.outside(text)) for text in page.words]
    assert [text for text in rest if LETTERS.search(EVERYWHERE.sub("", names.sub("", text)))] == []
    assert any("it is no whole number" in text for text in page.words)


def test_signing_in_can_be_translated(app: Flask) -> None:
    html = app.test_client().get("/login", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    rest = [" ".join(visible.outside(text)) for text in visible.read(html).words]
    assert [text for text in rest if LETTERS.search(EVERYWHERE.sub("", text))] == []
    assert "⟦" in html


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>Late: <b>3</b></p>", ["Late:", "3"]),
        ('<p translate="no">BOLT</p><p>x</p>', ["x"]),
        ('<input placeholder="Find"><script>var late</script>', ["Find"]),
        ('<td><time datetime="x">5 Nov</time> due', ["due"]),
    ],
)
def test_what_is_seen_of_a_page(html: str, words: list[str]) -> None:
    assert visible.read(html).words == words

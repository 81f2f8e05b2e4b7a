"""Nobody reaches what belongs to another site (promise 39): every document of one, asked for by people of another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.exceptions import HTTPException

from scm.core import clock, users
from scm.core.db import Database
from scm.core.users import Role
from scm.master import site_access
from scm.master.locations import Location, LocationKind, Site
from tests.browser import company as demo
from tests.web.visitor import Visitor, give_passwords
from tests.web.walking import walked
from web.app import create_app

PLACES = (
    LocationKind.STORAGE,
    LocationKind.DOCK,
    LocationKind.STAGING,
    LocationKind.RETURNS,
    LocationKind.QUARANTINE,
)
PEOPLE = ("planner", "buyer", "approver", "warehouse", "production", "returns", "sales", "admin")
# What belongs to the company and not to a site: masters, people, and what runs the place.
COMPANY_WIDE = frozenset(
    {
        "items", "cover", "suppliers", "users", "jobs", "runs", "messages", "webhooks", "audit", "master_items",
        "master_suppliers", "master_agreements", "master_carriers", "master_files", "settings", "rules", "master_sites",
        "master_transfer_lanes", "master_boms", "master_work_centers", "channels",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo company with a second site, and for each role somebody who works only there."""
    file = tmp_path_factory.mktemp("sites") / "scm.db"
    shutil.copyfile(Path(demo.made_once()), file)
    found = Database(f"sqlite:///{file}")
    with found.unit_of_work(write=True) as session:
        first = session.scalars(sa.select(Site).order_by(Site.id)).first()
        assert first is not None
        session.add(Site(company_id=first.company_id, code="SECOND", name="Second site", zone=first.zone))
        session.flush()
        second = session.scalars(sa.select(Site).where(Site.code == "SECOND")).one()
        for number, kind in enumerate(PLACES):
            for area in (True, False) if kind is LocationKind.STORAGE else (False,):
                session.add(
                    Location(
                        company_id=first.company_id,
                        site_id=second.id,
                        code=f"SECOND-{kind.name}-{area}",
                        kind=kind,
                        is_area=area,
                        valued=True,
                        pick_sequence=number,
                        retired=False,
                    )
                )
        system = users.actor(session, username="system")
        for name in PEOPLE:
            users.add(
                session,
                username=f"{name}-second",
                display_name=name.capitalize(),
                roles=frozenset({Role(name)}),
                now=clock.wall_now(),
            )
            site_access.assign(session, username=f"{name}-second", site_codes=["SECOND"], actor=system)
    give_passwords(found, *PEOPLE, *(f"{name}-second" for name in PEOPLE))
    yield found
    found.dispose()


@pytest.mark.parametrize("username", PEOPLE)
def test_every_document_of_one_site_is_unknown_at_another(database: Database, username: str) -> None:
    app = create_app(database)
    documents = set()
    for _endpoint, address, _html in walked(app, username):
        rule_endpoint, parts = matched(app, address)
        names_something = bool(parts.keys() - {"kind"})  # an export names its format only
        if names_something and rule_endpoint.partition(".")[0] not in COMPANY_WIDE:
            documents.add(address)
    other = Visitor(app).sign_in(f"{username}-second")
    reached = [address for address in sorted(documents) if other.client.get(address).status_code not in (404, 302)]
    assert reached == []
    if username in ("planner", "approver", "warehouse", "returns", "sales"):
        assert documents, "no document was found, so nothing was checked"


def test_the_lists_of_another_site_are_empty(database: Database) -> None:
    app = create_app(database)
    for username, address in (
        ("buyer", "/purchase-orders"),
        ("sales", "/sales-orders"),
        ("warehouse", "/warehouse/shipments"),
        ("returns", "/returns/all"),
        ("planner", "/proposals"),
    ):
        assert "data-row" in Visitor(app).sign_in(username).get(address, follow_redirects=True), address
        empty = Visitor(app).sign_in(f"{username}-second").get(address, follow_redirects=True)
        assert "data-row" not in empty, address


def matched(app: Flask, address: str) -> tuple[str, dict[str, object]]:
    """The endpoint behind an address, and the parts of the address that name something."""
    try:
        endpoint, parts = app.url_map.bind("localhost").match(address.partition("?")[0], method="GET")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(parts)

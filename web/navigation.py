"""The rail: the pages of each role, in the order of their day. A page that this person may not open is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from scm.loop.exceptions import inbox
from scm.loop.exceptions.findings import kinds_of
from web import area
from web.desk import Desk, read
from web.i18n import Text


@dataclass(frozen=True, kw_only=True)
class Link:
    """One entry of the rail."""

    endpoint: str
    text: Text


@dataclass(frozen=True, kw_only=True)
class Group:
    """Entries under one word."""

    text: Text
    links: tuple[Link, ...]


GROUPS = (
    Group(text=_l("Today"), links=(Link(endpoint="home.show", text=_l("Home")),)),
    Group(
        text=_l("Planning"),
        links=(
            Link(endpoint="cockpit.show", text=_l("Cockpit")),
            Link(endpoint="items.index", text=_l("Items")),
            Link(endpoint="proposals.index", text=_l("Proposals")),
            Link(endpoint="cover.index", text=_l("Sell-through and cover")),
        ),
    ),
    Group(
        text=_l("Production"),
        links=(
            Link(endpoint="work_orders.index", text=_l("Work orders")),
            Link(endpoint="floor.index", text=_l("The floor")),
        ),
    ),
    Group(
        text=_l("Procurement"),
        links=(
            Link(endpoint="approvals.index", text=_l("Approvals")),
            Link(endpoint="purchase_orders.index", text=_l("Purchase orders")),
            Link(endpoint="suppliers.index", text=_l("Suppliers")),
            Link(endpoint="rates.index", text=_l("Exchange rates")),
        ),
    ),
    Group(
        text=_l("Warehouse"),
        links=(
            Link(endpoint="warehouse.board", text=_l("Board")),
            Link(endpoint="receiving.index", text=_l("Receive")),
            Link(endpoint="putaway.index", text=_l("Put away")),
            Link(endpoint="waves.index", text=_l("Waves and picking")),
            Link(endpoint="shipments.index", text=_l("Shipments")),
            Link(endpoint="transfers.index", text=_l("Transfers")),
            Link(endpoint="counts.index", text=_l("Counts")),
            Link(endpoint="returns.index", text=_l("Returns desk")),
        ),
    ),
    Group(
        text=_l("Records"),
        links=(
            Link(endpoint="sales_orders.index", text=_l("Sales orders")),
            Link(endpoint="channels.index", text=_l("Channels")),
            Link(endpoint="master.index", text=_l("Master data")),
            Link(endpoint="jobs.index", text=_l("Jobs")),
            Link(endpoint="audit.index", text=_l("Audit")),
        ),
    ),
    Group(
        text=_l("Administration"),
        links=(
            Link(endpoint="users.index", text=_l("Users")),
            Link(endpoint="rules.index", text=_l("Rules and limits")),
            Link(endpoint="vat.index", text=_l("VAT")),
            Link(endpoint="settings.index", text=_l("Settings")),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An entry as the template draws it."""

    address: str
    text: Text
    here: bool


def rail(desk: Desk) -> Iterator[tuple[Text, list[Shown]]]:
    """This function will give the groups with the entries this person may open."""
    for group in GROUPS:
        shown = [
            Shown(address=url_for(link.endpoint), text=link.text, here=_is_here(link.endpoint))
            for link in group.links
            if link.endpoint in current_app.view_functions and area.may(desk, link.endpoint)
        ]
        if shown:
            yield group.text, shown


def waiting_at_home(desk: Desk) -> int | None:
    """This function will say how much waits on this person's home; nothing where nothing ever does."""
    kinds = kinds_of(desk.actor.roles)
    if not kinds:
        return None
    with read() as session:
        return inbox.count(session, site_id=desk.site_id, kinds=kinds, today=desk.today)


def _is_here(endpoint: str) -> bool:
    asked = request.endpoint or ""
    return asked == endpoint or asked.partition(".")[0] == endpoint.partition(".")[0]

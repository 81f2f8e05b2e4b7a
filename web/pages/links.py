"""Addresses of documents that this person may open: a link that would be refused is not drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from scm.loop.exceptions.findings import DESKS, Kind, Subject
from scm.loop.exceptions.inbox import CaseRow
from web import area
from web.desk import Desk


def subject(desk: Desk, row: CaseRow) -> str | None:
    """This function will give the page of what a case is about."""
    return openable(desk, _SUBJECTS[DESKS[row.kind].subject](row))


def workplace(desk: Desk, row: CaseRow) -> str | None:
    """This function will give the page where a case is worked on, where that is another one."""
    place = _WORKPLACES.get(row.kind)
    return openable(desk, place(row)) if place else None


def openable(desk: Desk, address: str) -> str | None:
    """This function will give the address back when there is such a page and this person may open it."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(address.partition("?")[0], method="GET")
    except (HTTPException, RequestRedirect):
        return None
    return address if area.may(desk, endpoint) else None


def _named(folder: str) -> Callable[[CaseRow], str]:
    return lambda row: f"{folder}/{quote(row.label, safe='')}"


_SUBJECTS: Mapping[Subject, Callable[[CaseRow], str]] = {
    Subject.ITEM: _named("/items"),
    Subject.SUPPLIER: _named("/suppliers"),
    Subject.PURCHASE_ORDER: _named("/purchase-orders"),
    Subject.SALES_ORDER: _named("/sales-orders"),
    Subject.CYCLE_COUNT: _named("/warehouse/counts"),
    Subject.TRANSFER: _named("/warehouse/transfers"),
    Subject.RETURN: _named("/returns"),
    Subject.JOB_RUN: lambda row: f"/jobs/{row.subject_id}",
    Subject.MESSAGE: lambda row: "/jobs/messages",
}


def _assumed(row: CaseRow) -> str:
    """The supplier's assumed agreements, or its terms where only these are."""
    code = quote(row.label, safe="")
    if row.facts["agreements"]:
        return f"/master/agreements?supplier={code}&is_assumed=yes&retired=no"
    return f"/master/suppliers?q={code}&is_assumed=yes"


_WORKPLACES: Mapping[Kind, Callable[[CaseRow], str]] = {
    Kind.PROPOSALS_DUE: lambda row: "/proposals",
    Kind.INBOUND_DUE: _named("/warehouse/receive"),
    Kind.TO_PUT_AWAY: lambda row: "/warehouse/put-away",
    Kind.PAST_CUT_OFF: lambda row: "/warehouse/waves",
    Kind.SHIP_BY_RISK: lambda row: "/warehouse/waves",
    Kind.SHORT_PICK: lambda row: "/warehouse/waves",
    Kind.QUARANTINED: lambda row: "/warehouse/quarantine",
    Kind.TO_INSPECT: lambda row: f"/returns/{quote(row.label, safe='')}/work",
    Kind.TO_DISPOSE: lambda row: f"/returns/{quote(row.label, safe='')}/work",
    Kind.TO_REFUND: lambda row: f"/returns/{quote(row.label, safe='')}/work",
    Kind.FIGURES_ASSUMED: _assumed,
    Kind.EXCESS: lambda row: f"/cover?q={quote(row.label)}",
}

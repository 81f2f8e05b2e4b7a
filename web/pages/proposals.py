"""The page of open proposals with their accounts; read only."""

from __future__ import annotations

import math

from flask import render_template, request
from flask.typing import ResponseReturnValue

from procurement import overview
from procurement.overview import Order
from scm.core.errors import InvalidInput, NotFound
from scm.loop import cycle_runs
from web.area import PEOPLE, Area
from web.desk import Desk, read
from web.pages import wording

PAGE_SIZE = 50
MOST_PAGES = 1_000_000
LONGEST_TEXT = 100


class BadQuery(InvalidInput):
    """The address asks for something that cannot be."""


class NoSuchPage(NotFound):
    """The page lies behind the last one."""


area = Area("proposals", __name__)


@area.page("/proposals", roles=PEOPLE)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show one page of open proposals."""
    number, order = _page_number(), _order()
    search, supplier = _text("q").strip(), _text("supplier")
    with read() as session:
        found = overview.page(
            session, site_id=desk.site_id, number=number, size=PAGE_SIZE, search=search, supplier=supplier, order=order
        )
        run = cycle_runs.latest(session, site_id=desk.site_id)
    pages = max(1, math.ceil(found.matching / PAGE_SIZE))
    if number > pages:
        raise NoSuchPage(f"there is no page {number}: {found.matching} proposals fill {pages}")
    return render_template(
        "proposals.html",
        company=desk.company,
        found=found,
        run=run,
        wording=wording,
        query={"q": search, "supplier": supplier, "sort": order.value},
        number=number,
        pages=pages,
        orders=list(Order),
    )


def _text(name: str) -> str:
    text = request.args.get(name, "")
    if len(text) > LONGEST_TEXT:
        raise BadQuery(f"{name} has {len(text):,} characters: it may have {LONGEST_TEXT}")
    if "\0" in text:
        raise BadQuery(f"{name} is {text[:20]!r}: leave the character with the code 0 out")
    return text


def _page_number() -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PAGES)) and 1 <= int(text) <= MOST_PAGES):
        raise BadQuery(f"page is {text[:20]!r}: it must be a whole number from 1 to {MOST_PAGES:,}")
    return int(text)


def _order() -> Order:
    text = request.args.get("sort", Order.RISK.value)
    try:
        return Order(text)
    except ValueError:
        allowed = ", ".join(order.value for order in Order)
        raise BadQuery(f"sort is {text[:20]!r}: it must be one of {allowed}") from None

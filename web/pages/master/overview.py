"""Master data at a glance: how complete it is, what is missing, and the way to each list."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from procurement import completeness
from web.area import PEOPLE, Area
from web.desk import Desk, read
from web.pages.master import wording

area = Area("master", __name__)


@area.page("/master", roles=PEOPLE)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show what items lack, each lack leading to its items."""
    with read() as session:
        found = completeness.of_company(session, company_id=desk.company.id)
    return render_template("master/overview.html", found=found, lacks=wording.LACKS)

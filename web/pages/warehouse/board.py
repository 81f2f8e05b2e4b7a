"""The warehouse manager's board, on the desk and on the phone."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from scm.core.users import Role
from scm.loop import board as boards
from warehouse.counts import CountState
from warehouse.sheets.outbound import Stage
from web.area import Area
from web.desk import Desk, read

area = Area("warehouse", __name__)
SOON_MINUTES = 90


@area.page("/warehouse", roles={Role.WAREHOUSE, Role.RETURNS, Role.APPROVER})
def board(desk: Desk) -> ResponseReturnValue:
    """This function will show the state of the house at this moment."""
    with read() as session:
        found = boards.read(session, site_id=desk.site_id, now=desk.now, today=desk.today)
    return render_template(
        "warehouse/board.html",
        board=found,
        Stage=Stage,
        soon=SOON_MINUTES,
        to_count=[one for one in found.counts if one.state is CountState.PLANNED],
        to_approve=[one for one in found.counts if one.state is CountState.COUNTED],
    )

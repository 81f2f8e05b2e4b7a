"""The operations of a bill of materials change while it is a draft; they are shown and approved together with it."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scm.master import bom_editing
from scm.master.bom_editing import Step
from web.area import Area
from web.desk import Desk, act
from web.pages.master import making_words as words
from web.pages.master.bom_changes import hand, shown

area = Area("master_routings", __name__)


@area.action("/master/boms/<int:bom_id>/operations", roles=words.EDITORS)
def set_operation(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will add an operation to a draft, or change one."""
    form = request.form
    sequence = form.get("sequence", "").strip()
    step = Step(
        sequence=words.whole(sequence, name="sequence") if sequence else None,
        name=form.get("name", ""),
        work_center=form.get("work_center", "").strip(),
        setup_seconds=words.whole(form.get("setup_seconds", ""), name="setup_seconds", empty=0),
        run_seconds=words.whole(form.get("run_seconds", ""), name="run_seconds", empty=0),
        run_quantity=words.whole(form.get("run_quantity", ""), name="run_quantity", empty=1),
    )
    act("bom.set_operation", lambda session: bom_editing.set_operation(session, step, hand=hand(desk, bom_id)))
    return shown(bom_id, gettext("The operation %(name)s is in the routing.", name=step.name))


@area.action("/master/boms/<int:bom_id>/operations/<int:sequence>/remove", roles=words.EDITORS)
def remove_operation(desk: Desk, bom_id: int, sequence: int) -> ResponseReturnValue:
    """This function will take an operation out of a draft."""
    act(
        "bom.remove_operation",
        lambda session: bom_editing.remove_operation(session, sequence, hand=hand(desk, bom_id)),
    )
    return shown(bom_id, gettext("The operation is taken out."))

"""Answers to many proposals at once: what was done, what was not and why, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from procurement import accepting, proposal_book, proposals, undoing
from procurement.outcomes import Outcome
from web import i18n
from web.desk import Desk, act, back, read
from web.i18n import Text
from web.listing.bulk import Refused
from web.listing.routes import picked
from web.pages.proposals.listed import ANSWERING, PROPOSALS, area


@area.action("/proposals/accept", roles=ANSWERING)
def accept(desk: Desk) -> ResponseReturnValue:
    """This function will accept the picked proposals."""
    return _answered(
        desk,
        "proposal.accept",
        lambda session, ids: accepting.accept(
            session, ids, actor=desk.actor, now=desk.now, today=desk.today, site_id=desk.site_id
        ),
        lambda count: ngettext("%(num)s proposal accepted", "%(num)s proposals accepted", count),
        can_undo=True,
    )


@area.action("/proposals/reject", roles=ANSWERING)
def reject(desk: Desk) -> ResponseReturnValue:
    """This function will reject the picked proposals for one reason."""
    reason = request.form.get("reason", "")
    return _answered(
        desk,
        "proposal.reject",
        lambda session, ids: proposals.reject(
            session, ids, reason=reason, actor=desk.actor, now=desk.now, site_id=desk.site_id
        ),
        lambda count: ngettext("%(num)s proposal rejected", "%(num)s proposals rejected", count),
        can_undo=True,
    )


@area.action("/proposals/undo", roles=ANSWERING)
def undo(desk: Desk) -> ResponseReturnValue:
    """This function will take the answers of the picked proposals back."""
    return _answered(
        desk,
        "proposal.undo",
        lambda session, ids: undoing.undo(session, ids, site_id=desk.site_id, actor=desk.actor, now=desk.now),
        lambda count: ngettext("%(num)s answer taken back", "%(num)s answers taken back", count),
        can_undo=False,
    )


def _answered(
    desk: Desk,
    command: str,
    verb: Callable[[Session, list[int]], Outcome],
    said: Callable[[int], Text],
    *,
    can_undo: bool,
) -> ResponseReturnValue:
    ids = picked(PROPOSALS, desk)

    def work(session: Session) -> dict[str, Any]:
        outcome = verb(session, ids)
        refused = [{"id": one.id, "why": i18n.refusal(one.error)} for one in outcome.refused]
        return {"done": list(outcome.done), "refused": refused}

    answer = act(command, work)
    with read() as session:
        shown = proposal_book.by_ids(
            session, [*answer["done"], *(one["id"] for one in answer["refused"])], site_id=desk.site_id
        )
    done = [shown[one] for one in answer["done"] if one in shown]
    return render_template(
        "proposals/results.html",
        said=said(len(done)),
        value=sum(one.value for one in done),
        refused=[
            Refused(name=shown[one["id"]].sku if one["id"] in shown else str(one["id"]), why=one["why"])
            for one in answer["refused"]
        ],
        where=back(url_for("proposals.index")),
        undo=answer["done"] if can_undo else [],
    )

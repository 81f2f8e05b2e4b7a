"""One return: its page on a desk, and the verbs that end it."""

from __future__ import annotations

from flask import Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from aftersales import return_sheet, returns, showing, taught
from aftersales.documents import KIND
from aftersales.return_sheet import Step
from web.desk import Desk, act, done, read
from web.documents import chains, timelines
from web.pages.returns import LOOKS, PAYS, area, steps, words
from web.schemas import read_form
from web.schemas.returns import ReasonForm


@area.page("/returns/<number>", roles=LOOKS)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    with read() as session:
        sheet = return_sheet.read(session, number=number, site_id=desk.site_id)
        parts = {
            "chain": chains.read(session, desk, kind=KIND, document_id=sheet.id),
            "timeline": timelines.read(session, desk, kind=KIND, document_id=sheet.id),
            "parcels": showing.parcels_of_return(session, return_id=sheet.id),
            "step": steps.prepare(session, sheet),
        }
    return render_template(
        "returns/show.html",
        **parts,
        sheet=sheet,
        next=str(words.NEXT[sheet.step]),
        can_cancel=sheet.step is Step.RECEIVE and not any(line.status.received for line in sheet.lines),
        pays=desk.has(*PAYS),
        words=words,
    )


@area.page("/returns/<number>/taught", roles=LOOKS)
def lessons(desk: Desk, number: str) -> ResponseReturnValue:
    with read() as session:
        sheet = return_sheet.read(session, number=number, site_id=desk.site_id)
        found = taught.of_items(
            session, [line.status.item_id for line in sheet.lines], site_id=desk.site_id, today=desk.today
        )
    return render_template("returns/taught.html", lessons=found, words=words)


@area.page("/returns/photos/<int:photo_id>", roles=LOOKS)
def photo(desk: Desk, photo_id: int) -> ResponseReturnValue:
    """The bytes as they came, as the kind of picture they are, and nothing a browser would run."""
    with read() as session:
        served = showing.photo(session, photo_id=photo_id, site_id=desk.site_id)
    name = f"photo-{photo_id}.{served.media_type.removeprefix('image/')}"
    headers = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{served.sha256}"',
    }
    return Response(served.content, mimetype=served.media_type, headers=headers)


@area.action("/returns/<number>/close", roles=PAYS)
def close(desk: Desk, number: str) -> ResponseReturnValue:
    reason = read_form(ReasonForm)["reason"]
    act(
        "return.close",
        lambda session: returns.close(
            session,
            [return_sheet.find(session, number=number, site_id=desk.site_id)],
            reason=reason,
            actor=desk.actor,
        ),
    )
    return done(url_for("returns.show", number=number), gettext("%(number)s is closed.", number=number))


@area.action("/returns/<number>/cancel", roles=PAYS)
def cancel(desk: Desk, number: str) -> ResponseReturnValue:
    reason = read_form(ReasonForm)["reason"]
    act(
        "return.cancel",
        lambda session: returns.cancel(
            session,
            [return_sheet.find(session, number=number, site_id=desk.site_id)],
            reason=reason,
            actor=desk.actor,
        ),
    )
    return done(url_for("returns.show", number=number), gettext("%(number)s is cancelled.", number=number))

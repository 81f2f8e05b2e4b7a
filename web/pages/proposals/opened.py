"""What a proposal opens to: its account and its reasons, and the form that changes it, with the effect shown first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from procurement import accepting, edits, effects, proposal_book, proposals, undoing
from procurement.edits import Change
from procurement.outcomes import Outcome
from procurement.proposal_book import ShownProposal
from scm.core.errors import ScmError
from scm.loop.item_page import story
from web import formats, i18n, schemas
from web.desk import Desk, act, back, done, not_here, read
from web.pages import wording
from web.pages.proposals.listed import ANSWERING, ORDER_STATES, READING, STATES, area
from web.schemas import Form, read_form


class ChangeForm(Form):
    """What may be changed; `believed` is the quantity that was on the screen."""

    quantity = schemas.quantity(required=False)
    order_date = fields.Date(load_default=None)
    due_date = fields.Date(load_default=None)
    agreement = schemas.quantity(required=False)
    believed = schemas.quantity(required=False)
    reason = schemas.text(required=False)


@area.page("/proposals/<int:proposal_id>", roles=READING)
def detail(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will show what a row of the list opens to."""
    with read() as session:
        proposal = _shown(session, desk, proposal_id)
        agreed = story.agreements(session, item_id=proposal.item_id, today=desk.today)
    return render_template(
        "proposals/detail.html",
        proposal=proposal,
        agreements=[one for one in agreed if not one.retired or one.agreement_id == proposal.agreement_id],
        cover_with=effects.cover_with(proposal.inputs, proposal.quantity),
        wording=wording,
        states=STATES,
        order_states=ORDER_STATES,
        back=_asked_from(),
    )


@area.page("/proposals/<int:proposal_id>/effect", roles=ANSWERING)
def effect(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will show what the change in the form would do; nothing is changed."""
    found, refusal = None, ""
    try:
        change = _change(read_form(ChangeForm, request.args))
        with read() as session:
            found = effects.effect(
                session, proposal_id=proposal_id, site_id=desk.site_id, change=change, today=desk.today
            )
    except (edits.BadEdit, schemas.BadForm) as error:
        refusal = i18n.refusal(error)
    return render_template("proposals/effect.html", effect=found, refusal=refusal)


@area.action("/proposals/<int:proposal_id>/change", roles=ANSWERING)
def change(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will change a proposal."""
    form = read_form(ChangeForm)
    act(
        "proposal.edit",
        lambda session: edits.edit(
            session,
            proposal_id=proposal_id,
            site_id=desk.site_id,
            change=_change(form),
            reason=form["reason"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
            believed_quantity=form.get("believed"),
        ),
    )
    return done(back(url_for("proposals.index")), gettext("The proposal is changed; what the run said stays with it."))


@area.action("/proposals/<int:proposal_id>/unchange", roles=ANSWERING)
def unchange(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will take the newest change of a proposal back."""
    act(
        "proposal.undo_edit",
        lambda session: edits.undo_edit(
            session, proposal_id=proposal_id, site_id=desk.site_id, actor=desk.actor, now=desk.now
        ),
    )
    return done(back(url_for("proposals.index")), gettext("The change is taken back."))


@area.action("/proposals/<int:proposal_id>/accept", roles=ANSWERING)
def accept_one(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will accept one proposal."""
    proposal = _answer(
        desk,
        "proposal.accept",
        proposal_id,
        lambda session: accepting.accept(
            session, [proposal_id], actor=desk.actor, now=desk.now, today=desk.today, site_id=desk.site_id
        ),
    )
    said = gettext(
        "Accepted: %(quantity)s of %(sku)s. It can be taken back until the order is sent.",
        quantity=formats.count(proposal.quantity),
        sku=proposal.sku,
    )
    return done(back(url_for("proposals.index")), said)


@area.action("/proposals/<int:proposal_id>/reject", roles=ANSWERING)
def reject_one(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will reject one proposal."""
    reason = request.form.get("reason", "")
    proposal = _answer(
        desk,
        "proposal.reject",
        proposal_id,
        lambda session: proposals.reject(
            session, [proposal_id], reason=reason, actor=desk.actor, now=desk.now, site_id=desk.site_id
        ),
    )
    return done(back(url_for("proposals.index")), gettext("Rejected: %(sku)s.", sku=proposal.sku))


@area.action("/proposals/<int:proposal_id>/undo", roles=ANSWERING)
def undo_one(desk: Desk, proposal_id: int) -> ResponseReturnValue:
    """This function will take the answer to one proposal back."""
    proposal = _answer(
        desk,
        "proposal.undo",
        proposal_id,
        lambda session: undoing.undo(session, [proposal_id], site_id=desk.site_id, actor=desk.actor, now=desk.now),
    )
    return done(back(url_for("proposals.index")), gettext("%(sku)s is to be decided again.", sku=proposal.sku))


def _asked_from() -> str:
    """The page whose row was opened, to which its forms lead back."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    address = f"{here.path}?{here.query}" if here.query else here.path
    return address if address.startswith("/proposals?") else url_for("proposals.index")


def _answer(desk: Desk, command: str, proposal_id: int, verb: Callable[[Session], Outcome]) -> ShownProposal:
    """A refusal of the only row is the refusal of the whole request."""

    def work(session: Session) -> list[int]:
        outcome = verb(session)
        for one in outcome.refused:
            error: ScmError = one.error
            raise error
        return list(outcome.done)

    act(command, work)
    with read() as session:
        return _shown(session, desk, proposal_id)


def _shown(session: Session, desk: Desk, proposal_id: int) -> ShownProposal:
    found = proposal_book.by_ids(session, [proposal_id], site_id=desk.site_id).get(proposal_id)
    if found is None:
        not_here("proposal", str(proposal_id))
    return found


def _change(form: dict[str, Any]) -> Change:
    return Change(
        quantity=form.get("quantity"),
        order_date=form["order_date"],
        due_date=form["due_date"],
        agreement_id=form.get("agreement"),
    )

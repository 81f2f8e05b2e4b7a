"""What is done with a bill of materials: it changes while it is a draft, and somebody else approves it."""

from __future__ import annotations

from decimal import Decimal

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scm.master import bom_approving, bom_editing, bom_writing
from scm.master.bom_content import BadBom
from scm.master.bom_editing import Hand, Line, Terms
from scm.master.bom_line_rows import read_substitutes
from scm.master.sheets import WrongCell
from web.area import Area
from web.desk import Desk, act, done
from web.pages.master import making_words as words

area = Area("bom_changes", __name__)


def hand(desk: Desk, bom_id: int) -> Hand:
    """This function will say who changes a revision, and what they believe it to be."""
    return Hand(
        bom_id=bom_id,
        company_id=desk.company.id,
        believes=request.form.get("believes", ""),
        actor=desk.actor,
        now=desk.now,
    )


def shown(bom_id: int, message: str) -> ResponseReturnValue:
    """This function will lead back to the revision."""
    return done(url_for("master_boms.show", bom_id=bom_id), message)


@area.action("/master/boms/<int:bom_id>/terms", roles=words.EDITORS)
def set_terms(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will change what a draft says besides its components."""
    form = request.form
    until = form.get("valid_until", "")
    cover = form.get("cover_limit_days", "").strip()
    terms = Terms(
        kind=words.kind(form.get("kind", "")),
        valid_from=words.day(form.get("valid_from", ""), name="valid_from"),
        valid_until=words.day(until, name="valid_until") if until else None,
        output_quantity=words.whole(form.get("output_quantity", ""), name="output_quantity"),
        yield_rate=words.rate(form.get("yield", ""), name="yield_rate", empty=Decimal(1)),
        subcontractor=form.get("subcontractor", "").strip(),
        lead_time_days=words.whole(form.get("lead_time_days", ""), name="lead_time_days", empty=0),
        minimum_order_quantity=words.whole(
            form.get("minimum_order_quantity", ""), name="minimum_order_quantity", empty=0
        ),
        order_multiple=words.whole(form.get("order_multiple", ""), name="order_multiple", empty=1),
        cover_limit_days=words.whole(cover, name="cover_limit_days") if cover else None,
    )
    act("bom.set_terms", lambda session: bom_editing.set_terms(session, terms, hand=hand(desk, bom_id)))
    return shown(bom_id, gettext("The terms are changed."))


@area.action("/master/boms/<int:bom_id>/lines", roles=words.EDITORS)
def set_line(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will add a component to a draft, or change one."""
    form = request.form
    number = form.get("line_number", "").strip()
    others = form.get("substitutes", "").strip()
    try:
        substitutes = read_substitutes(others) if others else ()
    except WrongCell as error:
        raise BadBom(f"the substitutes cannot be {others[:40]!r}: {error.mend}") from None
    line = Line(
        line_number=words.whole(number, name="line_number") if number else None,
        component=form.get("component", "").strip(),
        quantity=words.whole(form.get("quantity", ""), name="quantity"),
        scrap_rate=words.rate(form.get("scrap", ""), name="scrap_rate", empty=Decimal(0)),
        substitutes=substitutes,
    )
    act("bom.set_line", lambda session: bom_editing.set_line(session, line, hand=hand(desk, bom_id)))
    return shown(bom_id, gettext("%(sku)s is on the bill.", sku=line.component))


@area.action("/master/boms/<int:bom_id>/lines/<int:line_number>/remove", roles=words.EDITORS)
def remove_line(desk: Desk, bom_id: int, line_number: int) -> ResponseReturnValue:
    """This function will take a component out of a draft."""
    act("bom.remove_line", lambda session: bom_editing.remove_line(session, line_number, hand=hand(desk, bom_id)))
    return shown(bom_id, gettext("The component is taken out."))


@area.action("/master/boms/<int:bom_id>/submit", roles=words.EDITORS)
def submit(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will ask for approval."""
    act(
        "bom.submit",
        lambda session: bom_approving.submit(
            session, bom_id=bom_id, company_id=desk.company.id, actor=desk.actor, now=desk.now
        ),
    )
    return shown(bom_id, gettext("Somebody else is asked to approve it."))


@area.action("/master/boms/<int:bom_id>/withdraw", roles=words.EDITORS)
def withdraw(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will take back the request for approval."""
    act(
        "bom.withdraw",
        lambda session: bom_approving.withdraw(
            session, bom_id=bom_id, company_id=desk.company.id, actor=desk.actor, now=desk.now
        ),
    )
    return shown(bom_id, gettext("It is a draft again."))


@area.action("/master/boms/<int:bom_id>/approve", roles=words.EDITORS)
def approve(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will approve a submitted revision."""
    act(
        "bom.approve",
        lambda session: bom_approving.approve(
            session, bom_id=bom_id, company_id=desk.company.id, actor=desk.actor, now=desk.now
        ),
    )
    return shown(bom_id, gettext("It is approved, and used on the days it is valid."))


@area.action("/master/boms/<int:bom_id>/reject", roles=words.EDITORS)
def reject(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will send a submitted revision back."""
    reason = request.form.get("reason", "")
    act(
        "bom.reject",
        lambda session: bom_approving.reject(
            session, bom_id=bom_id, company_id=desk.company.id, actor=desk.actor, now=desk.now, comment=reason
        ),
    )
    return shown(bom_id, gettext("It is a draft again, with your reason."))


@area.action("/master/boms/<int:bom_id>/revise", roles=words.EDITORS)
def revise(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will write the next revision, which says the same from another day on."""
    valid_from = words.day(request.form.get("valid_from", ""), name="valid_from")
    following = act(
        "bom.revise",
        lambda session: bom_writing.revise(
            session, bom_id=bom_id, valid_from=valid_from, company_id=desk.company.id, actor=desk.actor
        ),
    )
    return shown(following, gettext("This is the draft of the next revision: change it and have it approved."))


@area.action("/master/boms/<int:bom_id>/retire", roles=words.EDITORS)
def retire(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will let a revision be used no more."""
    act(
        "bom.retire",
        lambda session: bom_approving.retire(session, bom_id=bom_id, company_id=desk.company.id, actor=desk.actor),
    )
    return shown(bom_id, gettext("It is retired: nothing new is made by it."))

"""The work on one return, step by step, for a scanner or a phone: receive, inspect with photo, decide, refund."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from aftersales import desk as verbs
from aftersales import proposing, quoting, return_sheet
from aftersales.desk import Counted
from aftersales.inspection import Verdict
from aftersales.proposing import Choice, Suggestion
from aftersales.quoting import Quote
from aftersales.refunds import RefundRequest
from aftersales.return_sheet import ReturnSheet, SheetLine, Step
from scm.core.errors import InvalidInput
from web import formats
from web.desk import Desk, act, back, done, read
from web.pages.returns import HANDLES, PAYS, area, words
from web.schemas import read_form
from web.schemas.returns import InspectForm, ReceiveForm, RefundForm, SettleForm


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the next step's form shows: the lines it is about, and for deciding and refunding their figures."""

    step: Step
    lines: Sequence[SheetLine]
    suggestions: Mapping[int, Suggestion]
    reasons: Mapping[int, str]
    quotes: Mapping[int, Quote]


class UnevenForm(InvalidInput):
    """The lists of a form are of different lengths."""


def prepare(session: Session, sheet: ReturnSheet) -> Prepared:
    """This function will read what the next step of a return needs."""
    waits = {Step.RECEIVE: "expected", Step.INSPECT: "to_inspect", Step.REFUND: "to_refund"}.get(sheet.step)
    lines = [line for line in sheet.lines if waits is not None and getattr(line.status, waits)]
    suggestions = (
        proposing.suggest(session, [verdict.id for verdict in sheet.waiting]) if sheet.step is Step.DISPOSE else {}
    )
    asked = [RefundRequest(return_line_id=line.status.line_id, quantity=line.status.to_refund) for line in lines]
    return Prepared(
        step=sheet.step,
        lines=lines,
        suggestions=suggestions,
        reasons={inspection_id: words.why(one) for inspection_id, one in suggestions.items()},
        quotes=quoting.quote(session, asked) if sheet.step is Step.REFUND else {},
    )


@area.page("/returns/<number>/work", roles=HANDLES | PAYS)
def work(desk: Desk, number: str) -> ResponseReturnValue:
    with read() as session:
        sheet = return_sheet.read(session, number=number, site_id=desk.site_id)
        step = prepare(session, sheet)
    return render_template("returns/work.html", sheet=sheet, step=step, words=words, pays=desk.has(*PAYS))


@area.action("/returns/<number>/receive", roles=HANDLES)
def receive(desk: Desk, number: str) -> ResponseReturnValue:
    form = read_form(ReceiveForm)
    lots, expiries = form["lot"] or [""] * len(form["line"]), form["expiry"] or [None] * len(form["line"])
    if not len(form["line"]) == len(form["quantity"]) == len(lots) == len(expiries):
        lines, quantities = len(form["line"]), len(form["quantity"])
        raise UnevenForm(f"{number}: {lines} lines came with {quantities} quantities: load the page and send it again")
    counted = [
        Counted(return_line_id=line, quantity=quantity, lot_code=lot or None, expiry_date=expiry)
        for line, quantity, lot, expiry in zip(form["line"], form["quantity"], lots, expiries, strict=True)
    ]
    act(
        "return.receive",
        lambda session: (
            verbs.receive(
                session,
                counted,
                number=number,
                site_id=desk.site_id,
                actor=desk.actor,
                now=desk.now,
                today=desk.today,
            ).number
        ),
    )
    units = sum(one.quantity for one in counted)
    return done(_here(number), ngettext("%(num)s unit is received.", "%(num)s units are received.", units))


@area.action("/returns/<number>/inspect", roles=HANDLES)
def inspect(desk: Desk, number: str) -> ResponseReturnValue:
    form = read_form(InspectForm)
    verdict = Verdict(
        return_line_id=form["line"],
        quantity=form["quantity"],
        grade=form["grade"],
        finding=form["finding"],
        note=form["note"],
        lot_id=form.get("lot"),
        photos=uploaded(),
    )
    act(
        "return.inspect",
        lambda session: verbs.inspect(
            session,
            verdict,
            number=number,
            site_id=desk.site_id,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(_here(number), gettext("The verdict is recorded."))


@area.action("/returns/<number>/settle", roles=HANDLES)
def settle(desk: Desk, number: str) -> ResponseReturnValue:
    form = read_form(SettleForm)
    agreed = form["disposition"] is form["proposed"]
    choice = Choice(
        inspection_id=form["inspection"],
        disposition=form["disposition"],
        why=form["reason"] or (form["said"] if agreed else ""),
        bin_code=form["bin"] or None,
    )
    act(
        "return.settle",
        lambda session: len(
            verbs.settle(
                session,
                choice,
                number=number,
                site_id=desk.site_id,
                actor=desk.actor,
                now=desk.now,
                today=desk.today,
            ).posted
        ),
    )
    said = gettext("Decided: %(what)s.", what=str(words.DISPOSITIONS[form["disposition"]]))
    return done(_here(number), said)


@area.action("/returns/<number>/refund", roles=PAYS)
def refund(desk: Desk, number: str) -> ResponseReturnValue:
    form = read_form(RefundForm)
    wanted = RefundRequest(return_line_id=form["line"], quantity=form["quantity"])
    act(
        "return.refund",
        lambda session: verbs.refund(
            session,
            wanted,
            number=number,
            site_id=desk.site_id,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    units = formats.count(wanted.quantity)
    return done(_here(number), gettext("Refunded: %(units)s.", units=units))


def uploaded() -> tuple[bytes, ...]:
    """This function will read the uploaded photos; their names and declared types are not looked at."""
    return tuple(content for file in request.files.getlist("photo") if (content := file.stream.read()))


def _here(number: str) -> str:
    return back(url_for("returns.work", number=number))

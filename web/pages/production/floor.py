"""The floor: a page for a phone per work order, to issue, report and complete, and what was wrong taken back."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from scm.core import clock
from scm.production import completing, documents, issuing, order_list, order_sheet, reporting, ways
from scm.production.completing import Completion
from scm.production.documents import LONGEST_REASON, ScrapReason
from scm.production.issuing import Issue, Return
from scm.production.reporting import Report
from web.area import Area
from web.desk import Desk, act, back, done, read
from web.pages.production import HANDLES, MAKES, wording
from web.pages.warehouse import words
from web.schemas import Form, quantity, read_form, text

area = Area("floor", __name__)


class IssueForm(Form):
    """One component that is taken; without one, whatever is still to be issued."""

    component = fields.Integer(load_default=None)
    quantity = quantity(required=False)
    reason = text(longest=LONGEST_REASON)


class ReturnForm(Form):
    """One component that comes back."""

    component = fields.Integer(required=True)
    quantity = quantity()
    bin = text(longest=40)
    reason = text(longest=LONGEST_REASON)


class ReportForm(Form):
    """What was done at an operation."""

    operation = fields.Integer(required=True)
    good = quantity(required=False, least=0)
    scrap = quantity(required=False, least=0)
    scrap_reason = fields.Enum(ScrapReason, by_value=True, load_default=None)
    minutes = fields.Integer(load_default=0, validate=validate.Range(min=0, max=reporting.LONGEST_MINUTES))
    note = text(longest=LONGEST_REASON)


class CompleteForm(Form):
    """What leaves production."""

    quantity = quantity()
    bin = text(longest=40)
    lot = text(longest=60)
    expiry = fields.Date(load_default=None)
    back_flush = fields.Boolean(load_default=False)


class UndoForm(Form):
    """Which report or output was wrong, and why."""

    wrong = fields.Integer(required=True)
    reason = text(longest=LONGEST_REASON)


@area.page("/floor", roles=HANDLES)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will list the orders on the floor, and lead from a scanned number to its order."""
    with read() as session:
        found = order_list.on_the_floor(session, site_id=desk.site_id)
    return render_template("production/floor_index.html", orders=found, wording=wording, words=words.of_task("floor"))


@area.page("/floor/<number>", roles=HANDLES)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show what there is to do for one order; `step` opens one of the three tasks."""
    with read() as session:
        sheet = order_sheet.read(session, number=number, site_id=desk.site_id, today=desk.today, wall=clock.wall_now())
    step = request.args.get("step", "")
    return render_template(
        "production/floor.html",
        sheet=sheet,
        step=step if step in ("issue", "report", "complete") else _step(sheet),
        makes=desk.has(*MAKES),
        wording=wording,
    )


@area.action("/floor/<number>/issue", roles=HANDLES)
def issue(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will issue a component, or whatever is still to be issued."""
    form = read_form(IssueForm)

    def work(session: Session) -> list[int]:
        order_id = documents.find(session, number=number, site_id=desk.site_id)
        wanted = [Issue(component_id=form["component"], quantity=form.get("quantity"))]
        if form["component"] is None:
            wanted = [Issue(component_id=component.id) for component in _components(session, order_id)]
        issued = issuing.issue(
            session, order_id, wanted, actor=desk.actor, now=desk.now, today=desk.today, reason=form["reason"]
        )
        return [sum(move.quantity for move in issued.posted), len(issued.substituted)]

    units, substituted = act("work_order.issue", work)
    said = gettext("%(units)s units are on the floor.", units=units)
    if substituted:
        said = gettext("%(units)s units are on the floor, some of them substitutes.", units=units)
    return done(_after(number, "issue"), said)


@area.action("/floor/<number>/return", roles=HANDLES)
def give_back(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will bring a component back to storage."""
    form = read_form(ReturnForm)

    def work(session: Session) -> None:
        order_id = documents.find(session, number=number, site_id=desk.site_id)
        one = Return(
            component_id=form["component"],
            quantity=form["quantity"],
            bin_id=ways.find_bin(session, form["bin"], site_id=desk.site_id),
        )
        issuing.return_components(
            session,
            order_id,
            [one],
            reason=form["reason"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )

    act("work_order.return_components", work)
    return done(_after(number, "issue"), gettext("%(units)s units are back in storage.", units=form["quantity"]))


@area.action("/floor/<number>/report", roles=MAKES)
def report(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will report what was done at an operation."""
    form = read_form(ReportForm)
    one = Report(
        operation_id=form["operation"],
        good=form.get("good") or 0,
        scrap=form.get("scrap") or 0,
        scrap_reason=form["scrap_reason"],
        minutes=form["minutes"],
        note=form["note"],
    )
    act(
        "work_order.report",
        lambda session: reporting.report(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            [one],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    said = gettext("%(good)s good and %(scrap)s scrapped are reported.", good=one.good, scrap=one.scrap)
    return done(_after(number, "report"), said)


@area.action("/floor/<number>/correct", roles=MAKES)
def correct(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will take a report back."""
    form = read_form(UndoForm)
    act(
        "work_order.correct",
        lambda session: reporting.correct(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            form["wrong"],
            reason=form["reason"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(_after(number, "report"), gettext("The report is taken back: report anew what was done."))


@area.action("/floor/<number>/complete", roles=MAKES)
def complete(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will complete good output, to the dock or to a bin."""
    form = read_form(CompleteForm)

    def work(session: Session) -> bool:
        completion = Completion(
            quantity=form["quantity"],
            bin_id=ways.find_bin(session, form["bin"], site_id=desk.site_id),
            lot_code=form["lot"],
            expiry_date=form["expiry"],
        )
        return completing.complete(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            completion,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
            back_flush=form["back_flush"],
        ).finished

    finished = act("work_order.complete", work)
    said = gettext("%(units)s are completed.", units=form["quantity"])
    if finished:
        said = gettext("%(units)s are completed, and the order with them.", units=form["quantity"])
    return done(_after(number, "complete"), said)


@area.action("/floor/<number>/undo", roles=MAKES)
def undo(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will take an output back into production."""
    form = read_form(UndoForm)
    act(
        "work_order.undo",
        lambda session: completing.undo(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            form["wrong"],
            reason=form["reason"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(_after(number, "complete"), gettext("The output is back in production."))


def _components(session: Session, order_id: int) -> list[documents.WorkOrderComponent]:
    return documents.components_of(session, [order_id])[order_id]


def _step(sheet: order_sheet.OrderSheet) -> str:
    """What is to be done next, when nobody asked for anything."""
    if sheet.completable:
        return "complete"
    return "issue" if any(line.open for line in sheet.lines) else "report"


def _after(number: str, step: str) -> str:
    return back(url_for("floor.show", number=number, step=step))

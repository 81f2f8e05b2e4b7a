"""A channel's orders from a file: first checked, with every wrong cell named, then taken, whole or not at all."""

from __future__ import annotations

import base64
import binascii

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.sales import channels
from scm.sales.channel_orders import taking
from scm.sales.channel_orders.reading import COLUMNS
from scm.sales.channel_orders.taking import Report
from web.desk import Desk, act, database, done, read
from web.pages.channels import KEEPS, area

MOST_BYTES = 4 * 1024 * 1024
MOST_ERRORS = 200


class BadUpload(InvalidInput):
    """No file came along, or one that is too large or damaged."""


@area.page("/channels/<code>/orders", roles=KEEPS)
def bring(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will show how orders of a channel come in as a file."""
    return _page(desk, code, report=None)


@area.action("/channels/<code>/orders/check", roles=KEEPS)
def check_orders(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will say what a file would do, and change nothing."""
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise BadUpload("no file came along: choose a CSV or JSON file")
    data = uploaded.stream.read(MOST_BYTES + 1)
    _refuse_large(data)
    report = database().run(lambda session: _take(session, desk, code, data, dry_run=True))
    return _page(desk, code, report=report, data=data, file_name=uploaded.filename[:80])


@area.action("/channels/<code>/orders", roles=KEEPS)
def take_orders(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will take a checked file of orders."""
    try:
        data = base64.b64decode(request.form.get("content", ""), validate=True)
    except binascii.Error:
        raise BadUpload("the file was damaged on its way: check it again") from None
    _refuse_large(data)

    def work(session: Session) -> list[int]:
        report = _take(session, desk, code, data, dry_run=False)
        if report.errors:
            first = report.errors[0]
            raise BadUpload(f"row {first.row}, {first.column}: {first.reason}: nothing was taken, check the file again")
        return [report.placed, report.amended, report.cancelled]

    placed, amended, cancelled = act("channel.orders", work)
    said = gettext(
        "%(placed)s orders are placed, %(amended)s changed, %(cancelled)s cancelled.",
        placed=placed,
        amended=amended,
        cancelled=cancelled,
    )
    return done(url_for("channels.show", code=code), said)


def _take(session: Session, desk: Desk, code: str, data: bytes, *, dry_run: bool) -> Report:
    return taking.take(
        session,
        data,
        channel=code,
        company_id=desk.company.id,
        dry_run=dry_run,
        actor=desk.actor,
        now=desk.now,
        today=desk.today,
    )


def _page(
    desk: Desk, code: str, *, report: Report | None, data: bytes = b"", file_name: str = ""
) -> ResponseReturnValue:
    with read() as session:
        channel = channels.find(session, code=code, company_id=desk.company.id)
        name = channel.name
    return render_template(
        "channels/orders.html",
        code=code,
        name=name,
        report=report,
        errors=report.errors[:MOST_ERRORS] if report else (),
        columns=[column.name for column in COLUMNS],
        content=base64.b64encode(data).decode() if report and not report.errors else "",
        file_name=file_name,
    )


def _refuse_large(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise BadUpload(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB: split it")

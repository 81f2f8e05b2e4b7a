"""Items, suppliers and agreements as files: out as they are, in after a dry run that names every wrong cell."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.core.users import Role
from scm.master import exchange, making_exchange
from scm.master.exchange import Report
from web.area import Area
from web.desk import Desk, act, done, not_here, read
from web.i18n import Text
from web.pages.master import wording
from web.pages.master.making_words import EDITORS

area = Area("master_files", __name__)
MOST_BYTES = 4 * 1024 * 1024
MOST_ROWS = 50_000
MOST_ERRORS = 200
KEEPERS = wording.FILE_KEEPERS


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One kind of file: its name, who may bring one, and what reads and writes it."""

    name: Text
    roles: frozenset[Role]
    take: Callable[..., Report]
    give: Callable[..., bytes]
    back: str


SHEETS: Mapping[str, Sheet] = {
    "items": Sheet(
        name=_l("Items"),
        roles=frozenset({Role.PLANNER, Role.ADMIN}),
        take=exchange.import_items,
        give=exchange.export_items,
        back="master_items.index",
    ),
    "suppliers": Sheet(
        name=_l("Suppliers"),
        roles=frozenset({Role.BUYER, Role.ADMIN}),
        take=exchange.import_suppliers,
        give=exchange.export_suppliers,
        back="master_suppliers.index",
    ),
    "agreements": Sheet(
        name=_l("Agreements"),
        roles=frozenset({Role.BUYER, Role.ADMIN}),
        take=exchange.import_agreements,
        give=exchange.export_agreements,
        back="master_agreements.index",
    ),
    "boms": Sheet(
        name=_l("Bills of materials"),
        roles=EDITORS,
        take=making_exchange.import_boms,
        give=making_exchange.export_boms,
        back="master_boms.index",
    ),
    "bom-lines": Sheet(
        name=_l("Lines of bills of materials"),
        roles=EDITORS,
        take=making_exchange.import_lines,
        give=making_exchange.export_lines,
        back="master_boms.index",
    ),
    "operations": Sheet(
        name=_l("Operations"),
        roles=EDITORS,
        take=making_exchange.import_operations,
        give=making_exchange.export_operations,
        back="master_boms.index",
    ),
    "work-centers": Sheet(
        name=_l("Work centres"),
        roles=EDITORS,
        take=making_exchange.import_work_centers,
        give=making_exchange.export_work_centers,
        back="master_work_centers.index",
    ),
}


class BadUpload(InvalidInput):
    """No file came along, or one that is too large."""


@area.page("/master/files/<kind>", roles=KEEPERS)
def show(desk: Desk, kind: str) -> ResponseReturnValue:
    """This function will show how a kind of file goes out and comes in."""
    sheet = _sheet(kind)
    return render_template(
        "master/files.html", kind=kind, sheet_name=sheet.name, may_bring=desk.has(*sheet.roles), report=None
    )


@area.page("/master/files/<kind>/rows.csv", roles=KEEPERS)
def export(desk: Desk, kind: str) -> ResponseReturnValue:
    """This function will give all rows of a kind as a file that can come back."""
    sheet = _sheet(kind)
    with read() as session:
        data = sheet.give(session, company_id=desk.company.id)
    headers = {"Content-Disposition": f'attachment; filename="{kind}-{desk.today.isoformat()}.csv"'}
    return Response(data, mimetype="text/csv; charset=utf-8", headers=headers)


@area.action("/master/files/<kind>/check", roles=KEEPERS)
def check(desk: Desk, kind: str) -> ResponseReturnValue:
    """This function will say what a file would do, and change nothing."""
    sheet = _sheet(kind)
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise BadUpload("no file came along: choose a CSV file")
    data = uploaded.stream.read(MOST_BYTES + 1)
    _refuse_large(data)
    with read() as session:
        report = sheet.take(session, data, company_id=desk.company.id, dry_run=True, actor=desk.actor)
    return render_template(
        "master/files.html",
        kind=kind,
        sheet_name=sheet.name,
        may_bring=True,
        report=report,
        errors=report.errors[:MOST_ERRORS],
        content="" if report.errors else base64.b64encode(data).decode(),
        file_name=uploaded.filename[:80],
    )


@area.action("/master/files/<kind>", roles=KEEPERS)
def take(desk: Desk, kind: str) -> ResponseReturnValue:
    """This function will take a checked file, all of it or nothing."""
    sheet = _sheet(kind)
    # In base64, because browsers change the line ends of a text on its way.
    try:
        data = base64.b64decode(request.form.get("content", ""), validate=True)
    except binascii.Error:
        raise BadUpload("the file was damaged on its way: check it again") from None
    _refuse_large(data)

    def work(session: Session) -> list[int]:
        report = sheet.take(session, data, company_id=desk.company.id, dry_run=False, actor=desk.actor)
        if report.errors:
            first = report.errors[0]
            raise BadUpload(f"row {first.row}, {first.column}: {first.reason}: nothing was taken, check the file again")
        return [report.created, report.changed]

    created, changed = act(f"master.{kind}.file", work)
    if not created and not changed:
        return done(url_for(sheet.back), gettext("The file changes nothing."))
    parts = [
        ngettext("%(num)s row is new", "%(num)s rows are new", created),
        ngettext("%(num)s row is changed", "%(num)s rows are changed", changed),
    ]
    return done(url_for(sheet.back), gettext("%(new)s, %(changed)s.", new=parts[0], changed=parts[1]))


def _sheet(kind: str) -> Sheet:
    if kind not in SHEETS:
        not_here("kind of file", kind)
    return SHEETS[kind]


def _refuse_large(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise BadUpload(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB: split it")
    if data.count(b"\n") > MOST_ROWS:
        raise BadUpload(f"the file has more than {MOST_ROWS:,} rows: split it")

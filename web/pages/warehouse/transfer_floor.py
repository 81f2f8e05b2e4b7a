"""Transfers on the phone: what leaves is picked and sent, what comes is received, each by scanning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from warehouse import transfer_documents, transfers
from warehouse.sheets import transfers as sheets
from warehouse.sheets.transfers import Leg, TransferSheet
from warehouse.transfer_documents import ON_THE_WAY, TransferState
from warehouse.transfers import Picked
from web import i18n
from web.desk import Desk, act, done, not_here, read
from web.pages.warehouse import words
from web.pages.warehouse.transfers import FLOOR, area
from web.schemas import read_form, scans


@area.page("/warehouse/transfers/<number>/send", roles=FLOOR)
def send(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show the picks of a transfer that leaves here, along the path."""
    sheet = _sheet(desk, number, sends=True)
    ready = sheet.state is TransferState.RELEASED
    data = _data("transfer_out", sheet, sheet.picks) if ready and sheet.picks else None
    return render_template(
        "warehouse/transfer_send.html", sheet=sheet, ready=ready, data=data, words=words.of_task("send")
    )


@area.action("/warehouse/transfers/<number>/pick", roles=FLOOR)
def pick(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will give the transfer its bins."""

    def work(session: Session) -> int:
        transfer_id = _of_site(session, desk, number, sends=True)
        return len(transfers.pick(session, transfer_id, actor=desk.actor, today=desk.today))

    picks = act("transfer.pick", work)
    said = ngettext("%(num)s pick along the path.", "%(num)s picks along the path.", picks)
    return done(url_for("transfers.send", number=number), said)


@area.action("/warehouse/transfers/<number>/ship", roles=FLOOR)
def ship(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will send what was picked; what was not found stays and is free again."""
    results = [
        Picked(move_id=row["line"], quantity=row["quantity"])
        for row in scans.rows(scans.PickedRow, read_form(scans.PickForm)["picked"])
    ]

    def work(session: Session) -> int:
        sent = transfers.ship(
            session,
            _of_site(session, desk, number, sends=True),
            results=results,
            reason=gettext("not found when it was picked"),
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return sum(move.quantity for move in sent.posted)

    units = act("transfer.ship", work)
    said = ngettext("%(num)s unit is on its way.", "%(num)s units are on their way.", units)
    return done(url_for("transfers.show", number=number), said)


@area.page("/warehouse/transfers/<number>/receive", roles=FLOOR)
def take_in(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show what of a transfer to this site is on the way."""
    sheet = _sheet(desk, number, sends=False)
    arriving = sheet.arriving if sheet.state in ON_THE_WAY else ()
    data = _data("transfer_in", sheet, arriving) if arriving else None
    return render_template(
        "warehouse/transfer_receive.html", sheet=sheet, lines=arriving, data=data, words=words.of_task("take_in")
    )


@area.action("/warehouse/transfers/<number>/take-in", roles=FLOOR)
def receive(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will receive what was counted at the dock; the rest stays on the way."""
    results = [
        Picked(move_id=row["line"], quantity=row["quantity"])
        for row in scans.rows(scans.ReceivedRow, read_form(scans.ReceiveForm)["counted"])
    ]

    def work(session: Session) -> int:
        posted = transfers.receive(
            session,
            _of_site(session, desk, number, sends=False),
            results=results,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return sum(move.quantity for move in posted)

    units = act("transfer.receive", work)
    said = ngettext("%(num)s unit stands at the dock.", "%(num)s units stand at the dock.", units)
    return done(url_for("transfers.show", number=number), said)


def _sheet(desk: Desk, number: str, *, sends: bool) -> TransferSheet:
    with read() as session:
        sheet = sheets.sheet(session, number, site_id=desk.site_id)
    if sheet.sends is not sends:
        not_here("transfer", number)
    return sheet


def _of_site(session: Session, desk: Desk, number: str, *, sends: bool) -> int:
    transfer = transfer_documents.find(session, number, site_id=desk.site_id)
    if (transfer.from_site_id == desk.site_id) is not sends:
        not_here("transfer", number)
    return transfer.id


def _data(kind: str, sheet: TransferSheet, legs: Sequence[Leg]) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": sheet.number,
        "lines": [
            {
                "id": leg.move_id,
                "sku": leg.card.sku,
                "name": leg.card.name,
                "unit": i18n.unit(leg.card.unit),
                "codes": dict(leg.card.codes),
                "wanted": leg.quantity,
                "most": leg.quantity,
                "bin": leg.place,
                "order": sheet.to_site,
                "lot": False,
                "expiry": False,
                "lotText": gettext("Lot %(code)s", code=leg.lot_code) if leg.lot_code else "",
            }
            for leg in legs
        ],
    }

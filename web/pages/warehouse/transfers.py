"""Transfers: the list, the document, and writing, releasing, cancelling and writing off."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from scm.core.users import Role
from scm.master import sites, transfer_lanes
from scm.master.items import Item
from warehouse import transfer_documents, transfer_list, transfer_losses, transfers
from warehouse.sheets import transfers as sheets
from warehouse.transfer_documents import LossParty, Transfer, TransferState
from warehouse.transfer_list import Direction
from warehouse.transfer_losses import Loss
from warehouse.transfers import BadTransfer, LineRequest
from web import schemas
from web.area import Area
from web.desk import Desk, act, done, not_here, read
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.schemas import Form, read_form

area = Area("transfers", __name__)
READING = frozenset({Role.WAREHOUSE, Role.PLANNER, Role.BUYER, Role.APPROVER})
WRITING = frozenset({Role.WAREHOUSE, Role.PLANNER})
FLOOR = frozenset({Role.WAREHOUSE})
MOST_LINES = 200

STATES: Mapping[enum.Enum, Text] = {
    TransferState.DRAFT: _l("Draft"),
    TransferState.RELEASED: _l("Released"),
    TransferState.SHIPPED: _l("On its way"),
    TransferState.RECEIVED: _l("Partly received"),
    TransferState.CLOSED: _l("Closed"),
    TransferState.CANCELLED: _l("Cancelled"),
}
MEANINGS: Mapping[enum.Enum, str] = {
    TransferState.DRAFT: "watch",
    TransferState.RELEASED: "machine",
    TransferState.SHIPPED: "machine",
    TransferState.RECEIVED: "watch",
    TransferState.CLOSED: "good",
    TransferState.CANCELLED: "idle",
}
DIRECTIONS: Mapping[enum.Enum, Text] = {Direction.OUT: _l("leaves here"), Direction.IN: _l("comes here")}
PARTIES: Mapping[LossParty, Text] = {
    LossParty.CARRIER: _l("the carrier"),
    LossParty.SENDER: _l("the sender"),
    LossParty.RECEIVER: _l("the receiver"),
}
TRANSFERS = ListPage(
    name="transfers",
    rule="/warehouse/transfers",
    roles=READING,
    listing=lambda desk: transfer_list.listing(site_id=desk.site_id),
    columns=(
        Column(field="number", label=_l("Transfer"), link=lambda row: url_for("transfers.show", number=row["number"])),
        Column(field="direction", label=_l("Direction"), names=DIRECTIONS, filtered=True, sortable=False),
        Column(field="site", label=_l("Other site"), on_phone=False),
        Column(field="state", label=_l("Status"), names=STATES, meanings=MEANINGS, filtered=True),
        Column(field="lines", label=_l("Lines"), on_phone=False),
        Column(field="units", label=_l("Units"), on_phone=False),
        Column(field="ship_date", label=_l("Leaves"), filtered=True, on_phone=False),
        Column(field="due_date", label=_l("Arrives"), filtered=True),
        Column(field="reason", label=_l("Reason"), shown=False),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s transfer", "%(num)s transfers", found.matching),
    why_empty=_l("Nothing was sent between sites yet. Accepted proposals to move become transfers, or write one."),
    presets=(
        (_l("To send"), "direction=out&state=draft&state=released"),
        (_l("On their way here"), "direction=in&state=shipped&state=received"),
        (_l("All"), ""),
    ),
    actions="warehouse/transfer_actions.html",
)
register(area, TRANSFERS)


class LossForm(Form):
    """What was lost of one move, who answers for it, and why."""

    move = fields.Integer(required=True)
    quantity = schemas.quantity()
    party = fields.Enum(LossParty, by_value=True, required=True)
    spoilt = fields.String(load_default="", validate=validate.OneOf(["", "yes"]))
    reason = schemas.text(required=True, longest=200)


@area.context_processor
def _ways() -> dict[str, object]:
    return {"ways_from": ways_from}


def ways_from(desk: Desk) -> list[tuple[str, str]]:
    """This function will list the sites to which a lane leads from here: code and name."""
    with read() as session:
        names = {site.id: (site.code, site.name) for site in sites.all_of(session, company_id=desk.company.id)}
        lanes = transfer_lanes.in_use(session, company_id=desk.company.id)
    return [names[lane.to_site_id] for lane in lanes if lane.from_site_id == desk.site_id]


@area.page("/warehouse/transfers/<number>", roles=READING)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show one transfer with what can happen to it next."""
    with read() as session:
        sheet = sheets.sheet(session, number, site_id=desk.site_id)
    late = (sheet.state in transfer_documents.ON_THE_WAY and sheet.due_date < desk.today) or (
        sheet.state in (TransferState.DRAFT, TransferState.RELEASED) and sheet.ship_date < desk.today
    )
    return render_template(
        "warehouse/transfer.html",
        sheet=sheet,
        states=STATES,
        meanings=MEANINGS,
        parties=PARTIES,
        party_choices=[(party.value, word) for party, word in PARTIES.items()],
        late=late,
    )


@area.action("/warehouse/transfers/new", roles=WRITING)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will write a transfer from this site, each line an SKU and a quantity."""
    wanted = _read_lines(request.form.get("lines", ""))
    to_code = request.form.get("to_site", "")

    def work(session: Session) -> str:
        known = {site.code: site.id for site in sites.all_of(session, company_id=desk.company.id)}
        if to_code not in known:
            not_here("site", to_code)
        ids = {
            row.sku: row.id
            for row in session.execute(
                sa.select(Item.sku, Item.id).where(Item.company_id == desk.company.id, Item.sku.in_(list(wanted)))
            )
        }
        for sku in wanted:
            if sku not in ids:
                not_here("item", sku)
        transfer_id = transfers.draft(
            session,
            [LineRequest(item_id=ids[sku], quantity=quantity) for sku, quantity in wanted.items()],
            from_site_id=desk.site_id,
            to_site_id=known[to_code],
            actor=desk.actor,
            today=desk.today,
            reason=request.form.get("reason", ""),
        )
        return session.get_one(Transfer, transfer_id).number

    number = act("transfer.draft", work)
    return done(url_for("transfers.show", number=number), gettext("%(number)s is a draft.", number=number))


@area.action("/warehouse/transfers/<number>/release", roles=WRITING)
def release(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will promise the goods to the transfer."""
    act(
        "transfer.release",
        lambda session: len(transfers.release(session, _sent(session, desk, number), actor=desk.actor)),
    )
    return done(url_for("transfers.show", number=number), gettext("Its goods are promised and can be picked."))


@area.action("/warehouse/transfers/<number>/cancel", roles=WRITING)
def cancel(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will give a transfer up that has not left."""
    reason = request.form.get("reason", "")
    act(
        "transfer.cancel",
        lambda session: transfers.cancel(session, _sent(session, desk, number), reason=reason, actor=desk.actor),
    )
    return done(url_for("transfers.show", number=number), gettext("%(number)s is given up.", number=number))


@area.action("/warehouse/transfers/<number>/lose", roles=FLOOR)
def lose(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will write off what was lost of a transfer to this site."""
    form = read_form(LossForm)
    loss = Loss(
        move_id=form["move"],
        quantity=form["quantity"],
        party=form["party"],
        reason=form["reason"],
        spoilt=form["spoilt"] == "yes",
    )

    def work(session: Session) -> None:
        transfer = transfer_documents.find(session, number, site_id=desk.site_id)
        if transfer.to_site_id != desk.site_id:
            not_here("transfer", number)
        transfer_losses.write_off(session, transfer.id, [loss], actor=desk.actor, now=desk.now, today=desk.today)

    act("transfer.write_off", work)
    return done(url_for("transfers.show", number=number), gettext("The loss is in the books."))


def _sent(session: Session, desk: Desk, number: str) -> int:
    """Only the sender disposes of what has not left."""
    transfer = transfer_documents.find(session, number, site_id=desk.site_id)
    if transfer.from_site_id != desk.site_id:
        not_here("transfer", number)
    return transfer.id


def _read_lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    rows = [row.split() for row in text.splitlines() if row.strip()]
    if len(rows) > MOST_LINES:
        raise BadTransfer(f"{len(rows)} lines are too many: write up to {MOST_LINES}")
    for row in rows:
        if len(row) != 2 or not (row[1].isascii() and row[1].isdigit() and len(row[1]) <= 12):
            raise BadTransfer(f"line {' '.join(row)[:60]!r}: write an SKU and a whole number, for example BOLT 12")
        found[row[0]] = found.get(row[0], 0) + int(row[1])
    return found

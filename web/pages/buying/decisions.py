"""What is done to one order as a whole: submitted, approved, sent back, handed over, sent, cancelled, confirmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from procurement import confirming, orders, purchase_orders
from procurement.confirming import Confirmed
from scm.core.errors import InvalidInput
from scm.core.users import Role
from web.desk import Desk, act, back, done
from web.pages.buying.orders import BUYERS, area

APPROVERS = frozenset({Role.APPROVER})
LONGEST_NOTE = 400


class BadConfirmationForm(InvalidInput):
    """A row of the confirmation cannot be read."""


@area.action("/purchase-orders/<number>/submit", roles=BUYERS)
def submit(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will ask for approval."""
    _on("submit", desk, number, lambda session, ids: orders.submit(session, ids, actor=desk.actor, now=desk.now))
    return _shown(number, gettext("%(number)s waits for approval.", number=number))


@area.action("/purchase-orders/<number>/approve", roles=APPROVERS)
def approve(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will approve an order: its goods are on order from now on."""
    comment = request.form.get("comment", "")[:LONGEST_NOTE]
    _on(
        "approve",
        desk,
        number,
        lambda session, ids: orders.approve(
            session, ids, actor=desk.actor, now=desk.now, today=desk.today, comment=comment
        ),
    )
    return _shown(number, gettext("%(number)s is approved: its goods are on order.", number=number))


@area.action("/purchase-orders/<number>/send-back", roles=APPROVERS)
def send_back(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will send an order back to its writer with a reason."""
    reason = request.form.get("reason", "")[:LONGEST_NOTE]
    _on(
        "reject",
        desk,
        number,
        lambda session, ids: orders.reject(session, ids, reason=reason, actor=desk.actor, now=desk.now),
    )
    return _shown(number, gettext("%(number)s went back to its writer.", number=number))


@area.action("/purchase-orders/<number>/hand-over", roles=APPROVERS)
def hand_over(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will ask a colleague to decide."""
    to, comment = request.form.get("to", ""), request.form.get("comment", "")[:LONGEST_NOTE]
    _on(
        "hand_over",
        desk,
        number,
        lambda session, ids: orders.hand_over(session, ids[0], to=to, actor=desk.actor, now=desk.now, comment=comment),
    )
    return _shown(number, gettext("%(number)s was handed over.", number=number))


@area.action("/purchase-orders/<number>/send", roles=BUYERS)
def send(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will write the message to the supplier."""
    _on(
        "send",
        desk,
        number,
        lambda session, ids: orders.send(session, ids, actor=desk.actor, now=desk.now, today=desk.today),
    )
    return _shown(number, gettext("The message to the supplier is written and leaves with the next delivery."))


@area.action("/purchase-orders/<number>/cancel", roles=BUYERS)
def cancel(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will cancel an order with a reason: what is outstanding is given up."""
    reason = request.form.get("reason", "")[:LONGEST_NOTE]
    _on(
        "cancel",
        desk,
        number,
        lambda session, ids: orders.cancel(session, ids, reason=reason, actor=desk.actor, now=desk.now),
    )
    return _shown(number, gettext("%(number)s is cancelled.", number=number))


@area.action("/purchase-orders/<number>/confirm", roles=BUYERS)
def confirm(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will record what the supplier confirmed of each line."""
    confirmed = _confirmed()
    _on(
        "confirm",
        desk,
        number,
        lambda session, ids: confirming.confirm(
            session, ids[0], confirmed, actor=desk.actor, now=desk.now, today=desk.today
        ),
    )
    return _shown(number, gettext("The plan now counts on what the supplier confirmed."))


def _on(action: str, desk: Desk, number: str, verb: Callable[[Session, list[int]], object]) -> None:
    def work(session: Session) -> str:
        verb(session, [purchase_orders.find(session, number=number, site_id=desk.site_id)])
        return number

    act(f"purchase_order.{action}", work)


def _shown(number: str, message: str) -> ResponseReturnValue:
    return done(back(url_for("purchase_orders.show", number=number)), message)


def _confirmed() -> list[Confirmed]:
    """The rows of the form: line, quantity and day of each, an empty quantity leaving the line out."""
    form = request.form
    names = zip(form.getlist("line"), form.getlist("quantity"), form.getlist("due_date"), strict=False)
    found = []
    for line, quantity, day in names:
        if not quantity.strip():
            continue
        try:
            found.append(
                Confirmed(
                    line_id=int(line),
                    quantity=int(quantity),
                    due_date=date.fromisoformat(day),
                    note=form.get("note", "")[:LONGEST_NOTE],
                )
            )
        except ValueError:
            raise BadConfirmationForm(
                f"{quantity[:20]!r} on {day[:20]!r} cannot be confirmed: write a whole number and a day"
            ) from None
    return found

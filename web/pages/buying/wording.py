"""The words of orders: states, urgency, the terms of an account, what happened and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from procurement.evidence import Evidence
from procurement.order_lines import Line
from procurement.order_list import Stage
from procurement.purchase_orders import PurchaseOrderState
from procurement.urgency import Level, Urgency
from scm.loop.timeline import Timeline
from web import formats
from web.i18n import Text

STATES: Mapping[PurchaseOrderState, Text] = {
    PurchaseOrderState.DRAFT: _l("Draft"),
    PurchaseOrderState.SUBMITTED: _l("Waits for approval"),
    PurchaseOrderState.APPROVED: _l("Approved, to be sent"),
    PurchaseOrderState.SENT: _l("Sent"),
    PurchaseOrderState.CANCELLED: _l("Cancelled"),
}
MEANINGS: Mapping[PurchaseOrderState, str] = {
    PurchaseOrderState.DRAFT: "idle",
    PurchaseOrderState.SUBMITTED: "watch",
    PurchaseOrderState.APPROVED: "watch",
    PurchaseOrderState.SENT: "good",
    PurchaseOrderState.CANCELLED: "idle",
}
STAGES: Mapping[Stage, Text] = {
    **{Stage(state.value): text for state, text in STATES.items()},
    Stage.SENT: _l("Sent, owed"),
    Stage.CLOSED: _l("Closed"),
}
STAGE_MEANINGS: Mapping[Stage, str] = {
    **{Stage(state.value): meaning for state, meaning in MEANINGS.items()},
    Stage.SENT: "machine",
    Stage.CLOSED: "good",
}
LEVELS = {Level.TOO_LATE: "risk", Level.SOON: "watch", Level.CALM: "idle"}
TERMS: Mapping[str, Text] = {
    "demand": _l("Demand until the next order arrives"),
    "confirmed_orders": _l("Customer orders beyond the forecast"),
    "dependent": _l("Needed by work orders"),
    "backorders": _l("Owed to customers who wait"),
    "safety_demand": _l("Safety stock: demand may be higher"),
    "safety_lead_time": _l("Safety stock: the supplier may be late"),
    "on_hand": _l("Free stock on hand"),
    "on_order": _l("At the dock, on order, or being decided on"),
    "expected_returns": _l("Returns back on the shelf"),
    "surplus": _l("More than is needed already"),
    "minimum": _l("Up to the minimum order"),
    "multiple": _l("Up to whole packs"),
    "fill": _l("Packs added to this order"),
    "cut": _l("Packs left out"),
    "changed": _l("Changed by the planner"),
}
BINDING: Mapping[str, Text] = {
    "need": _l("as needed"),
    "minimum_order_quantity": _l("raised to the supplier's minimum"),
    "order_multiple": _l("rounded up to whole packs"),
    "supplier_minimum_value": _l("filled up to the supplier's minimum order value"),
    "brought_forward": _l("brought forward, because the order goes out anyway"),
    "budget": _l("cut, because the budget does not cover it"),
    "cheaper_to_wait": _l("left short for now, because waiting costs less"),
}
EVENTS: Mapping[str, Text] = {
    "purchase_order.draft": _l("drafted the order"),
    "purchase_order.ask": _l("asked for a line"),
    "purchase_order.add": _l("added lines"),
    "purchase_order.remove": _l("took a line off"),
    "purchase_order.edit": _l("changed a line"),
    "purchase_order.submit": _l("submitted it for approval"),
    "purchase_order.approve": _l("approved"),
    "purchase_order.reject": _l("sent it back"),
    "purchase_order.hand_over": _l("handed the decision to a colleague"),
    "purchase_order.send": _l("sent it to the supplier"),
    "purchase_order.confirm": _l("recorded what the supplier confirmed"),
    "purchase_order.close_short": _l("gave up the rest of a line"),
    "purchase_order.cancel": _l("cancelled the order"),
    "goods.receive": _l("Received"),
    "goods.put_away": _l("Put away"),
    "goods.reject": _l("Set aside in quarantine"),
    "goods.reverse": _l("Put right"),
    "message.sent": _l("Message to the supplier written"),
}
COMING: Mapping[str, Text] = {
    "goods.receive": _l("Expected from the supplier"),
    "goods.put_away": _l("To be put away"),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """One line of a timeline, as the macro draws it."""

    at: datetime | None
    who: str
    text: Text
    note: Text = ""
    now: bool = False


def stage_of(order: Evidence) -> Stage:
    """This function will tell how far an order has come."""
    if order.state is PurchaseOrderState.SENT and not order.outstanding:
        return Stage.CLOSED
    return Stage(order.state.value)


def terms(line: Line) -> list[dict[str, Any]]:
    """This function will give the account of a line: the plan's terms, and what people changed after it."""
    assert line.proposed is not None, "a line without a proposal has no account"
    found = [
        {
            "label": TERMS.get(term["name"], term["name"]),
            "quantity": term["quantity"],
            "hand": term["name"] == "changed",
            "note": term.get("by", ""),
        }
        for term in line.proposed.account
    ]
    if line.changed_by_hand:
        changed = line.quantity - line.proposed.quantity
        found.append({"label": gettext("Changed on this order"), "quantity": changed, "hand": True, "note": ""})
    return found


def why(line: Line) -> str:
    """This function will say in one sentence why it is this quantity."""
    if line.proposed is None:
        asked = line.reason
        return str(gettext("Asked for by hand: “%(reason)s”", reason=asked) if asked else gettext("By hand"))
    inputs = line.proposed.inputs
    binding = BINDING.get(inputs.get("binding", ""), "")
    need = inputs.get("need")
    if need is None:
        said = str(binding or gettext("Proposed by the plan"))
    elif need <= 0:
        said = gettext("Nothing is missing yet; %(reason)s", reason=binding)
    else:
        said = gettext("%(need)s missing; %(reason)s", need=formats.count(need), reason=binding)
    edits = [
        gettext(
            "%(who)s changed %(before)s to %(after)s: “%(reason)s”",
            who=edit.by,
            before=formats.count(edit.before),
            after=formats.count(edit.after),
            reason=edit.reason,
        )
        for edit in reversed(line.proposed.edits)
    ]
    return "; ".join([said, *edits])


def runs_out(urgency: Urgency) -> str:
    """This function will say when an item runs out without the order."""
    if urgency.out_date is None:
        return str(gettext("lasts without it"))
    return str(gettext("out on %(day)s", day=formats.short_day(urgency.out_date)))


def send_by(urgency: Urgency | None, sku: str, today: date) -> str:
    """This function will say until when an order must be sent, and for which item."""
    if urgency is None or urgency.out_date is None:
        return ""
    day = formats.short_day(urgency.out_date)
    if urgency.level is Level.TOO_LATE:
        return str(gettext("Even if sent today, %(sku)s runs out on %(day)s before it arrives.", sku=sku, day=day))
    by = gettext("today") if urgency.send_by == today else formats.short_day(urgency.send_by)
    return str(gettext("Send by %(by)s, or %(sku)s runs out on %(day)s.", by=by, sku=sku, day=day))


def units(quantity: int) -> str:
    """This function will write a number of units of several items."""
    return str(ngettext("%(count)s unit", "%(count)s units", quantity, count=formats.count(quantity)))


def story(found: Timeline, order: Evidence) -> Sequence[Told]:
    """This function will tell what happened to an order, what is to be done now, and what comes next."""
    told = []
    proposals = [line.proposed for line in order.lines if line.proposed is not None]
    if proposals:
        first = min(proposals, key=lambda one: one.created_at)
        said = ngettext(
            "%(num)s line proposed by run %(run)s",
            "%(num)s lines proposed by run %(run)s",
            len(proposals),
            run=first.run_id,
        )
        told.append(Told(at=first.created_at, who="", text=said))
    for event in found.events:
        said = EVENTS.get(event.verb, event.verb)
        told.append(Told(at=event.when, who=event.actor, text=said, note=_note(event.detail, event.quantity)))
    if (now := _now(order)) is not None:
        told.append(Told(at=None, who="", text=now, now=True))
    for coming in found.coming:
        said = COMING.get(coming.verb, coming.verb)
        note = units(coming.quantity)
        told.append(Told(at=None, who="", text=f"{formats.day(coming.due_date)} {said}", note=note))
    return told


def _now(order: Evidence) -> str | None:
    state = order.state
    if state is PurchaseOrderState.DRAFT:
        return str(gettext("Now: the buyer checks and submits it"))
    if state is PurchaseOrderState.SUBMITTED:
        handed = order.request.handed if order.request is not None else None
        if handed is not None:
            return str(gettext("Now: %(name)s approves it or sends it back", name=handed.to_name))
        return str(gettext("Now: an approver approves it or sends it back"))
    if state is PurchaseOrderState.APPROVED:
        return str(gettext("Now: the buyer sends it to the supplier"))
    if state is PurchaseOrderState.SENT and order.outstanding:
        return str(gettext("Now: the supplier delivers"))
    return None


def _note(detail: Mapping[str, Any], quantity: int) -> str:
    parts = []
    before = detail.get("before")
    if isinstance(before, dict) and "quantity" in before and before["quantity"] != detail.get("quantity"):
        parts.append(f"{formats.count(before['quantity'])} → {formats.count(detail['quantity'])}")
    elif quantity:
        parts.append(units(quantity))
    for name in ("reason", "comment"):
        if detail.get(name):
            parts.append(f"“{detail[name]}”")
    if detail.get("to"):
        parts.append(str(detail["to"]))
    return ", ".join(parts)

"""The list of proposals: filters, views, files, and answers in bulk with what came of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum

from flask import request, url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from procurement import edits, proposal_list
from procurement.edits import BadEdit, Change
from procurement.proposal_list import Binding, Urgency
from procurement.proposals import ProposalState
from procurement.purchase_orders import PurchaseOrderState
from scm.core.listing import Found, Row
from scm.core.users import Role
from web.area import Area
from web.desk import Desk
from web.i18n import Text
from web.listing import Bulk, Column, ListPage
from web.listing import Change as Cell
from web.listing.routes import register
from web.pages import wording

area = Area("proposals", __name__)
ANSWERING = frozenset({Role.PLANNER, Role.BUYER})
READING = ANSWERING | {Role.APPROVER}

STATES: Mapping[Enum, Text] = {
    ProposalState.OPEN: _l("to be answered"),
    ProposalState.ACCEPTED: _l("accepted"),
    ProposalState.REJECTED: _l("rejected"),
}
ORDER_STATES: Mapping[Enum, Text] = {
    PurchaseOrderState.DRAFT: _l("draft"),
    PurchaseOrderState.SUBMITTED: _l("waits for approval"),
    PurchaseOrderState.APPROVED: _l("approved, not sent"),
    PurchaseOrderState.SENT: _l("sent to the supplier"),
    PurchaseOrderState.CANCELLED: _l("cancelled"),
}
BINDINGS: Mapping[Enum, Text] = {
    Binding.NEED: _l("as needed"),
    Binding.MINIMUM: _l("minimum"),
    Binding.MULTIPLE: _l("multiple"),
    Binding.SUPPLIER_MINIMUM: _l("supplier's minimum value"),
    Binding.BROUGHT_FORWARD: _l("brought forward"),
    Binding.BUDGET: _l("budget"),
    Binding.CHEAPER_TO_WAIT: _l("waiting is cheaper"),
    Binding.SPARE: _l("what the other site can spare"),
}
URGENCIES: Mapping[Enum, Text] = {
    Urgency.RUNS_OUT: _l("runs out"),
    Urgency.AT_RISK: _l("at risk"),
    Urgency.SAFE: _l("lasts"),
}
LONGEST_NUMBER = 12
ALL = "state=open&state=accepted&state=rejected"


def _heading(found: Found, desk: Desk) -> Text:
    if request.args.getlist("state") == [ProposalState.OPEN.value]:
        return ngettext("%(num)s proposal to decide", "%(num)s proposals to decide", found.matching)
    return ngettext("%(num)s proposal", "%(num)s proposals", found.matching)


def _apply(session: Session, desk: Desk, cells: Sequence[Cell]) -> None:
    changes: dict[int, dict[str, str]] = {}
    for cell in cells:
        changes.setdefault(cell.key, {})[cell.field] = cell.after
    edits.edit_many(
        session,
        {key: _change(fields) for key, fields in changes.items()},
        site_id=desk.site_id,
        reason=gettext("changed in a file"),
        actor=desk.actor,
        now=desk.now,
        today=desk.today,
    )


def _change(fields: Mapping[str, str]) -> Change:
    quantity = fields.get("quantity")
    if quantity is not None and not (quantity.isascii() and quantity.isdigit() and len(quantity) <= LONGEST_NUMBER):
        raise BadEdit(f"quantity is {quantity[:40]!r}: it must be a whole number above 0")
    return Change(
        quantity=None if quantity is None else int(quantity),
        order_date=_day(fields.get("order_date")),
        due_date=_day(fields.get("due_date")),
    )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadEdit(f"the date is {text[:40]!r}: write it as YYYY-MM-DD") from None


def _remark(row: Row) -> Text:
    """What an answer in bulk will leave as it is."""
    if row["order_state"] is PurchaseOrderState.SENT:
        return gettext("sent to the supplier: the answer stands")
    return "" if row["state"] is ProposalState.OPEN else gettext("answered already")


def _sku_link(row: Row) -> str:
    return url_for("items.show", sku=row["sku"])


PROPOSALS = ListPage(
    name="proposals",
    rule="/proposals",
    roles=READING,
    listing=lambda desk: proposal_list.listing(site_id=desk.site_id, currency=desk.currency),
    columns=(
        Column(field="number", label=_l("Number"), on_phone=False),
        Column(field="sku", label=_l("Item"), link=_sku_link),
        Column(field="item_name", label=_l("Name"), on_phone=False),
        Column(field="quantity", label=_l("Quantity"), template="proposals/quantity.html", filtered=True),
        Column(field="value", label=_l("Worth"), filtered=True, on_phone=False),
        Column(field="kind", label=_l("Kind"), names=wording.KINDS, filtered=True, on_phone=False),
        Column(field="order_date", label=_l("Order by"), filtered=True, on_phone=False),
        Column(field="cover_days", label=_l("Cover, days"), filtered=True, on_phone=False),
        Column(
            field="binding",
            label=_l("Why"),
            names=BINDINGS,
            template="proposals/why.html",
            filtered=True,
            sortable=False,
            on_phone=False,
        ),
        Column(
            field="urgency",
            label=_l("If nothing is done"),
            names=URGENCIES,
            template="proposals/risk.html",
            filtered=True,
            sortable=False,
        ),
        Column(field="state", label=_l("State"), names=STATES, filtered=True, shown=False),
        Column(field="at_risk", label=_l("At risk"), filtered=True, shown=False),
        Column(field="need", label=_l("Missing"), filtered=True, shown=False),
        Column(field="stock_out", label=_l("Runs out, per cent"), filtered=True, shown=False),
        Column(field="supplier", label=_l("Supplier"), filtered=True, shown=False),
        Column(field="supplier_name", label=_l("Supplier's name"), filtered=True, shown=False),
        Column(field="from_site", label=_l("From site"), filtered=True, shown=False),
        Column(field="due_date", label=_l("Arrives"), filtered=True, shown=False),
        Column(field="edited", label=_l("Changed by hand"), filtered=True, shown=False),
        Column(field="decided_before", label=_l("Decided before"), filtered=True, shown=False),
        Column(field="order", label=_l("Purchase order"), template="proposals/order.html", shown=False),
        Column(field="order_state", label=_l("Order is"), names=ORDER_STATES, filtered=True, shown=False),
        Column(field="decided_by", label=_l("Answered by"), filtered=True, shown=False),
        Column(field="decided_at", label=_l("Answered"), filtered=True, shown=False),
        Column(field="reason", label=_l("Reason"), shown=False),
    ),
    identity="number",
    heading=_heading,
    why_empty=_l("Proposals come from the nightly run. Nothing is to be ordered, or no run has been made yet."),
    detail=lambda row: url_for("proposals.detail", proposal_id=row["key"]),
    worth="value",
    remark=_remark,
    template="proposals/list.html",
    default="state=open",
    presets=(
        (_l("To answer"), "state=open"),
        (_l("Running out"), "state=open&urgency=runs_out"),
        (_l("Changed by hand"), "state=open&edited=yes"),
        (
            _l("To move"),
            "state=open&kind=move&columns=number,sku,item_name,from_site,quantity,order_date,due_date,urgency",
        ),
        (
            _l("Accepted"),
            "state=accepted&sort=-decided_at&columns=number,sku,quantity,value,due_date,order,decided_by,decided_at",
        ),
        (
            _l("Rejected"),
            "state=rejected&sort=-decided_at&columns=number,sku,quantity,value,reason,decided_by,decided_at",
        ),
        (
            _l("All"),
            f"{ALL}&columns=number,sku,item_name,state,quantity,value,order,order_date",
        ),
    ),
    bulk=(
        Bulk(endpoint="proposals.undo", text=_l("Undo the answers")),
        Bulk(endpoint="proposals.reject", text=_l("Reject…"), dialog="proposals/reject_fields.html"),
        Bulk(endpoint="proposals.accept", text=_l("Accept"), primary=True, hotkey="a"),
    ),
    editable=frozenset({"quantity", "order_date", "due_date"}),
    apply=_apply,
)
register(area, PROPOSALS)

"""The purchase order: the list, the page with its evidence, the paper."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from procurement import deciding, drafting, evidence, in_bulk, offers, order_list, orders, purchase_orders, settling
from procurement.purchase_orders import KIND, PurchaseOrderState
from scm.core.approval import SelfApproval
from scm.core.users import Role
from scm.loop import chain, timeline
from web import desk as desks
from web import i18n
from web.area import Area
from web.desk import Desk, act, done, read
from web.listing import Bulk, Column, ListPage, routes
from web.pages.buying import approvals, figures, pictures, wording

area = Area("purchase_orders", __name__)
READERS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.WAREHOUSE, Role.SALES, Role.ADMIN})
BUYERS = frozenset({Role.BUYER})

ORDERS = ListPage(
    name="purchase_orders",
    rule="/purchase-orders",
    roles=READERS,
    listing=lambda desk: order_list.listing(site_id=desk.site_id, currency=desk.currency, today=desk.today),
    columns=(
        Column(
            field="number",
            label=_l("Purchase order"),
            link=lambda row: url_for("purchase_orders.show", number=row["number"]),
        ),
        Column(
            field="stage",
            label=_l("Status"),
            filtered=True,
            names=wording.STAGES,
            meanings=wording.STAGE_MEANINGS,
        ),
        Column(
            field="supplier",
            label=_l("Supplier"),
            filtered=True,
            link=lambda row: url_for("suppliers.show", code=row["supplier_code"]),
            on_phone=False,
        ),
        Column(field="supplier_code", label=_l("Supplier code"), shown=False, filtered=True),
        Column(field="value", label=_l("Order value"), filtered=True),
        Column(field="lines", label=_l("Lines"), filtered=True, on_phone=False),
        Column(field="drafted_date", label=_l("Drafted"), filtered=True, on_phone=False),
        Column(field="due_date", label=_l("Due first"), filtered=True, on_phone=False),
        Column(field="ordered", label=_l("Units ordered"), shown=False, filtered=True),
        Column(field="outstanding", label=_l("Units still owed"), filtered=True, on_phone=False),
        Column(field="late", label=_l("Late"), filtered=True, shown=False),
        Column(field="written_by", label=_l("Written by"), filtered=True, on_phone=False),
        Column(field="sent_date", label=_l("Sent on"), filtered=True, shown=False),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s purchase order", "%(num)s purchase orders", found.matching),
    why_empty=_l("Orders are drafted from accepted proposals, or written by hand."),
    actions="buying/order_list_actions.html",
    aside="buying/accepted_proposals.html",
    presets=(
        (_l("To submit"), "stage=draft"),
        (_l("To approve"), "stage=submitted"),
        (_l("To send"), "stage=approved"),
        (_l("Late"), "late=yes"),
    ),
    bulk=(
        Bulk(endpoint="purchase_orders.submit_many", text=_l("Submit")),
        Bulk(endpoint="purchase_orders.send_many", text=_l("Send to suppliers")),
    ),
)
routes.register(area, ORDERS)


@area.page("/purchase-orders/<number>", roles=READERS)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show one order with its evidence."""
    with read() as session:
        order = evidence.read(session, number=number, site_id=desk.site_id, actor=desk.actor, today=desk.today)
        stages = chain.of_document(session, kind=KIND, document_id=order.id)
        story = timeline.of_document(session, kind=KIND, document_id=order.id)
        colleagues = deciding.approvers(session, besides=desk.actor) if _may_decide(desk, order.state) else []
        editable = desk.has(Role.BUYER) and order.state in EDITABLE
        offered = offers.skus(session, supplier_id=order.supplier_id) if editable else []
        invoices, uninvoiced = settling.standing(session, order_id=order.id, currency=order.currency)
    return render_template(
        "buying/order.html",
        order=order,
        links=figures.chain_links(stages, order.number),
        figures=figures.figures(order),
        refused=i18n.refusal(order.refusal) if order.refusal is not None else "",
        may_hand_over=bool(colleagues) and not isinstance(order.refusal, SelfApproval),
        story=wording.story(story, order),
        colleagues=colleagues,
        invoices=invoices,
        uninvoiced=uninvoiced,
        offered=offered,
        editable=editable,
        wording=wording,
        pictures=pictures,
    )


@area.page("/purchase-orders/<number>/print", roles=READERS)
def paper(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show an order as it is printed for its supplier."""
    with read() as session:
        order = evidence.read(session, number=number, site_id=desk.site_id, actor=desk.actor, today=desk.today)
    lines = sorted(order.lines, key=lambda line: line.id)
    return render_template("buying/paper.html", order=order, lines=lines, wording=wording)


@area.action("/purchase-orders/submit", roles=BUYERS)
def submit_many(desk: Desk) -> ResponseReturnValue:
    """This function will ask for the approval of the picked orders, each for itself."""
    ids = routes.picked(ORDERS, desk)

    def work(session: Session) -> list[list[str]]:
        purchase_orders.refuse_elsewhere(session, ids, site_id=desk.site_id)
        return approvals.told(in_bulk.submit_each(session, ids, actor=desk.actor, now=desk.now))

    outcomes = act("purchase_order.submit_each", work)
    done = sum(not why for _, why in outcomes)
    said = ngettext("%(num)s order submitted.", "%(num)s orders submitted.", done)
    return approvals.answer("purchase_orders", said, outcomes)


@area.action("/purchase-orders/send", roles=BUYERS)
def send_many(desk: Desk) -> ResponseReturnValue:
    """This function will send the picked orders to their suppliers, each for itself."""
    ids = routes.picked(ORDERS, desk)

    def work(session: Session) -> list[list[str]]:
        purchase_orders.refuse_elsewhere(session, ids, site_id=desk.site_id)
        return approvals.told(in_bulk.send_each(session, ids, actor=desk.actor, now=desk.now, today=desk.today))

    outcomes = act("purchase_order.send_each", work)
    done = sum(not why for _, why in outcomes)
    return approvals.answer("purchase_orders", ngettext("%(num)s order sent.", "%(num)s orders sent.", done), outcomes)


@area.action("/purchase-orders/draft", roles=BUYERS)
def draft(desk: Desk) -> ResponseReturnValue:
    """This function will turn the site's accepted proposals into draft orders, one a supplier."""

    def work(session: Session) -> int:
        ids = drafting.waiting(session, site_id=desk.site_id)
        return len(orders.draft(session, ids, actor=desk.actor, now=desk.now, today=desk.today))

    drafted = act("purchase_order.draft", work)
    said = ngettext("%(num)s order drafted.", "%(num)s orders drafted.", drafted)
    return done(url_for("purchase_orders.index", stage="draft"), said)


@area.app_template_global("accepted_proposals")
def accepted_proposals() -> int:
    """This function will count the accepted proposals of the desk's site that stand on no order yet."""
    with read() as session:
        return len(drafting.waiting(session, site_id=desks.current().site_id))


EDITABLE = (PurchaseOrderState.DRAFT, PurchaseOrderState.SUBMITTED, PurchaseOrderState.APPROVED)


def _may_decide(desk: Desk, state: PurchaseOrderState) -> bool:
    return desk.has(Role.APPROVER) and state is PurchaseOrderState.SUBMITTED

"""Bills of materials: the list of all revisions, one of them as a document, and all that concerns one item."""

from __future__ import annotations

from collections.abc import Mapping

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from scm.core.listing import Found
from scm.master import bom_approving, bom_costs, bom_editing, bom_records, bom_usage, bom_validity, items, work_hours
from scm.master.bom import BomState
from scm.master.bom_content import LARGEST, BadBom
from scm.master.bom_line_rows import show_substitutes
from scm.master.bom_records import Document, Named
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, not_here, read
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.master import making_words as words

area = Area("master_boms", __name__)


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many revisions are shown."""
    return ngettext("%(num)s bill of materials", "%(num)s bills of materials", found.matching)


PAGE = ListPage(
    name="master_boms",
    rule="/master/boms",
    roles=PEOPLE,
    listing=lambda desk: bom_records.boms(company_id=desk.company.id),
    columns=(
        Column(
            field="name", label=_l("Bill of materials"), link=lambda row: url_for("master_boms.show", bom_id=row["key"])
        ),
        Column(field="sku", label=_l("SKU"), shown=False, filtered=True),
        Column(field="item", label=_l("Item"), on_phone=False),
        Column(field="site", label=_l("Site"), filtered=True, on_phone=False),
        Column(field="revision", label=_l("Revision"), shown=False),
        Column(field="kind", label=_l("Kind"), names=words.KINDS, filtered=True, on_phone=False),
        Column(field="state", label=_l("State"), names=words.STATES, meanings=words.MEANINGS, filtered=True),
        Column(field="valid_from", label=_l("Valid from"), filtered=True),
        Column(field="valid_until", label=_l("Valid until"), on_phone=False),
        Column(field="lines", label=_l("Components"), on_phone=False),
        Column(field="operations", label=_l("Operations"), on_phone=False),
        Column(field="lead_time_days", label=_l("Lead time, days"), shown=False),
        Column(field="subcontractor", label=_l("Subcontractor"), shown=False, filtered=True),
    ),
    identity="name",
    heading=heading,
    why_empty=_l("Nothing is made of components yet. Bills come with files, or one by one."),
    presets=((_l("Wait for approval"), "state=submitted"), (_l("In use"), "state=approved")),
    actions="master/bom_list_actions.html",
)
register(area, PAGE)


@area.context_processor
def _words() -> dict[str, object]:
    return {"kinds": words.kinds, "making": words, "percent_of": words.percent_of}


@area.page("/master/boms/<int:bom_id>", roles=PEOPLE)
def show(desk: Desk, bom_id: int) -> ResponseReturnValue:
    """This function will show a revision: its levels, operations, cost, uses, revisions and approvals."""
    quantity = words.whole(request.args.get("quantity", ""), name="quantity", empty=1)
    if not 1 <= quantity <= LARGEST:
        raise BadBom(f"quantity cannot be {quantity}: give 1 to {LARGEST}")
    with read() as session:
        bom = bom_records.document(session, bom_id=bom_id, company_id=desk.company.id)
        if bom is None:
            not_here("bill of materials", str(bom_id))
        on = max(desk.today, bom.content.valid_from)
        branches = bom_usage.tree(session, bom_id=bom_id, on=on)
        taken = bom_validity.components(session, bom_id=bom_id, quantity=quantity, on=on)
        uses = bom_usage.where_used(session, item_id=bom.item_id, company_id=desk.company.id, on=on)
        cost = bom_costs.roll_up(session, branches, currency=desk.currency)
        named = bom_records.names(
            session,
            {branch.item_id for branch in branches}
            | {other.item_id for branch in branches for other in branch.substitutes}
            | {use.item_id for use in uses}
            | {use.component_id for use in uses},
        )
        centers = work_hours.of_site(session, site_id=bom.site_id, first=on, last=on)
    started = work_hours.started(quantity, yield_rate=bom.content.yield_rate)
    return render_template(
        "master/bom.html",
        bom=bom,
        on=on,
        quantity=quantity,
        branches=branches,
        lines={line.item_id: line for line in bom.content.lines},
        taken=taken,
        uses=uses,
        cost=cost,
        named=named,
        centers=centers,
        minutes=[(step, work_hours.seconds_needed(step, quantity=started) / 60) for step in bom.content.operations],
        started=started,
        believes=bom_approving.believed(bom.content),
        editable=bom.state in (BomState.DRAFT, BomState.SUBMITTED) and desk.has(*words.EDITORS),
        may_change=desk.has(*words.EDITORS),
        own_request=bool(bom.asked) and bom.asked[0].requester_id == desk.actor.user_id,
        substitutes=_substitutes,
    )


@area.page("/master/boms/of/<sku>", roles=PEOPLE)
def of_item(desk: Desk, sku: str) -> ResponseReturnValue:
    """This function will show what an item is made from and what it is used in."""
    with read() as session:
        item_id = items.ids_by_sku(session, [sku], company_id=desk.company.id).get(sku)
        if item_id is None:
            not_here("item", sku)
        bom_id = bom_records.of_item(session, item_id=item_id, site_id=desk.site_id)
        bom = None
        if bom_id is not None:
            bom = bom_records.document(session, bom_id=bom_id, company_id=desk.company.id)
        uses = bom_usage.where_used(session, item_id=item_id, company_id=desk.company.id, on=desk.today)
        named = bom_records.names(
            session, {item_id} | {use.item_id for use in uses} | {use.component_id for use in uses}
        )
    return render_template("master/item_boms.html", item=named[item_id], bom=bom, uses=uses, named=named)


@area.action("/master/boms/new", roles=words.EDITORS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will write the draft of the next revision of what an item is made of at this site."""
    form = request.form
    sku = form.get("sku", "").strip()
    kind = words.kind(form.get("kind", ""))
    valid_from = words.day(form.get("valid_from", ""), name="valid_from")
    output_quantity = words.whole(form.get("output_quantity", ""), name="output_quantity", empty=1)
    bom_id = act(
        "bom.begin",
        lambda session: bom_editing.begin(
            session,
            sku=sku,
            kind=kind,
            valid_from=valid_from,
            output_quantity=output_quantity,
            subcontractor=form.get("subcontractor", "").strip(),
            site_id=desk.site_id,
            company_id=desk.company.id,
            actor=desk.actor,
        ),
    )
    return done(url_for("master_boms.show", bom_id=bom_id), gettext("The draft is written: say what it is made of."))


def _substitutes(bom: Document, named: Mapping[int, Named], item_id: int) -> str:
    """The substitutes of a line as its form takes them."""
    line = next(line for line in bom.content.lines if line.item_id == item_id)
    return show_substitutes([(named[other.item_id].sku, other.quantity) for other in line.substitutes])

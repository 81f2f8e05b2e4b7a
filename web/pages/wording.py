"""The words of a proposal: what each term of its account is called, why it is this quantity, what was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from procurement.proposal_book import ShownProposal
from procurement.proposals import ProposalKind
from web import formats
from web.i18n import Text

TERMS: dict[str, Text] = {
    "demand": _l("Demand, %(protection_days)s days from %(order_date)s"),
    "confirmed_orders": _l("Customer orders beyond the forecast"),
    "dependent": _l("Needed by work orders"),
    "allocated": _l("Needed by open work orders"),
    "backorders": _l("Owed to customers who wait"),
    "safety_demand": _l("Safety stock: demand may be higher"),
    "safety_lead_time": _l("Safety stock: the supplier may be late"),
    "on_hand": _l("Free stock on hand"),
    "on_order": _l("At the dock, on order, or being decided on"),
    "expected_returns": _l("Returns back on the shelf"),
    "surplus": _l("More than is needed already"),
    "minimum": _l("Up to the minimum of %(minimum_order_quantity)s"),
    "multiple": _l("Up to a multiple of %(order_multiple)s"),
    "fill": _l("Packs added to this order"),
    "cut": _l("Packs left out"),
    "cover_limit": _l("Cut: more than %(cover_limit_days)s days of demand are not made"),
    "moved_by_others": _l("Sent by other sites"),
    "not_spared": _l("More than the other site can spare"),
    "changed": _l("Changed by %(by)s"),
}
KINDS: dict[ProposalKind, Text] = {
    ProposalKind.BUY: _l("Buy"),
    ProposalKind.MAKE: _l("Make"),
    ProposalKind.MOVE: _l("Move"),
}
BINDING: dict[str, Text] = {
    "need": _l("ordered as needed"),
    "minimum_order_quantity": _l("raised to the supplier's minimum of %(minimum_order_quantity)s"),
    "order_multiple": _l("rounded up to a multiple of %(order_multiple)s"),
    "supplier_minimum_value": _l("filled up to the supplier's minimum order value"),
    "brought_forward": _l("brought forward, because the order goes out today anyway"),
    "budget": _l("cut, because the budget does not cover it"),
    "cover_limit": _l("cut to %(cover_limit_days)s days of demand, the limit of its bill"),
    "spare": _l("all that the other site can spare, the rest is bought"),
    "cheaper_to_wait": _l("left short for now, because waiting costs less"),
}
# What is made has no supplier.
MAKE_TERMS: dict[str, Text] = TERMS | {
    "dependent": _l("Needed by planned work orders"),
    "safety_lead_time": _l("Safety stock: making may take longer"),
    "on_order": _l("At the dock, in work orders, or being decided on"),
}
MAKE_BINDING: dict[str, Text] = BINDING | {
    "need": _l("made as needed"),
    "minimum_order_quantity": _l("raised to the minimum of %(minimum_order_quantity)s"),
}
DEMAND_CLASSES: dict[str, Text] = {
    "smooth": _l("smooth"),
    "erratic": _l("erratic"),
    "intermittent": _l("intermittent"),
    "lumpy": _l("lumpy"),
    "no_demand": _l("no demand"),
}
ASSUMED: dict[str, Text] = {
    "category_id": _l("category"),
    "joint_order_cost": _l("cost of an order"),
    "lead_time_days": _l("lead time"),
    "minimum_order_quantity": _l("minimum quantity"),
    "minimum_order_value": _l("minimum order value"),
    "opening_unit_cost": _l("opening cost"),
    "order_multiple": _l("order multiple"),
    "over_receipt_rate": _l("tolerance for over-delivery"),
    "partner_id": _l("supplier"),
    "review_period_days": _l("review period"),
    "review_weekday": _l("review day"),
    "sale_price": _l("sale price"),
    "unit_price": _l("price"),
}


class Term(TypedDict):
    """One line of an account, as the macro draws it."""

    label: str
    quantity: int
    hand: bool
    note: str


def terms(proposal: ShownProposal) -> list[Term]:
    """This function will give the lines of the account in words, in the order in which they add up."""
    known = _known(proposal)
    called = MAKE_TERMS if proposal.kind is ProposalKind.MAKE else TERMS
    return [
        Term(
            label=str(called[term["name"]]) % (known | {"by": term.get("by", "")}),
            quantity=term["quantity"],
            hand=term["name"] == "changed",
            note=term.get("reason", ""),
        )
        for term in proposal.account
    ]


def why(proposal: ShownProposal) -> Text:
    """This function will say in one sentence why it is this quantity."""
    reasons = MAKE_BINDING if proposal.kind is ProposalKind.MAKE else BINDING
    reason = str(reasons[proposal.inputs["binding"]]) % _known(proposal)
    need = proposal.inputs["need"]
    if need <= 0:
        return gettext("Nothing is missing yet; %(reason)s.", reason=reason)
    return gettext(
        "%(need)s missing over %(days)s days: %(reason)s.",
        need=formats.count(need),
        days=formats.count(proposal.inputs["protection_days"]),
        reason=reason,
    )


def opening(proposal: ShownProposal) -> Text:
    """This function will say what is to be done by when, in the beginning of a sentence."""
    said = {
        "quantity": formats.count(proposal.quantity),
        "order": formats.short_day(proposal.order_date),
        "due": formats.short_day(proposal.due_date),
    }
    if proposal.kind is ProposalKind.MAKE:
        return gettext("Make %(quantity)s, begin by %(order)s, ready %(due)s", **said)
    if proposal.kind is ProposalKind.MOVE:
        return gettext(
            "Move %(quantity)s from %(site)s, send by %(order)s, due %(due)s", site=proposal.from_site_name, **said
        )
    return gettext("Buy %(quantity)s, order by %(order)s, due %(due)s", **said)


def source(proposal: ShownProposal) -> Text:
    """This function will say where the goods come from, at what price and when."""
    due = formats.day(proposal.due_date)
    if proposal.unit_price is not None:
        return gettext(
            "%(supplier)s, %(price)s each, due %(day)s",
            supplier=proposal.supplier_name,
            price=formats.priced(proposal.unit_price, proposal.currency),
            day=due,
        )
    if proposal.kind is ProposalKind.MOVE:
        return gettext("from %(site)s, due %(day)s", site=proposal.from_site_name, day=due)
    return gettext("made here, ready %(day)s", day=due)


def note(proposal: ShownProposal) -> Text:
    """This function will say what people decided about the item before, or what a later run would have proposed."""
    told = proposal.note
    if told is None:
        return ""
    if told["kind"] == "planned_again":
        if told["quantity"] == 0:
            return gettext("A later run of the same day would order none.")
        return gettext(
            "A later run of the same day would order %(quantity)s.", quantity=formats.count(told["quantity"])
        )
    when = formats.instant(datetime.fromisoformat(told["at"]))
    if told["kind"] == "rejected_before":
        return gettext(
            "%(who)s rejected the last proposal of %(planned)s on %(when)s: %(reason)s",
            who=told["by"],
            planned=formats.count(told["planned"]),
            when=when,
            reason=told["reason"],
        )
    return gettext(
        "%(who)s changed an earlier proposal from %(planned)s to %(quantity)s on %(when)s: %(reason)s",
        who=told["by"],
        planned=formats.count(told["planned"]),
        quantity=formats.count(told["quantity"]),
        when=when,
        reason=told["reason"],
    )


def causes(learnt: Sequence[Mapping[str, Any]]) -> list[Text]:
    """This function will name what was learnt from facts and moved a quantity."""
    said = []
    for cause in learnt:
        if cause["cause"] == "lead_time":
            said.append(
                gettext(
                    "Supplier %(supplier)s took %(mean)s days on average over %(deliveries)s deliveries; %(agreed)s "
                    "were agreed. The plan counts on %(counted)s.",
                    supplier=cause["supplier"],
                    mean=formats.decimal(float(cause["mean_days"])),
                    deliveries=formats.count(cause["deliveries"]),
                    agreed=formats.decimal(float(cause["agreed_days"])),
                    counted=formats.decimal(cause["counted_days"]),
                )
            )
            if cause["overdue"]:
                said.append(gettext("%(number)s of them are still overdue.", number=formats.count(cause["overdue"])))
        elif cause["cause"] == "returns":
            said.append(
                gettext(
                    "%(rate)s of what is sold comes back, %(usual)s is usual: what is fit for sale again is counted as "
                    "supply.",
                    rate=formats.percent(cause["return_rate"]),
                    usual=formats.percent(cause["overall_rate"]),
                )
            )
    return said


def alternative(proposal: ShownProposal) -> Text:
    """This function will say what else could be ordered and what it would cost."""
    other = proposal.next_best
    if other is None:
        return ""
    what = {
        "skip": gettext("Ordering none"),
        "skip_supplier_order": gettext("Skipping the whole order to the supplier"),
    }.get(other["kind"], gettext("Ordering %(quantity)s", quantity=formats.count(other["quantity"])))
    cost = formats.shown_money(round(abs(other["extra_cost"])), proposal.currency)
    if other["extra_cost"] < 0:
        return gettext("%(what)s instead would cost %(cost)s less for this item alone.", what=what, cost=cost)
    return gettext("%(what)s instead would cost %(cost)s more.", what=what, cost=cost)


def demand_class(name: str) -> Text:
    """This function will say what kind of demand an item has."""
    return DEMAND_CLASSES.get(name, name)


def assumed(names: Sequence[str]) -> Text:
    """This function will name the inputs that were assumed."""
    return gettext("Assumed: %(what)s", what=gettext(", ").join(str(ASSUMED.get(name, name)) for name in names))


def _known(proposal: ShownProposal) -> dict[str, str]:
    known = {name: formats.count(value) for name, value in proposal.inputs.items() if type(value) is int}
    return known | {"order_date": formats.short_day(proposal.order_date)}

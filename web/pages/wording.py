"""The words of a proposal: what each term of its account is called, and its reason in one sentence."""

from __future__ import annotations

from procurement.overview import OpenProposal
from scm.finance import money

TERMS = {
    "demand": "Demand, {protection_days} days from {order_date}",
    "confirmed_orders": "Customer orders beyond the forecast",
    "backorders": "Owed to customers who wait",
    "safety_demand": "Safety stock: demand may be higher",
    "safety_lead_time": "Safety stock: the supplier may be late",
    "on_hand": "Free stock on hand",
    "on_order": "At the dock, on order, or being decided on",
    "expected_returns": "Returns back on the shelf",
    "surplus": "More than is needed already",
    "minimum": "Up to the minimum of {minimum_order_quantity}",
    "multiple": "Up to a multiple of {order_multiple}",
    "fill": "Packs added to this order",
    "cut": "Packs left out",
    "changed": "Changed by {by}",
}
BINDING = {
    "need": "the need itself",
    "minimum_order_quantity": "raised to the supplier's minimum of {minimum_order_quantity}",
    "order_multiple": "rounded up to a multiple of {order_multiple}",
    "supplier_minimum_value": "filled up to the supplier's minimum order value",
    "brought_forward": "brought forward, because the order goes out today anyway",
    "budget": "cut, because the budget does not cover it",
    "cheaper_to_wait": "left short for now, because waiting costs less",
}
OTHER = {
    "skip": "Ordering none",
    "one_multiple_less": "Ordering {quantity}",
    "one_multiple_more": "Ordering {quantity}",
    "skip_supplier_order": "Skipping the whole order to the supplier",
}


def terms(proposal: OpenProposal) -> list[tuple[str, int]]:
    """This function will give the lines of the account in words, in the order in which they add up."""
    known = proposal.inputs | {"order_date": f"{proposal.order_date:%-d %b}"}
    return [(TERMS[term["name"]].format(**known, by=term.get("by")), term["quantity"]) for term in proposal.account]


BRIEF = {
    "need": "as needed",
    "minimum_order_quantity": "minimum {minimum_order_quantity:,}",
    "order_multiple": "multiple {order_multiple:,}",
    "supplier_minimum_value": "supplier's minimum",
    "brought_forward": "brought forward",
    "budget": "budget",
    "cheaper_to_wait": "waiting is cheaper",
}


def brief(proposal: OpenProposal) -> str:
    """This function will say why in the few words that fit a line of the list."""
    missing = f"{proposal.inputs['need']:,} missing" if proposal.inputs["need"] > 0 else "nothing missing"
    return f"{missing}, {BRIEF[proposal.inputs['binding']].format(**proposal.inputs)}"


def why(proposal: OpenProposal) -> str:
    """This function will say in one sentence why it is this quantity."""
    need = proposal.inputs["need"]
    reason = BINDING[proposal.inputs["binding"]].format(**proposal.inputs)
    if need <= 0:
        return f"Nothing is missing yet; {reason}."
    return f"{need:,} missing over {proposal.inputs['protection_days']} days: {reason}."


def causes(proposal: OpenProposal) -> list[str]:
    """This function will name what was learnt from facts and moved this quantity."""
    said = []
    for cause in proposal.inputs["causes"]:
        if cause["cause"] == "lead_time":
            overdue = f", {cause['overdue']} of them still overdue" if cause["overdue"] else ""
            said.append(
                f"Supplier {cause['supplier']} took {cause['mean_days']} days on average over "
                f"{cause['deliveries']} deliveries{overdue}; {cause['agreed_days']} were agreed. "
                f"The plan counts on {cause['counted_days']}."
            )
        elif cause["cause"] == "returns":
            said.append(
                f"{cause['return_rate']:.1%} of what is sold comes back, {cause['overall_rate']:.1%} is usual: "
                "what is fit for sale again is counted as supply."
            )
    return said


def price(proposal: OpenProposal) -> str:
    """This function will write the unit price with as many places as it has, at least those of the currency."""
    shortest = proposal.unit_price.normalize()
    exponent = shortest.as_tuple().exponent
    assert isinstance(exponent, int), f"{shortest} is no price"
    return f"{shortest:,.{max(-exponent, money.places(proposal.currency))}f}"


def alternative(proposal: OpenProposal) -> str | None:
    """This function will say what else could be ordered and what it would cost more."""
    other = proposal.next_best
    if other is None:
        return None
    what = OTHER[other["kind"]].format(quantity=f"{other['quantity']:,}")
    places = money.places(proposal.currency)
    cost = f"{abs(other['extra_cost']) / 10**places:,.{places}f} {proposal.currency}"
    if other["extra_cost"] < 0:
        return f"{what} instead would cost {cost} less for this item alone."
    return f"{what} instead would cost {cost} more."

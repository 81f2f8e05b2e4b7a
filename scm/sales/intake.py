"""What an order may look like, checked against the facts of its items, customer and site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.types import UNIT_PRICE_PLACES
from scm.sales.facts import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Kit:
    """A kit on an order that is being taken; the lines of its components name the same object."""

    place: int  # among the lines as they were asked for
    item_id: int
    bom_id: int
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRequest:
    """One line of an order to place: base units, and the price per base unit.

    `kit` is set for a component of a kit, by whoever exploded it.
    """

    item_id: int
    quantity: int
    unit_price: Decimal
    kit: Kit | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """One order to place. `external_id` is the channel's own number, by which a repetition is recognised."""

    site_id: int
    customer_id: int
    channel: str  # its code
    lines: Sequence[LineRequest]
    external_id: str | None = None
    requested_date: date | None = None

    @property
    def label(self) -> str:
        """What an error calls this request."""
        return f"order {self.external_id or 'without external id'} of {self.channel}"


class BadOrder(InvalidInput):
    """An order that cannot be placed as it is."""


class PartyUnknown(NotFound):
    """An order names an item, customer or site that does not exist."""


class CannotBeSold(Conflict):
    """An item is retired, or a partner is not (or no longer) a customer."""


class DuplicateOrder(Conflict):
    """The channel's order was placed before."""


def check(requests: Sequence[OrderRequest], facts: Facts) -> None:
    """This function will refuse orders that cannot be placed, naming the order, the line and the mend."""
    if not requests:
        raise BadOrder("no order was given: give at least one")
    seen: set[tuple[str, str]] = set()
    for request in requests:
        _check_head(request, facts)
        for number, line in enumerate(request.lines, start=1):
            _check_line(f"{request.label}, line {number}", line, facts)
        if request.external_id is None:
            continue
        key = (request.channel, request.external_id)
        if key in facts.placed or key in seen:
            known = f"was placed before as {facts.placed[key]}" if key in facts.placed else "is given twice"
            raise DuplicateOrder(f"{request.label} {known}: send each order once")
        seen.add(key)


def _check_head(request: OrderRequest, facts: Facts) -> None:
    if request.site_id not in facts.sites:
        raise PartyUnknown(f"{request.label}: there is no site {request.site_id}")
    customer = facts.customers.get(request.customer_id)
    if customer is None:
        raise PartyUnknown(f"{request.label}: there is no customer {request.customer_id}")
    if not customer.usable:
        raise CannotBeSold(f"{request.label}: partner {customer.code} is not an active customer")
    channel = facts.channels.get(request.channel)
    if channel is None:
        raise PartyUnknown(f"{request.label}: there is no channel {request.channel[:50]!r}: add it first")
    if not channel.usable:
        raise CannotBeSold(f"{request.label}: the channel {request.channel} is retired and takes no orders any more")
    if request.external_id is not None and not 0 < len(request.external_id) <= 80:
        raise BadOrder(f"external id {request.external_id[:90]!r} of {request.channel} must be 1 to 80 characters")
    if not request.lines:
        raise BadOrder(f"{request.label} has no lines: an order needs at least one")


def _check_line(label: str, line: LineRequest, facts: Facts) -> None:
    item = facts.items.get(line.item_id)
    if item is None:
        raise PartyUnknown(f"{label}: there is no item {line.item_id}")
    if not item.usable:
        raise CannotBeSold(f"{label}: item {item.code} is retired and is not sold any more")
    if type(line.quantity) is not int or line.quantity <= 0:
        raise BadOrder(f"{label}: quantity {line.quantity!r} of {item.code} must be a whole number above 0")
    price = line.unit_price
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        raise BadOrder(f"{label}: price {price!r} of {item.code} must be a decimal number of at least 0")
    if price.scaleb(UNIT_PRICE_PLACES) % 1:
        raise BadOrder(f"{label}: price {price} of {item.code} has more than {UNIT_PRICE_PLACES} decimal places")

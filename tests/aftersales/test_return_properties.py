"""Whatever comes back and in whatever parts, nobody takes back, looks at or pays for more than there is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scm.core.errors import ScmError
from scm.finance import money
from tests.aftersales.desk import Desk

STEPS = ("authorize", "receive", "inspect", "refund", "pay")
_numbers = itertools.count(1)  # an item of its own for each example
Step = tuple[str, int, int]  # what is tried, with which return, and how many units (or pence)


@dataclass
class Part:
    """What a plain count says of one return."""

    return_id: int
    line_id: int
    authorized: int
    received: int = 0
    inspected: int = 0
    refunded: int = 0


@dataclass
class Count:
    """What a plain count says of one sold line."""

    sold: int
    parts: list[Part] = field(default_factory=list)


def accepted(desk: Desk, work: Callable[[], object]) -> bool:
    """This function will try something and tell whether it was done; what was refused has changed nothing."""
    point = desk.world.begin().begin_nested()
    try:
        work()
    except ScmError:
        point.rollback()
        desk.world.begin()
        return False
    point.commit()
    return True


def take(desk: Desk, sold_line: int, count: Count, step: Step) -> None:
    """This function will try one step, expect of it what the count expects, and count it."""
    verb, which, quantity = step
    if verb == "authorize":
        fits = quantity <= count.sold - sum(part.authorized for part in count.parts)
        assert accepted(desk, lambda: desk.authorize(sold_line, quantity)) is fits
        if fits:
            return_id = max(one.return_id for one in desk.awaiting().to_receive)
            [line_id] = desk.lines(return_id)
            count.parts.append(Part(return_id, line_id, quantity))
        return
    if verb == "pay":
        [invoice] = desk.invoices(sold_line)
        if invoice.open_amount:
            desk.pay(sold_line, min(quantity, invoice.open_amount))
        return
    if not count.parts:
        return
    part = count.parts[which % len(count.parts)]
    if verb == "receive":
        if part.received == part.authorized:
            return  # nothing is expected any more, so nothing can be counted against it
        fits = quantity <= part.authorized - part.received
        assert accepted(desk, lambda: desk.receive(part.return_id, quantity)) is fits
        part.received += quantity if fits else 0
    elif verb == "inspect":
        fits = quantity <= part.received - part.inspected
        assert accepted(desk, lambda: desk.inspect(part.line_id, quantity)) is fits
        part.inspected += quantity if fits else 0
    else:
        fits = quantity <= part.inspected - part.refunded
        assert accepted(desk, lambda: desk.refund(part.line_id, quantity)) is fits
        part.refunded += quantity if fits else 0


def check(desk: Desk, sold_line: int, count: Count) -> None:
    """This function will hold the books against the count: units and pence, both cumulatively."""
    for part in count.parts:
        status = desk.status(part.return_id)
        figures = (status.authorized, status.received, status.inspected, status.refunded)
        assert figures == (part.authorized, part.received, part.inspected, part.refunded)
        assert status.expected == part.authorized - part.received
    [invoice] = desk.invoices(sold_line)
    refunded = sum(part.refunded for part in count.parts)
    assert invoice.credited == money.share(invoice.amount, refunded, count.sold)
    assert invoice.credited == sum(desk.status(part.return_id).refunded_amount for part in count.parts)
    assert 0 <= invoice.refunded <= invoice.paid
    assert invoice.open_amount >= 0


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    sold=st.integers(1, 7),
    price=st.sampled_from(["0.01", "0.335", "1.99", "3.333333"]),
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.integers(0, 3), st.integers(1, 4)),
        min_size=8,
        max_size=16,
    ),
)
def test_returns_in_any_parts_and_order_never_exceed_what_was_sold_and_paid(
    desk: Desk, sold: int, price: str, steps: list[Step]
) -> None:
    sold_line = desk.delivered(desk.world.item(f"item {next(_numbers)}"), sold, unit_price=price, paid=False)
    count = Count(sold)
    for step in steps:
        take(desk, sold_line, count, step)
    check(desk, sold_line, count)
    finish(desk, sold_line, count)
    [invoice] = desk.invoices(sold_line)
    assert (invoice.credited, invoice.open_amount, invoice.paid - invoice.refunded) == (invoice.amount, 0, 0)
    assert desk.findings() == []


def finish(desk: Desk, sold_line: int, count: Count) -> None:
    """This function will take every unit back and refund it."""
    left = count.sold - sum(part.authorized for part in count.parts)
    if left:
        take(desk, sold_line, count, ("authorize", 0, left))
    for which, part in enumerate(count.parts):
        for verb, open_quantity in (
            ("receive", part.authorized - part.received),
            ("inspect", part.authorized - part.inspected),
            ("refund", part.authorized - part.refunded),
        ):
            if open_quantity:
                take(desk, sold_line, count, (verb, which, open_quantity))
    check(desk, sold_line, count)

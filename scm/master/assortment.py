"""Decisions about what is sold: an item is bought no more, is bought again, or is sold for less.

The status and the price are the item's own, so every plan, page and order that reads them follows. Each decision
carries its reason into the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.documents import Machine
from scm.core.errors import InvalidInput
from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Actor, Role
from scm.master.items import Item, ItemStatus, ItemUnknown

CHUNK = 5000
MACHINE = Machine(
    kind="item",
    initial=ItemStatus.ACTIVE,
    transitions={
        (ItemStatus.ACTIVE, "stop_buying"): ItemStatus.PHASE_OUT,
        (ItemStatus.PHASE_OUT, "buy_again"): ItemStatus.ACTIVE,
    },
)


class ReasonMissing(InvalidInput):
    """Whoever decides about an item must say why."""


class BadMarkdown(InvalidInput):
    """A new price is not below the old one, is negative, or there is no old one."""


def stop_buying(session: Session, item_ids: Sequence[int], *, company_id: int, reason: str, actor: Actor) -> None:
    """This function will let items sell out: no plan buys them again until somebody decides otherwise.

    Raises `ReasonMissing`, `ItemUnknown`, `IllegalTransition`.
    """
    _decide(session, item_ids, "stop_buying", company_id=company_id, reason=reason, actor=actor)


def buy_again(session: Session, item_ids: Sequence[int], *, company_id: int, reason: str, actor: Actor) -> None:
    """This function will let the next plan buy items again. Raises as `stop_buying` does."""
    _decide(session, item_ids, "buy_again", company_id=company_id, reason=reason, actor=actor)


def mark_down(
    session: Session, prices: Mapping[int, Decimal], *, company_id: int, reason: str, actor: Actor
) -> dict[int, Decimal]:
    """This function will lower the sale prices of items, and return what they were.

    Orders that were placed keep theirs. Raises `ReasonMissing`, `BadMarkdown`, `ItemUnknown`.
    """
    actor.require(Role.PLANNER, Role.ADMIN)
    said = _reason(reason)
    found = _lock(session, list(prices), company_id=company_id)
    before: dict[int, Decimal] = {}
    for item_id, price in prices.items():
        item = found[item_id]
        if item.sale_price is None:
            raise BadMarkdown(f"{item.sku} has no sale price to mark down: set one first")
        exponent = price.as_tuple().exponent
        if not price.is_finite() or price < 0 or not isinstance(exponent, int) or -exponent > UNIT_PRICE_PLACES:
            raise BadMarkdown(
                f"{item.sku}: {price} is no price: it needs 0 or more, at most {UNIT_PRICE_PLACES} decimal places"
            )
        if price >= item.sale_price:
            raise BadMarkdown(f"{item.sku} sells for {item.sale_price}: a markdown must be below that, not {price}")
        before[item_id], item.sale_price = item.sale_price, price
        item.assumed = [name for name in item.assumed if name != "sale_price"]  # a person has decided it now
        audit.record(
            session,
            actor=actor,
            verb="item.mark_down",
            document_kind="item",
            document_ids=[item_id],
            before=str(before[item_id]),
            after=str(price),
            reason=said,
        )
    session.flush()
    return before


def _decide(
    session: Session, item_ids: Sequence[int], action: str, *, company_id: int, reason: str, actor: Actor
) -> None:
    actor.require(Role.PLANNER, Role.ADMIN)
    said = _reason(reason)
    for item in _lock(session, item_ids, company_id=company_id).values():
        item.status = MACHINE.advance(item.status, action, number=item.sku)
    session.flush()
    ids = sorted(set(item_ids))
    audit.record(session, actor=actor, verb=f"item.{action}", document_kind="item", document_ids=ids, reason=said)


def _lock(session: Session, item_ids: Sequence[int], *, company_id: int) -> dict[int, Item]:
    wanted = sorted(set(item_ids))
    found: dict[int, Item] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = session.scalars(
            sa.select(Item)
            .where(Item.id.in_(wanted[start : start + CHUNK]), Item.company_id == company_id)
            .order_by(Item.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        found.update((item.id, item) for item in rows)
    for item_id in wanted:
        if item_id not in found:
            raise ItemUnknown(f"there is no item {item_id}")
    return found


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing("a decision about an item needs a reason: whoever reads its history wants to know")
    return reason.strip()

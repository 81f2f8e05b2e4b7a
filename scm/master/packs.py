"""Packs of items: how many base units each holds, and the conversions, which are exact both ways or refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import dialect_insert, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.master import gtin
from scm.master.items import ItemPack


@dataclass(frozen=True, kw_only=True)
class PackRequest:
    """A pack of an item, as somebody wants it."""

    item_id: int
    code: str
    base_units: int
    gtin: str | None = None


class BadPack(InvalidInput):
    """A pack must have a code and hold at least one base unit."""


class NotExact(InvalidInput):
    """A quantity is no whole number of base units, or of packs."""


def to_base_units(quantity: Decimal | int, *, base_units: int) -> int:
    """This function will convert a quantity of packs to base units. Raises `NotExact`.

    >>> to_base_units(Decimal("2.5"), base_units=12)
    30
    """
    exact = Decimal(quantity) * base_units
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise NotExact(f"{quantity} packs of {base_units} are {exact} base units: give a whole number of base units")
    return int(exact)


def to_packs(quantity: int, *, base_units: int) -> int:
    """This function will convert base units to whole packs. Raises `NotExact`.

    >>> to_packs(36, base_units=12)
    3
    """
    packs, rest = divmod(quantity, base_units)
    if rest:
        raise NotExact(
            f"{quantity} base units are no whole number of packs of {base_units}: "
            f"{packs * base_units} or {(packs + 1) * base_units} would be"
        )
    return packs


def set_packs(session: Session, requests: Sequence[PackRequest], *, actor: Actor) -> None:
    """This function will add packs, or give known ones their new content. Raises `BadPack`, `BadGtin`."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    for request in requests:
        if not request.code.strip() or type(request.base_units) is not int or request.base_units < 1:
            raise BadPack(
                f"pack {request.code!r} of item {request.item_id} with {request.base_units!r} base units: "
                "give a code and a whole number above 0"
            )
        if request.gtin is not None:
            gtin.check(request.gtin)
    if requests:
        insert = dialect_insert(session, table_of(ItemPack))
        changed = {name: insert.excluded[name] for name in ("base_units", "gtin")}
        session.execute(
            insert.on_conflict_do_update(index_elements=["item_id", "code"], set_=changed),
            [vars(request) for request in requests],
        )
    audit.record(
        session,
        actor=actor,
        verb="pack.set",
        document_kind="item",
        document_ids=[request.item_id for request in requests],
    )


def of_items(session: Session, item_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """This function will give the packs of items: by item, by code, how many base units they hold."""
    found: dict[int, dict[str, int]] = {}
    statement = sa.select(ItemPack.item_id, ItemPack.code, ItemPack.base_units).where(
        ItemPack.item_id.in_(sorted(set(item_ids)))
    )
    for row in session.execute(statement.order_by(ItemPack.item_id, ItemPack.base_units)):
        found.setdefault(row.item_id, {})[row.code] = row.base_units
    return found

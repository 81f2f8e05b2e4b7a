"""Channels: where orders come from, and what each of them promises: stock set aside, and a clock to ship by.

An order names its channel by its code, which never changes. Its prices are in `scm.sales.pricing`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import currencies
from scm.master.locations import Site
from scm.stock import pools, reservations
from scm.stock.balances import StockPool
from scm.stock.moves import GENERAL_POOL, MoveState, StockMove
from scm.stock.pools import PoolRequest
from scm.stock.reservations import Outcome

KIND = "channel"
OWN_SHOP = "web"  # the code of the channel that every company starts with
KEEPERS = (Role.SALES, Role.ADMIN, Role.SYSTEM)
LONGEST_CODE, LONGEST_NAME, LONGEST_POOL = 40, 120, 20
LONGEST_CLOCK_HOURS = 24 * 60


class ChannelKind(enum.Enum):
    """The shape of a channel: single parcels of many people, bursts of the same few items, or pallets of a dealer."""

    MARKETPLACE = "marketplace"
    LIVE_STREAM = "live_stream"
    DISTRIBUTOR = "distributor"


class Channel(Base):
    """One place where customers order. `ship_by_hours` is the platform's promise; none: it makes none."""

    __tablename__ = "channel"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))  # where its orders are served
    code: Mapped[str] = mapped_column(sa.String(LONGEST_CODE))
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    kind: Mapped[ChannelKind] = mapped_column(types.enum_column(ChannelKind))
    currency: Mapped[str] = mapped_column(sa.String(3))
    prices_with_vat: Mapped[bool]
    pool: Mapped[str] = mapped_column(sa.String(LONGEST_POOL))
    cut_off: Mapped[time | None]  # local time of the site; later orders count as those of the next working day
    ship_by_hours: Mapped[int | None]
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("company_id", "code"),
        sa.CheckConstraint("ship_by_hours IS NULL OR ship_by_hours > 0", name="clock_runs"),
    )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What may change of a channel."""

    name: str
    kind: ChannelKind
    prices_with_vat: bool
    pool: str
    cut_off: time | None
    ship_by_hours: int | None
    retired: bool


class BadChannel(InvalidInput):
    """A channel cannot be like this."""


class ChannelExists(Conflict):
    """There is a channel of that code."""


class ChannelChanged(Conflict):
    """The channel is no longer what somebody believes."""


class PoolInUse(Conflict):
    """A channel cannot leave its pool while stock is set aside there or orders wait for it."""


class NoPool(Conflict):
    """A channel sells from the general pool: nothing can be set aside for it."""


class ChannelUnknown(NotFound):
    """There is no channel of that code."""


def open_own_shop(session: Session, *, company_id: int, site_id: int, actor: Actor) -> int:
    """This function will add the channel that every company starts with: its own shop, without a promise of its own."""
    terms = Terms(
        name="Own shop",
        kind=ChannelKind.MARKETPLACE,
        prices_with_vat=False,
        pool=GENERAL_POOL,
        cut_off=None,
        ship_by_hours=None,
        retired=False,
    )
    return add(session, code=OWN_SHOP, terms=terms, site_id=site_id, company_id=company_id, actor=actor)


def add(session: Session, *, code: str, terms: Terms, site_id: int, company_id: int, actor: Actor) -> int:
    """This function will add a channel whose orders a site serves, priced in the currency of the books.

    Raises `BadChannel`, `ChannelExists`.
    """
    actor.require(*KEEPERS)
    label = f"channel {code[:LONGEST_CODE]!r}"
    if not code.strip() or len(code) > LONGEST_CODE or not code.isprintable() or code != code.strip():
        raise BadChannel(f"{label}: the code needs 1 to {LONGEST_CODE} printable characters, without spaces around it")
    _check(label, terms)
    if session.scalar(sa.select(Site.id).where(Site.id == site_id, Site.company_id == company_id)) is None:
        raise BadChannel(f"{label}: there is no site {site_id}: choose one of the company's")
    same = sa.select(Channel.id).where(Channel.company_id == company_id, Channel.code == code)
    if session.scalar(same) is not None:
        raise ChannelExists(f"{label} exists already: change it instead")
    channel = Channel(
        company_id=company_id,
        site_id=site_id,
        code=code,
        currency=currencies.of_company(session, company_id),
        **(vars(terms) | {"name": terms.name.strip()}),
    )
    session.add(channel)
    session.flush()
    _record(session, "channel.add", channel.id, actor, code=code)
    return channel.id


def change(session: Session, *, code: str, company_id: int, believed: Terms, wanted: Terms, actor: Actor) -> None:
    """This function will change a channel, if it still is what somebody believes; the next orders follow it.

    Raises `ChannelUnknown`, `BadChannel`, `ChannelChanged`, `PoolInUse`.
    """
    actor.require(*KEEPERS)
    channel = lock(session, code=code, company_id=company_id)
    label = f"channel {code!r}"
    _check(label, wanted)
    present = terms_of(channel)
    if present != believed:
        raise ChannelChanged(f"{label} has changed meanwhile: look at it again; nothing was changed")
    if wanted.pool != present.pool or wanted.retired:
        _refuse_in_use(session, channel)
    changes = {
        name: [str(getattr(present, name)), str(getattr(wanted, name))]
        for name in vars(wanted)
        if getattr(present, name) != getattr(wanted, name)
    }
    for name in changes:
        setattr(channel, name, getattr(wanted, name))
    session.flush()
    _record(session, "channel.change", channel.id, actor, changes=changes)


def fill_pool(
    session: Session, *, code: str, requests: Sequence[PoolRequest], company_id: int, actor: Actor, now: datetime
) -> list[Outcome]:
    """This function will set free stock aside for a channel, and promise it to the channel's orders that wait for it.

    Raises `ChannelUnknown`, `NoPool`, `BadTransfer`, `NotFree`.
    """
    actor.require(*KEEPERS)
    channel = _with_pool(session, code=code, company_id=company_id)
    pools.transfer(
        session,
        requests,
        site_id=channel.site_id,
        source_pool=GENERAL_POOL,
        destination_pool=channel.pool,
        reason=f"set aside for channel {code}",
        actor=actor,
        now=now,
    )
    wanted = {request.item_id for request in requests}
    return reservations.fill_backorders(session, item_ids=wanted, site_id=channel.site_id)


def release_pool(
    session: Session, *, code: str, requests: Sequence[PoolRequest], company_id: int, actor: Actor, now: datetime
) -> list[Outcome]:
    """This function will give what was set aside and is not promised back to everybody, and to whoever waits for it.

    Raises `ChannelUnknown`, `NoPool`, `BadTransfer`, `NotFree`.
    """
    actor.require(*KEEPERS)
    channel = _with_pool(session, code=code, company_id=company_id)
    pools.transfer(
        session,
        requests,
        site_id=channel.site_id,
        source_pool=channel.pool,
        destination_pool=GENERAL_POOL,
        reason=f"given back by channel {code}",
        actor=actor,
        now=now,
    )
    wanted = {request.item_id for request in requests}
    return reservations.fill_backorders(session, item_ids=wanted, site_id=channel.site_id)


def find(session: Session, *, code: str, company_id: int) -> Channel:
    """This function will read a channel by its code. Raises `ChannelUnknown`."""
    found = session.scalars(_by_code(code, company_id)).one_or_none()
    if found is None:
        raise ChannelUnknown(f"there is no channel {code[:LONGEST_CODE]!r}: check the code or add the channel")
    return found


def lock(session: Session, *, code: str, company_id: int) -> Channel:
    """This function will lock a channel and read it as it now is. Raises `ChannelUnknown`."""
    statement = _by_code(code, company_id).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise ChannelUnknown(f"there is no channel {code[:LONGEST_CODE]!r}: check the code or add the channel")
    return found


def terms_of(channel: Channel) -> Terms:
    """This function will give what may change of a channel, as it is."""
    return Terms(**{name: getattr(channel, name) for name in Terms.__dataclass_fields__})


def _by_code(code: str, company_id: int) -> sa.Select[Channel]:
    return sa.select(Channel).where(Channel.company_id == company_id, Channel.code == code)


def _with_pool(session: Session, *, code: str, company_id: int) -> Channel:
    channel = lock(session, code=code, company_id=company_id)
    if channel.pool == GENERAL_POOL:
        raise NoPool(f"channel {code!r} sells from the general pool: give it a pool of its own first")
    return channel


def _refuse_in_use(session: Session, channel: Channel) -> None:
    """A pool that nobody sells from would keep its goods from everybody."""
    if channel.pool == GENERAL_POOL:
        return
    kept = session.scalar(
        sa.select(sa.func.sum(StockPool.on_hand)).where(
            StockPool.site_id == channel.site_id, StockPool.pool == channel.pool
        )
    )
    waiting = session.scalar(
        sa.select(sa.func.count())
        .select_from(StockMove)
        .where(StockMove.pool == channel.pool, StockMove.state == MoveState.PLANNED)
    )
    if kept or waiting:
        raise PoolInUse(
            f"channel {channel.code!r}: the pool {channel.pool} holds {kept or 0} units, and {waiting or 0} moves are "
            "planned from it: release what is set aside and finish its orders first"
        )


def _check(label: str, terms: Terms) -> None:
    if not 0 < len(terms.name.strip()) <= LONGEST_NAME or not terms.name.isprintable():
        raise BadChannel(f"{label}: the name needs 1 to {LONGEST_NAME} printable characters")
    if not 0 < len(terms.pool) <= LONGEST_POOL or terms.pool != terms.pool.strip() or not terms.pool.isprintable():
        raise BadChannel(f"{label}: the pool is {terms.pool[:30]!r}: give 1 to {LONGEST_POOL} printable characters")
    if terms.ship_by_hours is not None and not 1 <= terms.ship_by_hours <= LONGEST_CLOCK_HOURS:
        raise BadChannel(f"{label}: ship_by_hours is {terms.ship_by_hours}: give 1 to {LONGEST_CLOCK_HOURS}, or none")


def _record(session: Session, verb: str, channel_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind=KIND, document_ids=[channel_id], **detail)

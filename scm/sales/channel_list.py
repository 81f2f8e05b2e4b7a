"""The list of channels, and one channel as its page shows it: prices, stock set aside, orders that wait. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.listing import Field, Kind, Listing
from scm.master.items import BaseUnit, Item
from scm.master.locations import Site
from scm.sales import channels
from scm.sales.channels import Channel, ChannelKind
from scm.sales.documents import OrderState, SalesOrder
from scm.sales.pricing import ChannelPrice
from scm.stock.balances import StockPool
from scm.stock.moves import GENERAL_POOL

MOST_PRICES = 500
_CHANNELS = Channel.__table__.c


@dataclass(frozen=True, kw_only=True)
class PriceRow:
    """One price of an item, now or to come."""

    sku: str
    name: str
    unit_price: Decimal
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class PoolRow:
    """What is set aside of an item, how much of it is promised, and how much is free for everybody."""

    sku: str
    name: str
    unit: str
    on_hand: int
    reserved: int
    free_for_all: int

    @property
    def free(self) -> int:
        """What can be given back."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, kw_only=True)
class ChannelSheet:
    """A channel with what belongs to it."""

    code: str
    currency: str
    site: str
    terms: channels.Terms
    own_pool: bool
    orders: int
    prices: tuple[PriceRow, ...]
    pool: tuple[PoolRow, ...]


def listing(*, company_id: int) -> Listing:
    """This function will describe the channels of a company."""
    orders = (
        sa.select(sa.func.count())
        .where(SalesOrder.channel == Channel.code, SalesOrder.company_id == Channel.company_id)
        .correlate(Channel)
        .scalar_subquery()
    )
    return Listing(
        name="channels",
        rows=sa.select(Channel.id).join(Site, Site.id == Channel.site_id).where(Channel.company_id == company_id),
        key=_CHANNELS.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=_CHANNELS.code),
            Field(name="name", kind=Kind.TEXT, value=_CHANNELS.name),
            Field(name="kind", kind=Kind.CHOICE, value=_CHANNELS.kind, choices=ChannelKind),
            Field(name="site", kind=Kind.CODE, value=Site.code),
            Field(name="pool", kind=Kind.CODE, value=_CHANNELS.pool),
            Field(name="ship_by_hours", kind=Kind.NUMBER, value=_CHANNELS.ship_by_hours),
            Field(name="orders", kind=Kind.NUMBER, value=orders),
            Field(name="retired", kind=Kind.FLAG, value=_CHANNELS.retired),
        ),
        search=(_CHANNELS.code, _CHANNELS.name),
        order=("code", False),
    )


def sheet(session: Session, *, code: str, company_id: int, today: date) -> ChannelSheet:
    """This function will read a channel with its prices and its pool, in five queries. Raises `ChannelUnknown`."""
    channel = channels.find(session, code=code, company_id=company_id)
    orders = sa.select(sa.func.count()).where(
        SalesOrder.company_id == company_id, SalesOrder.channel == code, SalesOrder.state == OrderState.CONFIRMED
    )
    return ChannelSheet(
        code=channel.code,
        currency=channel.currency,
        site=session.scalars(sa.select(Site.code).where(Site.id == channel.site_id)).one(),
        terms=channels.terms_of(channel),
        own_pool=channel.pool != GENERAL_POOL,
        orders=session.scalars(orders).one(),
        prices=tuple(_prices(session, channel.id, today=today)),
        pool=tuple(_pool(session, channel)) if channel.pool != GENERAL_POOL else (),
    )


def _prices(session: Session, channel_id: int, *, today: date) -> list[PriceRow]:
    rows = session.execute(
        sa.select(Item.sku, Item.name, ChannelPrice.unit_price, ChannelPrice.valid_from, ChannelPrice.valid_until)
        .join(Item, Item.id == ChannelPrice.item_id)
        .where(
            ChannelPrice.channel_id == channel_id,
            sa.or_(ChannelPrice.valid_until.is_(None), ChannelPrice.valid_until >= today),
        )
        .order_by(Item.sku, ChannelPrice.valid_from)
        .limit(MOST_PRICES)
    )
    return [PriceRow(**row._mapping) for row in rows]


def _pool(session: Session, channel: Channel) -> list[PoolRow]:
    general = sa.orm.aliased(StockPool)
    same = (
        general.item_id == StockPool.item_id,
        general.site_id == StockPool.site_id,
        general.owner_id == StockPool.owner_id,
        general.pool == GENERAL_POOL,
    )
    rows = session.execute(
        sa.select(
            Item.sku,
            Item.name,
            BaseUnit.code.label("unit"),
            StockPool.on_hand,
            StockPool.reserved,
            sa.func.coalesce(general.on_hand - general.reserved, 0).label("free_for_all"),
        )
        .join(Item, Item.id == StockPool.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(general, sa.and_(*same))
        .where(StockPool.site_id == channel.site_id, StockPool.pool == channel.pool, StockPool.on_hand > 0)
        .order_by(Item.sku)
    )
    return [PoolRow(**row._mapping) for row in rows]

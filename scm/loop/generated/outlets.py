"""Opens the brand's three channels, with their clocks and their prices, with the product's verbs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal

from sqlalchemy.orm import Session

from scm.core.users import Actor
from scm.loop.generated.catalogue import CatalogueItem
from scm.loop.generated.year import DISTRIBUTORS, LIVE, MARKETPLACE, PRICE_PERCENT
from scm.master.setup import Setup
from scm.sales import channels, pricing
from scm.sales.channels import ChannelKind, Terms
from scm.sales.pricing import PriceRequest
from scm.stock.moves import GENERAL_POOL

CENT = Decimal("0.01")
OUTLETS = {
    MARKETPLACE: Terms(
        name="星橙市集 Xingcheng Market",
        kind=ChannelKind.MARKETPLACE,
        prices_with_vat=True,
        pool=GENERAL_POOL,
        cut_off=time(16),
        ship_by_hours=48,
        retired=False,
    ),
    LIVE: Terms(
        name="禾汀直播间 Heting Live",
        kind=ChannelKind.LIVE_STREAM,
        prices_with_vat=True,
        pool=GENERAL_POOL,
        cut_off=time(16),
        ship_by_hours=72,
        retired=False,
    ),
    DISTRIBUTORS: Terms(
        name="经销商 Distributors",
        kind=ChannelKind.DISTRIBUTOR,
        prices_with_vat=False,
        pool=GENERAL_POOL,
        cut_off=time(12),
        ship_by_hours=None,
        retired=False,
    ),
}


def open_all(
    session: Session,
    items: Sequence[CatalogueItem],
    item_ids: Sequence[int],
    *,
    since: date,
    places: Setup,
    actor: Actor,
) -> None:
    """This function will add the channels, and give every item its price in each from a day on."""
    for code, terms in OUTLETS.items():
        channels.add(session, code=code, terms=terms, site_id=places.site_id, company_id=places.company_id, actor=actor)
        prices = [
            PriceRequest(
                item_id=item_id,
                unit_price=(Decimal(item.price) * PRICE_PERCENT[code] / 100).quantize(CENT),
                valid_from=since,
            )
            for item, item_id in zip(items, item_ids, strict=True)
        ]
        pricing.set_prices(session, code=code, requests=prices, company_id=places.company_id, actor=actor)

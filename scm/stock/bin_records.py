"""The list of a site's places, with how much lies in each."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.listing import Field, Kind, Listing
from scm.master.locations import Location, LocationKind
from scm.stock.balances import StockBalance


def listing(*, site_id: int) -> Listing:
    """This function will describe the list of the places in which goods lie, areas left out."""
    here = sa.and_(StockBalance.location_id == Location.id, StockBalance.on_hand > 0)
    units = sa.select(sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0)).where(here).correlate(Location)
    items = sa.select(sa.func.count(sa.distinct(StockBalance.item_id))).where(here).correlate(Location)
    return Listing(
        name="master_locations",
        rows=sa.select(Location.id).where(Location.site_id == site_id, ~Location.is_area),
        key=Location.__table__.c.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=Location.code),
            Field(name="kind", kind=Kind.CHOICE, value=Location.kind, choices=LocationKind),
            Field(name="pick_sequence", kind=Kind.NUMBER, value=Location.pick_sequence),
            Field(name="items", kind=Kind.NUMBER, value=items.scalar_subquery()),
            Field(name="units", kind=Kind.QUANTITY, value=units.scalar_subquery()),
            Field(name="retired", kind=Kind.FLAG, value=Location.retired),
        ),
        search=(Location.code,),
        order=("code", False),
    )

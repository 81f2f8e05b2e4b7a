"""What the database knows of everything a batch of orders names: items, customers, sites, carriers, earlier orders.

It is read in one round trip for the whole batch, because an order's cost is mostly its round trips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.finance.vat import VatRate
from scm.master.bom import Bom, BomKind, BomState
from scm.master.calendars import ClosedDay, WorkingWeek
from scm.master.companies import Company
from scm.master.items import Item, ItemStatus
from scm.master.lanes import CarrierService
from scm.master.locations import Location, LocationKind, Site
from scm.master.partners import Partner
from scm.sales.channels import Channel
from scm.sales.documents import SalesOrder
from scm.sales.promising import Service, WorkingCalendar

CALENDAR_DAYS = 400  # how far ahead closed days are looked up
ANY_COUNTRY = "*"
KIT = "kit"  # the detail of an item that has a bill of that kind
WITH_VAT = "with VAT"  # the detail of a channel whose prices include it
NO_EXTERNAL_ID = ("", "")  # of no order: a channel has a name


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Where a site's goods go on their way to a customer, and when it works."""

    company_id: int
    currency: str
    area_id: int
    staging_id: int
    delivery_id: int
    customer_location_id: int
    calendar: WorkingCalendar
    has_vat: bool


@dataclass(frozen=True, slots=True)
class Party:
    """An item or customer: its code, whether it may be sold or sold to, and whether an item may be a kit."""

    code: str
    usable: bool
    kit: bool = False


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What a channel says about its orders."""

    usable: bool
    prices_with_vat: bool
    pool: str
    cut_off: time | None
    ship_by_hours: int | None


@dataclass(slots=True)
class Facts:
    """What the database knows of everything a batch of orders names."""

    sites: dict[int, SiteFacts] = field(default_factory=dict)
    items: dict[int, Party] = field(default_factory=dict)
    customers: dict[int, Party] = field(default_factory=dict)
    channels: dict[str, ChannelFacts] = field(default_factory=dict)
    services: dict[tuple[int, int], Service] = field(default_factory=dict)  # by site and customer
    placed: dict[tuple[str, str], str] = field(default_factory=dict)  # order number by channel and external id

    def service_to(self, *, site_id: int, customer_id: int) -> Service:
        """This function will give the carrier service from a site to a customer. Raises `NoWayOut`."""
        service = self.services.get((site_id, customer_id))
        if service is None:
            code = self.customers[customer_id].code
            raise NoWayOut(f"no carrier service goes from site {site_id} to customer {code}: add one for its country")
        return service


class NoWayOut(Conflict):
    """A site lacks a place or a carrier that goods need on their way to the customer."""


def read(
    session: Session,
    *,
    site_ids: Iterable[int],
    customer_ids: Iterable[int],
    channels: Iterable[str],
    item_ids: Iterable[int] = (),
    external_ids: Iterable[tuple[str, str]] = (),
    today: date,
) -> Facts:
    """This function will read everything the checks and promises of a batch need, in one query."""
    wanted = {
        "site_ids": list(site_ids),
        "customer_ids": list(customer_ids),
        "channels": list(channels),
        "item_ids": list(item_ids),
        "external_ids": list(external_ids) or [NO_EXTERNAL_ID],
        "closed_from": today,
        "closed_until": today + timedelta(days=CALENDAR_DAYS),
    }
    facts = Facts()
    for row in session.execute(_STATEMENT, wanted):
        if row.site_id not in facts.sites:
            facts.sites[row.site_id] = _site(row)
        if row.kind == "item":
            facts.items[row.party_id] = Party(row.code, row.usable, row.detail is not None)
        elif row.kind == "customer":
            facts.customers[row.party_id] = Party(row.code, row.usable)
            if row.transit_days is not None:
                facts.services[row.site_id, row.party_id] = Service(row.transit_days, row.cut_off)
        elif row.kind == "channel":
            facts.channels[row.code] = ChannelFacts(
                row.usable, row.detail == WITH_VAT, row.number, row.own_cut_off, row.hours
            )
        elif row.kind == "order":
            facts.placed[row.detail, row.code] = row.number
    return facts


def _parties() -> sa.Subquery:
    """Rows of (kind, id, code, detail, number, usable, cut-off, hours).

    The detail is a customer's country, an order's channel, or whether a channel's prices include VAT; the number is an
    order's, or the pool of a channel.
    """
    nothing = sa.null().cast(sa.String(60))
    no_clock = (sa.null().cast(sa.Time()), sa.null().cast(sa.Integer()))
    customers = sa.select(
        sa.literal("customer").label("kind"),
        Partner.id.label("party_id"),
        Partner.code.label("code"),
        Partner.country.label("detail"),
        nothing.label("number"),
        sa.and_(Partner.is_customer, ~Partner.retired).label("usable"),
        no_clock[0].label("own_cut_off"),
        no_clock[1].label("hours"),
    ).where(Partner.id.in_(sa.bindparam("customer_ids", expanding=True)))
    is_kit = sa.exists().where(Bom.item_id == Item.id, Bom.kind == BomKind.KIT, Bom.state == BomState.APPROVED)
    kit = sa.case((is_kit, KIT))
    items = sa.select(
        sa.literal("item"), Item.id, Item.sku, kit, nothing, Item.status != ItemStatus.RETIRED, *no_clock
    ).where(Item.id.in_(sa.bindparam("item_ids", expanding=True)))
    channels = sa.select(
        sa.literal("channel"),
        Channel.id,
        Channel.code,
        sa.case((Channel.prices_with_vat, WITH_VAT)),
        Channel.pool,
        ~Channel.retired,
        Channel.cut_off,
        Channel.ship_by_hours,
    ).where(Channel.code.in_(sa.bindparam("channels", expanding=True)))
    orders = sa.select(
        sa.literal("order"),
        SalesOrder.id,
        SalesOrder.external_id,
        SalesOrder.channel,
        SalesOrder.number,
        sa.true(),
        *no_clock,
    ).where(sa.tuple_(SalesOrder.channel, SalesOrder.external_id).in_(sa.bindparam("external_ids", expanding=True)))
    parts: list[sa.Select[*tuple[Any, ...]]] = [customers, items, channels, orders]
    return sa.union_all(*parts).subquery()


def _service(wanted: sa.orm.InstrumentedAttribute[Any], parties: sa.Subquery) -> sa.Label[Any]:
    """A customer's country has its own service, or the one to every other country serves it."""
    best = (
        sa.select(wanted)
        .where(
            CarrierService.site_id == Site.id,
            ~CarrierService.retired,
            CarrierService.country.in_([ANY_COUNTRY, sa.func.coalesce(parties.c.detail, ANY_COUNTRY)]),
        )
        .order_by(CarrierService.country == ANY_COUNTRY, CarrierService.id)
        .limit(1)
        .correlate_except(CarrierService)
        .scalar_subquery()
    )
    return sa.case((parties.c.kind == "customer", best)).label(wanted.key)


def _place(kind: LocationKind, *, of_site: bool, area: bool = False) -> sa.Label[Any]:
    found = (
        sa.select(sa.func.min(Location.id))
        .where(
            Location.company_id == Site.company_id,
            Location.site_id == Site.id if of_site else Location.site_id.is_(None),
            Location.kind == kind,
            Location.is_area == area,
            ~Location.retired,
        )
        .correlate(Site)
    )
    return found.scalar_subquery().label(f"{kind.value}_id")


def _statement() -> sa.Select[*tuple[Any, ...]]:
    """Built once: putting it together costs more than sending it."""
    weekdays = sa.select(sa.func.aggregate_strings(sa.cast(WorkingWeek.weekday, sa.String), ",")).where(
        WorkingWeek.site_id == Site.id, ~WorkingWeek.works
    )
    dates = sa.select(sa.func.aggregate_strings(sa.cast(ClosedDay.closed_date, sa.String), ",")).where(
        ClosedDay.site_id == Site.id,
        ClosedDay.closed_date.between(sa.bindparam("closed_from"), sa.bindparam("closed_until")),
    )
    parties = _parties()
    return (
        sa.select(
            Site.id.label("site_id"),
            Site.company_id.label("company_id"),
            Site.code.label("site_code"),
            Site.zone.label("zone"),
            Company.currency.label("currency"),
            sa.exists().where(VatRate.company_id == Company.id).label("has_vat"),
            _place(LocationKind.STORAGE, of_site=True, area=True),
            _place(LocationKind.STAGING, of_site=True),
            _place(LocationKind.DELIVERY, of_site=False),
            _place(LocationKind.CUSTOMER, of_site=False),
            weekdays.correlate(Site).scalar_subquery().label("closed_weekdays"),
            dates.correlate(Site).scalar_subquery().label("closed_dates"),
            parties,
            _service(CarrierService.transit_days, parties),
            _service(CarrierService.cut_off, parties),
        )
        .select_from(sa.join(Site, Company, Company.id == Site.company_id).join(parties, sa.true(), isouter=True))
        .where(Site.id.in_(sa.bindparam("site_ids", expanding=True)))
    )


_STATEMENT = _statement()


def _site(row: sa.Row[*tuple[Any, ...]]) -> SiteFacts:
    for kind in (LocationKind.STORAGE, LocationKind.STAGING, LocationKind.DELIVERY, LocationKind.CUSTOMER):
        if getattr(row, f"{kind.value}_id") is None:
            raise NoWayOut(f"site {row.site_code} has no location of kind {kind.value}: add one")
    return SiteFacts(
        company_id=row.company_id,
        currency=row.currency,
        area_id=row.storage_id,
        staging_id=row.staging_id,
        delivery_id=row.delivery_id,
        customer_location_id=row.customer_id,
        calendar=WorkingCalendar(
            row.site_code,
            row.zone,
            frozenset(int(day) for day in (row.closed_weekdays or "").split(",") if day),
            frozenset(date.fromisoformat(day) for day in (row.closed_dates or "").split(",") if day),
        ),
        has_vat=row.has_vat,
    )

"""Which carrier service an order leaves by: the one to its customer's country, or the one to every other country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.lanes import CarrierService
from scm.master.partners import Partner

ANY_COUNTRY = "*"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a carrier from a site, and the local time by which its parcels must be ready."""

    id: int
    code: str
    carrier: str
    country: str
    cut_off: time
    transit_days: int

    @property
    def ready_by(self) -> str:
        """The cut-off as a clock shows it."""
        return f"{self.cut_off:%H:%M}"

    def minutes_left(self, *, now: datetime, zone: str) -> int:
        """How many minutes are left until today's cut-off in the site's zone; below 0 when it has passed.

        >>> from datetime import UTC
        >>> parcel = Service(1, "parcel", "Carrier", "*", time(16), 2)
        >>> parcel.minutes_left(now=datetime(2026, 7, 1, 13, 30, tzinfo=UTC), zone="Europe/London")
        90
        """
        local = now.astimezone(ZoneInfo(zone))
        return (self.cut_off.hour - local.hour) * 60 + self.cut_off.minute - local.minute


def of_site(session: Session, *, site_id: int) -> Sequence[Service]:
    """This function will list the services that leave from a site, the earliest cut-off first."""
    rows = session.execute(
        sa.select(
            CarrierService.id,
            CarrierService.code,
            Partner.name,
            CarrierService.country,
            CarrierService.cut_off,
            CarrierService.transit_days,
        )
        .join(Partner, Partner.id == CarrierService.partner_id)
        .where(CarrierService.site_id == site_id, ~CarrierService.retired)
        .order_by(CarrierService.cut_off, CarrierService.id)
    )
    return [Service(*row) for row in rows]


def to_customer(customer: type[Partner], *, site_id: int) -> sa.ScalarSelect[int]:
    """This function will give the SQL for the id of the service from a site to the customer of an outer query."""
    return (
        sa.select(CarrierService.id)
        .where(
            CarrierService.site_id == site_id,
            ~CarrierService.retired,
            CarrierService.country.in_([ANY_COUNTRY, sa.func.coalesce(customer.country, ANY_COUNTRY)]),
        )
        .order_by(CarrierService.country == ANY_COUNTRY, CarrierService.id)
        .limit(1)
        .correlate(customer)
        .scalar_subquery()
    )

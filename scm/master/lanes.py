"""Carriers' services: transit days and the daily cut-off by which a parcel must be ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.partners import Partner

LONGEST_TRANSIT_DAYS = 365
LARGEST_COST = 10**9


class CarrierService(Base):
    """One service of one carrier from one site to one country ('*' is every other country)."""

    __tablename__ = "carrier_service"

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    code: Mapped[str] = mapped_column(sa.String(30))
    country: Mapped[str] = mapped_column(sa.String(60), default="*")
    transit_days: Mapped[int]
    cut_off: Mapped[time]
    parcel_cost: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")  # minor units
    retired: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    __table_args__ = (
        sa.UniqueConstraint("site_id", "code", "country"),
        sa.CheckConstraint("transit_days >= 0", name="transit_not_negative"),
        sa.CheckConstraint("parcel_cost >= 0", name="cost_not_negative"),
    )


@dataclass(frozen=True, kw_only=True)
class ServiceRequest:
    """A service of a carrier, named by its code, that somebody wants to add."""

    carrier: str
    code: str
    country: str
    transit_days: int
    cut_off: time
    parcel_cost: int = 0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What may change of a service. `parcel_cost` is what a parcel costs, in minor units of the company's currency."""

    transit_days: int
    cut_off: time
    retired: bool
    parcel_cost: int = 0


class BadService(InvalidInput):
    """A service cannot be like this."""


class ServiceExists(Conflict):
    """The site has a service of that code to that country already."""


class ServiceChanged(Conflict):
    """The service is no longer what somebody believes."""


class CarrierUnknown(NotFound):
    """There is no carrier of that code, or no service of that id at the site."""


def add(session: Session, request: ServiceRequest, *, site_id: int, company_id: int, actor: Actor) -> int:
    """This function will add a service from a site. Raises `CarrierUnknown`, `BadService`, `ServiceExists`."""
    actor.require(Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    label = f"service {request.code[:40]!r} to {request.country[:60]!r}"
    if not 0 < len(request.code.strip()) <= 30 or not 0 < len(request.country.strip()) <= 60:
        raise BadService(f"{label}: give a code of 1 to 30 characters, and a country or *")
    _refuse_transit(label, request.transit_days)
    _refuse_cost(label, request.parcel_cost)
    partner_id = session.scalar(
        sa.select(Partner.id).where(
            Partner.company_id == company_id, Partner.code == request.carrier, Partner.is_carrier, ~Partner.retired
        )
    )
    if partner_id is None:
        raise CarrierUnknown(f"there is no carrier {request.carrier[:40]!r}: add the partner first")
    same = sa.and_(
        CarrierService.site_id == site_id,
        CarrierService.code == request.code.strip(),
        CarrierService.country == request.country.strip(),
    )
    if session.scalar(sa.select(CarrierService.id).where(same)) is not None:
        raise ServiceExists(f"{label} exists already: change it instead")
    service = CarrierService(
        partner_id=partner_id,
        site_id=site_id,
        code=request.code.strip(),
        country=request.country.strip(),
        transit_days=request.transit_days,
        cut_off=request.cut_off,
        parcel_cost=request.parcel_cost,
        retired=False,
    )
    session.add(service)
    session.flush()
    _record(session, "carrier_service.add", service.id, actor, code=service.code, country=service.country)
    return service.id


def change(session: Session, *, service_id: int, site_id: int, believed: Terms, wanted: Terms, actor: Actor) -> None:
    """This function will change a service, if it still is what somebody believes; the next promises follow it.

    Raises `CarrierUnknown`, `BadService`, `ServiceChanged` with what it is now.
    """
    actor.require(Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    service = session.scalars(
        sa.select(CarrierService)
        .where(CarrierService.id == service_id, CarrierService.site_id == site_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if service is None:
        raise CarrierUnknown(f"there is no carrier service {service_id} at this site")
    label = f"service {service.code} to {service.country}"
    _refuse_transit(label, wanted.transit_days)
    _refuse_cost(label, wanted.parcel_cost)
    present = Terms(
        transit_days=service.transit_days,
        cut_off=service.cut_off,
        retired=service.retired,
        parcel_cost=service.parcel_cost,
    )
    if present != believed:
        raise ServiceChanged(
            f"{label} has changed meanwhile: it takes {present.transit_days} days, parcels are ready by "
            f"{present.cut_off:%H:%M}{', and it is retired' if present.retired else ''}; nothing was changed"
        )
    changes = {
        name: [str(getattr(present, name)), str(getattr(wanted, name))]
        for name in vars(wanted)
        if getattr(present, name) != getattr(wanted, name)
    }
    service.transit_days, service.cut_off, service.retired = wanted.transit_days, wanted.cut_off, wanted.retired
    service.parcel_cost = wanted.parcel_cost
    session.flush()
    _record(session, "carrier_service.change", service_id, actor, changes=changes)


def _refuse_transit(label: str, transit_days: int) -> None:
    if not 0 <= transit_days <= LONGEST_TRANSIT_DAYS:
        raise BadService(f"{label}: transit_days is {transit_days}: give 0 to {LONGEST_TRANSIT_DAYS}")


def _refuse_cost(label: str, parcel_cost: int) -> None:
    if not 0 <= parcel_cost <= LARGEST_COST:
        raise BadService(f"{label}: parcel_cost is {parcel_cost}: give 0 to {LARGEST_COST} of the smallest coin")


def _record(session: Session, verb: str, service_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="carrier_service", document_ids=[service_id], **detail)

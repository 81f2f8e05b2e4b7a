"""The first rows of a company: its site, places, users, carrier and working week.

Everything else presumes that these rows exist. A database holds one company for now, so a second one is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, users
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import companies, sites
from scm.master.companies import Company
from scm.master.items import BaseUnit
from scm.master.lanes import CarrierService
from scm.master.locations import VALUED, Location, LocationKind, Site
from scm.master.partners import Partner
from scm.master.sites import MONDAY_TO_FRIDAY

SITE_CODE = "MAIN"
TRANSIT_DAYS = 3
CUT_OFF = time(16, 0)
LONGEST_CODE, LONGEST_NAME = 20, 100  # the name of its site is made from its own

# Whoever acts needs a name. Each default user has the one role that is its name.
DEFAULT_USERS: Mapping[str, Role] = {
    role.value: role
    for role in (
        Role.PLANNER,
        Role.BUYER,
        Role.APPROVER,
        Role.WAREHOUSE,
        Role.PRODUCTION,
        Role.RETURNS,
        Role.SALES,
        Role.ADMIN,
        Role.SYSTEM,
    )
}
# The places outside a building that belong to the whole company. Goods on their way between its sites are its own.
COMPANY_PLACES = (
    LocationKind.TRANSIT,
    LocationKind.SUPPLIER,
    LocationKind.CUSTOMER,
    LocationKind.DELIVERY,
    LocationKind.SCRAP,
    LocationKind.ADJUSTMENT,
)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The ids of the rows every room starts from, at the first site.

    `users` are the default users by name, as far as they are active.
    """

    company_id: int
    currency: str
    zone: str
    site_id: int
    base_unit_id: int
    area_id: int
    bin_ids: tuple[int, ...]
    dock_id: int
    staging_id: int
    returns_id: int
    quarantine_id: int
    production_id: int
    supplier_location_id: int
    customer_location_id: int
    delivery_location_id: int
    scrap_location_id: int
    adjustment_location_id: int
    carrier_id: int
    carrier_service_id: int
    users: Mapping[str, Actor]


class CompanyExists(Conflict):
    """The database holds a company already."""


class BadCompany(InvalidInput):
    """A figure of the new company cannot be used."""


def create_company(
    session: Session,
    *,
    code: str,
    name: str,
    currency: str,
    zone: str,
    simulated: bool,
    actor_now: datetime,
    generated: bool = False,
    go_live_date: date | None = None,
    bin_count: int = 50,
    working_weekdays: Iterable[int] = MONDAY_TO_FRIDAY,
    display_names: Mapping[str, str] | None = None,
) -> Setup:
    """This function will create the company with a site, places, users, a carrier and a working week.

    `actor_now` is the instant the users are created; a simulated company starts at its go-live date. Weekdays count
    from Monday, 0. `display_names` gives default users the names of people. Raises `CompanyExists`, `BadCompany`.
    """
    _refuse(session, code=code, name=name, currency=currency, zone=zone, bin_count=bin_count)
    company = Company(
        code=code,
        name=name,
        currency=currency,
        zone=zone,
        simulated=simulated,
        generated=generated,
        business_date=go_live_date if simulated else None,
        go_live_date=go_live_date,
    )
    session.add(company)
    session.flush()
    site = Site(company_id=company.id, code=SITE_CODE, name=f"{name}, main site", zone=zone)
    session.add_all([site, BaseUnit(code="pc", name="piece")])
    session.flush()
    sites.lay_out(session, site, bin_count=bin_count, bin_prefix="BIN", works=working_weekdays)
    _add_places(session, company_id=company.id)
    _add_carrier(session, company_id=company.id, site_id=site.id)
    names = display_names or {}
    for username, role in DEFAULT_USERS.items():
        display_name = names.get(username, username.capitalize())
        users.add(session, username=username, display_name=display_name, roles=frozenset({role}), now=actor_now)
    session.flush()
    created = load(session)
    audit.record(
        session,
        actor=created.users["system"],
        verb="company.create",
        document_kind="company",
        document_ids=[company.id],
        code=code,
        simulated=simulated,
    )
    return created


def load(session: Session) -> Setup:
    """This function will read the ids again in a later transaction. Raises `CompanyMissing`."""
    company = companies.only(session)
    site_id = session.scalars(sa.select(Site.id).where(Site.company_id == company.id).order_by(Site.id)).first()
    assert site_id is not None, f"company {company.code} has no site"
    rows = session.execute(
        sa.select(Location.id, Location.kind, Location.is_area)
        .where(
            Location.company_id == company.id,
            sa.or_(Location.site_id == site_id, Location.site_id.is_(None)),
            ~Location.retired,
        )
        .order_by(Location.pick_sequence, Location.id)
    ).all()
    first = {(row.kind, row.is_area): row.id for row in reversed(rows)}
    service = session.execute(
        sa.select(CarrierService.id, CarrierService.partner_id)
        .where(CarrierService.site_id == site_id)
        .order_by(CarrierService.id)
        .limit(1)
    ).one()
    unit_id = session.scalars(sa.select(BaseUnit.id).order_by(BaseUnit.id).limit(1)).one()
    return Setup(
        company_id=company.id,
        currency=company.currency,
        zone=company.zone,
        site_id=site_id,
        base_unit_id=unit_id,
        area_id=first[LocationKind.STORAGE, True],
        bin_ids=tuple(row.id for row in rows if row.kind is LocationKind.STORAGE and not row.is_area),
        dock_id=first[LocationKind.DOCK, False],
        staging_id=first[LocationKind.STAGING, False],
        returns_id=first[LocationKind.RETURNS, False],
        quarantine_id=first[LocationKind.QUARANTINE, False],
        production_id=first[LocationKind.PRODUCTION, False],
        supplier_location_id=first[LocationKind.SUPPLIER, False],
        customer_location_id=first[LocationKind.CUSTOMER, False],
        delivery_location_id=first[LocationKind.DELIVERY, False],
        scrap_location_id=first[LocationKind.SCRAP, False],
        adjustment_location_id=first[LocationKind.ADJUSTMENT, False],
        carrier_id=service.partner_id,
        carrier_service_id=service.id,
        users=users.actors(session, usernames=DEFAULT_USERS),
    )


def _refuse(session: Session, *, code: str, name: str, currency: str, zone: str, bin_count: int) -> None:
    existing = session.scalars(sa.select(Company.name).limit(1)).one_or_none()
    if existing is not None:
        raise CompanyExists(f"this database already holds {existing}: use another database for another company")
    for field, text, longest in (("code", code, LONGEST_CODE), ("name", name, LONGEST_NAME)):
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise BadCompany(f"{field} is {text[:40]!r}: give 1 to {longest} printable characters")
    if len(currency) != 3 or not currency.isalpha() or currency != currency.upper():
        raise BadCompany(f"currency is {currency!r}: give the three capital letters of ISO 4217, for example GBP")
    if bin_count < 1:
        raise BadCompany(f"bin_count is {bin_count}: a site needs at least 1 bin")
    if not sites.is_zone(zone):
        raise BadCompany(f"zone is {zone!r}: give a name such as Europe/London")


def _add_places(session: Session, *, company_id: int) -> None:
    rows = [
        {
            "company_id": company_id,
            "site_id": None,
            "code": kind.name,
            "kind": kind,
            "is_area": False,
            "pick_sequence": 0,
            "valued": kind in VALUED,
            "retired": False,
        }
        for kind in COMPANY_PLACES
    ]
    session.execute(sa.insert(Location), rows)


def _add_carrier(session: Session, *, company_id: int, site_id: int) -> None:
    carrier = Partner(company_id=company_id, code="CARRIER", name="Parcel carrier", is_carrier=True)
    session.add(carrier)
    session.flush()
    session.add(
        CarrierService(
            partner_id=carrier.id,
            site_id=site_id,
            code="STANDARD",
            country="*",
            transit_days=TRANSIT_DAYS,
            cut_off=CUT_OFF,
        )
    )

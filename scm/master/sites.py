"""Sites of the company: each is added with its places, its working week and its carriers' services.

The first one comes with the company; `scm.master.setup` lays it out by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.listing import Field, Kind, Listing
from scm.core.users import Actor, Role
from scm.master.calendars import WorkingWeek
from scm.master.lanes import CarrierService
from scm.master.locations import VALUED, Location, LocationKind, Site

MONDAY_TO_FRIDAY = frozenset(range(5))
LONGEST_CODE, LONGEST_NAME, MOST_BINS = 12, 120, 100_000
# Places a site has one of.
SITE_PLACES = (
    LocationKind.DOCK,
    LocationKind.STAGING,
    LocationKind.RETURNS,
    LocationKind.QUARANTINE,
    LocationKind.PRODUCTION,
)


@dataclass(frozen=True, kw_only=True)
class SiteRequest:
    """A site somebody wants to open. Weekdays count from Monday, 0; its bins stand in one row, for a start."""

    code: str
    name: str
    zone: str
    bin_count: int = 50
    working_weekdays: Iterable[int] = MONDAY_TO_FRIDAY


class BadSite(InvalidInput):
    """A figure of a new site cannot be used."""


class SiteExists(Conflict):
    """The company has a site of that code, or a place that would be called like one of the new site."""


def add(session: Session, request: SiteRequest, *, company_id: int, actor: Actor) -> int:
    """This function will open a site with its places, working week and the services of the first site's carriers.

    Raises `BadSite`, `SiteExists`.
    """
    actor.require(Role.ADMIN, Role.SYSTEM)
    code = request.code.strip().upper()
    _refuse(request, code)
    first = session.scalar(sa.select(sa.func.min(Site.id)).where(Site.company_id == company_id))
    taken = session.scalar(sa.select(Site.code).where(Site.company_id == company_id, Site.code == code))
    if taken is None:
        taken = session.scalar(
            sa.select(Location.code)
            .where(Location.company_id == company_id)
            .where(sa.or_(Location.code == code, Location.code.startswith(f"{code}-", autoescape=True)))
            .limit(1)
        )
    if taken is not None:
        raise SiteExists(f"{taken} exists already: choose another code than {code}")
    site = Site(company_id=company_id, code=code, name=request.name.strip(), zone=request.zone)
    session.add(site)
    session.flush()
    lay_out(session, site, bin_count=request.bin_count, bin_prefix=f"{code}-BIN", works=request.working_weekdays)
    services = sa.select(CarrierService).where(CarrierService.site_id == first, ~CarrierService.retired)
    for service in session.scalars(services.order_by(CarrierService.id)).all():
        session.add(
            CarrierService(
                partner_id=service.partner_id,
                site_id=site.id,
                code=service.code,
                country=service.country,
                transit_days=service.transit_days,
                cut_off=service.cut_off,
                parcel_cost=service.parcel_cost,
                retired=False,
            )
        )
    session.flush()
    audit.record(session, actor=actor, verb="site.add", document_kind="site", document_ids=[site.id], code=code)
    return site.id


def lay_out(session: Session, site: Site, *, bin_count: int, bin_prefix: str, works: Iterable[int]) -> None:
    """This function will give a new site its storage area, bins, other places and working week."""
    rows = [(site.code, LocationKind.STORAGE, True, 0)]
    rows += [(f"{site.code}-{kind.name}", kind, False, 0) for kind in SITE_PLACES]
    rows += [(f"{bin_prefix}-{number:04d}", LocationKind.STORAGE, False, number) for number in range(1, bin_count + 1)]
    session.execute(
        sa.insert(Location),
        [
            {
                "company_id": site.company_id,
                "site_id": site.id,
                "code": code,
                "kind": kind,
                "is_area": is_area,
                "pick_sequence": sequence,
                "valued": kind in VALUED,
                "retired": False,
            }
            for code, kind, is_area, sequence in rows
        ],
    )
    open_days = frozenset(works)
    session.add_all(WorkingWeek(site_id=site.id, weekday=day, works=day in open_days) for day in range(7))


def all_of(session: Session, *, company_id: int) -> list[Site]:
    """This function will list the company's sites, the first one first."""
    return list(session.scalars(sa.select(Site).where(Site.company_id == company_id).order_by(Site.id)))


def listing(*, company_id: int) -> Listing:
    """This function will describe the list of sites."""
    bins = (
        sa.select(sa.func.count())
        .where(
            Location.site_id == Site.id,
            Location.kind == LocationKind.STORAGE,
            ~Location.is_area,
            ~Location.retired,
        )
        .correlate(Site)
        .scalar_subquery()
    )
    return Listing(
        name="master_sites",
        rows=sa.select(Site.id).where(Site.company_id == company_id),
        key=Site.__table__.c.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=Site.code),
            Field(name="name", kind=Kind.TEXT, value=Site.name),
            Field(name="zone", kind=Kind.CODE, value=Site.zone),
            Field(name="bins", kind=Kind.NUMBER, value=bins),
        ),
        search=(Site.code, Site.name),
        order=("code", False),
    )


def is_zone(name: str) -> bool:
    """This function will tell whether a time zone of that name is known."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is no zone
        return False
    return True


def _refuse(request: SiteRequest, code: str) -> None:
    if not 0 < len(code) <= LONGEST_CODE or not (code.isascii() and code.replace("-", "").isalnum()):
        raise BadSite(f"code is {request.code[:40]!r}: give 1 to {LONGEST_CODE} letters and digits, for example NORTH")
    if not 0 < len(request.name.strip()) <= LONGEST_NAME or not request.name.isprintable():
        raise BadSite(f"name is {request.name[:40]!r}: give 1 to {LONGEST_NAME} printable characters")
    if not is_zone(request.zone):
        raise BadSite(f"zone is {request.zone[:40]!r}: give a name such as Europe/London")
    if not 1 <= request.bin_count <= MOST_BINS:
        raise BadSite(f"bin_count is {request.bin_count}: a site has 1 to {MOST_BINS} bins")

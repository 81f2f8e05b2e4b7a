"""Sites and locations, physical and virtual: everything a stock move can come from or go to."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, dialect_insert, table_of
from scm.core.errors import NotFound


class LocationKind(enum.Enum):
    """What a location is for. Only the physical kinds have balance rows."""

    STORAGE = "storage"
    DOCK = "dock"
    STAGING = "staging"
    TRANSIT = "transit"
    DELIVERY = "delivery"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    PRODUCTION = "production"
    PARTNER = "partner"
    RETURNS = "returns"
    QUARANTINE = "quarantine"
    SCRAP = "scrap"
    ADJUSTMENT = "adjustment"


PHYSICAL = frozenset(
    {
        LocationKind.STORAGE,
        LocationKind.DOCK,
        LocationKind.STAGING,
        LocationKind.TRANSIT,
        LocationKind.RETURNS,
        LocationKind.QUARANTINE,
        LocationKind.PARTNER,  # ours, in the building of somebody who makes something of it
    }
)
# Sold goods leave the books when they leave the building, so DELIVERY is neither valued nor counted.
VALUED = PHYSICAL


class Site(Base):
    """A place with stock and a demand of its own."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(sa.String(20))
    name: Mapped[str] = mapped_column(sa.String(120))
    zone: Mapped[str] = mapped_column(sa.String(40))

    __table_args__ = (sa.UniqueConstraint("company_id", "code"),)


class Location(Base):
    """A place goods can be. A storage *area* holds nothing itself: it stands for the bins below it in plans."""

    __tablename__ = "location"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[LocationKind] = mapped_column(types.enum_column(LocationKind))
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))  # in whose building it is
    is_area: Mapped[bool] = mapped_column(default=False)
    valued: Mapped[bool]
    pick_sequence: Mapped[int] = mapped_column(default=0)
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("company_id", "code"),
        sa.CheckConstraint("NOT is_area OR kind = 'storage'", name="only_storage_has_areas"),
        sa.CheckConstraint("(kind = 'partner') = (partner_id IS NOT NULL)", name="partners_place_names_them"),
        sa.Index(
            "uq_location_one_of_partner",
            "partner_id",
            unique=True,
            sqlite_where=sa.text("partner_id IS NOT NULL"),
            postgresql_where=sa.text("partner_id IS NOT NULL"),
        ),
    )


class LocationUnknown(NotFound):
    """There is no such location."""


def of_kind(session: Session, *, kind: LocationKind, site_id: int | None, area: bool = False) -> int:
    """This function will give the first location of a kind at a site (virtual ones: `site_id=None`).

    Raises `LocationUnknown`.
    """
    found = session.scalar(
        sa.select(Location.id)
        .where(Location.kind == kind, Location.site_id == site_id, Location.is_area == area, ~Location.retired)
        .order_by(Location.id)
        .limit(1)
    )
    if found is None:
        place = "the company" if site_id is None else f"site {site_id}"
        raise LocationUnknown(f"{place} has no {'area' if area else 'location'} of kind {kind.value}: add one")
    return found


def of_partner(session: Session, *, partner_id: int, company_id: int) -> int:
    """This function will give the place of our goods in a partner's building, making it when it is the first."""
    wanted = sa.select(Location.id).where(Location.partner_id == partner_id)
    found = session.scalar(wanted)
    if found is None:
        code = f"PARTNER-{partner_id}"
        new = {
            "company_id": company_id,
            "site_id": None,
            "code": code,
            "kind": LocationKind.PARTNER,
            "partner_id": partner_id,
            "is_area": False,
            "valued": True,
            "pick_sequence": 0,
            "retired": False,
        }
        # Two who send there at once make one place: the second finds the row of the first.
        session.execute(dialect_insert(session, table_of(Location)).values(new).on_conflict_do_nothing())
        found = session.execute(wanted).scalar_one()
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What the ledger must know of a location. These facts never change once the location exists."""

    id: int
    site_id: int | None
    code: str
    kind: LocationKind
    is_area: bool
    valued: bool

    @property
    def physical(self) -> bool:
        """Whether goods there are counted in balance rows."""
        return self.kind in PHYSICAL

    @property
    def promisable(self) -> bool:
        """Whether goods there can be promised to customers."""
        return self.kind is LocationKind.STORAGE


_READ = "places_read"
_known: WeakKeyDictionary[Any, dict[int, Place]] = WeakKeyDictionary()


def places(session: Session, location_ids: Iterable[int]) -> dict[int, Place]:
    """This function will give the facts of locations, remembered per engine. Raises `LocationUnknown`."""
    known = _known.setdefault(session.get_bind().engine, {})
    read: dict[int, Place] = session.info.setdefault(_READ, {})
    wanted = set(location_ids)
    missing = sorted(wanted - known.keys() - read.keys())
    if missing:
        rows = session.execute(
            sa.select(
                Location.id, Location.site_id, Location.code, Location.kind, Location.is_area, Location.valued
            ).where(Location.id.in_(missing))
        )
        found = {row.id: Place(*row) for row in rows}
        absent = [location_id for location_id in missing if location_id not in found]
        if absent:
            raise LocationUnknown(f"there is no location {absent[0]}")
        read.update(found)
    return {location_id: known[location_id] if location_id in known else read[location_id] for location_id in wanted}


@event.listens_for(Session, "after_commit")
def _remember(session: Session) -> None:
    """Only what is committed is remembered: the id of a location that was rolled back may be given again."""
    read = session.info.pop(_READ, None)
    if read:
        _known.setdefault(session.get_bind().engine, {}).update(read)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_READ, None)

"""Lanes between the company's own sites: how long goods are on the way, and what sending them once costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from scm.core import audit
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.listing import Field, Kind, Listing
from scm.core.users import Actor, Role
from scm.master.locations import Site

LONGEST_TRANSIT_DAYS, LARGEST_COST, LAST_PRIORITY = 365, 10**12, 999


class TransferLane(Base):
    """The way from one site to another. `joint_cost` is what one transfer costs, in minor units of the company's
    currency, whatever it carries. The lane of the lowest priority is asked first."""

    __tablename__ = "transfer_lane"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    to_site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    transit_days: Mapped[int]
    joint_cost: Mapped[int] = mapped_column(sa.BigInteger)
    priority: Mapped[int]
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("from_site_id", "to_site_id"),
        sa.CheckConstraint("from_site_id <> to_site_id", name="goes_elsewhere"),
        sa.CheckConstraint("transit_days >= 0", name="transit_not_negative"),
        sa.CheckConstraint("joint_cost >= 0", name="cost_not_negative"),
        sa.CheckConstraint("priority >= 1", name="priorities_count_from_one"),
    )


@dataclass(frozen=True, kw_only=True)
class LaneTerms:
    """What may change of a lane."""

    transit_days: int
    joint_cost: int
    priority: int
    retired: bool = False


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A lane in use, as plans and transfers read it."""

    id: int
    from_site_id: int
    to_site_id: int
    transit_days: int
    joint_cost: int
    priority: int


class BadLane(InvalidInput):
    """A lane cannot be like this."""


class LaneExists(Conflict):
    """There is a lane between the two sites already."""


class LaneChanged(Conflict):
    """The lane is no longer what somebody believes."""


class LaneUnknown(NotFound):
    """There is no such lane, or no site of that code."""


def add(session: Session, *, from_code: str, to_code: str, terms: LaneTerms, company_id: int, actor: Actor) -> int:
    """This function will open a lane between two sites, named by their codes.

    Raises `LaneUnknown`, `BadLane`, `LaneExists`.
    """
    actor.require(Role.PLANNER, Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    label = f"lane {from_code[:20]} to {to_code[:20]}"
    _refuse(label, terms)
    rows = session.execute(
        sa.select(Site.code, Site.id).where(Site.company_id == company_id, Site.code.in_([from_code, to_code]))
    )
    ids = {row.code: row.id for row in rows}
    for code in (from_code, to_code):
        if code not in ids:
            raise LaneUnknown(f"there is no site {code[:20]!r}: add it first")
    if from_code == to_code:
        raise BadLane(f"{label}: a lane leads to another site: choose two")
    ends = sa.and_(TransferLane.from_site_id == ids[from_code], TransferLane.to_site_id == ids[to_code])
    if session.scalar(sa.select(TransferLane.id).where(ends)) is not None:
        raise LaneExists(f"{label} exists already: change it instead")
    lane = TransferLane(from_site_id=ids[from_code], to_site_id=ids[to_code], **vars(terms))
    session.add(lane)
    session.flush()
    _record(session, "transfer_lane.add", lane.id, actor, sites=[from_code, to_code])
    return lane.id


def change(
    session: Session, *, lane_id: int, company_id: int, believed: LaneTerms, wanted: LaneTerms, actor: Actor
) -> None:
    """This function will change a lane, if it still is what somebody believes; the next plan follows it.

    Raises `LaneUnknown`, `BadLane`, `LaneChanged` with what it is now.
    """
    actor.require(Role.PLANNER, Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    lane = session.scalars(
        sa.select(TransferLane)
        .join(Site, Site.id == TransferLane.from_site_id)
        .where(TransferLane.id == lane_id, Site.company_id == company_id)
        .with_for_update(of=TransferLane)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if lane is None:
        raise LaneUnknown(f"there is no lane {lane_id}")
    _refuse(f"lane {lane_id}", wanted)
    present = LaneTerms(**{name: getattr(lane, name) for name in vars(wanted)})
    if present != believed:
        raise LaneChanged(
            f"lane {lane_id} has changed meanwhile: it takes {present.transit_days} days at priority "
            f"{present.priority}; nothing was changed"
        )
    changes = {
        name: [getattr(present, name), value] for name, value in vars(wanted).items() if getattr(present, name) != value
    }
    for name, value in vars(wanted).items():
        setattr(lane, name, value)
    session.flush()
    _record(session, "transfer_lane.change", lane_id, actor, changes=changes)


def in_use(session: Session, *, company_id: int) -> list[Lane]:
    """This function will list the lanes in use, by where they lead and in the order in which they are asked."""
    rows = session.scalars(
        sa.select(TransferLane)
        .join(Site, Site.id == TransferLane.from_site_id)
        .where(Site.company_id == company_id, ~TransferLane.retired)
        .order_by(TransferLane.to_site_id, TransferLane.priority, TransferLane.id)
    )
    return [
        Lane(
            id=lane.id,
            from_site_id=lane.from_site_id,
            to_site_id=lane.to_site_id,
            transit_days=lane.transit_days,
            joint_cost=lane.joint_cost,
            priority=lane.priority,
        )
        for lane in rows
    ]


def listing(*, company_id: int) -> Listing:
    """This function will describe the list of lanes."""
    origin, destination = aliased(Site), aliased(Site)
    return Listing(
        name="master_transfer_lanes",
        rows=sa.select(TransferLane.id)
        .join(origin, origin.id == TransferLane.from_site_id)
        .join(destination, destination.id == TransferLane.to_site_id)
        .where(origin.company_id == company_id),
        key=TransferLane.__table__.c.id,
        fields=(
            Field(name="name", kind=Kind.CODE, value=origin.code + " " + destination.code),
            Field(name="from_site", kind=Kind.TEXT, value=origin.name),
            Field(name="to_site", kind=Kind.TEXT, value=destination.name),
            Field(name="transit_days", kind=Kind.NUMBER, value=TransferLane.transit_days),
            Field(name="joint_cost", kind=Kind.MONEY, value=TransferLane.joint_cost),
            Field(name="priority", kind=Kind.NUMBER, value=TransferLane.priority),
            Field(name="retired", kind=Kind.FLAG, value=TransferLane.retired),
        ),
        search=(origin.code, origin.name, destination.code, destination.name),
        order=("name", False),
    )


def _refuse(label: str, terms: LaneTerms) -> None:
    for field, value, least, most in (
        ("transit_days", terms.transit_days, 0, LONGEST_TRANSIT_DAYS),
        ("joint_cost", terms.joint_cost, 0, LARGEST_COST),
        ("priority", terms.priority, 1, LAST_PRIORITY),
    ):
        if type(value) is not int or not least <= value <= most:
            raise BadLane(f"{label}: {field} is {value}: give {least} to {most}")


def _record(session: Session, verb: str, lane_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="transfer_lane", document_ids=[lane_id], **detail)

"""Photos of what came back: kept beside the verdict or the unknown parcel they show, and never changed.

The bytes are stored as they came. What they are is read from them alone, so that nothing but a picture is kept and
nothing but a picture is served; no name of a file is ever used.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import pictures
from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor

LARGEST_PHOTO = 5 * 1024 * 1024
MOST_PHOTOS = 6  # of one verdict or parcel in one call
MOST_PIXELS = 64_000_000


class ReturnPhoto(Base):
    """One picture. It shows the units of one inspection, or one unknown parcel. A trigger refuses every change."""

    __tablename__ = "return_photo"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    inspection_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inspection.id"), index=True)
    parcel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unknown_parcel.id"), index=True)
    media_type: Mapped[str] = mapped_column(sa.String(40))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    taken_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    taken_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("(inspection_id IS NULL) <> (parcel_id IS NULL)", name="shows_one_thing"),
        sa.CheckConstraint("size > 0", name="shows_something"),
    )


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo as a page lists it, without its bytes."""

    id: int
    media_type: str
    size: int
    sha256: str
    taken_at: datetime


class NotAPhoto(InvalidInput):
    """What was uploaded is no picture that can be kept: too large, of another kind, or too many at once."""


def attach(
    session: Session,
    contents: Sequence[bytes],
    *,
    inspection_id: int | None = None,
    parcel_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """This function will keep photos of one inspection or parcel; the verb that calls it has checked the role.

    Raises `NotAPhoto`; nothing is kept then.
    """
    if len(contents) > MOST_PHOTOS:
        raise NotAPhoto(f"{len(contents)} photos are too many for one call: send at most {MOST_PHOTOS}")
    rows = [
        {
            "inspection_id": inspection_id,
            "parcel_id": parcel_id,
            "media_type": _media_type(place, content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "content": content,
            "taken_by": actor.user_id,
            "taken_at": now,
        }
        for place, content in enumerate(contents, start=1)
    ]
    if rows:
        session.execute(sa.insert(table_of(ReturnPhoto)), rows)


def of_inspections(session: Session, inspection_ids: Iterable[int]) -> dict[int, list[Photo]]:
    """This function will list the photos of inspections, by inspection, the oldest first."""
    return _listed(session, ReturnPhoto.inspection_id, inspection_ids)


def of_parcels(session: Session, parcel_ids: Iterable[int]) -> dict[int, list[Photo]]:
    """This function will list the photos of unknown parcels, by parcel, the oldest first."""
    return _listed(session, ReturnPhoto.parcel_id, parcel_ids)


def _media_type(place: int, content: bytes) -> str:
    if len(content) > LARGEST_PHOTO:
        raise NotAPhoto(
            f"photo {place} has {len(content):,} bytes, {LARGEST_PHOTO:,} are the most: take it with a lower resolution"
        )
    picture = pictures.recognise(content)
    if picture is None:
        raise NotAPhoto(f"photo {place} is no JPEG, PNG or WebP picture: take it with the camera, or save it as JPEG")
    if picture.pixels > MOST_PIXELS:
        raise NotAPhoto(
            f"photo {place} would unpack to {picture.width:,} × {picture.height:,} pixels, {MOST_PIXELS:,} are the "
            "most: take it with a lower resolution"
        )
    return picture.media_type


def _listed(
    session: Session, column: sa.orm.InstrumentedAttribute[int | None], ids: Iterable[int]
) -> dict[int, list[Photo]]:
    found: dict[int, list[Photo]] = defaultdict(list)
    rows = session.execute(
        sa.select(
            column.label("of"),
            ReturnPhoto.id,
            ReturnPhoto.media_type,
            ReturnPhoto.size,
            ReturnPhoto.sha256,
            ReturnPhoto.taken_at,
        )
        .where(column.in_(sorted(set(ids))))
        .order_by(ReturnPhoto.id)
    )
    for row in rows:
        values: dict[str, Any] = dict(row._mapping)
        found[values.pop("of")].append(Photo(**values))
    return found

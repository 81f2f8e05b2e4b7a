"""What the desk looks at beside its lines: one photo with its bytes, and the parcels nobody expects. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import photos
from aftersales.documents import ReturnAuthorization, ReturnLine
from aftersales.inspection import Inspection
from aftersales.parcels import ParcelState, ParcelUnknown, UnknownParcel
from aftersales.photos import Photo, ReturnPhoto
from scm.core.errors import NotFound
from scm.core.users import User

MOST_PARCELS = 200


@dataclass(frozen=True, kw_only=True)
class ServedPhoto:
    """A photo as it is sent to whoever may see it."""

    media_type: str
    sha256: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class ShownParcel:
    """An unknown parcel with who wrote it down, its photos, and the return it was matched to."""

    id: int
    number: str
    site_id: int
    state: ParcelState
    label: str
    sender: str
    contents: str
    arrived_date: date
    recorded_by: str
    reason: str
    return_number: str | None
    photos: tuple[Photo, ...]


class PhotoUnknown(NotFound):
    """There is no photo of that id at this site."""


def photo(session: Session, *, photo_id: int, site_id: int) -> ServedPhoto:
    """This function will read one photo of a site with its bytes. Raises `PhotoUnknown`, also for another site's."""
    row = session.execute(
        sa.select(ReturnPhoto.media_type, ReturnPhoto.sha256, ReturnPhoto.content)
        .outerjoin(Inspection, Inspection.id == ReturnPhoto.inspection_id)
        .outerjoin(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .outerjoin(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .outerjoin(UnknownParcel, UnknownParcel.id == ReturnPhoto.parcel_id)
        .where(
            ReturnPhoto.id == photo_id,
            sa.func.coalesce(ReturnAuthorization.site_id, UnknownParcel.site_id) == site_id,
        )
    ).one_or_none()
    if row is None:
        raise PhotoUnknown(f"there is no photo {photo_id} here")
    return ServedPhoto(media_type=row.media_type, sha256=row.sha256, content=row.content)


def parcels_waiting(session: Session, *, site_id: int) -> list[ShownParcel]:
    """This function will list the parcels of a site that nobody has settled, the oldest first; at most 200."""
    statement = _parcels().where(UnknownParcel.site_id == site_id, UnknownParcel.state == ParcelState.WAITING)
    return _shown(session, session.execute(statement.order_by(UnknownParcel.id).limit(MOST_PARCELS)).all())


def parcel(session: Session, *, number: str, site_id: int) -> ShownParcel:
    """This function will read one parcel of a site by its number. Raises `ParcelUnknown`."""
    found = session.execute(_parcels().where(UnknownParcel.site_id == site_id, UnknownParcel.number == number)).all()
    if not found:
        raise ParcelUnknown(f"there is no unknown parcel {number} here")
    [shown] = _shown(session, found)
    return shown


def parcels_of_return(session: Session, *, return_id: int) -> list[ShownParcel]:
    """This function will list the parcels that were matched to a return."""
    statement = _parcels().where(UnknownParcel.return_id == return_id).order_by(UnknownParcel.id)
    return _shown(session, session.execute(statement).all())


def _parcels() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            UnknownParcel.id,
            UnknownParcel.number,
            UnknownParcel.site_id,
            UnknownParcel.state,
            UnknownParcel.label,
            UnknownParcel.sender,
            UnknownParcel.contents,
            UnknownParcel.arrived_date,
            User.display_name.label("recorded_by"),
            UnknownParcel.reason,
            ReturnAuthorization.number.label("return_number"),
        )
        .join(User, User.id == UnknownParcel.recorded_by)
        .outerjoin(ReturnAuthorization, ReturnAuthorization.id == UnknownParcel.return_id)
    )


def _shown(session: Session, rows: Sequence[sa.Row[*tuple[Any, ...]]]) -> list[ShownParcel]:
    pictures = photos.of_parcels(session, [row.id for row in rows])
    return [ShownParcel(**row._mapping, photos=tuple(pictures.get(row.id, ()))) for row in rows]

"""Saved views: a list's filters, order and columns under a name, one's own or shared with all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId
from scm.core.errors import InvalidInput, NotAllowed, NotFound
from scm.core.users import Actor, Role

LONGEST_NAME, LONGEST_QUERY, MOST_VIEWS = 60, 2000, 50


class SavedView(Base):
    """One view of one list. `query` is the part of the address behind the question mark."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    listing: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    query: Mapped[str] = mapped_column(sa.String(LONGEST_QUERY))
    shared: Mapped[bool]
    saved_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.UniqueConstraint("user_id", "listing", "name"),)


@dataclass(frozen=True, kw_only=True)
class View:
    """A view as a list offers it."""

    id: int
    name: str
    query: str
    shared: bool
    own: bool


class BadView(InvalidInput):
    """A view without a name, or with too long a one."""


class ViewUnknown(NotFound):
    """There is no such view, or it is another person's."""


class TooManyViews(NotAllowed):
    """A person has as many views of a list as they may have."""


def of_listing(session: Session, *, listing: str, actor: Actor) -> Sequence[View]:
    """This function will list one's own views of a list and the shared ones, by name."""
    rows = session.execute(
        sa.select(SavedView.id, SavedView.name, SavedView.query, SavedView.shared, SavedView.user_id)
        .where(SavedView.listing == listing, sa.or_(SavedView.user_id == actor.user_id, SavedView.shared))
        .order_by(SavedView.name, SavedView.id)
    )
    return [
        View(id=row.id, name=row.name, query=row.query, shared=row.shared, own=row.user_id == actor.user_id)
        for row in rows
    ]


def save(session: Session, *, listing: str, name: str, query: str, shared: bool, actor: Actor, now: datetime) -> int:
    """This function will save a view, over one's own of that name. Raises `BadView`, `TooManyViews`."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadView(f"the name {name[:LONGEST_NAME]!r} of the view must have 1 to {LONGEST_NAME} characters")
    if len(query) > LONGEST_QUERY:
        raise BadView(f"the view has {len(query)} characters of filters: {LONGEST_QUERY} can be saved")
    own = sa.select(SavedView).where(SavedView.user_id == actor.user_id, SavedView.listing == listing)
    known = {view.name: view for view in session.scalars(own)}
    row = known.get(name)
    if row is None:
        if len(known) >= MOST_VIEWS:
            raise TooManyViews(f"{actor.username} has {MOST_VIEWS} views of this list: delete one first")
        row = SavedView(user_id=actor.user_id, listing=listing, name=name)
        session.add(row)
    row.query, row.shared, row.saved_at = query, shared, now
    session.flush()
    audit.record(session, actor=actor, verb="view.save", document_kind="saved_view", document_ids=[row.id], name=name)
    return row.id


def delete(session: Session, *, view_id: int, actor: Actor) -> None:
    """This function will delete a view of one's own; an administrator may delete shared ones. Raises `ViewUnknown`."""
    row = session.get(SavedView, view_id)
    if row is None or (row.user_id != actor.user_id and not (row.shared and Role.ADMIN in actor.roles)):
        raise ViewUnknown(f"there is no view {view_id} of yours")
    session.delete(row)
    session.flush()
    audit.record(
        session, actor=actor, verb="view.delete", document_kind="saved_view", document_ids=[view_id], name=row.name
    )

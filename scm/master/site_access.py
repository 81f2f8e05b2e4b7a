"""Which sites a person works at. Who has no row works at every site of the company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, users
from scm.core.db import Base
from scm.core.errors import NotFound
from scm.core.users import Actor, Role
from scm.master.locations import Site


class UserSite(Base):
    """One site of one person."""

    __tablename__ = "user_site"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)


@dataclass(frozen=True, kw_only=True)
class WorkSite:
    """A site somebody works at."""

    id: int
    code: str
    name: str
    zone: str


class SiteUnknown(NotFound):
    """There is no such site, or the person does not work there."""


def of_user(session: Session, *, user_id: int, company_id: int) -> Sequence[WorkSite]:
    """This function will list the sites a person works at, in one query."""
    mine = sa.select(UserSite.site_id).where(UserSite.user_id == user_id)
    rows = session.execute(
        sa.select(Site.id, Site.code, Site.name, Site.zone)
        .where(Site.company_id == company_id, sa.or_(Site.id.in_(mine), ~mine.exists()))
        .order_by(Site.id)
    )
    return [WorkSite(id=row.id, code=row.code, name=row.name, zone=row.zone) for row in rows]


def assign(session: Session, *, username: str, site_codes: Sequence[str], actor: Actor) -> None:
    """This function will set the sites a person works at; none named means all. Raises `SiteUnknown`."""
    actor.require(Role.ADMIN, Role.SYSTEM)
    user = users.actor(session, username=username)
    known = {
        row.code: row.id for row in session.execute(sa.select(Site.code, Site.id).where(Site.code.in_(site_codes)))
    }
    missing = [code for code in site_codes if code not in known]
    if missing:
        raise SiteUnknown(f"there is no site {missing[0]}")
    session.execute(sa.delete(UserSite).where(UserSite.user_id == user.user_id))
    session.add_all(UserSite(user_id=user.user_id, site_id=site_id) for site_id in sorted(known.values()))
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="user.assign_sites",
        document_kind="user",
        document_ids=[user.user_id],
        sites=sorted(site_codes),
    )

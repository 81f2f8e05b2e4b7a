"""How each person wants the pages: language, theme, single-key shortcuts, sounds, and the site they work at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core.db import Base, dialect_insert, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor

LOCALES = ("en", "zh_CN")
THEMES = ("auto", "light", "dark")


class Preference(Base):
    """One person's wishes; without a row, the defaults."""

    __tablename__ = "preference"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)
    locale: Mapped[str | None] = mapped_column(sa.String(10))
    theme: Mapped[str] = mapped_column(sa.String(5), default="auto")
    single_keys: Mapped[bool] = mapped_column(default=True)
    sounds: Mapped[bool] = mapped_column(default=True)
    site_id: Mapped[int | None]  # a site is known to a room above: no foreign key


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What a page needs of them. No locale: that of the browser."""

    locale: str | None = None
    theme: str = "auto"
    single_keys: bool = True
    sounds: bool = True
    site_id: int | None = None

    @classmethod
    def of(cls, row: Any) -> Preferences:
        """This function will read them from a row of an outer join."""
        if row.theme is None:
            return cls()
        return cls(
            locale=row.locale, theme=row.theme, single_keys=row.single_keys, sounds=row.sounds, site_id=row.site_id
        )


class BadPreference(InvalidInput):
    """A wish that cannot be met."""


def change(session: Session, *, actor: Actor, **wishes: Any) -> None:
    """This function will change some wishes of a person and leave the others. Raises `BadPreference`."""
    for name, allowed in (("locale", (None, *LOCALES)), ("theme", THEMES)):
        if name in wishes and wishes[name] not in allowed:
            known = ", ".join(str(one) for one in allowed if one)
            raise BadPreference(f"{name} is {wishes[name]!r}: it must be one of {known}")
    if not wishes:
        raise BadPreference("no wish is named: name locale, theme, single_keys, sounds or site_id")
    values: dict[str, Any] = {"theme": "auto", "single_keys": True, "sounds": True} | wishes
    insert = dialect_insert(session, table_of(Preference)).values(user_id=actor.user_id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_=wishes))

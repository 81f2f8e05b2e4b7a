"""The secret with which cookies are signed: made at random once per database, shared by all its web processes."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core.db import Base, Database, dialect_insert, table_of

COOKIES = "cookies"


class SecretKey(Base):
    """One secret of this installation."""

    __tablename__ = "secret_key"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(100))


def obtain(database: Database, *, name: str = COOKIES) -> str:
    """This function will read a secret, made at its first use."""
    statement = sa.select(SecretKey.value).where(SecretKey.name == name)
    with database.unit_of_work(write=False) as session:
        found = session.scalar(statement)
    if found is not None:
        return found
    with database.unit_of_work(write=True) as session:
        insert = dialect_insert(session, table_of(SecretKey)).values(name=name, value=secrets.token_urlsafe(48))
        session.execute(insert.on_conflict_do_nothing())
        return session.execute(statement).scalar_one()

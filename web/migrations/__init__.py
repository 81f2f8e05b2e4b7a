"""The database's schema, brought to its newest form step by step with Alembic.

It lives in `web` because it must know the tables of every room.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext

from scm.core.db import Base, Database

ROOMS = ("scm", "forecasting", "procurement", "warehouse", "aftersales")


def metadata() -> sa.MetaData:
    """This function will import every module of every room, so that no table can be forgotten, and give them all."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, prefix=f"{room}."):
            importlib.import_module(module.name)
    return Base.metadata


def upgrade(url: str, *, revision: str = "head") -> None:
    """This function will bring the database at `url` to the newest schema, or to that of an older revision.

    Raises the errors of `unit_of_work`.
    """
    database = Database(url)
    try:
        with database.unit_of_work(write=True) as session:
            config = _config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, revision)
    finally:
        database.dispose()


def is_current(database: Database) -> bool:
    """This function will tell whether the database has the newest schema."""
    return revision_of(database) == revisions()[0]


def revision_of(database: Database) -> str | None:
    """This function will give the revision of a database's schema; None when it has none."""
    with database.unit_of_work(write=False) as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


@functools.cache
def revisions() -> tuple[str, ...]:
    """This function will give the revisions that this program knows, the newest first."""
    from alembic.script import ScriptDirectory

    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config

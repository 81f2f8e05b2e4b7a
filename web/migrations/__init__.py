"""The database's schema, brought to its newest form step by step with Alembic.

It lives in `web` because it must know the tables of every room.
"""

from __future__ import annotations

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


def upgrade(url: str) -> None:
    """This function will bring the database at `url` to the newest schema. Raises the errors of `unit_of_work`."""
    database = Database(url)
    try:
        with database.unit_of_work(write=True) as session:
            config = _config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")
    finally:
        database.dispose()


def is_current(database: Database) -> bool:
    """This function will tell whether the database has the newest schema."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.unit_of_work(write=False) as session:
        return MigrationContext.configure(session.connection()).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config

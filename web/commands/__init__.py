"""What each command does: open the database, call the domain once, print the answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console

from scm.core.config import Settings
from scm.core.db import Database
from scm.core.errors import Conflict
from web import migrations

# A table in a file or a pipe must not be squeezed into the 80 columns of a terminal that is not there.
PIPE_COLUMNS = 400


def answers() -> Console:
    """This function will give the console for what a command answers, on stdout."""
    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)


class SchemaMissing(Conflict):
    """The database has no schema, or an older one."""


@dataclass(kw_only=True)
class Context:
    """What every command needs. Messages and bars go to `console` (stderr); answers are printed to stdout."""

    settings: Settings
    console: Console
    _database: Database | None = field(default=None, init=False)

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.dispose()

    @property
    def database(self) -> Database:
        """The database of SCM_DATABASE_URL, with the newest schema. Raises `SchemaMissing`."""
        database = self.any_database
        if not migrations.is_current(database):
            raise SchemaMissing(f"{database.url.render_as_string()} has no current schema: run scm init first")
        return database

    @property
    def any_database(self) -> Database:
        """The database of SCM_DATABASE_URL, whatever it holds."""
        if self._database is None:
            self._database = Database(
                self.settings.database_url, lock_timeout_seconds=self.settings.lock_timeout_seconds
            )
        return self._database

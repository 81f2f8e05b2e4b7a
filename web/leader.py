"""Which of several workers opens the slots: the one that holds the leader's lock.

The lock goes with its holder: PostgreSQL drops it with the connection it was taken on, the operating system with the
process that locked the file beside a SQLite database. Two leaders for a moment would do no harm, because a slot is
opened once whoever opens it.
"""

from __future__ import annotations

from typing import IO

import sqlalchemy as sa
from sqlalchemy import exc, pool

from scm.core.db import Database

LOCK_NUMBER = 7_274_001  # of PostgreSQL's advisory locks
SUFFIX = ".leader"


class Leadership:
    """A try at being the leader, and being it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None
        self._file: IO[str] | None = None

    def held(self) -> bool:
        """This function will tell whether this worker is the leader, after trying to become it."""
        return self._held_on_file() if self._database.is_sqlite else self._held_on_server()

    def release(self) -> None:
        """This function will let another worker lead."""
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            engine = self._connection.engine
            self._connection.close()
            engine.dispose()
        self._file = self._connection = None

    def _held_on_file(self) -> bool:
        import fcntl  # not on every system, and only a worker on SQLite needs it

        if self._file is not None:
            return True
        file = open(f"{self._database.url.database}{SUFFIX}", "w")  # noqa: SIM115 (it stays open while we lead)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _held_on_server(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.scalar(sa.text("SELECT 1"))
                return True
            # Its own connection, outside the pool: a pooled one would carry the lock to whoever gets it next.
            engine = sa.create_engine(
                self._database.url,
                poolclass=pool.NullPool,
                isolation_level="AUTOCOMMIT",
                connect_args={"connect_timeout": 10},
            )
            connection = engine.connect()
            if connection.scalar(sa.text("SELECT pg_try_advisory_lock(:number)"), {"number": LOCK_NUMBER}):
                self._connection = connection
                return True
            connection.close()
        except exc.DBAPIError:
            self._connection = None  # the server is gone, and the lock with it
        return False

"""Backup and restore of a SQLite database by its online backup: one state of it, while others read and write."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from scm.core.db import Database
from web.backup import BadBackup, Manifest, RestoreFailed
from web.backup.archive import CHUNK, Writing

PART = "database.sqlite"


def write(database: Database, writing: Writing, *, beside: Path) -> tuple[dict[str, int], str | None]:
    """This function will write the database as one part and give its tables' counts and its revision.

    `beside` is the folder for the copy that is made first.
    """
    with tempfile.TemporaryDirectory(dir=beside, prefix=".scm-backup-") as folder:
        copy = Path(folder) / "copy.sqlite"
        with _connected(_path(database)) as source, _connected(copy) as target:
            source.backup(target)  # all pages at once: page by page a busy writer would make it begin again and again
            target.execute("PRAGMA journal_mode=DELETE")
            counts, revision = _counts(target), _revision(target)
        with copy.open("rb") as stream, writing.part(PART) as part:
            while chunk := stream.read(CHUNK):
                part.write(chunk)
    return counts, revision


def restore(database: Database, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """This function will put the backup in place of what the database holds, in one step that others see whole.

    Raises `BadBackup`, `RestoreFailed`.
    """
    path = _path(database)
    with tempfile.TemporaryDirectory(dir=path.resolve().parent, prefix=".scm-restore-") as folder:
        copy = Path(folder) / "copy.sqlite"
        with archive.open(PART) as packed, copy.open("wb") as plain:
            shutil.copyfileobj(packed, plain, CHUNK)
        with _connected(copy) as source:
            _refuse_broken(source, manifest)
            with _connected(path) as target:
                source.backup(target)
        with _connected(path) as restored:
            if _counts(restored) != dict(manifest.rows):
                raise RestoreFailed(f"{path} does not hold the rows of the backup: restore it again")


def _refuse_broken(copy: sqlite3.Connection, manifest: Manifest) -> None:
    try:
        whole = [row[0] for row in copy.execute("PRAGMA integrity_check")]
        loose = copy.execute("PRAGMA foreign_key_check").fetchall()
        counts, revision = _counts(copy), _revision(copy)
    except sqlite3.DatabaseError as error:
        raise BadBackup("the database in the backup is damaged: nothing was changed") from error
    if whole != ["ok"] or loose:
        raise BadBackup("the database in the backup is damaged: nothing was changed")
    if counts != dict(manifest.rows) or revision != manifest.revision:
        raise BadBackup("the database in the backup is not the one its manifest describes: nothing was changed")


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    return {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for (name,) in names}


def _revision(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _path(database: Database) -> Path:
    name = database.url.database
    if not name or name == ":memory:":
        raise BadBackup("the database is no file: there is nothing to back up or to restore into")
    return Path(name)


@contextlib.contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()

"""`scm backup` and `scm restore`, whatever kind the database is of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from scm.core.db import Database
from scm.core.progress import SILENT, Progress
from scm.finance.reconcile import BooksReport
from scm.production import books
from web import migrations
from web.backup import BadBackup, Manifest, NotEmpty, OtherBackend, archive, server_tables, sqlite_file


def take(database: Database, file: Path, *, now: datetime, progress: Progress = SILENT) -> Manifest:
    """This function will back the database up into a new file. Raises `FileExists`, `DiskFailed`."""
    progress.stage("Backing up")
    sequences: dict[str, int | None] = {}
    with archive.written(file) as writing:
        if database.is_sqlite:
            rows, revision = sqlite_file.write(database, writing, beside=file.resolve().parent)
        else:
            rows, revision, sequences = server_tables.write(database, writing, advance=progress.advance)
        manifest = Manifest(
            backend=_backend(database),
            revision=revision or "",
            taken_at=now.isoformat(),
            rows=rows,
            parts=dict(writing.parts),
            sequences=sequences,
        )
        writing.manifest(manifest)
    return manifest


def restore(
    database: Database, file: Path, *, replace: bool, now: datetime, progress: Progress = SILENT
) -> tuple[Manifest, BooksReport]:
    """This function will restore a backup into an empty database, or instead of what it holds, and prove the books.

    A backup of an older release is brought to the present schema. Raises `BadBackup`, `NotEmpty`, `OtherBackend`,
    `RestoreFailed`; nothing is changed then.
    """
    url = database.url.render_as_string(hide_password=False)
    progress.stage("Checking the backup")
    with archive.opened(file) as (packed, manifest):
        if manifest.backend != _backend(database):
            raise OtherBackend(f"{file} is a backup of {manifest.backend}: {_backend(database)} cannot take it")
        if manifest.revision not in migrations.revisions():
            raise BadBackup(f"{file} is of a release with schema {manifest.revision!r}, which this one does not know")
        if not replace:
            _refuse_full(database)
        progress.stage("Restoring")
        if database.is_sqlite:
            sqlite_file.restore(database, packed, manifest)
        else:
            if migrations.revision_of(database) is None:
                migrations.upgrade(url, revision=manifest.revision)
            server_tables.restore(database, packed, manifest, advance=progress.advance)
    database.dispose()  # what is pooled knows the former content
    migrations.upgrade(url)
    progress.stage("Proving the books")
    with database.unit_of_work(write=False) as session:
        return manifest, books.verify(session, now=now)


def _refuse_full(database: Database) -> None:
    if migrations.revision_of(database) is None:
        return
    with database.unit_of_work(write=False) as session:
        for table in ("company", "app_user", "audit_row"):
            if session.scalar(sa.text(f"SELECT count(*) FROM {table}")):
                raise NotEmpty(
                    f"{database.url.render_as_string()} holds a company already: restore into an empty database, or "
                    "say --replace to lose what it holds"
                )


def _backend(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"

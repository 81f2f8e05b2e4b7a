"""`scm backup FILE` and `scm restore FILE`."""

from __future__ import annotations

import argparse

from scm.core import clock
from web.backup import Manifest, taking
from web.commands import Context
from web.progress import Bar


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will back the database up while others use it."""
    database = context.database
    with Bar(context.console) as bar:
        manifest = taking.take(database, options.file, now=clock.wall_now(), progress=bar)
    print(f"{options.file}: {_words(manifest)}")
    return 0


def run_restore(context: Context, options: argparse.Namespace) -> int:
    """This function will restore a backup and prove the books; exit 1 when they disagree."""
    with Bar(context.console) as bar:
        manifest, books = taking.restore(
            context.any_database, options.file, replace=options.replace, now=clock.wall_now(), progress=bar
        )
    print(f"Restored {_words(manifest)}, taken at {manifest.taken_at}")
    for finding in books.findings:
        print(f"{finding.place}: expected {finding.expected}, found {finding.found}")
    print(books.summary())
    return 1 if books.findings else 0


def _words(manifest: Manifest) -> str:
    rows = sum(manifest.rows.values())
    return f"{rows:,} rows in {len(manifest.rows)} tables of {manifest.backend}, schema {manifest.revision}"

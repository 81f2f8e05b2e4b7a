"""`scm upgrade`: brings the schema of a database to that of this release."""

from __future__ import annotations

import argparse

from web import migrations
from web.commands import Context, SchemaMissing


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will take the steps that the database lacks: all of them, or none. Raises `SchemaMissing`."""
    database = context.any_database
    before = migrations.revision_of(database)
    if before is None:
        raise SchemaMissing(f"{database.url.render_as_string()} is empty: create a company with scm init")
    migrations.upgrade(context.settings.database_url)
    after = migrations.revisions()[0]
    print(f"The schema was {before} and is {after}" if before != after else f"The schema is {after} already")
    return 0

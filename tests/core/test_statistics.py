"""What a database knows of its rows: it is told by us, and by it the way to a row."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.db import Database
from tests.world import World


def test_the_database_sees_how_its_rows_are_spread(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        world = World(session)
        for number in range(20):
            world.item(f"ITEM-{number}")
    database.refresh_statistics()
    seen = (
        "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'item'"
        if database.is_sqlite
        else "SELECT count(*) FROM pg_stats WHERE tablename = 'item'"
    )
    with database.unit_of_work(write=False) as session:
        assert session.execute(sa.text(seen)).scalar_one() > 0

"""What the processes of a crew do with master data. Functions named `without_…` leave a guard out."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from scm.core.users import Actor
from scm.master import cells, setup
from scm.master.cells import Edit
from scm.master.items import Item
from scm.stock import bins
from scm.stock.bins import BinRow
from tests.races.crew import Mate
from warehouse import putaway
from warehouse.putaway import PutAway

TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def rename(mate: Mate, sku: str, believed: str) -> str:
    """This function will rename an item that is still called as everybody believes."""
    company_id, actor = known(mate, "planner")
    wanted = f"{believed}{mate.number}"
    edit = Edit(key=(sku,), column="name", believed=believed, wanted=wanted)
    mate.meet()
    mate.database.run(lambda session: cells.change_items(session, [edit], company_id=company_id, actor=actor))
    return wanted


def without_one_transaction_rename(mate: Mate, sku: str, believed: str) -> str:
    """This function will compare first and write afterwards, as if nobody else could come between."""
    with mate.database.unit_of_work(write=False) as session:
        assert session.scalar(sa.select(Item.name).where(Item.sku == sku)) == believed
    mate.meet()
    wanted = f"{believed}{mate.number}"
    with mate.database.unit_of_work(write=True) as session:
        session.execute(sa.update(Item).where(Item.sku == sku).values(name=wanted))
    return wanted


def use_or_retire(mate: Mate, code: str, move_id: int, bin_id: int) -> str:
    """This function will put goods into a bin, or retire it: one of the two."""
    _, actor = known(mate, "warehouse")
    site_id = site_of(mate)
    mate.meet()
    if mate.number == 0:
        put = [PutAway(move_id=move_id, bin_id=bin_id)]
        mate.database.run(lambda session: putaway.put_away(session, put, actor=actor, now=NOW, today=TODAY))
        return "used"
    believed, wanted = BinRow(pick_sequence=1, retired=False), BinRow(pick_sequence=1, retired=True)
    mate.database.run(
        lambda session: bins.change(session, code=code, site_id=site_id, believed=believed, wanted=wanted, actor=actor)
    )
    return "retired"


def known(mate: Mate, username: str) -> tuple[int, Actor]:
    """This function will give the company and one of its people."""
    with mate.database.unit_of_work(write=False) as session:
        places = setup.load(session)
    return places.company_id, places.users[username]


def site_of(mate: Mate) -> int:
    """This function will give the company's site."""
    with mate.database.unit_of_work(write=False) as session:
        return setup.load(session).site_id

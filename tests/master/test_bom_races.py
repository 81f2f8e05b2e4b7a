"""Two approvals at once never close a circle, because they wait for each other; without the lock they would."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.master import bom_approving
from scm.master.bom import Bom, BomState
from scm.master.bom_cycles import Cycle
from tests.databases import Backend
from tests.master.making import bill, by, content, submit
from tests.world import World


class Race:
    """Each of two items is to be made of the other; the first approval is held open while the second is tried."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.unit_of_work(write=True) as session:
            self.world = World(session)
            one, other = self.world.item("one"), self.world.item("other")
            self.boms = [
                bill(self.world, one, content(self.world, {other: 1})),
                bill(self.world, other, content(self.world, {one: 1})),
            ]
            for bom_id in self.boms:
                submit(self.world, bom_id)
        self.approved, self.go_on = threading.Event(), threading.Event()
        self.refusals: list[Cycle] = []

    def run(self) -> int:
        """This function will let both approve and count how many did."""
        threads = [threading.Thread(target=self._first), threading.Thread(target=self._second)]
        for thread in threads:
            thread.start()
        assert self.approved.wait(timeout=20)
        threads[1].join(timeout=2)  # with the lock it cannot end before the first does
        self.go_on.set()
        for thread in threads:
            thread.join(timeout=30)
        with self.database.unit_of_work(write=False) as session:
            count = sa.select(sa.func.count()).select_from(Bom).where(Bom.state == BomState.APPROVED)
            return int(session.execute(count).scalar_one())

    def _first(self) -> None:
        with self.database.unit_of_work(write=True) as session:
            bom_approving.approve(session, bom_id=self.boms[0], **by(self.world, "admin"), now=self.world.now)
            self.approved.set()
            self.go_on.wait(timeout=20)

    def _second(self) -> None:
        self.approved.wait(timeout=20)
        try:
            with self.database.unit_of_work(write=True) as session:
                bom_approving.approve(session, bom_id=self.boms[1], **by(self.world, "admin"), now=self.world.now)
        except Cycle as refusal:
            self.refusals.append(refusal)


def test_two_approvals_at_once_do_not_close_a_circle(database: Database) -> None:
    race = Race(database)
    assert race.run() == 1
    assert "other → one → other" in str(race.refusals[0])


def test_without_the_lock_they_would(database: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bom_approving, "_lock_company", lambda session, company_id: None)
    assert Race(database).run() == (1 if backend == "sqlite" else 2)  # SQLite has one writer at a time anyway

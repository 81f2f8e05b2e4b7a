"""Two hands on one order at once: no more is completed than passed; without the lock on the order it would be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.production import books, completing, documents, progress, reporting
from scm.production.completing import Completion, NotPassed
from scm.production.documents import WorkOrder
from scm.production.progress import Progress
from scm.production.reporting import NotThatManyHere, Report
from tests.databases import Backend
from tests.finance.test_money_races import Meeting, both
from tests.production.shop import Shop
from tests.world import World


class Floor:
    """A committed order of 20, of which 10 passed the last operation."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database, self.monkeypatch = database, monkeypatch
        self.meeting = Meeting()
        with database.unit_of_work(write=True) as session:
            self.world = World(session)
            shop = Shop(self.world)
            table, leg = self.world.item("table"), self.world.item("leg")
            self.world.stock(leg, 40)
            self.order = shop.released(shop.bom(table, (leg, 2), operations=["saw", "join"]), 20)
            shop.issue(self.order)
            shop.report(self.order, 10)
            shop.report(self.order, 10, step=1)
            shop.report(self.order, 4)
            self.saw, self.join = (work.operation.id for work in shop.progress(self.order).work)
            self.world.begin()

    def without_the_lock(self) -> None:
        """This function will have orders read without being locked."""

        def unlocked(session: Session, order_ids: Iterable[int]) -> list[WorkOrder]:
            statement = sa.select(WorkOrder).where(WorkOrder.id.in_(list(order_ids))).order_by(WorkOrder.id)
            return list(session.scalars(statement.execution_options(populate_existing=True)))

        self.monkeypatch.setattr(documents, "lock", unlocked)

    def meet(self) -> None:
        """This function will make the two wait for each other after they have read how far the order is."""
        read = progress.of_order

        def reading(session: Session, order: WorkOrder) -> Progress:
            found = read(session, order)
            self.meeting.wait()
            return found

        self.monkeypatch.setattr(progress, "of_order", reading)

    def complete(self) -> str:
        """This function will complete 6 of the 10."""
        with self.database.unit_of_work(write=True) as session:
            completing.complete(
                session,
                self.order,
                Completion(quantity=6),
                actor=self.world.user("production"),
                now=self.world.now,
                today=self.world.today,
            )
        return "done"

    def report(self) -> str:
        """This function will report 4 more at the last operation, of the 4 that passed the one before."""
        with self.database.unit_of_work(write=True) as session:
            reporting.report(
                session,
                self.order,
                [Report(operation_id=self.join, good=4)],
                actor=self.world.user("production"),
                now=self.world.now,
                today=self.world.today,
            )
        return "done"

    def findings(self) -> list[str]:
        """This function will give what disagrees afterwards."""
        self.monkeypatch.undo()
        with self.database.unit_of_work(write=False) as session:
            found = books.verify(session, now=self.world.now).findings
        return [f"{finding.place}: {finding.expected}, not {finding.found}" for finding in found]


def test_two_hands_complete_no_more_than_passed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(database, monkeypatch)
    floor.meet()
    answers = both(floor.complete)
    assert {type(answer) for answer in answers} == {str, NotPassed}
    assert not floor.meeting.met
    assert floor.findings() == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_lock_more_is_completed_than_passed(
    database: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a writer is alone from its first statement, so there is no lock to leave out."""
    floor = Floor(database, monkeypatch)
    floor.without_the_lock()
    floor.meet()
    assert both(floor.complete) == ["done", "done"]
    assert floor.meeting.met
    [finding] = floor.findings()
    assert finding == "completed output of WO-2026-000001: at most 10, not 12"


def test_two_hands_report_no_more_than_passed_before(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(database, monkeypatch)
    floor.meet()
    answers = both(floor.report)
    assert {type(answer) for answer in answers} == {str, NotThatManyHere}
    assert floor.findings() == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_lock_both_report_the_same_pieces(
    database: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor(database, monkeypatch)
    floor.without_the_lock()
    floor.meet()
    assert both(floor.report) == ["done", "done"]
    assert floor.findings() == ["reports of WO-2026-000001 operation 20: at most 14, not 18"]

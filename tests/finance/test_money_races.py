"""Two at once: money goes back once, and every move is valued once; without the lock neither would hold."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.finance import claims, receivables, reconcile, valuation
from scm.finance.claims import InvoiceStanding
from scm.finance.costing import PostedMove
from scm.finance.receivables import CreditRequest, PaymentRequest, RefundTooMuch
from tests.databases import Backend
from tests.finance.books import Books
from tests.finance.test_receivables import Desk
from tests.world import World

MEETING_SECONDS = 2.0  # how long the first waits for the second between its read and its write


class Meeting:
    """Where two transactions wait for each other after they have read and before they write."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self.met = False

    def wait(self) -> None:
        """This function will wait for the other, or give up when a lock keeps it from coming."""
        with contextlib.suppress(threading.BrokenBarrierError):
            self._barrier.wait(MEETING_SECONDS)
            self.met = True


def both(work: Callable[[], object]) -> list[object]:
    """This function will do the work twice at once and give what came of it, errors included."""

    def attempt(_: int) -> object:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the tests look at what was raised
            return error

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(attempt, range(2)))


def refund_twice(database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], InvoiceStanding, Meeting]:
    """This function will ask for six tenths of a paid invoice back, twice at once."""
    with database.unit_of_work(write=True) as session:
        desk = Desk(World(session))
        invoice = desk.invoiced("10.00")
        desk.pay((invoice, 1000))
    meeting, read = Meeting(), claims.standings

    def reading(session: Session, invoice_ids: Iterable[int]) -> dict[int, InvoiceStanding]:
        found = read(session, invoice_ids)
        meeting.wait()
        return found

    def refund() -> list[int]:
        with database.unit_of_work(write=True) as session:
            return receivables.refund(
                session,
                desk.credits([(invoice, 600)]),
                company_id=desk.world.setup.company_id,
                now=desk.world.now,
                today=desk.world.today,
                actor=desk.world.user("returns"),
            )

    monkeypatch.setattr(claims, "standings", reading)
    answers = both(refund)
    monkeypatch.undo()
    with database.unit_of_work(write=False) as session:
        return answers, claims.standings(session, [invoice])[invoice], meeting


def test_of_two_refunds_at_once_only_what_was_paid_goes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, standing, meeting = refund_twice(database, monkeypatch)
    assert {type(answer) for answer in answers} == {list, RefundTooMuch}
    assert standing.refunded == 600
    assert not meeting.met
    with database.unit_of_work(write=False) as session:
        now = session.execute(sa.select(sa.func.max(claims.Refund.refunded_at))).scalar_one()
        assert reconcile.verify_books(session, now=now).findings == ()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_lock_more_goes_back_than_was_paid(
    database: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a writer is alone from its first statement, so there is no lock to leave out."""
    monkeypatch.setattr(receivables, "lock", lambda session, invoice_ids: None)
    _, standing, meeting = refund_twice(database, monkeypatch)
    assert meeting.met
    assert standing.refunded == 1200
    with database.unit_of_work(write=False) as session:
        now = session.execute(sa.select(sa.func.max(claims.Refund.refunded_at))).scalar_one()
        findings = reconcile.verify_books(session, now=now).findings
    assert [finding.place for finding in findings] == ["refunds of invoice INV-2026-000001"]


def value_twice(database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], Books, int, Meeting]:
    """This function will value one receipt, twice at once."""
    with database.unit_of_work(write=True) as session:
        books = Books(session)
        bolt = books.world.item("bolt")
        books.receive(bolt, 3, "1.00")
    meeting, read = Meeting(), valuation._waiting

    def reading(session: Session, company_id: int) -> list[PostedMove]:
        found = read(session, company_id)
        if found:
            meeting.wait()
        return found

    def value() -> int:
        with database.unit_of_work(write=True) as session:
            return valuation.run(session, company_id=books.world.setup.company_id, now=books.world.now)

    monkeypatch.setattr(valuation, "_waiting", reading)
    answers = both(value)
    monkeypatch.undo()
    return answers, books, bolt, meeting


def test_two_valuations_at_once_value_each_move_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, books, bolt, meeting = value_twice(database, monkeypatch)
    assert sorted(str(answer) for answer in answers) == ["0", "1"]
    assert not meeting.met
    with database.unit_of_work(write=False) as session:
        assert books.on(session).cost(bolt) == (3, 300)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_lock_a_second_valuation_is_stopped_by_the_unique_row_of_each_move(
    database: Database, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valuation, "_lock", lambda session, company_id: 0)
    answers, books, bolt, meeting = value_twice(database, monkeypatch)
    assert meeting.met
    assert {type(answer).__name__ for answer in answers} == {"int", "IntegrityError"}
    with database.unit_of_work(write=False) as session:
        assert books.on(session).cost(bolt) == (3, 300)


def test_a_payment_and_a_refund_at_once_both_count(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        desk = Desk(World(session))
        invoice = desk.invoiced("10.00")
        desk.pay((invoice, 500))
    setup, now, today = desk.world.setup, desk.world.now, desk.world.today

    def pay(session: Session) -> object:
        payments = [PaymentRequest(invoice_id=invoice, amount=500)]
        actor = desk.world.user("system")
        return receivables.record_payment(
            session, payments, company_id=setup.company_id, now=now, today=today, actor=actor
        )

    def refund(session: Session) -> object:
        credits: list[CreditRequest] = desk.credits([(invoice, 500)])
        actor = desk.world.user("returns")
        return receivables.refund(session, credits, company_id=setup.company_id, now=now, today=today, actor=actor)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(database.run, work) for work in (pay, refund)]:
            done.result()
    with database.unit_of_work(write=False) as session:
        standing = claims.standings(session, [invoice])[invoice]
        assert (standing.paid, standing.refunded, standing.open_amount) == (1000, 500, 0)
        assert reconcile.verify_books(session, now=now).findings == ()

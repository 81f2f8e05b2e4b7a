"""Two clerks at the same moment: one of them comes second, and nothing happens twice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import disposition, inspection, refunds, returns
from aftersales.disposition import Decision, Disposition
from aftersales.inspection import Finding, Grade, Inspection, Verdict
from aftersales.refunds import RefundRequest
from scm.core import idempotency
from scm.core.db import Database
from scm.core.errors import ScmError
from scm.finance import reconcile
from scm.finance.claims import CreditNote, CustomerInvoice
from tests.aftersales.desk import Desk
from tests.world import World

Work = Callable[[Session], Any]


class Office:
    """A desk whose stories are committed, and clerks who act at the same moment in transactions of their own."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.patch = monkeypatch
        with database.unit_of_work(write=True) as session:
            self.desk = Desk(World(session))
            self.bolt = self.desk.world.item("bolt")
        self.how: dict[str, Any] = {
            "actor": self.desk.world.user("returns"),
            "now": self.desk.world.now,
            "today": self.desk.world.today,
        }

    def story(self, tell: Callable[[Desk], Any]) -> Any:
        """This function will do something in one committed transaction."""
        with self.database.unit_of_work(write=True) as session:
            self.desk.world.on(session)
            return tell(self.desk)

    def at_once(self, *works: Work, decides: tuple[ModuleType, str]) -> list[str]:
        """This function will let clerks work at once, each held up where it has decided and not yet written.

        They go on when all have come as far, or after a while: whoever waits for a lock never gets there. Gives for
        each "done" or the name of its refusal, sorted.
        """
        module, name = decides
        gate, decide = threading.Barrier(len(works)), getattr(module, name)

        def held_up(*args: Any, **kwargs: Any) -> Any:
            decided = decide(*args, **kwargs)
            with contextlib.suppress(threading.BrokenBarrierError):
                gate.wait(timeout=1)
            return decided

        self.patch.setattr(module, name, held_up)
        answers: list[str] = []
        clerks = [threading.Thread(target=self._act, args=(work, answers)) for work in works]
        for clerk in clerks:
            clerk.start()
        for clerk in clerks:
            clerk.join(timeout=60)
        self.patch.setattr(module, name, decide)
        assert len(answers) == len(works)
        return sorted(answers)

    def _act(self, work: Work, answers: list[str]) -> None:
        try:
            self.database.run(work)
            answers.append("done")
        except ScmError as error:
            answers.append(type(error).__name__)

    def without_locks(self) -> None:
        """This function will take the row locks away, to show that the tests would notice."""
        self.patch.setattr(sa.Select, "with_for_update", lambda self, **options: self)

    def findings(self) -> list[reconcile.Finding]:
        """This function will prove the books."""
        found: list[reconcile.Finding] = self.story(lambda desk: desk.findings())
        return found


@pytest.fixture
def office(database: Database, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(database, monkeypatch)


def two_authorize(office: Office) -> list[str]:
    line = office.story(lambda desk: desk.delivered(office.bolt, 5))
    request = office.desk.request(line, 4)
    return office.at_once(
        *[lambda session: returns.authorize(session, [request], **office.how)] * 2, decides=(returns, "_accept")
    )


def test_two_clerks_cannot_both_authorize_the_last_units(office: Office) -> None:
    assert two_authorize(office) == ["MoreThanDelivered", "done"]


@pytest.mark.parametrize("backend", ["postgresql"])  # SQLite has one writer at a time, with or without locks
def test_without_its_lock_the_last_unit_is_authorized_twice(office: Office) -> None:
    office.without_locks()
    assert two_authorize(office) == ["done", "done"]


def two_refund(office: Office) -> list[str]:
    """Two returns of one line at an odd price, refunded at once: 1.005 of 0.335 each."""
    line = office.story(lambda desk: desk.delivered(office.bolt, 3, unit_price="0.335"))
    returned = [office.story(lambda desk: desk.returned(line, 1)) for _ in range(2)]
    office.story(lambda desk: desk.refund(desk.returned(line, 1), 1))

    def refunding(line_id: int) -> Work:
        request = RefundRequest(return_line_id=line_id, quantity=1)
        return lambda session: refunds.refund(session, [request], **office.how)

    return office.at_once(*[refunding(line_id) for line_id in returned], decides=(refunds, "shares"))


def credited(office: Office) -> list[int]:
    amounts: list[int] = office.story(
        lambda desk: list(desk.world.begin().scalars(sa.select(CreditNote.amount).order_by(CreditNote.id)))
    )
    return amounts


def test_two_returns_of_one_line_refunded_at_once_add_up_to_the_invoice(office: Office) -> None:
    assert two_refund(office) == ["done", "done"]
    assert credited(office) == [34, 33, 34]
    assert office.findings() == []


@pytest.mark.parametrize("backend", ["postgresql"])
def test_without_its_lock_the_same_pence_are_refunded_twice(office: Office) -> None:
    office.without_locks()
    two_refund(office)
    assert credited(office) != [34, 33, 34]


def test_one_return_line_is_refunded_once(office: Office) -> None:
    line = office.story(lambda desk: desk.delivered(office.bolt, 3))
    returned = office.story(lambda desk: desk.returned(line, 2))
    request = RefundRequest(return_line_id=returned, quantity=2)
    answers = office.at_once(
        *[lambda session: refunds.refund(session, [request], **office.how)] * 2, decides=(refunds, "shares")
    )
    assert answers == ["MoreThanInspected", "done"]


def test_one_inspection_is_disposed_of_once(office: Office) -> None:
    line = office.story(lambda desk: desk.delivered(office.bolt, 3))
    office.story(lambda desk: desk.returned(line, 2))
    [inspection_id] = office.story(lambda desk: list(desk.world.begin().scalars(sa.select(Inspection.id))))
    decision = Decision(inspection_id=inspection_id, disposition=Disposition.SCRAP, why="broken")
    answers = office.at_once(
        *[lambda session: disposition.dispose(session, [decision], **office.how)] * 2,
        decides=(disposition, "_destinations"),
    )
    assert answers == ["AlreadyDisposed", "done"]


def test_what_has_arrived_is_inspected_once(office: Office) -> None:
    line = office.story(lambda desk: desk.delivered(office.bolt, 3))
    [returned] = office.story(lambda desk: desk.back(desk.authorize(line, 2)))
    verdict = Verdict(return_line_id=returned, quantity=2, grade=Grade.A, finding=Finding.NO_FAULT)
    answers = office.at_once(
        *[lambda session: inspection.record(session, [verdict], **office.how)] * 2, decides=(inspection, "_accept")
    )
    assert answers == ["MoreThanReceived", "done"]


def test_a_prior_sale_named_by_two_at_once_is_brought_forward_once(office: Office) -> None:
    request = office.desk.request(office.desk.prior(office.bolt, 3), 2)
    answers = office.at_once(
        *[lambda session: returns.authorize(session, [request], **office.how)] * 2, decides=(returns, "_accept")
    )
    assert answers == ["MoreThanDelivered", "done"]
    assert office.story(lambda desk: desk.world.begin().scalar(sa.select(sa.func.count(CustomerInvoice.id)))) == 1


def test_a_command_sent_twice_acts_once(office: Office) -> None:
    line = office.story(lambda desk: desk.delivered(office.bolt, 5))
    request = office.desk.request(line, 2)

    def send(command: str, body: Any, work: Work) -> idempotency.Answer:
        return idempotency.run_once(
            office.database,
            principal="returns",
            command=command,
            key="a-1",
            body=body,
            now=office.desk.world.now,
            work=work,
        )

    for replayed in (False, True):
        answer = send("return.authorize", [line, 2], lambda s: returns.authorize(s, [request], **office.how))
        assert answer.replayed is replayed
        [return_id] = answer.value
    [returned] = office.story(lambda desk: desk.back(return_id))
    office.story(lambda desk: desk.inspect(returned, 2))
    wish = RefundRequest(return_line_id=returned, quantity=1)
    answers = [
        send("return.refund", [returned, 1], lambda s: refunds.refund(s, [wish], **office.how)) for _ in range(2)
    ]
    assert answers[0].value == answers[1].value
    assert credited(office) == [1000]
    status = office.story(lambda desk: desk.status(return_id))
    assert (status.authorized, status.refunded) == (2, 1)

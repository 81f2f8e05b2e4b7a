"""The same thing done by two at the same moment happens once: post, reverse, receive, approve."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from scm.core import approval, users
from scm.core.approval import Approval, Decision
from scm.core.db import Database
from scm.core.users import Actor, Role
from scm.master.locations import LocationKind
from scm.stock import ledger
from scm.stock.ledger import Posting
from scm.stock.moves import MoveState, StockMove
from tests.races import crew, office, work
from tests.races.crew import Refused
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.stock.ground import Ground

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def ground(database: Database) -> Ground:
    with database.unit_of_work(write=True) as session:
        return grounds.prepare(session)


def arriving(database: Database, ground: Ground, *, quantity: int = 10, over: int = 0) -> int:
    with database.unit_of_work(write=True) as session:
        return ground.plan(session, ground.inbound(quantity, over=over))[0].id


def staged(database: Database, ground: Ground) -> int:
    """This function will put ten units on the staging place and give the move that ships them."""
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(10))
        [pick] = ground.plan(session, ground.outbound(10))
    with database.unit_of_work(write=True) as session:
        result = ledger.post(session, [Posting(move_id=pick.id, source_id=ground.bin_ids[0])], **ground.how)
    return result.planned_next[0].id


def posted(database: Database, source: int) -> int:
    with database.unit_of_work(write=False) as session:
        total = sa.select(sa.func.sum(StockMove.quantity)).where(
            StockMove.state == MoveState.POSTED, StockMove.source_id == source
        )
        return int(session.scalar(total) or 0)


def refusals(answers: list[object]) -> list[str]:
    return [answer.error for answer in answers if isinstance(answer, Refused)]


def test_a_shipment_posted_by_four_leaves_once(database: Database, database_url: str, ground: Ground) -> None:
    move_id = staged(database, ground)
    answers = crew.together(database_url, work.post_the_same, count=4, args=(ground, move_id, None))
    assert refusals(answers) == ["NotPlanned"] * 3
    assert posted(database, ground.at(LocationKind.STAGING)) == 10
    check_books(database)


def test_a_delivery_received_by_two_stays_within_the_tolerance(
    database: Database, database_url: str, ground: Ground
) -> None:
    move_id = arriving(database, ground, over=2)
    answers = crew.together(database_url, work.post_the_same, count=2, args=(ground, move_id, 8))
    assert refusals(answers) == ["TooMuch"]
    assert posted(database, ground.at(LocationKind.SUPPLIER)) == 8
    check_books(database)


def test_without_the_row_lock_more_is_received_than_was_ordered(
    database: Database, database_url: str, ground: Ground
) -> None:
    move_id = arriving(database, ground, over=2)
    answers = crew.together(database_url, work.without_row_lock_post, count=2, args=(ground, move_id, 8))
    assert refusals(answers) == []
    assert posted(database, ground.at(LocationKind.SUPPLIER)) == 16


def test_a_move_reversed_by_three_is_undone_once(database: Database, database_url: str, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        [fact] = ground.move_now(session, ground.found(10)).posted
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(20))
    answers = crew.together(database_url, work.reverse_the_same, count=3, args=(ground, fact.id))
    assert refusals(answers) == ["CannotReverse"] * 2
    assert posted(database, ground.bin_ids[0]) == 10
    check_books(database)


def pending(database: Database) -> list[Actor]:
    """This function will submit one request and give two people who may approve it."""
    with database.unit_of_work(write=True) as session:
        people = [
            users.add(session, username=name, display_name=name, roles=frozenset({Role.APPROVER}), now=NOW)
            for name in ("rita", "anna", "bert")
        ]
        approval.request(
            session,
            subject_kind="order",
            subject_id=1,
            content="what was submitted",
            requester=people[0],
            now=NOW,
        )
    return people[1:]


def approved_by(database: Database) -> list[tuple[Decision, str]]:
    with database.unit_of_work(write=False) as session:
        return [(row.decision, row.comment) for row in session.scalars(sa.select(Approval))]


def test_two_approvers_at_once_make_one_approval(database: Database, database_url: str) -> None:
    approvers = pending(database)
    answers = crew.together(database_url, office.approve, count=2, args=(approvers, False))
    assert refusals(answers) == ["NotPending"]
    winner = approvers[answers.index("approved")]
    assert approved_by(database) == [(Decision.APPROVED, winner.username)]


def test_without_the_lock_both_are_told_that_they_approved(database: Database, database_url: str) -> None:
    approvers = pending(database)
    answers = crew.together(database_url, office.approve, count=2, args=(approvers, True))
    assert answers == ["approved", "approved"]

"""Two approvers of one purchase order at once make one approval, and the goods are on order once (promise 19)."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sqlalchemy as sa

from procurement.purchase_orders import PurchaseOrderLine, PurchaseOrderState
from scm.core import users
from scm.core.approval import Approval, Decision
from scm.core.db import Database
from scm.core.users import Actor, Role
from scm.stock.moves import MoveState, StockMove
from tests.races import buying_work, crew
from tests.races.crew import Refused
from tests.world import World


class Pending(NamedTuple):
    """A submitted order of 100 bolts and who may act on it."""

    order_id: int
    line_id: int
    approvers: list[Actor]
    buyer: Actor


@pytest.fixture
def pending(database: Database) -> Pending:
    """One order that waits for two approvers."""
    with database.unit_of_work(write=True) as session:
        world = World(session, today=buying_work.TODAY)
        order_id = world.submitted_order((world.agreement(world.item("bolt"), world.supplier("acme")), 100))
        approvers = [
            users.add(session, username=name, display_name=name, roles=frozenset({Role.APPROVER}), now=world.now)
            for name in ("anna", "bert")
        ]
        line_id = session.scalars(sa.select(PurchaseOrderLine.id)).one()
        found = Pending(order_id, line_id, approvers, world.user("buyer"))
    database.dispose()
    return found


def on_order(database: Database) -> int:
    with database.unit_of_work(write=False) as session:
        planned = sa.select(sa.func.coalesce(sa.func.sum(StockMove.quantity), 0))
        return int(session.execute(planned.where(StockMove.state == MoveState.PLANNED)).scalar_one())


def decisions(database: Database) -> list[Decision]:
    with database.unit_of_work(write=False) as session:
        return list(session.scalars(sa.select(Approval.decision)))


@pytest.mark.parametrize("turn", range(3))
def test_two_approvers_at_once_make_one_approval(
    database: Database, database_url: str, pending: Pending, turn: int
) -> None:
    answers = crew.together(database_url, buying_work.approve, count=2, args=(pending.approvers, pending.order_id))
    assert sorted(a.error if isinstance(a, Refused) else a for a in answers) == ["IllegalTransition", "approved"]
    assert decisions(database) == [Decision.APPROVED]
    assert on_order(database) == 100


def test_without_the_locks_the_goods_would_be_on_order_twice(
    database: Database, database_url: str, pending: Pending
) -> None:
    try:
        answers = crew.together(
            database_url, buying_work.without_locks_approve, count=2, args=(pending.approvers, pending.order_id)
        )
    except AssertionError as failed:
        # On SQLite both may draw the same ids for what they order: that is the second order, stopped by a constraint.
        assert database.is_sqlite and "UNIQUE constraint failed: stock_move.id" in str(failed)
        return
    assert answers == ["approved", "approved"]
    assert on_order(database) == 200


@pytest.mark.parametrize("turn", range(3))
def test_an_edit_and_an_approval_at_once_never_leave_an_approved_order_nobody_saw(
    database: Database, database_url: str, pending: Pending, turn: int
) -> None:
    args = (pending.approvers[0], pending.buyer, pending.order_id, pending.line_id)
    approved, edited = crew.together(database_url, buying_work.approve_or_edit, count=2, args=args)
    assert edited == "edited"
    assert approved == "approved" or approved.error == "IllegalTransition"
    assert buying_work.state_of(database, pending.order_id) is PurchaseOrderState.DRAFT
    assert decisions(database) == [Decision.VOID]
    assert on_order(database) == 0

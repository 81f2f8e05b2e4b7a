"""State × action × role: each is allowed, or refused with nothing changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from scm.core.documents import IllegalTransition
from scm.core.errors import ScmError
from scm.core.users import Actor, Role, RoleMissing
from scm.production import completing, documents, issuing, orders, reporting
from scm.production.completing import Completion
from scm.production.documents import MACHINE, WorkOrderState
from scm.production.issuing import Issue, Return
from scm.production.reporting import Report
from tests.production.shop import Shop
from tests.world import World

ROLES = [role for role in Role if role is not Role.SYSTEM]
PLANNERS = {Role.PLANNER}
HANDS = {Role.PRODUCTION, Role.WAREHOUSE}
FLOOR = {Role.PRODUCTION}
MAY = {
    "release": PLANNERS,
    "reschedule": PLANNERS,
    "cancel": PLANNERS,
    "close": PLANNERS,
    "issue": HANDS,
    "return": HANDS,
    "report": FLOOR,
    "correct": FLOOR,
    "complete": FLOOR,
    "undo": FLOOR,
}
# The last step of completing, taken by the verb itself and by nobody else.
BY_ITSELF = {"finish"}


class Bench:
    """One order brought to a state, with something there for every action."""

    def __init__(self, world: World, shop: Shop, state: WorkOrderState) -> None:
        self.world, self.shop = world, shop
        table, leg = world.item("table"), world.item("leg")
        world.stock(leg, 100)
        self.order = shop.order(shop.bom(table, (leg, 2)), 10)
        self.report_id = self.output_id = 0
        if state not in (WorkOrderState.PLANNED, WorkOrderState.CANCELLED):
            shop.release(self.order)
        if state in (WorkOrderState.STARTED, WorkOrderState.COMPLETED, WorkOrderState.CLOSED):
            shop.issue(self.order, (leg, 15))
            shop.report(self.order, 4)
            [output] = shop.complete(self.order, 4).posted
            self.output_id, self.report_id = output.id, shop.report(self.order, 3)
        if state in (WorkOrderState.COMPLETED, WorkOrderState.CLOSED):
            shop.report(self.order, 3)
            shop.issue(self.order, (leg, 10), reason="two were bent")
            shop.complete(self.order, 6)
        if state is WorkOrderState.CLOSED:
            shop.close(self.order)
        if state is WorkOrderState.CANCELLED:
            shop.cancel(self.order)
        self.component = shop.component(self.order, leg)
        self.operation = shop.progress(self.order).work[0].operation.id
        assert shop.state(self.order) is state

    def act(self, action: str, session: Session, actor: Actor) -> None:
        """This function will take the action as somebody."""
        world, order = self.world, self.order
        now, today = world.now, world.today
        acts: dict[str, Callable[[], object]] = {
            "release": lambda: orders.release(session, [order], actor=actor, now=now, today=today),
            "reschedule": lambda: orders.reschedule(
                session, [order], start_date=today, due_date=today, actor=actor, now=now, today=today
            ),
            "cancel": lambda: orders.cancel(session, [order], reason="why not", actor=actor, now=now),
            "close": lambda: orders.close(session, [order], actor=actor, now=now, today=today, reason="enough"),
            "issue": lambda: issuing.issue(
                session,
                order,
                [Issue(component_id=self.component, quantity=1)],
                actor=actor,
                now=now,
                today=today,
                reason="one more",
            ),
            "return": lambda: issuing.return_components(
                session,
                order,
                [Return(component_id=self.component, quantity=1)],
                reason="one too many",
                actor=actor,
                now=now,
                today=today,
            ),
            "report": lambda: reporting.report(
                session,
                order,
                [Report(operation_id=self.operation, minutes=5)],
                actor=actor,
                now=now,
                today=today,
            ),
            "correct": lambda: reporting.correct(
                session, order, self.report_id, reason="wrong", actor=actor, now=now, today=today
            ),
            "complete": lambda: completing.complete(
                session, order, Completion(quantity=1), actor=actor, now=now, today=today
            ),
            "undo": lambda: completing.undo(
                session, order, self.output_id, reason="wrong", actor=actor, now=now, today=today
            ),
        }
        acts[action]()


def test_every_action_of_the_machine_is_somebodys() -> None:
    assert set(MACHINE.actions) == MAY.keys() | BY_ITSELF


@pytest.mark.parametrize("state", list(WorkOrderState), ids=lambda state: state.value)
def test_state_action_and_role(world: World, shop: Shop, state: WorkOrderState) -> None:
    bench = Bench(world, shop, state)
    people = {role: world.user(role.value) for role in ROLES}
    before = world.everything()
    wrong = []
    for action, may in MAY.items():
        allowed = (state, action) in MACHINE.transitions
        for role, actor in people.items():
            point = world.begin().begin_nested()
            refusal: ScmError | None = None
            try:
                bench.act(action, world.begin(), actor)
            except ScmError as error:
                refusal = error
            point.rollback()
            world.begin().info.pop("audit_rows", None)
            expected = RoleMissing if role not in may else None if allowed else IllegalTransition
            if (expected is None) is not (refusal is None) or not isinstance(refusal, expected or type(None)):
                wrong.append(f"{action} as {role.value}: {refusal!r}")
        assert world.everything() == before, action
    # With all of it completed, nothing is left that passed and waits; that is no question of the state.
    assert [text for text in wrong if not (state is WorkOrderState.COMPLETED and "NotPassed" in text)] == []
    assert documents.lock(world.begin(), [bench.order])[0].state is state

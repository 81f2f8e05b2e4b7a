"""Somebody else agrees to exactly what was submitted. Two approvers at the same moment are in tests/races."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import approval, users
from scm.core.approval import Approval, ContentChanged, Decision, NotPending, SelfApproval
from scm.core.db import Database
from scm.core.users import Actor, Role

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTENT = {"lines": [[1, 40]], "total": 4000}


def person(session: Session, name: str) -> Actor:
    return users.add(session, username=name, display_name=name, roles=frozenset({Role.APPROVER}), now=NOW)


def submit(session: Session, requester: Actor, content: Any = CONTENT) -> None:
    approval.request(session, subject_kind="order", subject_id=1, content=content, requester=requester, now=NOW)


def decide(
    session: Session, approver: Actor, *, content: Any = CONTENT, decision: Decision = Decision.APPROVED
) -> None:
    approval.decide(
        session,
        subject_kind="order",
        subject_id=1,
        number="PO-1",
        content=content,
        decision=decision,
        approver=approver,
        now=NOW,
    )


def require(session: Session, content: Any = CONTENT) -> None:
    approval.require_approved(session, subject_kind="order", subject_id=1, number="PO-1", content=content)


def test_what_somebody_else_approved_counts(session: Session) -> None:
    requester, approver = person(session, "rita"), person(session, "anna")
    submit(session, requester)
    with pytest.raises(NotPending, match="PO-1 is not approved"):
        require(session)
    decide(session, approver)
    require(session)


@pytest.mark.parametrize("decision", [Decision.APPROVED, Decision.REJECTED])
def test_nobody_decides_on_their_own_request(session: Session, decision: Decision) -> None:
    requester = person(session, "rita")
    submit(session, requester)
    with pytest.raises(SelfApproval, match="rita submitted PO-1"):
        decide(session, requester, decision=decision)
    with pytest.raises(NotPending):
        require(session)


def test_the_database_refuses_it_too_when_the_check_is_skipped(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        requester = person(session, "rita")
        submit(session, requester)
    with (
        pytest.raises(exc.IntegrityError, match="requester_is_not_approver"),
        database.unit_of_work(write=True) as session,
    ):
        session.execute(sa.update(Approval).values(approver_id=requester.user_id, decision=Decision.APPROVED))
    with pytest.raises(exc.IntegrityError, match="decided_by_somebody"), database.unit_of_work(write=True) as session:
        session.execute(sa.update(Approval).values(decision=Decision.APPROVED))


def test_editing_after_submission_or_approval_voids_it(session: Session) -> None:
    requester, approver = person(session, "rita"), person(session, "anna")
    submit(session, requester)
    with pytest.raises(ContentChanged, match="after it was submitted"):
        decide(session, approver, content=CONTENT | {"total": 4001})
    decide(session, approver)
    with pytest.raises(ContentChanged, match="after it was approved"):
        require(session, CONTENT | {"lines": [[1, 41]]})
    submit(session, requester, CONTENT | {"total": 4001})
    with pytest.raises(NotPending):
        require(session)
    decisions = session.scalars(sa.select(Approval.decision).order_by(Approval.id)).all()
    assert decisions == [Decision.VOID, Decision.PENDING]


def test_a_decision_is_made_once(session: Session) -> None:
    requester, anna, bert = person(session, "rita"), person(session, "anna"), person(session, "bert")
    with pytest.raises(NotPending, match="submit it first"):
        decide(session, anna)
    submit(session, requester)
    decide(session, anna, decision=Decision.REJECTED)
    with pytest.raises(NotPending):
        decide(session, bert)


def test_the_order_of_keys_is_no_change(session: Session) -> None:
    assert approval.content_hash({"a": 1, "b": [2]}) == approval.content_hash({"b": [2], "a": 1})
    assert approval.content_hash({"a": 1}) != approval.content_hash({"a": "1"})

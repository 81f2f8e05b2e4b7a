"""What people decide about cases: put off until a date, accepted with a reason, handed over, commented on.

None of it closes a case: only its cause going does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import InvalidInput, NotAllowed
from scm.core.users import Actor, Role, User, UserRole
from scm.loop.exceptions import cases
from scm.loop.exceptions.cases import KIND, EntryAction, ExceptionCase, ExceptionEntry
from scm.loop.exceptions.findings import DESKS

LONGEST_TEXT = 400


class BadAnswer(InvalidInput):
    """An answer lacks its reason, its date has passed, or it is too long."""


class NotYourDesk(NotAllowed):
    """An exception belongs to a desk the person does not work at."""


class NotTheirDesk(InvalidInput):
    """A colleague cannot take an exception over: they are unknown, gone, or work at another desk."""


def snooze(
    session: Session,
    case_ids: Sequence[int],
    *,
    site_id: int,
    until: date,
    comment: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will keep cases out of the inbox until a day. Raises `BadAnswer`, `CaseUnknown`, `NotYourDesk`."""
    text = _text(comment, "putting an exception off")
    if until <= today:
        raise BadAnswer(f"{until} is not after today, {today}: choose a later day")
    for case in mine(session, case_ids, site_id=site_id, actor=actor):
        case.snoozed_until, case.snoozed_by_id, case.snooze_comment = until, actor.user_id, text
        _enter(session, case, EntryAction.SNOOZE, text, actor=actor, now=now, until_date=until)
    _audit(session, "snooze", case_ids, actor, until=until.isoformat(), comment=text)


def accept(
    session: Session, case_ids: Sequence[int], *, site_id: int, reason: str, actor: Actor, now: datetime
) -> None:
    """This function will take cases out of the inbox for as long as they do not get much worse.

    Raises `BadAnswer`, `CaseUnknown`, `NotYourDesk`.
    """
    text = _text(reason, "accepting an exception")
    for case in mine(session, case_ids, site_id=site_id, actor=actor):
        case.accepted_by_id, case.accepted_reason, case.accepted_amount = actor.user_id, text, case.amount or 0
        _enter(session, case, EntryAction.ACCEPT, text, actor=actor, now=now)
    _audit(session, "accept", case_ids, actor, reason=text)


def wake(session: Session, case_ids: Sequence[int], *, site_id: int, actor: Actor, now: datetime) -> None:
    """This function will bring cases back that were put off or accepted. Raises `CaseUnknown`, `NotYourDesk`."""
    for case in mine(session, case_ids, site_id=site_id, actor=actor):
        case.snoozed_until, case.snoozed_by_id, case.snooze_comment = None, None, ""
        case.accepted_by_id, case.accepted_reason, case.accepted_amount = None, "", None
        _enter(session, case, EntryAction.WAKE, "", actor=actor, now=now)
    _audit(session, "wake", case_ids, actor)


def comment(session: Session, case_ids: Sequence[int], *, site_id: int, text: str, actor: Actor, now: datetime) -> None:
    """This function will note what somebody says about cases. Raises `BadAnswer`, `CaseUnknown`, `NotYourDesk`."""
    said = _text(text, "a comment")
    for case in mine(session, case_ids, site_id=site_id, actor=actor):
        _enter(session, case, EntryAction.COMMENT, said, actor=actor, now=now)
    _audit(session, "comment", case_ids, actor, text=said)


def hand_over(
    session: Session,
    case_ids: Sequence[int],
    *,
    site_id: int,
    to_username: str,
    text: str = "",
    actor: Actor,
    now: datetime,
) -> None:
    """This function will make a colleague, or oneself, the owner of cases.

    Raises `NotTheirDesk`, `BadAnswer`, `CaseUnknown`, `NotYourDesk`.
    """
    if len(text) > LONGEST_TEXT:
        raise BadAnswer(f"the text has {len(text)} characters: it may have {LONGEST_TEXT}")
    found = mine(session, case_ids, site_id=site_id, actor=actor)
    owner_id, roles = _colleague(session, to_username)
    for case in found:
        if not DESKS[case.kind].roles & roles:
            raise NotTheirDesk(f"{to_username} does not work at the desk of {case.label}: choose another colleague")
        case.owner_id = owner_id
        _enter(session, case, EntryAction.HAND_OVER, text.strip(), actor=actor, now=now, to_user_id=owner_id)
    _audit(session, "hand_over", case_ids, actor, to=to_username)


def solved(session: Session, case: ExceptionCase, *, text: str, action: str, actor: Actor, now: datetime) -> None:
    """This function will note that somebody acted on a case; it closes when a look finds its cause gone."""
    case.solved_by_id = actor.user_id
    _enter(session, case, EntryAction.SOLVE, text.strip() or action, actor=actor, now=now)
    _audit(session, "solve", [case.id], actor, solution=action, reason=text)


def rest_until(case: ExceptionCase, day: date, *, actor: Actor) -> None:
    """This function will keep a case that was just acted on out of the inbox until the effect is due."""
    case.snoozed_until, case.snoozed_by_id, case.snooze_comment = day, actor.user_id, ""


def settle(case: ExceptionCase, reason: str, *, actor: Actor) -> None:
    """This function will take a case that was just decided about out of the inbox, as `accept` does."""
    text = _text(reason, "a decision")
    case.accepted_by_id, case.accepted_reason, case.accepted_amount = actor.user_id, text, case.amount or 0


def mine(session: Session, case_ids: Sequence[int], *, site_id: int, actor: Actor) -> list[ExceptionCase]:
    """This function will lock open cases that the actor may answer. Raises `CaseUnknown`, `NotYourDesk`."""
    found = cases.lock(session, list(case_ids), site_id=site_id)
    for case in found:
        roles = DESKS[case.kind].roles
        if not roles & actor.roles:
            wanted = " or ".join(sorted(role.value for role in roles))
            raise NotYourDesk(f"{actor.username} may not answer the exception about {case.label}: it needs {wanted}")
    return found


def _colleague(session: Session, username: str) -> tuple[int, frozenset[Role]]:
    rows = session.execute(
        sa.select(User.id, UserRole.role)
        .join(UserRole, UserRole.user_id == User.id)
        .where(User.username == username, User.active)
    ).all()
    if not rows:
        raise NotTheirDesk(f"there is no active colleague {username!r}: choose one from the list")
    return rows[0].id, frozenset(row.role for row in rows)


def _text(text: str, doing: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise BadAnswer(f"{doing} needs words: whoever looks next reads them")
    if len(stripped) > LONGEST_TEXT:
        raise BadAnswer(f"the text has {len(stripped)} characters: it may have {LONGEST_TEXT}")
    return stripped


def _enter(
    session: Session,
    case: ExceptionCase,
    action: EntryAction,
    text: str,
    *,
    actor: Actor,
    now: datetime,
    until_date: date | None = None,
    to_user_id: int | None = None,
) -> None:
    session.add(
        ExceptionEntry(
            case_id=case.id,
            at=now,
            actor_id=actor.user_id,
            action=action,
            text=text[:LONGEST_TEXT],
            until_date=until_date,
            to_user_id=to_user_id,
        )
    )


def _audit(session: Session, action: str, case_ids: Sequence[int], actor: Actor, **detail: Any) -> None:
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb=f"exception.{action}",
        document_kind=KIND,
        document_ids=sorted(set(case_ids)),
        **detail,
    )

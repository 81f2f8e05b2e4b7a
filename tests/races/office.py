"""What the processes of a crew do with commands, numbers and approvals, and how they die.

Each function is given its `Mate` first. Functions named `without_…` take a guard away in their own process first.
"""

from __future__ import annotations

import functools
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from unittest import mock

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import approval, db, idempotency, numbering, outbox
from scm.core.approval import Decision
from scm.core.errors import Conflict
from scm.core.users import Actor
from tests.races.crew import Mate
from tests.races.work import no_begin
from tests.stock.ground import NOW, Ground


def send_commands(mate: Mate, keys: Sequence[str]) -> Counter[str]:
    """This function will send every command until it is answered, in an order of its own."""
    answers: Counter[str] = Counter()
    mate.meet()
    for key in random.Random(mate.number).sample(keys, k=len(keys)):
        while True:
            try:
                answer = idempotency.run_once(
                    mate.database,
                    principal="shop",
                    command="write",
                    key=key,
                    body=key,
                    now=NOW,
                    work=functools.partial(write_message, key=key),
                )
            except idempotency.StillRunning:
                answers["still running"] += 1
                continue
            answers["replayed" if answer.replayed else "acted"] += 1
            assert answer.value == key
            break
    return answers


def without_remembering_send(mate: Mate, keys: Sequence[str]) -> Counter[str]:
    """This function will send the commands with the key's insertion taken out."""
    with mock.patch.object(idempotency, "_insert", lambda session, **_: True):
        return send_commands(mate, keys)


def write_message(session: Session, key: str) -> str:
    """This function will have the effect that must happen once: a message with the command's name."""
    outbox.put(session, topic=key, recipient="r", document_kind="d", document_id=1, payload={}, now=NOW)
    return key


def hold_a_command(mate: Mate, key: str) -> str:
    """This function will run one command that the test ends after it has met the twin, and the twin."""

    def slow(session: Session) -> str:
        write_message(session, key)
        mate.meet()
        mate.meet()
        return "slow"

    def send(work: Callable[[Session], str]) -> str:
        answer = idempotency.run_once(
            mate.database, principal="shop", command="write", key=key, body=1, now=NOW, work=work
        )
        return f"{answer.value} {'replayed' if answer.replayed else 'acted'}"

    if mate.number == 0:
        return send(slow)
    mate.meet()
    try:
        return send(slow)
    except idempotency.StillRunning:
        mate.meet()
        return "still running"


def draw_numbers(mate: Mate, company_id: int, rounds: int) -> list[str]:
    """This function will draw numbers of both kinds, undo every third transaction, and give what it committed."""
    kept: list[str] = []
    mate.meet()
    for n in range(rounds):
        try:
            with mate.database.unit_of_work(write=True) as session:
                drawn = numbering.draw(session, series=numbering.SALES_ORDER, company_id=company_id, year=2026)
                drawn += numbering.draw(
                    session, series=numbering.CUSTOMER_INVOICE, company_id=company_id, year=2026, count=1 + n % 2
                )
                if (n + mate.number) % 3 == 0:
                    raise Conflict("undo this one")
            kept += drawn
        except Conflict:
            continue
    return kept


def draw_and_tell(mate: Mate, company_id: int) -> None:
    """This function will draw invoice numbers for ever and tell each when it is committed."""
    while True:
        with mate.database.unit_of_work(write=True) as session:
            drawn = numbering.draw(session, series=numbering.CUSTOMER_INVOICE, company_id=company_id, year=2026)
            write_message(session, drawn[0])
        mate.tell(drawn[0])


def approve(mate: Mate, approvers: Sequence[Actor], unlocked: bool) -> str:
    """This function will approve the one pending request, with a person of its own."""
    mate.meet()
    if not unlocked:
        mate.database.run(lambda s: _decide(s, approvers[mate.number]))
        return "approved"

    def read(session: Session, *, subject_kind: str, subject_id: int) -> approval.Approval | None:
        row = session.scalars(sa.select(approval.Approval)).one()
        mate.meet()
        return row

    with mock.patch.object(approval, "_open", read), mock.patch.object(db, "_begin_sqlite", no_begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            _decide(session, approvers[mate.number])
    return "approved"


def _decide(session: Session, approver: Actor) -> None:
    approval.decide(
        session,
        subject_kind="order",
        subject_id=1,
        number="PO-1",
        content="what was submitted",
        decision=Decision.APPROVED,
        approver=approver,
        now=NOW,
        comment=approver.username,
    )


# ---- killed


def post_and_tell(mate: Mate, ground: Ground, first: int) -> None:
    """This function will find goods, one command after the other, and tell each key when it is answered."""
    number = first
    while True:
        send_found(mate.database, ground, number)
        mate.tell(number)
        number += 1


def send_found(database: db.Database, ground: Ground, number: int) -> idempotency.Answer:
    """This function will find `number` units under the key of that number."""

    def work(session: Session) -> int:
        return ground.move_now(session, ground.found(number)).posted[0].id

    return idempotency.run_once(
        database, principal="p", command="found", key=f"found-{number}", body=number, now=NOW, work=work
    )


def die_between_effect_and_answer(mate: Mate, ground: Ground, number: int) -> None:
    """This function will commit, and be killed before it can say so."""
    send_found(mate.database, ground, number)
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_the_commit(mate: Mate, ground: Ground, number: int) -> None:
    """This function will be killed when everything is written and nothing committed."""

    def die(session: Session) -> None:
        ground.move_now(session, ground.found(number))
        session.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    idempotency.run_once(
        mate.database, principal="p", command="found", key=f"found-{number}", body=number, now=NOW, work=die
    )

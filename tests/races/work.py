"""What the processes of a crew do. Each function is given its `Mate` first and returns something small.

Functions named `without_…` take a guard away in their own process before they do it: the negative controls.
"""

from __future__ import annotations

import functools
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import approval, db, idempotency, numbering, outbox
from scm.core.approval import Decision
from scm.core.errors import Conflict, ScmError
from scm.core.users import Actor
from scm.master.locations import LocationKind
from scm.stock import allocation, balances, holds, ledger, moves, reservations
from scm.stock.ledger import Posting
from scm.stock.lots import HoldReason
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Shortage
from tests.races.crew import Mate
from tests.stock.ground import NOW, TODAY, Ground

# ---- reserving


def reserve_one_by_one(mate: Mate, move_ids: Sequence[Sequence[int]]) -> int:
    """This function will promise its own moves one after the other and count the units it got."""
    mate.meet()
    got = 0
    for move_id in move_ids[mate.number]:
        reserve = functools.partial(reservations.reserve, move_ids=[move_id], shortage=Shortage.SPLIT)
        [outcome] = mate.database.run(reserve)
        got += outcome.reserved
    return got


def without_locks_reserve(mate: Mate, move_ids: Sequence[int]) -> int:
    """This function will promise one move, reading the pool without a lock and writing when all have read."""
    plain = _read_without_lock(mate)
    with mock.patch.object(balances, "_select_for_update", plain), mock.patch.object(db, "_begin_sqlite", _no_begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            [outcome] = reservations.reserve(session, [move_ids[mate.number]], shortage=Shortage.SPLIT)
    database.dispose()
    return outcome.reserved


def with_a_plain_begin_reserve(mate: Mate, move_ids: Sequence[int]) -> int:
    """This function will promise one move in a deferred transaction of SQLite."""

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    plain = _read_without_lock(mate)
    with mock.patch.object(balances, "_select_for_update", plain), mock.patch.object(db, "_begin_sqlite", begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            [outcome] = reservations.reserve(session, [move_ids[mate.number]], shortage=Shortage.SPLIT)
    database.dispose()
    return outcome.reserved


def _no_begin(connection: sa.Connection) -> None:
    """Every statement is a transaction of its own."""


def _read_without_lock(mate: Mate) -> Callable[..., dict[Any, tuple[int, int]]]:
    def read(session: Session, table: Any, keys: Sequence[Any]) -> dict[Any, tuple[int, int]]:
        primary, there, taken = balances._columns(table)
        statement = sa.select(*primary, there, taken).where(sa.tuple_(*primary).in_([tuple(key) for key in keys]))
        found = {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in session.execute(statement)}
        mate.meet()
        return found

    return read


def order_shuffled_lines(mate: Mate, ground: Ground, orders: int) -> Counter[str]:
    """This function will place orders of every item in a random order of lines, each all or nothing."""
    chance = random.Random(mate.number)
    answers: Counter[str] = Counter()
    mate.meet()
    for order in range(orders):
        items = chance.sample(ground.item_ids, k=len(ground.item_ids))
        requests = [
            ground.outbound(1, item=item, line=line, order=1 + mate.number * orders + order)
            for line, item in enumerate(items, start=1)
        ]

        def work(session: Session, requests: Sequence[ledger.MoveRequest] = requests) -> None:
            planned = ground.plan(session, *requests)
            reservations.reserve(session, [move.id for move in planned], shortage=Shortage.REFUSE)

        try:
            mate.database.run(work)
            answers["promised"] += 1
        except reservations.NotEnoughToPromise:
            answers["refused"] += 1
    return answers


def without_sorting_lock_two(mate: Mate, keys: Sequence[balances.PoolKey]) -> str:
    """This function will lock two rows in line order: the second process has its lines the other way round."""
    first, second = keys if mate.number == 0 else reversed(keys)
    try:
        with mate.database.unit_of_work(write=True) as session:
            balances._select_for_update(session, balances.StockPool, [first])
            mate.meet()
            balances._select_for_update(session, balances.StockPool, [second])
    except exc.DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", error))
    return "locked both"


# ---- posting


def post_the_same(mate: Mate, ground: Ground, move_id: int, quantity: int | None) -> int:
    """This function will post a move that others post at the same moment."""
    mate.meet()
    return mate.database.run(
        lambda s: len(ledger.post(s, [Posting(move_id=move_id, quantity=quantity)], **ground.how).posted)
    )


def without_row_lock_post(mate: Mate, ground: Ground, move_id: int, quantity: int | None) -> int:
    """This function will post a move that both have read without a lock: the second when the first is done."""

    def read(session: Session, move_ids: Sequence[int], **_: Any) -> list[moves.Move]:
        rows = session.execute(sa.select(StockMove.__table__).where(StockMove.id.in_(list(move_ids)))).all()
        if rows:
            mate.meet()
            if mate.number == 1:
                mate.meet()
        return [moves.Move(**row._mapping) for row in rows]

    with mock.patch.object(moves, "lock", read), mock.patch.object(db, "_begin_sqlite", _no_begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            result = ledger.post(session, [Posting(move_id=move_id, quantity=quantity)], **ground.how)
    if mate.number == 0:
        mate.meet()
    return len(result.posted)


def reverse_the_same(mate: Mate, ground: Ground, move_id: int) -> int:
    """This function will reverse a move that others reverse at the same moment."""
    mate.meet()
    return mate.database.run(lambda s: len(ledger.reverse(s, [move_id], reason="wrong", **ground.how).posted))


def do_anything(mate: Mate, ground: Ground, lot_ids: Sequence[int], steps: int, seed: int) -> Counter[str]:
    """This function will do one stock verb after the other to whatever moves there are, as a busy day does.

    Refusals of the domain are part of the day; anything else fails.
    """
    chance = random.Random(seed * 100 + mate.number)
    answers: Counter[str] = Counter()
    mate.meet()
    for _ in range(steps):
        verb = chance.choice(DAY)
        try:
            mate.database.run(functools.partial(verb, ground=ground, chance=chance, lot_ids=lot_ids))
            answers[f"{verb.__name__}: done"] += 1
        except ScmError as refusal:
            answers[f"{verb.__name__}: {type(refusal).__name__}"] += 1
    return answers


def _planned_from(session: Session, chance: random.Random, *sources: int, **columns: Any) -> int:
    """Any planned move from these places; raises when there is none, as a screen with an empty list would."""
    condition = [StockMove.state == MoveState.PLANNED, StockMove.source_id.in_(sources)]
    condition += [getattr(StockMove, name) == value for name, value in columns.items()]
    found = session.scalars(sa.select(StockMove.id).where(*condition)).all()
    if not found:
        raise Conflict("nothing to do")
    return chance.choice(found)


def sell(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    planned = ground.plan(s, *[ground.outbound(chance.randint(1, 3), line=n) for n in (1, 2)])
    reservations.reserve(s, [move.id for move in planned], shortage=Shortage.SPLIT)


def receive(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    [move] = ground.plan(s, ground.inbound(4))
    ledger.post(s, [Posting(move_id=move.id, lot_id=chance.choice(lot_ids))], **ground.how)


def put_away(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    move_id = _planned_from(s, chance, ground.at(LocationKind.DOCK))
    ledger.post(s, [Posting(move_id=move_id, destination_id=chance.choice(ground.bin_ids))], **ground.how)
    reservations.fill_backorders(s, item_ids=[ground.bolt], site_id=ground.site_id)


def release(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    wanted = {_planned_from(s, chance, ground.area_id) for _ in range(2)}
    allocation.allocate(s, sorted(reservations.quantities(s, wanted)), today=TODAY)


def pick(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    move_id = _planned_from(s, chance, *ground.bin_ids, allocated=True)
    ledger.post(s, [Posting(move_id=move_id, quantity=1)], **ground.how)


def cancel(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    found = _planned_from(s, chance, ground.area_id, *ground.bin_ids, document_kind="sales_order")
    ledger.cancel(s, [found], reason="changed their mind", actor=ground.clerk)


def lose(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    ground.move_now(s, ground.lost(2, bin_id=chance.choice(ground.bin_ids), lot=chance.choice(lot_ids)))


def find(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    ground.move_now(s, ground.found(3, bin_id=chance.choice(ground.bin_ids), lot=chance.choice(lot_ids)))


def hold(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    lot = chance.choice(lot_ids)
    holds.place(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)


def unhold(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    lot = chance.choice(lot_ids)
    holds.release(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)


def undo(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    posted = s.scalars(sa.select(StockMove.id).where(StockMove.state == MoveState.POSTED)).all()
    if not posted:
        raise Conflict("nothing to do")
    ledger.reverse(s, [chance.choice(posted)], reason="wrong", **ground.how)


DAY = (sell, sell, receive, put_away, put_away, release, release, pick, pick, cancel, lose, find, hold, unhold, undo)


# ---- commands, numbers, approvals


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

    with mock.patch.object(approval, "_open", read), mock.patch.object(db, "_begin_sqlite", _no_begin):
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

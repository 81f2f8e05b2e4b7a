"""Takes files of a channel's messages and brings its orders to what the messages say.

Everything of a file happens in one transaction or nothing does: one wrong cell is enough to change nothing. A message
that comes too late for what has left the building is kept and counted, and the order stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.core.users import Actor
from scm.master.sheets import RowError
from scm.sales import channels
from scm.sales.channel_orders import bringing, deciding, messages, reading
from scm.sales.channel_orders.messages import ChannelMessage, Message
from scm.sales.channel_orders.report import Report

__all__ = ["FileRefused", "Report", "take"]

CHUNK = 2_000


class FileRefused(Conflict):
    """A file has errors: nothing was taken."""


def take(
    session: Session,
    data: bytes,
    *,
    channel: str,
    company_id: int,
    dry_run: bool,
    actor: Actor,
    now: datetime,
    today: date,
) -> Report:
    """This function will take a file of messages, or only say what it would do; errors are in the report.

    Raises `ChannelUnknown`, `RoleMissing`.
    """
    actor.require(*channels.KEEPERS)
    point = session.begin_nested() if dry_run else None
    try:
        report = _take(session, data, channel=channel, company_id=company_id, actor=actor, now=now, today=today)
    finally:
        if point is not None:
            point.rollback()
    report.dry_run = dry_run
    return report


def _take(
    session: Session, data: bytes, *, channel: str, company_id: int, actor: Actor, now: datetime, today: date
) -> Report:
    # One file of a channel after the other: two would each miss the messages of the other.
    through = channels.lock(session, code=channel, company_id=company_id)
    read = reading.read(data)
    decided = deciding.decide(session, read, channel=through, today=today)
    report = Report(rows=read.rows, messages=len(decided.messages), customers=len(decided.new_customers))
    kept = _kept(session, through.id, {message.external_id for _, message in decided.messages})
    known = {message.key: message for said in kept.values() for message in said}
    new: list[Message] = []
    for row, message in decided.messages:
        before = known.get(message.key)
        if before is None:
            new.append(message)
        elif before.said() != message.said():
            decided.errors.append(_other(row, message))
    if through.retired and new:
        mend = "use the channel again first"
        decided.errors.append(
            RowError(row=0, column="", value=through.code, reason="the channel is retired", mend=mend)
        )
    report.new, report.repeated = len(new), len(decided.messages) - len(new)
    report.errors = tuple(sorted(decided.errors, key=lambda error: (error.row, error.column)))
    if report.errors or not new:
        return report
    deciding.add_customers(session, decided, channel=through, actor=actor)
    _keep(session, through.id, new, now=now)
    for message in new:
        kept[message.external_id].append(message)
    touched = {message.external_id for message in new}
    wanted = {external_id: messages.fold(kept[external_id]) for external_id in sorted(touched)}
    bringing.bring_about(session, through, wanted, report, actor=actor, now=now, today=today)
    return report


def _other(row: int, message: Message) -> RowError:
    reason = f"the {message.kind.value} message of this sequence that came before says otherwise"
    mend = "send a change under a new sequence"
    return RowError(row=row, column="sequence", value=str(message.sequence), reason=reason, mend=mend)


def _kept(session: Session, channel_id: int, external_ids: set[str]) -> defaultdict[str, list[Message]]:
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for ids in bringing.chunks(sorted(external_ids)):
        rows = session.scalars(
            sa.select(ChannelMessage).where(
                ChannelMessage.channel_id == channel_id, ChannelMessage.external_id.in_(ids)
            )
        )
        for row in rows:
            found[row.external_id].append(messages.restored(row))
    return found


def _keep(session: Session, channel_id: int, new: Sequence[Message], *, now: datetime) -> None:
    rows = [
        {
            "channel_id": channel_id,
            "external_id": message.external_id,
            "sequence": message.sequence,
            "kind": message.kind,
            "body": message.body(),
            "received_at": now,
        }
        for message in new
    ]
    session.execute(sa.insert(table_of(ChannelMessage)), rows)

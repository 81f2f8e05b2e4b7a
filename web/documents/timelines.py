"""The timeline of a document in words: who did what and when, what moved, and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from scm.loop import timeline
from scm.loop.timeline import Coming, Event
from web import formats
from web.desk import Desk
from web.documents import words
from web.i18n import Text


@dataclass(frozen=True, kw_only=True)
class ShownEvent:
    """One line of the timeline. `at` is business time; of what wrote none, only the record's time is known."""

    at: datetime | None
    recorded_at: datetime | None
    who: str
    text: str
    note: str


@dataclass(frozen=True, kw_only=True)
class ShownComing:
    """What is planned next, by a day."""

    day: date
    text: str
    note: str


@dataclass(frozen=True, kw_only=True)
class ShownTimeline:
    """What happened, the oldest first, and what comes next."""

    events: Sequence[ShownEvent]
    coming: Sequence[ShownComing]


def read(session: Session, desk: Desk, *, kind: str, document_id: int) -> ShownTimeline:
    """This function will read the timeline of a document for a page, in a bounded number of queries."""
    found = timeline.of_document(session, kind=kind, document_id=document_id)
    return ShownTimeline(
        events=[_event(event, desk) for event in found.events],
        coming=[
            ShownComing(day=coming.due_date, text=words.planned(coming.verb), note=_moved(coming))
            for coming in found.coming
        ],
    )


def _event(event: Event, desk: Desk) -> ShownEvent:
    # Only a simulated company has a time of its own; elsewhere the record was written when it happened.
    at = event.at or (None if desk.company.simulated else event.recorded_at)
    return ShownEvent(
        at=at,
        recorded_at=None if at is not None else event.recorded_at,
        who=event.actor,
        text=words.verb(event.verb),
        note=" · ".join(_notes(event)),
    )


def _notes(event: Event) -> list[str]:
    notes = [_moved(event)] if event.quantity else []
    detail: Mapping[str, Any] = event.detail
    for name, said in _DETAILS.items():
        value = detail.get(name)
        if value:
            notes.append(str(said(value)))
    return notes


def _moved(one: Event | Coming) -> str:
    units = ngettext("%(num)s unit", "%(num)s units", one.quantity)
    if one.lines <= 1:
        return str(units)
    lines = ngettext("%(num)s line", "%(num)s lines", one.lines)
    return str(gettext("%(units)s in %(lines)s", units=units, lines=lines))


_DETAILS: Mapping[str, Callable[[Any], Text]] = {
    "reason": lambda value: gettext("“%(text)s”", text=value),
    "comment": lambda value: gettext("“%(text)s”", text=value),
    "recipient": lambda value: gettext("to %(recipient)s", recipient=value),
    "delivery_note": lambda value: gettext("delivery note %(number)s", number=value),
    "cartons": lambda value: ngettext("%(num)s carton", "%(num)s cartons", int(value)),
    "photos": lambda value: ngettext("%(num)s photo", "%(num)s photos", int(value)),
    "picks": lambda value: ngettext("%(num)s pick", "%(num)s picks", int(value)),
    "quantity": lambda value: gettext("quantity %(quantity)s", quantity=formats.count(int(value))),
    "due_date": lambda value: gettext("due %(day)s", day=formats.day(date.fromisoformat(value))),
}

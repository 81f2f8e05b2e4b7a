"""The details of an audit entry as people read them: a few words each, a count instead of internal numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_pgettext

from web import formats
from web.i18n import Text
from web.pages.operations import deeds

LABELS: Mapping[str, Text] = {
    "after": lazy_pgettext("detail", "after"),
    "agreement_id": lazy_pgettext("detail", "agreement"),
    "amount": lazy_pgettext("detail", "amount"),
    "answer": lazy_pgettext("detail", "answer"),
    "as_of": lazy_pgettext("detail", "as of"),
    "before": lazy_pgettext("detail", "before"),
    "broken_promises": lazy_pgettext("detail", "broken promises"),
    "carrier_service_id": lazy_pgettext("detail", "carrier service"),
    "cartons": lazy_pgettext("detail", "cartons"),
    "changes": lazy_pgettext("detail", "changes"),
    "closed": lazy_pgettext("detail", "closed"),
    "code": lazy_pgettext("detail", "code"),
    "comment": lazy_pgettext("detail", "comment"),
    "credit_notes": lazy_pgettext("detail", "credit notes"),
    "currency": lazy_pgettext("detail", "currency"),
    "delivery_note": lazy_pgettext("detail", "delivery note"),
    "differences": lazy_pgettext("detail", "differences"),
    "documents": lazy_pgettext("detail", "documents"),
    "due_date": lazy_pgettext("detail", "due date"),
    "file": lazy_pgettext("detail", "file"),
    "from_date": lazy_pgettext("detail", "from"),
    "inputs_hash": lazy_pgettext("detail", "inputs"),
    "inspections": lazy_pgettext("detail", "inspections"),
    "job": lazy_pgettext("detail", "job"),
    "largest_amount": lazy_pgettext("detail", "largest amount"),
    "line_id": lazy_pgettext("detail", "line"),
    "line_ids": lazy_pgettext("detail", "lines"),
    "lines": lazy_pgettext("detail", "lines"),
    "moves": lazy_pgettext("detail", "stock moves"),
    "name": lazy_pgettext("detail", "name"),
    "now": lazy_pgettext("detail", "business time"),
    "number": lazy_pgettext("detail", "number"),
    "opened": lazy_pgettext("detail", "opened"),
    "order": lazy_pgettext("detail", "order"),
    "order_date": lazy_pgettext("detail", "order date"),
    "photos": lazy_pgettext("detail", "photos"),
    "picked": lazy_pgettext("detail", "picked"),
    "picks": lazy_pgettext("detail", "picks"),
    "places": lazy_pgettext("detail", "places"),
    "proposal_id": lazy_pgettext("detail", "proposal"),
    "quantity": lazy_pgettext("detail", "quantity"),
    "reason": lazy_pgettext("detail", "reason"),
    "row": lazy_pgettext("detail", "row"),
    "rule_id": lazy_pgettext("detail", "rule"),
    "run_id": lazy_pgettext("detail", "run"),
    "shape": lazy_pgettext("detail", "shape"),
    "short": lazy_pgettext("detail", "short"),
    "simulated": lazy_pgettext("detail", "simulated"),
    "sites": lazy_pgettext("detail", "sites"),
    "solver": lazy_pgettext("detail", "solver"),
    "topics": lazy_pgettext("detail", "topics"),
    "until_date": lazy_pgettext("detail", "until"),
    "without_bin": lazy_pgettext("detail", "without a bin"),
}
# Values that are one before and one after, and not a list.
PAIRS = frozenset({"quantity", "order_date", "due_date", "agreement_id"})
# Documents and rows that are only told apart by internal numbers: how many there are says more.
COUNTED = frozenset(
    {"broken_promises", "closed", "credit_notes", "inspections", "line_ids", "moves", "short", "without_bin"}
)
LONGEST_CODE = 12


def details_of(stored: str) -> list[tuple[Text, str]]:
    """This function will give what an entry notes beside its verb: a name and a text each, what is empty left out."""
    return list(_told(json.loads(stored or "{}")))


def _told(detail: Mapping[str, Any]) -> Iterator[tuple[Text, str]]:
    for name, value in detail.items():
        if value in (None, "", [], {}):
            continue
        if name == "documents" and isinstance(value, dict):
            for kind, ids in value.items():
                yield deeds.kind_of(kind), formats.count(len(ids))
        else:
            yield LABELS.get(name, name.replace("_", " ")), _text(name, value)


def _changed(part: str, value: Any) -> str:
    """A field that was changed, from what to what."""
    if isinstance(value, list) and len(value) == 2:
        return " → ".join([_text(part, one) for one in value])
    return _text(part, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, list):
        if name in COUNTED:
            return formats.count(len(value))
        between = " → " if name in PAIRS and len(value) == 2 else ", "
        return between.join([_text(name, one) for one in value])
    if isinstance(value, dict):
        return ", ".join([f"{part.replace('_', ' ')} {_changed(part, one)}" for part, one in value.items()])
    if name == "now":
        return formats.instant(datetime.fromisoformat(value))
    if name == "inputs_hash":
        return str(value)[:LONGEST_CODE]
    if isinstance(value, int) and not name.endswith("_id"):
        return formats.count(value)
    return formats.MISSING if value is None else str(value)

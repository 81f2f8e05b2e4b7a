"""One row added, or one cell changed, of the master data, by somebody who says what they believe stands there.

A cell that has changed meanwhile is refused with both values. Whoever enters a figure that was assumed, the same or
another, answers for it: it is not assumed any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import exchange
from scm.master.exchange import AGREEMENTS, ITEMS, SUPPLIERS, Kind, shown
from scm.master.sheets import Column, Row, RowError, WrongCell

# What a row is known by, counted in or made up of is no cell of it.
FIXED = frozenset({"assumed", "base_unit", "lot_tracked"})
# Columns that are labelled as assumed under another name than they are edited.
LABELS = {"category": "category_id"}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One cell: the row's key, the column, what stands there as far as somebody knows, and what should stand there.

    Values are texts as in a file: yes and no, decimals with a point, nothing for empty. `assumed` puts a
    label back, for an edit that takes another one back.
    """

    key: tuple[str, ...]
    column: str
    believed: str
    wanted: str
    assumed: bool = False


class RowUnknown(NotFound):
    """There is no row of that key."""


class RowExists(Conflict):
    """There is a row of that key already."""


class ChangedMeanwhile(Conflict):
    """Somebody has changed the cell since it was read. `present` stands there, `wanted` was asked for."""

    def __init__(self, edit: Edit, *, present: str) -> None:
        row = " ".join(edit.key)
        super().__init__(
            f"{row}: {edit.column} is {present or 'empty'} by now, no longer {edit.believed or 'empty'}: nothing was "
            f"changed, decide whether it should be {edit.wanted or 'empty'} all the same"
        )
        self.present = present
        self.wanted = edit.wanted


class BadCell(InvalidInput):
    """A cell cannot hold what was asked for, or cannot be changed by itself."""


def change_items(session: Session, edits: Sequence[Edit], *, company_id: int, actor: Actor) -> int:
    """This function will change cells of items and return how many differ from before.

    Raises `RowUnknown`, `ChangedMeanwhile`, `BadCell`; nothing is changed then.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    return _change(session, ITEMS, edits, company_id=company_id, actor=actor)


def change_suppliers(session: Session, edits: Sequence[Edit], *, company_id: int, actor: Actor) -> int:
    """This function will change cells of suppliers and their terms, as `change_items` does."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    return _change(session, SUPPLIERS, edits, company_id=company_id, actor=actor)


def change_agreements(session: Session, edits: Sequence[Edit], *, company_id: int, actor: Actor) -> int:
    """This function will change cells of agreements, as `change_items` does. The key is supplier and SKU."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    return _change(session, AGREEMENTS, edits, company_id=company_id, actor=actor)


def add_item(session: Session, cells: Mapping[str, str], *, company_id: int, actor: Actor) -> None:
    """This function will add an item from its cells by name. Raises `BadCell`, `RowExists`."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    _add(session, ITEMS, cells, company_id=company_id, actor=actor)


def add_supplier(session: Session, cells: Mapping[str, str], *, company_id: int, actor: Actor) -> None:
    """This function will add a supplier and its terms from their cells by name. Raises `BadCell`, `RowExists`."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    _add(session, SUPPLIERS, cells, company_id=company_id, actor=actor)


def add_agreement(session: Session, cells: Mapping[str, str], *, company_id: int, actor: Actor) -> None:
    """This function will add an agreement from its cells by name. Raises `BadCell`, `RowExists`."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    _add(session, AGREEMENTS, cells, company_id=company_id, actor=actor)


def label_of(column: str) -> str:
    """This function will give the name under which a column is labelled as assumed."""
    return LABELS.get(column, column)


def _change(session: Session, kind: Kind, edits: Sequence[Edit], *, company_id: int, actor: Actor) -> int:
    keys = list(dict.fromkeys(edit.key for edit in edits))
    # Lock first, then read in a later statement: what is compared is what stands there until the end.
    kind.lock(session, keys, company_id=company_id)
    known = kind.existing(session, company_id=company_id, keys=keys)
    rows = [_edited(kind, edits, key, known, number) for number, key in enumerate(keys, start=1)]
    _refuse(kind.check(session, rows, known, company_id=company_id), keys)
    changed = [row.values for row, key in zip(rows, keys, strict=True) if row.values != known[key]]
    kind.write(session, created=[], changed=changed, company_id=company_id, actor=actor)
    exchange.record_changes(session, kind, changed, known, company_id=company_id, actor=actor)
    return len(changed)


def _add(session: Session, kind: Kind, cells: Mapping[str, str], *, company_id: int, actor: Actor) -> None:
    strange = sorted(set(cells) - {column.name for column in kind.columns})
    if strange:
        raise BadCell(f"there is no column {strange[0][:40]!r}")
    key = tuple(cells.get(name, "") for name in kind.key)
    edits = [
        Edit(key=key, column=column.name, believed="", wanted=cells.get(column.name, "")) for column in kind.columns
    ]
    values = {edit.column: _read(column, edit) for column, edit in zip(kind.columns, edits, strict=True)}
    row = Row(number=1, values=values)
    if kind.existing(session, company_id=company_id, keys=[key]):
        raise RowExists(f"there is {kind.verb.partition('.')[0]} {' '.join(key)} already: change it, or choose another")
    _refuse(kind.check(session, [row], {}, company_id=company_id), [key])
    kind.write(session, created=[values], changed=[], company_id=company_id, actor=actor)


def _refuse(errors: Sequence[RowError], keys: Sequence[tuple[str, ...]]) -> None:
    for error in errors:
        key = " ".join(keys[error.row - 1])
        raise BadCell(f"{key}: {error.column} cannot be {error.value or 'empty'}: {error.reason}; {error.mend}")


def _edited(kind: Kind, edits: Sequence[Edit], key: tuple[str, ...], known: Any, number: int) -> Row:
    if key not in known:
        raise RowUnknown(f"there is no {kind.verb.partition('.')[0]} {' '.join(key)}")
    values = dict(known[key])
    for edit in edits:
        if edit.key == key:
            column = _column(kind, edit)
            present = shown(column, known[key][column.name])
            if present != edit.believed:
                raise ChangedMeanwhile(edit, present=present)
            values[column.name] = _read(column, edit)
            label = label_of(column.name)
            kept = {name for name in values["assumed"] if name != label} | ({label} if edit.assumed else set())
            values["assumed"] = tuple(sorted(kept))
    return Row(number=number, values=values)


def _column(kind: Kind, edit: Edit) -> Column:
    found = next((column for column in kind.columns if column.name == edit.column), None)
    if found is None or found.name in kind.key or found.name in FIXED:
        raise BadCell(f"{' '.join(edit.key)}: {edit.column[:40]!r} is no cell that can be changed by itself")
    return found


def _read(column: Column, edit: Edit) -> Any:
    if edit.wanted == "" and not column.required:
        return column.missing
    try:
        if edit.wanted == "":
            raise WrongCell("it is empty", "fill it in")
        return column.read(edit.wanted)
    except WrongCell as error:
        row = " ".join(edit.key)
        raise BadCell(f"{row}: {column.name} cannot be {edit.wanted[:60] or 'empty'}: {error}; {error.mend}") from None

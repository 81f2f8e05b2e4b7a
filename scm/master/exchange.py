"""Items, suppliers and agreements as CSV files, out and in.

A file is taken whole or not at all: every wrong cell is reported, and one is enough to change nothing. What is not in
a file stays as it is. A file that was exported and comes back unchanged changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.users import Actor, Role
from scm.master import agreement_rows, item_rows, sheets, supplier_rows
from scm.master.sheets import Column, Row, RowError

Values = Mapping[str, Any]
CHUNK = 1000  # keys of two parts named in one statement


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a file: `lines` = `accepted` + `rejected`; of the accepted, how many are new, changed, the same.

    Nothing is written when there is an error, nor in a dry run.
    """

    lines: int
    accepted: int
    created: int
    changed: int
    unchanged: int
    errors: tuple[RowError, ...]
    dry_run: bool

    @property
    def rejected(self) -> int:
        """How many rows could not be taken."""
        return self.lines - self.accepted

    @property
    def written(self) -> bool:
        """Whether the file was taken."""
        return not self.errors and not self.dry_run


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of file is checked against the database and written to it."""

    columns: Sequence[Column]
    key: tuple[str, ...]
    document_kind: str  # what a change of a row is written down under
    verb: str
    existing: Callable[..., Mapping[Any, Values]]
    lock: Callable[..., Mapping[Any, int]]
    check: Callable[..., list[RowError]]
    write: Callable[..., None]


ITEMS = Kind(
    columns=item_rows.COLUMNS,
    key=("sku",),
    document_kind="item",
    verb="item.change",
    existing=item_rows.existing,
    lock=item_rows.lock,
    check=item_rows.check,
    write=item_rows.write,
)
SUPPLIERS = Kind(
    columns=supplier_rows.COLUMNS,
    key=("code",),
    document_kind="partner",
    verb="partner.change",
    existing=supplier_rows.existing,
    lock=supplier_rows.lock,
    check=supplier_rows.check,
    write=supplier_rows.write,
)
AGREEMENTS = Kind(
    columns=agreement_rows.COLUMNS,
    key=("supplier", "sku"),
    document_kind="item",
    verb="agreement.change",
    existing=agreement_rows.existing,
    lock=agreement_rows.lock,
    check=agreement_rows.check,
    write=agreement_rows.write,
)


def import_items(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change items from a CSV file, or only say what it would do."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    return take(session, data, ITEMS, company_id=company_id, dry_run=dry_run, actor=actor)


def import_suppliers(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change suppliers with their terms from a CSV file, or only say what it would do."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    return take(session, data, SUPPLIERS, company_id=company_id, dry_run=dry_run, actor=actor)


def import_agreements(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change agreements from a CSV file, or only say what it would do."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    return take(session, data, AGREEMENTS, company_id=company_id, dry_run=dry_run, actor=actor)


def export_items(session: Session, *, company_id: int) -> bytes:
    """This function will write all items as a CSV file that `import_items` reads."""
    return give(session, ITEMS, company_id=company_id)


def export_suppliers(session: Session, *, company_id: int) -> bytes:
    """This function will write all suppliers with their terms as a CSV file that `import_suppliers` reads."""
    return give(session, SUPPLIERS, company_id=company_id)


def export_agreements(session: Session, *, company_id: int) -> bytes:
    """This function will write all agreements as a CSV file that `import_agreements` reads."""
    return give(session, AGREEMENTS, company_id=company_id)


def record_changes(
    session: Session,
    kind: Kind,
    changed: Sequence[Values],
    known: Mapping[Any, Values],
    *,
    company_id: int,
    actor: Actor,
) -> None:
    """This function will note in the audit trail what each changed row was before, column by column."""
    keys = [tuple(values[name] for name in kind.key) for values in changed]
    ids: dict[Any, int] = {}
    for start in range(0, len(keys), CHUNK):
        ids |= kind.lock(session, keys[start : start + CHUNK], company_id=company_id)
    for key, values in zip(keys, changed, strict=True):
        before = known[key]
        changes = {
            column.name: [shown(column, before[column.name]), shown(column, values[column.name])]
            for column in kind.columns
            if before[column.name] != values[column.name]
        }
        audit.record(
            session,
            actor=actor,
            verb=kind.verb,
            document_kind=kind.document_kind,
            document_ids=[ids[key]],
            row=" ".join(str(part) for part in key),
            changes=changes,
        )


def shown(column: Column, value: Any) -> str:
    """This function will write a value as people read and write it, in every language alike; nothing is empty.

    >>> shown(Column(name="retired", read=sheets.yes_or_no, write=sheets.show_yes), True)
    'yes'
    """
    return "" if value is None or value == () else column.write(value)


def give(session: Session, kind: Kind, *, company_id: int) -> bytes:
    """This function will write all rows of a kind as a CSV file that `take` reads."""
    known = kind.existing(session, company_id=company_id)
    return sheets.write((known[key] for key in sorted(known)), columns=kind.columns)


def take(session: Session, data: bytes, kind: Kind, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change rows of a kind from a CSV file, or only say what it would do."""
    sheet = sheets.read(data, columns=kind.columns)
    known = kind.existing(session, company_id=company_id)
    errors = list(sheet.errors)
    rows = [_completed(row, kind, known) for row in _once_each(sheet.rows, kind.key, errors)]
    errors += kind.check(session, rows, known, company_id=company_id)
    wrong = {error.row for error in errors}
    good = [row for row in rows if row.number not in wrong]
    created = [row.values for row in good if _key(row, kind.key) not in known]
    changed = [row.values for row in good if row.values != known.get(_key(row, kind.key), row.values)]
    if not errors and not dry_run:
        kind.write(session, created=created, changed=changed, company_id=company_id, actor=actor)
        record_changes(session, kind, changed, known, company_id=company_id, actor=actor)
    return Report(
        lines=sheet.lines,
        accepted=len(good),
        created=len(created),
        changed=len(changed),
        unchanged=len(good) - len(created) - len(changed),
        errors=tuple(sorted(errors, key=lambda error: (error.row, error.column))),
        dry_run=dry_run,
    )


def _key(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row.values[name] for name in names)


def _completed(row: Row, kind: Kind, known: Mapping[Any, Values]) -> Row:
    """A column the file does not have keeps its value, or has the usual one in a new row."""
    usual = {column.name: column.missing for column in kind.columns}
    return Row(number=row.number, values={**usual, **known.get(_key(row, kind.key), {}), **row.values})


def _once_each(rows: Sequence[Row], names: tuple[str, ...], errors: list[RowError]) -> list[Row]:
    first: dict[tuple[Any, ...], int] = {}
    unique = []
    for row in rows:
        before = first.setdefault(_key(row, names), row.number)
        if before == row.number:
            unique.append(row)
        else:
            value = " ".join(str(part) for part in _key(row, names))
            reason = f"it stands in row {before} already"
            errors.append(RowError(row=row.number, column=names[-1], value=value, reason=reason, mend="remove one"))
    return unique

"""Bills, their lines, operations and work centres as CSV files, out and in, as `scm.master.exchange` does it for items.

Files change drafts only: what was submitted or approved is refused unless the row is as it was.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from scm.core.users import Actor, Role
from scm.master import bom_drafts, bom_line_rows, bom_rows, exchange, operation_rows, work_center_rows
from scm.master.exchange import Kind, Report

BOMS = Kind(
    columns=bom_rows.COLUMNS,
    key=bom_drafts.KEY,
    document_kind="bom",
    verb="bom.change",
    existing=bom_rows.existing,
    lock=bom_drafts.lock,
    check=bom_rows.check,
    write=bom_rows.write,
)
LINES = Kind(
    columns=bom_line_rows.COLUMNS,
    key=(*bom_drafts.KEY, "line_number"),
    document_kind="bom",
    verb="bom.change_line",
    existing=bom_line_rows.existing,
    lock=bom_line_rows.lock,
    check=bom_line_rows.check,
    write=bom_line_rows.write,
)
OPERATIONS = Kind(
    columns=operation_rows.COLUMNS,
    key=(*bom_drafts.KEY, "sequence"),
    document_kind="bom",
    verb="bom.change_operation",
    existing=operation_rows.existing,
    lock=operation_rows.lock,
    check=operation_rows.check,
    write=operation_rows.write,
)
WORK_CENTERS = Kind(
    columns=work_center_rows.COLUMNS,
    key=("site", "code"),
    document_kind="work_center",
    verb="work_center.change_row",
    existing=work_center_rows.existing,
    lock=work_center_rows.lock,
    check=work_center_rows.check,
    write=work_center_rows.write,
)


def import_boms(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add revisions of bills and change drafts from a CSV file, or only say what it would do."""
    return _take(session, data, BOMS, company_id=company_id, dry_run=dry_run, actor=actor)


def import_lines(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change lines of drafts from a CSV file, or only say what it would do."""
    return _take(session, data, LINES, company_id=company_id, dry_run=dry_run, actor=actor)


def import_operations(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change operations of drafts from a CSV file, or only say what it would do."""
    return _take(session, data, OPERATIONS, company_id=company_id, dry_run=dry_run, actor=actor)


def import_work_centers(session: Session, data: bytes, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    """This function will add and change work centres from a CSV file, or only say what it would do."""
    return _take(session, data, WORK_CENTERS, company_id=company_id, dry_run=dry_run, actor=actor)


def export_boms(session: Session, *, company_id: int) -> bytes:
    """This function will write all revisions as a CSV file that `import_boms` reads."""
    return exchange.give(session, BOMS, company_id=company_id)


def export_lines(session: Session, *, company_id: int) -> bytes:
    """This function will write all lines as a CSV file that `import_lines` reads."""
    return exchange.give(session, LINES, company_id=company_id)


def export_operations(session: Session, *, company_id: int) -> bytes:
    """This function will write all operations as a CSV file that `import_operations` reads."""
    return exchange.give(session, OPERATIONS, company_id=company_id)


def export_work_centers(session: Session, *, company_id: int) -> bytes:
    """This function will write all work centres as a CSV file that `import_work_centers` reads."""
    return exchange.give(session, WORK_CENTERS, company_id=company_id)


def _take(session: Session, data: bytes, kind: Kind, *, company_id: int, dry_run: bool, actor: Actor) -> Report:
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    return exchange.take(session, data, kind, company_id=company_id, dry_run=dry_run, actor=actor)

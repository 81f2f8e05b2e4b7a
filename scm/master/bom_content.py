"""What one revision of a bill says, as a value: it is what people write, what is hashed for approval, what is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.master.bom import Bom, BomKind, BomLine, BomSubstitute
from scm.master.routing import Operation, Routing

LARGEST = 10**9  # so that a ratio with its rates still is two whole numbers of 64 bits
MOST_LINES = 1000


@dataclass(frozen=True, kw_only=True)
class SubstituteContent:
    """What may stand in for a component, for the same `output_quantity`."""

    item_id: int
    priority: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class LineContent:
    """One component of a bill."""

    line_number: int
    item_id: int
    quantity: int
    scrap_rate: Decimal = Decimal(0)
    substitutes: tuple[SubstituteContent, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OperationContent:
    """One step of a routing. Seconds are for `run_quantity` units, after the step was set up once."""

    sequence: int
    name: str
    work_center_id: int
    setup_seconds: int = 0
    run_seconds: int = 0
    run_quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class BomContent:
    """What one revision of a bill says. `valid_until` is its last day; quantities are base units."""

    kind: BomKind
    valid_from: date
    lines: tuple[LineContent, ...]
    valid_until: date | None = None
    output_quantity: int = 1
    yield_rate: Decimal = Decimal(1)
    partner_id: int | None = None
    lead_time_days: int = 0
    minimum_order_quantity: int = 0
    order_multiple: int = 1
    cover_limit_days: int | None = None
    operations: tuple[OperationContent, ...] = ()


class BadBom(InvalidInput):
    """A bill cannot say this."""


# The least and the most that whole numbers of a bill may be, wherever they stand.
FIGURES = {
    "output_quantity": (1, LARGEST),
    "lead_time_days": (0, 3650),
    "minimum_order_quantity": (0, LARGEST),
    "order_multiple": (1, LARGEST),
    "cover_limit_days": (1, 3650),
    "line_number": (1, 1_000_000),
    "quantity": (1, LARGEST),
    "priority": (1, 1000),
    "sequence": (1, 1_000_000),
    "setup_seconds": (0, 10**9),
    "run_seconds": (0, LARGEST),
    "run_quantity": (1, LARGEST),
}
# What the row of the bill itself holds of its content.
HEAD = (
    "kind",
    "valid_from",
    "valid_until",
    "output_quantity",
    "yield_rate",
    "partner_id",
    "lead_time_days",
    "minimum_order_quantity",
    "order_multiple",
    "cover_limit_days",
)


def read(session: Session, bom_ids: Iterable[int]) -> dict[int, BomContent]:
    """This function will read what revisions say, in four queries. A missing one is missing from the answer."""
    wanted = sorted(set(bom_ids))
    substitutes: dict[int, list[SubstituteContent]] = {}
    for row in session.execute(
        sa.select(BomSubstitute.bom_line_id, BomSubstitute.item_id, BomSubstitute.priority, BomSubstitute.quantity)
        .join(BomLine, BomLine.id == BomSubstitute.bom_line_id)
        .where(BomLine.bom_id.in_(wanted))
        .order_by(BomSubstitute.priority)
    ):
        content = SubstituteContent(item_id=row.item_id, priority=row.priority, quantity=row.quantity)
        substitutes.setdefault(row.bom_line_id, []).append(content)
    lines: dict[int, list[LineContent]] = {}
    for line in session.execute(
        sa.select(
            BomLine.id, BomLine.bom_id, BomLine.line_number, BomLine.item_id, BomLine.quantity, BomLine.scrap_rate
        )
        .where(BomLine.bom_id.in_(wanted))
        .order_by(BomLine.line_number)
    ):
        lines.setdefault(line.bom_id, []).append(
            LineContent(
                line_number=line.line_number,
                item_id=line.item_id,
                quantity=line.quantity,
                scrap_rate=line.scrap_rate,
                substitutes=tuple(substitutes.get(line.id, ())),
            )
        )
    operations: dict[int, list[OperationContent]] = {}
    columns = [getattr(Operation, name) for name in OperationContent.__dataclass_fields__]
    for step in session.execute(
        sa.select(Routing.bom_id, *columns)
        .join(Routing, Routing.id == Operation.routing_id)
        .where(Routing.bom_id.in_(wanted))
        .order_by(Operation.sequence)
    ):
        values = dict(step._mapping)
        operations.setdefault(values.pop("bom_id"), []).append(OperationContent(**values))
    heads = session.execute(sa.select(Bom.id, *(getattr(Bom, name) for name in HEAD)).where(Bom.id.in_(wanted)))
    return {
        head.id: BomContent(
            **{name: getattr(head, name) for name in HEAD},
            lines=tuple(lines.get(head.id, ())),
            operations=tuple(operations.get(head.id, ())),
        )
        for head in heads
    }


def as_json(content: BomContent) -> dict[str, Any]:
    """This function will write a revision as a JSON value that is the same whenever the revision is the same."""
    return {
        **{name: _plain(getattr(content, name)) for name in HEAD},
        "lines": [
            {**_values(line, without="substitutes"), "substitutes": [_values(other) for other in line.substitutes]}
            for line in content.lines
        ],
        "operations": [_values(operation) for operation in content.operations],
    }


def check(content: BomContent, *, number: str, item_id: int) -> None:
    """This function will refuse a revision whose own figures are wrong. Raises `BadBom`."""
    _refuse_figures(content, number)
    if content.valid_until is not None and content.valid_until < content.valid_from:
        raise BadBom(f"{number}: valid_until {content.valid_until} lies before valid_from {content.valid_from}")
    if not 0 < content.yield_rate <= 1:
        raise BadBom(f"{number}: yield_rate is {content.yield_rate}: give a share above 0 and up to 1")
    if (content.kind is BomKind.SUBCONTRACT) is not (content.partner_id is not None):
        raise BadBom(f"{number}: a subcontractor is named when the kind is subcontract, and only then")
    if content.kind in (BomKind.PHANTOM, BomKind.KIT) and content.operations:
        raise BadBom(f"{number}: a {content.kind.value} is never ordered, so it has no operations")
    if len(content.lines) > MOST_LINES:
        raise BadBom(f"{number}: it has {len(content.lines)} lines: give up to {MOST_LINES}")
    for line in content.lines:
        _check_line(line, f"{number}, line {line.line_number}", item_id=item_id)
    for operation in content.operations:
        _check_operation(operation, f"{number}, operation {operation.sequence}")
    _refuse_twice(number, content.lines, "line_number", "item_id")
    _refuse_twice(number, content.operations, "sequence")


def _check_line(line: LineContent, where: str, *, item_id: int) -> None:
    _refuse_figures(line, where)
    if not 0 <= line.scrap_rate <= 1:
        raise BadBom(f"{where}: scrap_rate is {line.scrap_rate}: give a share from 0 to 1")
    for other in line.substitutes:
        _refuse_figures(other, f"{where}, substitute {other.priority}")
        if other.item_id == line.item_id:
            raise BadBom(f"{where}: an item cannot stand in for itself")
    if item_id in (line.item_id, *(other.item_id for other in line.substitutes)):
        raise BadBom(f"{where}: an item cannot be made of itself")
    _refuse_twice(where, line.substitutes, "priority", "item_id")


def _check_operation(operation: OperationContent, where: str) -> None:
    _refuse_figures(operation, where)
    if operation.setup_seconds + operation.run_seconds == 0:
        raise BadBom(f"{where}: setting up and running take no time: give seconds of one of them")
    if not 0 < len(operation.name.strip()) <= 120 or not operation.name.isprintable():
        raise BadBom(f"{where}: the name needs 1 to 120 printable characters")


def _refuse_figures(part: object, where: str) -> None:
    for name, (least, most) in FIGURES.items():
        value = getattr(part, name, None)
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise BadBom(f"{where}: {name} is {value}: give a whole number from {least} to {most}")


def _refuse_twice(where: str, parts: Sequence[object], *names: str) -> None:
    for name in names:
        for value, times in Counter(getattr(part, name) for part in parts).items():
            if times > 1:
                raise BadBom(f"{where}: {name} {value} is given {times} times: give it once")


def _values(part: Any, *, without: str = "") -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(part).items() if name != without}


def _plain(value: Any) -> Any:
    if isinstance(value, BomKind):
        return value.value
    if isinstance(value, Decimal):
        return str(value.normalize())
    return value.isoformat() if isinstance(value, date) else value

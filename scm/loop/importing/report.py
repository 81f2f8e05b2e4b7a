"""What an import did with every line: lines in = accepted + rejected. The report of the command, also as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from scm.loop.importing.refusals import Rejection

EXAMPLES_PER_REASON = 20


class LinesLost(RuntimeError):
    """The counts of an import do not add up: a fault of the import itself."""


@dataclass
class Tally:
    """Counts rejected lines by reason and keeps the first few of each reason as examples."""

    rejected: Counter[str] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)

    def add(self, rejections: Iterable[Rejection]) -> None:
        """This function will count rejections one by one."""
        for rejection in rejections:
            self.rejected[rejection.reason] += 1
            if self.rejected[rejection.reason] <= EXAMPLES_PER_REASON:
                self.examples.append(rejection)

    def add_many(self, reason: str, count: int, examples: Iterable[Rejection]) -> None:
        """This function will count lines refused by one rule at once; `examples` are the first of them."""
        kept = self.rejected[reason]
        self.rejected[reason] += count
        self.examples.extend(list(examples)[: max(0, EXAMPLES_PER_REASON - kept)])


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """The outcome of one import or dry run. Dates are those of accepted lines."""

    file: str
    format: str
    dry_run: bool
    content_hash: str
    seed: int
    lines: int
    accepted: dict[str, int]
    rejected: dict[str, int]
    rejected_examples: list[Rejection]
    first_date: date | None
    last_date: date | None
    go_live_date: date | None  # none: no line was accepted
    lines_from_go_live: int  # accepted, and invisible until their date comes
    returns_matched: int
    never_demand_lines: int  # sales cancelled whole within a day, and their returns
    items: int  # distinct items of the accepted lines
    items_created: int
    customers: int  # distinct named customers of the accepted lines
    customers_created: int
    anonymous_lines: int
    demand_facts: int
    return_facts: int
    suppliers_assumed: int
    agreements_assumed: int
    opening_items: int
    opening_quantity: int
    opening_orders: int
    assumed: list[str]  # in words, what was not in the file

    def __post_init__(self) -> None:
        if self.lines != self.total_accepted + self.total_rejected:
            raise LinesLost(
                f"{self.file} has {self.lines} lines, of which {self.total_accepted} were accepted and "
                f"{self.total_rejected} rejected: the import does not account for every line and was undone"
            )

    @property
    def total_accepted(self) -> int:
        """How many lines were taken, of all kinds."""
        return sum(self.accepted.values())

    @property
    def total_rejected(self) -> int:
        """How many lines were not taken, for all reasons."""
        return sum(self.rejected.values())

    def as_json(self) -> dict[str, Any]:
        """This function will give the report as a JSON value; rejected examples are sorted by row."""
        value = asdict(self)
        for name in ("first_date", "last_date", "go_live_date"):
            value[name] = None if value[name] is None else value[name].isoformat()
        value["rejected_examples"] = [asdict(r) for r in sorted(self.rejected_examples, key=lambda r: r.row)]
        return value

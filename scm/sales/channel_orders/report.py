"""What came of a file of a channel's messages."""

from __future__ import annotations

from dataclasses import dataclass

from scm.master.sheets import RowError


@dataclass(kw_only=True)
class Report:
    """What came of a file: `messages` = `new` + `repeated`; orders `placed`, `amended`, `cancelled`, `paid`.

    `waiting` orders were cancelled or paid before they were placed: nothing is done until they are. `too_late` ones
    have left the building and stay as they are. Nothing is written when there is an error, nor in a dry run.
    """

    rows: int
    messages: int = 0
    new: int = 0
    repeated: int = 0
    placed: int = 0
    amended: int = 0
    cancelled: int = 0
    paid: int = 0
    waiting: int = 0
    too_late: int = 0
    customers: int = 0
    numbers: tuple[str, ...] = ()
    errors: tuple[RowError, ...] = ()
    dry_run: bool = False

"""What became of many things asked for at once: what was done, and row by row what was not and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scm.core.errors import ScmError


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One row that was left as it was."""

    id: int
    error: ScmError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The rows that were changed, in the order asked, and those that were not."""

    done: Sequence[int]
    refused: Sequence[Refused]

"""How a long command says what it is doing, and learns that it should stop.

Domain code calls a `Progress`; the command line draws a bar, a test passes `SILENT`.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the stages of one long piece of work."""

    def stage(self, name: str, *, total: int | None = None) -> None:
        """A new stage begins; `total` is its number of steps, if known."""

    def advance(self, steps: int = 1) -> None:
        """So many steps of the present stage are done."""


class _Silent:
    def stage(self, name: str, *, total: int | None = None) -> None:
        return None

    def advance(self, steps: int = 1) -> None:
        return None


SILENT: Progress = _Silent()

"""The bar that long commands draw: the present stage, how far it is, and how long it has taken."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Bar:
    """A `scm.core.progress.Progress` on the terminal; in a file or a pipe it writes one line a stage instead."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._rich = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not self._live,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()
        self._rich.stop()

    def stage(self, name: str, *, total: int | None = None) -> None:
        """A new stage begins; `total` is its number of steps, if known."""
        self._finish()
        if not self._live:
            self._console.print(f"{name} …", highlight=False)
        self._task = self._rich.add_task(name, total=total)

    def advance(self, steps: int = 1) -> None:
        """So many steps of the present stage are done."""
        if self._task is not None:
            self._rich.advance(self._task, steps)

    def _finish(self) -> None:
        if self._task is None:
            return
        task = self._rich.tasks[self._rich.task_ids.index(self._task)]
        if task.total is None:
            self._rich.update(self._task, total=max(task.completed, 1), completed=max(task.completed, 1))
        self._task = None

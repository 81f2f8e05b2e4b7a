"""Real processes that do something to one database at the same moment.

They are forked from a clean server process that has the modules loaded but holds no connection, so that starting
one costs a few milliseconds. What they run are the functions of `work`, `office`, `day` and `working`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from scm.core.db import Database
from scm.core.errors import ScmError

LONGEST_SECONDS = 120
_context: ForkServerContext = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["pytest", "tests.races.day", "tests.races.office", "tests.races.work", "tests.races.working"]
)


@dataclass(frozen=True)
class Mate:
    """What a process of a crew knows: which it is, and how to wait for the others."""

    database: Database
    number: int
    barrier: Barrier
    ears: Connection

    def meet(self) -> None:
        """This function will wait until every process of the crew has come as far."""
        self.barrier.wait(timeout=LONGEST_SECONDS)

    def tell(self, what: Any) -> None:
        """This function will tell the test something before the work is over."""
        self.ears.send(("told", what))


@dataclass(frozen=True)
class Refused:
    """A process ended with an error of the domain."""

    error: str
    text: str


Work = Callable[..., Any]


def together(url: str, work: Work, *, count: int, args: tuple[Any, ...] = (), **options: Any) -> list[Any]:
    """This function will run `work(mate, *args)` in `count` processes at once and give what each returned.

    A process that was refused gives `Refused`; any other error in one of them fails the test. `options` are those
    of `Database`.
    """
    barrier = _context.Barrier(count)
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(_started(url, work, n, barrier, args, options))[1] for n in range(count)]
        return [_result(ear) for ear in ears]


@contextlib.contextmanager
def alone(url: str, work: Work, *args: Any) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """This function will start one process, give it and its pipe, and end it at the end of the block."""
    with _started(url, work, 0, _context.Barrier(1), args, {}) as started:
        yield started


def kill(process: ForkServerProcess) -> None:
    """This function will end a process as the operating system does when it needs the memory."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(LONGEST_SECONDS)
    assert process.exitcode == -signal.SIGKILL


def told(ear: Connection) -> Iterator[Any]:
    """This function will give what a process has told, until it ends or is killed."""
    with contextlib.suppress(EOFError):
        while True:
            kind, what = ear.recv()
            if kind == "told":
                yield what


@contextlib.contextmanager
def _started(
    url: str, work: Work, number: int, barrier: Barrier, args: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[tuple[ForkServerProcess, Connection]]:
    ear, mouth = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(url, work, number, barrier, mouth, args, options), daemon=True)
    process.start()
    mouth.close()
    try:
        yield process, ear
    finally:
        process.join(0 if process.exitcode is not None else 5)
        if process.is_alive():
            process.kill()
            process.join()
        ear.close()


def _result(ear: Connection) -> Any:
    deadline = time.monotonic() + LONGEST_SECONDS
    while ear.poll(max(0.0, deadline - time.monotonic())):
        kind, what = ear.recv()
        if kind == "failed":
            raise AssertionError(f"a process of the crew failed:\n{what}")
        if kind == "done":
            return what
    raise TimeoutError(f"a process of the crew was not done after {LONGEST_SECONDS} seconds")


def _run(
    url: str,
    work: Work,
    number: int,
    barrier: Barrier,
    ears: Connection,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    database = Database(url, **options)
    try:
        answer: tuple[str, Any] = ("done", work(Mate(database, number, barrier, ears), *args))
    except ScmError as refusal:
        answer = ("done", Refused(type(refusal).__name__, str(refusal)))
    except BaseException:
        answer = ("failed", traceback.format_exc())
        raise
    finally:
        ears.send(answer)
        database.dispose()

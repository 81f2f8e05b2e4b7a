"""Runs the measured work in processes of its own, so that no run inherits another's memory, caches or garbage.

A worker is a function `work(start, **arguments)`: it prepares, calls `start()`, works, and returns a JSON value. What
it prepares is not counted. All workers of a run start together.

Run as `python -m benchmarks.workers MODULE FUNCTION` it is one worker, and talks to `run` through its pipes.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg

from benchmarks import measuring
from tests.postgres import SUPERUSER, Server

ROOT = Path(__file__).parent.parent
READY, GO = "ready", "go"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run used, and what each worker returned."""

    client_seconds: float  # CPU of the workers
    server_seconds: float  # CPU of the database server, what it wrote to disk afterwards included
    wall_seconds: float
    peak_bytes: int  # the most memory that one worker held
    answers: tuple[Any, ...]

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of all processes."""
        return self.client_seconds + self.server_seconds


class WorkerFailed(RuntimeError):
    """A worker ended with an error; its own words stand above."""


def run(module: str, function: str, calls: Sequence[Mapping[str, Any]], *, server: Server | None = None) -> Spent:
    """This function will run one worker process per call, all at once, and add up what they and the server used.

    Raises `WorkerFailed`.
    """
    command = [sys.executable, "-m", "benchmarks.workers", module, function]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in calls
    ]
    try:
        for worker, arguments in zip(workers, calls, strict=True):
            _tell(worker, json.dumps(dict(arguments)))
        for worker in workers:
            _expect(worker, READY)
        process_id = server.process_id if server else None
        before, began = measuring.server_seconds(process_id), time.perf_counter()
        for worker in workers:
            _tell(worker, GO)
        answers = [json.loads(_line(worker)) for worker in workers]
        wall = time.perf_counter() - began
        if server:
            _settle(server)
        used = measuring.server_seconds(process_id) - before
    finally:
        for worker in workers:
            _end(worker)
    return Spent(
        client_seconds=sum(answer["cpu_seconds"] for answer in answers),
        server_seconds=used,
        wall_seconds=wall,
        peak_bytes=max(answer["peak_bytes"] for answer in answers),
        answers=tuple(answer["value"] for answer in answers),
    )


def _tell(worker: subprocess.Popen[str], line: str) -> None:
    assert worker.stdin is not None
    worker.stdin.write(line + "\n")
    worker.stdin.flush()


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        raise WorkerFailed(f"a worker ended with exit code {worker.wait()}: its own words stand above")
    return line.rstrip("\n")


def _expect(worker: subprocess.Popen[str], word: str) -> None:
    line = _line(worker)
    if line != word:
        raise WorkerFailed(f"a worker said {line!r} where {word!r} was expected")


def _end(worker: subprocess.Popen[str]) -> None:
    for pipe in (worker.stdin, worker.stdout):
        assert pipe is not None
        pipe.close()
    worker.kill()  # one that has answered is done; one that has not is not wanted any more
    worker.wait()


def _settle(server: Server) -> None:
    """Work that the server has put off belongs to the run that caused it."""
    with psycopg.connect(host=server.directory, user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def main(module: str, function: str, orders: IO[str], answers: IO[str]) -> None:
    """This function will be one worker: it reads its arguments, works when told to, and writes its answer."""
    work = getattr(importlib.import_module(module), function)
    arguments = json.loads(orders.readline())
    began = 0.0

    def start() -> None:
        nonlocal began
        print(READY, file=answers, flush=True)
        if orders.readline().strip() != GO:
            raise WorkerFailed("told to stop before the start")
        began = measuring.own_seconds()

    value = work(start, **arguments)
    answer = {
        "cpu_seconds": measuring.own_seconds() - began,
        "peak_bytes": measuring.peak_bytes(),
        "value": value,
    }
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.stdin, sys.stdout)

"""Reads what processes have used: CPU seconds of this one, of a PostgreSQL server with all its backends, peak memory.

CPU seconds and not the clock's, because other work on the machine makes a run longer but hardly dearer. Linux only:
the figures of processes that are not our children stand nowhere but in /proc.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
KIB = 1024


class Unreadable(RuntimeError):
    """A process that is to be measured is not there, or this is not Linux."""


def own_seconds() -> float:
    """This function will give the CPU seconds of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def server_seconds(process_id: int | None) -> float:
    """This function will give the CPU seconds of a server, its children and those that have ended; 0 without one.

    Raises `Unreadable`. Exact to a clock tick (10 ms) per process.
    """
    if process_id is None:
        return 0.0
    used, children = _stat(process_id), _children(process_id)
    # A backend that ends meanwhile is missing once at most, and then stands in the server's own figure.
    return sum(used) + sum(sum(_stat_if_alive(child)[:2]) for child in children)


def peak_bytes(process_id: int | None = None) -> int:
    """This function will give the most memory a process ever held, this one by default. Raises `Unreadable`."""
    # Not ru_maxrss: that of a new process begins with what its parent had when it was started.
    status = _read(Path("/proc") / str(process_id or "self") / "status")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * KIB


def _stat(process_id: int) -> tuple[float, float, float, float]:
    """User and system seconds of a process, and of its children that it has waited for (man 5 proc)."""
    fields = _read(Path("/proc") / str(process_id) / "stat").rpartition(")")[2].split()
    user, system, children_user, children_system = (int(field) / TICKS for field in fields[11:15])
    return user, system, children_user, children_system


def _stat_if_alive(process_id: int) -> tuple[float, float, float, float]:
    try:
        return _stat(process_id)
    except Unreadable:
        return 0.0, 0.0, 0.0, 0.0


def _children(process_id: int) -> list[int]:
    return [int(child) for child in _read(Path(f"/proc/{process_id}/task/{process_id}/children")).split()]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Unreadable(f"{path} cannot be read ({error}): measuring needs Linux and a running process") from error

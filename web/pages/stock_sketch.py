"""A small drawing of projected stock: a line of end-of-day levels over the days, and where it goes below zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from scm.loop.exceptions.evidence import Projection

WIDTH, HEIGHT = 400, 128
LEFT, RIGHT, TOP, BOTTOM = 10, 390, 22, 106


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """Coordinates of the drawing. `low` is where the line is lowest: x, y, level and day."""

    points: str
    zero: float
    short_from: float | None
    short_to: float | None
    low: tuple[float, float, int, date]
    first_date: date
    last_date: date
    arrivals: tuple[tuple[float, float, int, str], ...]  # x, y, quantity, order


def draw(found: Projection) -> Sketch:
    """This function will place a projection on the drawing."""
    levels = found.levels
    last = len(levels) - 1
    top, bottom = max(max(levels), 0.0), min(min(levels), 0.0)
    span = max(top - bottom, 1.0)

    def x(offset: int) -> float:
        return round(LEFT + (RIGHT - LEFT) * offset / max(last, 1), 1)

    def y(level: float) -> float:
        return round(TOP + (BOTTOM - TOP) * (top - level) / span, 1)

    lowest = min(range(len(levels)), key=lambda offset: levels[offset])
    short_from = short_to = None
    if found.short is not None:
        short_from = x((found.short.first_date - found.first_date).days)
        short_to = x(min((found.short.until - found.first_date).days, last))
    return Sketch(
        points=" ".join(f"{x(offset)},{y(level)}" for offset, level in enumerate(levels)),
        zero=y(0.0),
        short_from=short_from,
        short_to=short_to,
        low=(x(lowest), y(levels[lowest]), round(levels[lowest]), found.first_date + timedelta(days=lowest)),
        first_date=found.first_date,
        last_date=found.first_date + timedelta(days=last),
        arrivals=tuple(
            (x((day - found.first_date).days), y(levels[(day - found.first_date).days]), quantity, order)
            for day, quantity, order in found.arrivals
        ),
    )

"""Slow, readable references of the methods: one series at a time, plain floats, by their definitions.

A series is a list of numbers, with None for a bucket in which nothing was available. Every function
returns the level after each bucket.
"""

from __future__ import annotations

from collections.abc import Sequence

Series = Sequence[float | None]


def exponential(series: Series, *, rate: float, exposure: Sequence[float] | None = None) -> list[float]:
    """Weigh each past available bucket by (1 - rate)^(number of available buckets since)."""
    levels = []
    for end in range(1, len(series) + 1):
        known = [t for t in range(end) if series[t] is not None]
        weights = [(1 - rate) ** age for age in range(len(known))][::-1]
        demand = sum(weight * (series[t] or 0.0) for weight, t in zip(weights, known, strict=True))
        share = sum(weight * (exposure[t] if exposure else 1.0) for weight, t in zip(weights, known, strict=True))
        levels.append(demand / share if share else 0.0)
    return levels


def croston(series: Series, *, rate: float) -> list[float]:
    """Divide the smoothed size by the smoothed number of available buckets between demands."""
    sizes: list[float | None] = []
    gaps: list[float | None] = []
    waited = 0
    levels = []
    for value in series:
        waited += value is not None
        if value:
            sizes.append(value)
            gaps.append(float(waited))
            waited = 0
        if sizes:
            levels.append((1 - rate / 2) * exponential(sizes, rate=rate)[-1] / exponential(gaps, rate=rate)[-1])
        else:
            levels.append(0.0)
    return levels


def tsb(series: Series, *, size_rate: float, probability_rate: float) -> list[float]:
    """Multiply the smoothed size by the smoothed share of buckets with demand."""
    happened = [None if value is None else float(value > 0) for value in series]
    probabilities = exponential(happened, rate=probability_rate)
    levels = []
    for end in range(1, len(series) + 1):
        sizes: Series = [value for value in series[:end] if value]
        size = exponential(sizes, rate=size_rate)[-1] if sizes else 0.0
        levels.append(size * probabilities[end - 1])
    return levels


def average(series: Series, *, window: int) -> list[float]:
    """Average the available ones of the last buckets; a window without any keeps the level it had."""
    levels = [0.0]
    for end in range(1, len(series) + 1):
        known = [value for value in series[max(0, end - window) : end] if value is not None]
        levels.append(sum(known) / len(known) if known else levels[-1])
    return levels[1:]

"""Figures, how they are printed, and the baseline they stand beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BASELINE = Path(__file__).parent / "baseline.json"


@dataclass(frozen=True)
class Figure:
    """One measured number, its unit in its name, and what it should be, where something is aimed at."""

    name: str
    value: float
    target: str = ""


def print_figures(title: str, figures: Sequence[Figure]) -> None:
    """This function will print figures beside those of the baseline, and the ratio of the two."""
    baseline = load_baseline()
    print(f"\n{title}")
    print(f"  {'':<72} {'now':>10} {'baseline':>10} {'ratio':>6}  target")
    for figure in figures:
        before = baseline.get(figure.name)
        shown = "–" if before is None else f"{before:,.2f}"
        ratio = "–" if not before else f"{figure.value / before:.2f}"
        print(f"  {figure.name:<72} {figure.value:>10,.2f} {shown:>10} {ratio:>6}  {figure.target}")


def load_baseline() -> dict[str, float]:
    """This function will read the frozen figures; none before the first freeze."""
    return dict(json.loads(BASELINE.read_text())) if BASELINE.exists() else {}


def freeze(figures: Sequence[Figure]) -> None:
    """This function will write the figures as the baseline of later runs, keeping those not measured now."""
    merged = load_baseline() | {figure.name: round(figure.value, 3) for figure in figures}
    BASELINE.write_text(json.dumps(merged, indent=2, sort_keys=True, ensure_ascii=False) + "\n")

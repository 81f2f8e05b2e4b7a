"""`scm simulate`: a seeded world acts on a simulated company, the real cycle runs each night."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from scm.loop.kpis import Kpis
from scm.loop.world import simulation
from scm.loop.world.simulation import Outcome
from scm.master import companies
from web.commands import Context, answers
from web.formats import shown_money
from web.progress import Bar


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will simulate days, print the figures of each week and prove the books; exit 1 if they differ."""
    database = context.database
    with database.unit_of_work(write=False) as session:
        currency = companies.only(session).currency
    with Bar(context.console) as bar:
        outcome = simulation.run(
            database, days=options.days, seed=options.seed, delay_factors=dict(options.delay), progress=bar
        )
    print_outcome(outcome, currency=currency, console=answers())
    return 1 if outcome.books.findings else 0


def print_outcome(outcome: Outcome, *, currency: str, console: Console) -> None:
    """This function will print one column of figures a week, and whether the books were proved."""
    console.print(f"{outcome.first_day} to {outcome.last_day}", highlight=False)
    table = Table(box=None)
    table.add_column("")
    for week in outcome.weeks:
        table.add_column(f"{week.from_date:%d %b} – {week.until_date:%d %b}", justify="right")
    for name, cells in _rows(outcome.weeks, currency):
        table.add_row(name, *cells)
    console.print(table)
    for finding in outcome.books.findings:
        text = f"{finding.place}: expected {finding.expected}, found {finding.found}"
        console.print(text, markup=False, soft_wrap=True)
    console.print(outcome.books.summary(), highlight=False, markup=False, soft_wrap=True)


def _rows(weeks: tuple[Kpis, ...], currency: str) -> list[tuple[str, list[str]]]:
    return [
        ("orders", [f"{week.orders:,}" for week in weeks]),
        ("order lines", [f"{week.lines:,}" for week in weeks]),
        ("units ordered", [f"{week.units_ordered:,}" for week in weeks]),
        ("fill rate", [_rate(week.fill_rate) for week in weeks]),
        ("OTIF", [_rate(week.otif_rate) for week in weeks]),
        ("units backordered at the end", [f"{week.backordered:,}" for week in weeks]),
        ("stock value at the end", [shown_money(week.stock_value, currency) for week in weeks]),
        ("return rate", [_rate(week.return_rate) for week in weeks]),
        ("forecast WAPE, one week ahead", [_rate(week.wape) for week in weeks]),
    ]


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"

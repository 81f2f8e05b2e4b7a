"""`scm cycle`: one run of the nightly cycle."""

from __future__ import annotations

import argparse

from scm.core import clock
from scm.loop import cycle
from scm.loop.cycle import CycleResult
from scm.master import setup
from web.commands import Context
from web.formats import shown_money
from web.progress import Bar


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will run the cycle as of a date and print what it did."""
    database = context.database
    with database.unit_of_work(write=False) as session:
        actor = setup.load(session).users["system"]
    with Bar(context.console) as bar:
        result = cycle.run(database, as_of=options.as_of, actor=actor, now=clock.wall_now(), progress=bar)
    print_result(result)
    return 0


def print_result(result: CycleResult) -> None:
    """This function will print a run: proposals, solver, gap, and what it measured of the runs before it."""
    print(
        f"Cycle {result.as_of}: {result.items:,} items, {result.proposals:,} proposals worth "
        f"{shown_money(result.value, result.currency)}; {result.solver}, {result.status}, gap {result.gap:.2%}, "
        f"{result.duration_seconds:.1f} s, inputs {result.inputs_hash[:12]}"
    )
    measured = result.measures["forecast"]
    if measured:
        errors = f"WAPE {measured['wape']}, bias {measured['bias']}"
        print(f"  the forecast of {measured['as_of']} for the week since: {errors}")
    for late in result.measures["late_suppliers"]:
        print(
            f"  {late['supplier']} took {late['mean_days']} days on average over {late['deliveries']} deliveries, "
            f"{late['agreed_days']} were agreed"
        )
    for message in result.messages[:10]:
        print(f"  {message}")

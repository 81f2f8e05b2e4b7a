"""`scm verify-books`: proves goods, reservations and journal against each other; exit 1 names what disagrees."""

from __future__ import annotations

import argparse

from scm.core import clock
from scm.production import books
from web.commands import Context
from web.progress import Bar


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will prove the books and print every place where they disagree."""
    database = context.database
    with Bar(context.console) as bar:
        bar.stage("Proving the books")
        with database.unit_of_work(write=False) as session:
            report = books.verify(session, now=clock.wall_now())
    for finding in report.findings:
        print(f"{finding.place}: expected {finding.expected}, found {finding.found}")
    print(report.summary())
    return 1 if report.findings else 0

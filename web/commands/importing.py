"""`scm import sales`: real history comes in, and every line is accounted for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scm.core import clock
from scm.core.errors import InvalidInput
from scm.loop.importing import sales
from scm.loop.importing.report import ImportReport
from scm.master import setup
from web.commands import Context, answers
from web.progress import Bar


class ReportUnwritable(InvalidInput):
    """The file for the report cannot be written."""


def run_sales(context: Context, options: argparse.Namespace) -> int:
    """This function will import a file of sales, print the account of its lines, and write the report as JSON."""
    database = context.database
    _refuse_unwritable(options.report)
    with database.unit_of_work(write=False) as session:
        actor = setup.load(session).users["system"]
    with Bar(context.console) as bar:
        report = sales.run(
            database,
            options.file,
            format=options.format,
            dry_run=options.dry_run,
            go_live_date=None,
            seed=options.seed,
            actor=actor,
            now=clock.wall_now(),
            progress=bar,
        )
    if not options.dry_run:
        database.refresh_statistics()
    if options.report is not None:
        options.report.write_text(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print_report(report, answers())
    return 0


def print_report(report: ImportReport, console: Console) -> None:
    """This function will print the account of an import: lines in, accepted by kind, rejected by reason."""
    console.print(
        f"{report.file}{' (dry run, nothing was changed)' if report.dry_run else ''}", highlight=False, markup=False
    )
    table = Table(box=None)
    table.add_column("lines")
    table.add_column("", justify="right")
    table.add_row("read", f"{report.lines:,}")
    for kind, count in report.accepted.items():
        table.add_row(f"  accepted as {kind}", f"{count:,}")
    for reason, count in report.rejected.items():
        table.add_row(f"  rejected: {reason.replace('_', ' ')}", f"{count:,}")
    accounted = report.total_accepted + report.total_rejected
    table.add_row("accounted for", f"{accounted:,}", style="bold")
    console.print(table)
    for example in report.rejected_examples[:5]:
        text = f"  row {example.row}, {example.field} {example.value!r}: {example.mend}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    if report.assumed:
        text = "Assumed, because the file does not say: " + "; ".join(report.assumed)
        console.print(text, highlight=False, soft_wrap=True)


def _refuse_unwritable(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise ReportUnwritable(f"the report cannot be written to {path}: name a file in a folder that exists")

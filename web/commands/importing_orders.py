"""`scm import orders`: what a channel says about its orders comes in, once, in whatever order it was said."""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlalchemy.orm import Session

from scm.core import clock
from scm.core.errors import InvalidInput
from scm.master import companies, setup
from scm.sales.channel_orders import taking
from scm.sales.channel_orders.taking import FileRefused, Report
from web.commands import Context

MOST_ERRORS = 20


class FileUnreadable(InvalidInput):
    """The file cannot be read."""


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will take a file of a channel's messages and print what came of it. Raises `FileRefused`."""
    data = _bytes(options.file)

    def work(session: Session) -> Report:
        company = companies.only(session)
        now, today = companies.business_time(company, wall=clock.wall_now())
        return taking.take(
            session,
            data,
            channel=options.channel,
            company_id=company.id,
            dry_run=options.dry_run,
            actor=setup.load(session).users["system"],
            now=now,
            today=today,
        )

    report = context.database.run(work)
    for error in report.errors[:MOST_ERRORS]:
        where = f"row {error.row}, {error.column} {error.value!r}"
        context.console.print(f"  {where}: {error.reason}: {error.mend}", highlight=False, markup=False, soft_wrap=True)
    if report.errors:
        raise FileRefused(f"{options.file.name}: {len(report.errors)} errors, nothing was taken: mend the file")
    print(
        f"{options.file.name}{' (dry run, nothing was changed)' if report.dry_run else ''}: "
        f"{report.messages} messages, {report.repeated} known already; "
        f"orders: {report.placed} placed, {report.amended} changed, "
        f"{report.cancelled} cancelled, {report.paid} paid, {report.waiting} not placed yet, "
        f"{report.too_late} have left already"
    )
    return 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from None

"""`scm verify-audit`: proves that the audit trail is as it was sealed; exit 1 names each place that is not."""

from __future__ import annotations

import argparse

from scm.core import sealing
from web.commands import Context
from web.progress import Bar


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will recompute every seal and print what does not fit, and the newest seal's hash to be noted."""
    database = context.database
    with Bar(context.console) as bar:
        bar.stage("Proving the audit trail")
        with database.unit_of_work(write=False) as session:
            report = sealing.verify(session, expected_head=options.head)
    for finding in report.findings:
        print(finding)
    print(report.summary())
    return 1 if report.findings else 0

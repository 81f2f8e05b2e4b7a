"""`scm worker`: runs the jobs and delivers the messages, until it is asked to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType

from web import logs, schedule
from web.commands import Context
from web.worker import Worker


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will work until SIGTERM or Ctrl-C, then let what runs end at its next step.

    A run that does not end in time is left as it is: its lease runs out, and another worker takes it over.
    """
    database = context.database
    logs.configure(sys.stderr)
    worker = Worker(database, schedule.JOBS, settings=context.settings)

    def stop(number: int, frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if not worker.run():
        sys.stderr.flush()
        os._exit(0)  # a thread that computes cannot be ended otherwise, and must not hold the process
    return 0

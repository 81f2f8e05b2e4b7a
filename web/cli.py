"""The command line: `scm init | demo | import sales | cycle | simulate | verify-books | serve`.

Others script against the names, options and exit codes: 0 done, 1 refused or something disagrees, 2 wrong input,
3 the database is not available.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from scm.core import config
from scm.core.errors import InvalidInput, ScmError, Unavailable
from web.commands import Context, cycle, demo, importing, init, serve, simulate, verify_books

EXIT_REFUSED, EXIT_INVALID, EXIT_UNAVAILABLE = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """This function will run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        settings = config.Settings.from_environment(os.environ)
        with Context(settings=settings, console=console) as context:
            return int(options.run(context, options))
    except Unavailable as error:
        return _fail(console, error, EXIT_UNAVAILABLE)
    except InvalidInput as error:
        return _fail(console, error, EXIT_INVALID)
    except ScmError as error:
        return _fail(console, error, EXIT_REFUSED)
    except KeyboardInterrupt:
        console.print("Stopped. What was committed stays; the step that was running changed nothing.")
        return 130


def _fail(console: Console, error: ScmError, code: int) -> int:
    console.print(f"scm: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scm", description="A closed-loop supply chain, from demand to returns.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init_options = commands.add_parser("init", help="create the schema and the company")
    init_options.add_argument("--name", default="My company")
    init_options.add_argument("--code", default="main")
    init_options.add_argument("--currency", default="GBP", help="three capital letters, for example GBP")
    init_options.add_argument("--zone", default="Europe/London", help="time zone, for example Europe/London")
    init_options.add_argument("--go-live", type=_date, help="first day kept in these books (default: today)")
    init_options.add_argument("--bins", type=int, default=200, help="storage bins of the site")
    init_options.add_argument("--simulated", action="store_true", help="its date is pinned and `simulate` may move it")
    init_options.set_defaults(run=init.run)

    import_options = commands.add_parser("import", help="bring real history in")
    kinds = import_options.add_subparsers(required=True, metavar="WHAT")
    sales = kinds.add_parser("sales", help="invoice lines: sales, returns, write-offs, charges")
    sales.add_argument("file", type=Path, metavar="FILE", help="CSV, plain or .gz")
    sales.add_argument("--format", required=True, choices=("online-retail", "standard"))
    sales.add_argument("--dry-run", action="store_true", help="account for every line and change nothing")
    sales.add_argument("--report", type=Path, metavar="FILE.json", help="write the account of the lines as JSON")
    sales.add_argument("--seed", type=int, default=1, help="seed of what the file lacks and is assumed")
    sales.set_defaults(run=importing.run_sales)

    cycle_options = commands.add_parser("cycle", help="forecast, plan and propose as of the end of a day")
    cycle_options.add_argument("--as-of", type=_date, required=True, metavar="DATE", help="YYYY-MM-DD")
    cycle_options.set_defaults(run=cycle.run)

    simulate_options = commands.add_parser("simulate", help="let a seeded world act on a simulated company")
    simulate_options.add_argument("--days", type=_positive, required=True)
    simulate_options.add_argument("--seed", type=int, default=1)
    simulate_options.add_argument(
        "--delay",
        action="append",
        default=[],
        type=_delay,
        metavar="SUPPLIER=FACTOR",
        help="multiply a supplier's delays, for example S07=2",
    )
    simulate_options.set_defaults(run=simulate.run)

    verify_options = commands.add_parser("verify-books", help="prove goods, reservations and journal")
    verify_options.set_defaults(run=verify_books.run)

    serve_options = commands.add_parser("serve", help="show the proposals in a browser, on this machine only")
    serve_options.add_argument("--port", type=int, default=8000)
    serve_options.set_defaults(run=serve.run)

    demo_options = commands.add_parser("demo", help="set up a company, run the loop on it and serve it")
    demo_options.add_argument("--data", type=Path, metavar="FILE", help="Online Retail II as CSV (or .csv.gz)")
    demo_options.add_argument("--no-serve", action="store_true")
    demo_options.add_argument("--port", type=int, default=8000)
    demo_options.set_defaults(run=demo.run)
    return parser


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it as YYYY-MM-DD") from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number above 0")
    return int(text)


def _delay(text: str) -> tuple[str, float]:
    code, sign, factor = text.partition("=")
    try:
        value = float(factor)
    except ValueError:
        value = 0.0
    if not code or not sign or not 0 < value <= 10:
        raise argparse.ArgumentTypeError(f"{text!r}: write SUPPLIER=FACTOR with a factor above 0 and up to 10")
    return code, value


if __name__ == "__main__":
    sys.exit(main())

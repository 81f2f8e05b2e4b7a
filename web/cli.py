"""The command line: `scm init | demo | import | cycle | simulate | verify-books | verify-audit | serve | worker`.

Others script against the names, options and exit codes: 0 done, 1 refused or something disagrees, 2 wrong input,
3 the database is not available.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from scm.core import config, preferences, staff
from scm.core.errors import InvalidInput, ScmError, Unavailable
from web.commands import (
    Context,
    backup,
    cycle,
    demo,
    importing,
    importing_orders,
    init,
    serve,
    simulate,
    site,
    upgrade,
    user,
    verify_audit,
    verify_books,
    worker,
)

EXIT_REFUSED, EXIT_INVALID, EXIT_UNAVAILABLE = 1, 2, 3
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
MOST_DAYS, MOST_BINS = 3650, 100_000


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
    _init_options(commands.add_parser("init", help="create the schema and the company"))
    kinds = commands.add_parser("import", help="bring real history in").add_subparsers(required=True, metavar="WHAT")
    _sales_options(kinds.add_parser("sales", help="invoice lines: sales, returns, write-offs, charges"))
    _orders_options(kinds.add_parser("orders", help="what a channel says about its orders: placed, changed, paid"))
    _cycle_options(commands.add_parser("cycle", help="forecast, plan and propose as of the end of a day"))
    _simulate_options(commands.add_parser("simulate", help="let a seeded world act on a simulated company"))
    verify = commands.add_parser("verify-books", help="prove goods, reservations and journal")
    verify.set_defaults(run=verify_books.run)
    _audit_options(commands.add_parser("verify-audit", help="prove that nobody changed the audit trail"))
    commands.add_parser("worker", help="run the jobs and deliver the messages").set_defaults(run=worker.run)
    commands.add_parser("upgrade", help="bring the schema to that of this release").set_defaults(run=upgrade.run)
    _backup_options(commands.add_parser("backup", help="write all of the database to a file, while others use it"))
    _restore_options(commands.add_parser("restore", help="put a backup into an empty database, and prove the books"))
    people = commands.add_parser("user", help="who may sign in").add_subparsers(required=True, metavar="WHAT")
    _user_options(people.add_parser("add", help="add a person; the password is asked for, or read from the input"))
    _password_options(people.add_parser("password", help="give a user a new password and end their sessions"))
    places = commands.add_parser("site", help="where the company has stock").add_subparsers(
        required=True, metavar="WHAT"
    )
    _site_options(places.add_parser("add", help="open one more site with its places"))
    _serve_options(commands.add_parser("serve", help="serve the pages to browsers"))
    _demo_options(commands.add_parser("demo", help="set up a company, run the loop on it and serve it"))
    return parser


def _init_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="My company")
    parser.add_argument("--code", default="main")
    parser.add_argument("--currency", default="GBP", help="three capital letters, for example GBP")
    parser.add_argument("--zone", default="Europe/London", help="time zone, for example Europe/London")
    first = "first day kept in these books (default: the day after the last line of the first import)"
    parser.add_argument("--go-live", type=_date, metavar="DATE", help=first)
    parser.add_argument("--bins", type=_whole(1, MOST_BINS), default=200, help="storage bins of the site")
    parser.add_argument("--simulated", action="store_true", help="its date is pinned and `simulate` may move it")
    parser.set_defaults(run=init.run)


def _sales_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, plain or .gz")
    parser.add_argument("--format", required=True, choices=("online-retail", "standard"))
    parser.add_argument("--dry-run", action="store_true", help="account for every line and change nothing")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the account of the lines as JSON")
    parser.add_argument("--seed", type=_seed, default=1, help="seed of what the file lacks and is assumed")
    parser.set_defaults(run=importing.run_sales)


def _orders_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or JSON")
    parser.add_argument("--channel", required=True, metavar="CODE", help="the channel that says so")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and change nothing")
    parser.set_defaults(run=importing_orders.run)


def _cycle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", type=_date, required=True, metavar="DATE", help="YYYY-MM-DD")
    parser.set_defaults(run=cycle.run)


def _simulate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=_whole(1, MOST_DAYS), required=True)
    parser.add_argument("--seed", type=_seed, default=1)
    parser.add_argument(
        "--delay",
        action="append",
        default=[],
        type=_delay,
        metavar="SUPPLIER=FACTOR",
        help="multiply a supplier's delays, for example S07=2",
    )
    parser.set_defaults(run=simulate.run)


def _audit_options(parser: argparse.ArgumentParser) -> None:
    noted = "the hash of a seal that was noted elsewhere: finds a trail that was cut short or written anew"
    parser.add_argument("--head", metavar="HASH", help=noted)
    parser.set_defaults(run=verify_audit.run)


def _backup_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a new file; it holds secrets, keep it like the database"
    )
    parser.set_defaults(run=backup.run)


def _restore_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that scm backup wrote")
    parser.add_argument("--replace", action="store_true", help="lose what the database holds now")
    parser.set_defaults(run=backup.run_restore)


def _user_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what the person types to sign in")
    known = sorted(role.value for role in staff.GIVEN)
    parser.add_argument("--role", action="append", required=True, choices=known, help="may be given several times")
    parser.add_argument("--display-name", metavar="TEXT", help="how the person is called on pages")
    parser.add_argument("--locale", choices=preferences.LOCALES, help="the language of the person's pages")
    parser.set_defaults(run=user.add)


def _password_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=user.reset)


def _site_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="1 to 12 letters and digits; its places are called after it")
    parser.add_argument("--name", metavar="TEXT", help="how the site is called on pages")
    parser.add_argument(
        "--zone", metavar="ZONE", help="its time zone, for example Europe/London (default: the company's)"
    )
    parser.add_argument("--bins", type=_whole(1, MOST_BINS), default=50, metavar="N")
    parser.set_defaults(run=site.add)


def _serve_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--host", default=serve.LOOPBACK, help="address to listen at (default: this machine only)")
    parser.set_defaults(run=serve.run)


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="FILE", help="Online Retail II as CSV (or .csv.gz)")
    parser.add_argument("--reset", action="store_true", help="put the demo back to how it was when it was finished")
    parser.add_argument("--small", action="store_true", help="a hundred made-up items instead of four hundred")
    parser.add_argument("--no-serve", action="store_true")
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--host", default=serve.LOOPBACK, help="address to listen at (default: this machine only)")
    parser.set_defaults(run=demo.run)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it as YYYY-MM-DD") from None
    if not EARLIEST <= day <= LATEST:
        raise argparse.ArgumentTypeError(f"{text!r} must lie between {EARLIEST} and {LATEST}")
    return day


def _whole(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers within bounds, both included."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {least} to {most}")
        return int(text)

    return parse


_port = _whole(1, 65535)
_seed = _whole(0, 2**63 - 1)


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

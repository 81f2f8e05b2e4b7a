"""`scm user add` and `scm user password`: who may sign in. The password comes from the terminal or the input.

An empty one is made up and printed once, to the answers; it stands nowhere else.
"""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys

from scm.core import clock, sign_in, staff
from scm.core.errors import InvalidInput
from scm.core.users import Role
from scm.master import setup
from web.commands import Context

BYTES_OF_CHANCE = 12


class PasswordsDiffer(InvalidInput):
    """The password was typed differently the second time."""


def add(context: Context, options: argparse.Namespace) -> int:
    """This function will add a person with a password. Raises `BadUser`, `UserExists`, `BadPassword`."""
    password, made_up = _password()
    with context.database.unit_of_work(write=True) as session:
        staff.add(
            session,
            username=options.name,
            display_name=options.display_name or options.name.capitalize(),
            roles=frozenset(Role(role) for role in options.role),
            password=password,
            locale=options.locale,
            actor=setup.load(session).users["system"],
            now=clock.wall_now(),
        )
    print(f"{options.name} may sign in as {', '.join(sorted(set(options.role)))}")
    _tell(password, made_up)
    return 0


def reset(context: Context, options: argparse.Namespace) -> int:
    """This function will give a user a new password and sign them out everywhere. Raises `UserUnknown`."""
    password, made_up = _password()
    with context.database.unit_of_work(write=True) as session:
        actor = setup.load(session).users["system"]
        sign_in.reset_password(session, username=options.name, new=password, actor=actor, now=clock.wall_now())
    print(f"{options.name} has a new password and is signed out everywhere")
    _tell(password, made_up)
    return 0


def _password() -> tuple[str, bool]:
    """Asked for twice on a terminal, else the first line of the input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password (nothing: one is made up): ")
        if password and getpass.getpass("Once more: ") != password:
            raise PasswordsDiffer("the two passwords differ: nothing was changed, try again")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    return (password, False) if password else (secrets.token_urlsafe(BYTES_OF_CHANCE), True)


def _tell(password: str, made_up: bool) -> None:
    if made_up:
        print(f"password: {password}")

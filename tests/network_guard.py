"""No network call inside a transaction: whoever tries one while a unit of work is open is refused, in every test.

Interpreters cannot take an audit hook away again, so it is installed once per process, for the whole run.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from scm.core import db

NETWORK = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"})


class NetworkInTransaction(AssertionError):
    """Something used the network while a transaction held locks."""


@functools.cache
def install() -> None:
    """This function will watch this process from now on. Drivers written in C do not pass through it."""
    sys.addaudithook(_watch)


def _watch(name: str, arguments: tuple[Any, ...]) -> None:
    if name in NETWORK and db.in_transaction() and not _stays_on_this_machine(name, arguments):
        raise NetworkInTransaction(f"{name}{arguments[1:]} inside a unit of work: commit first, or use the outbox")


def _stays_on_this_machine(name: str, arguments: tuple[Any, ...]) -> bool:
    """A unix socket's address is a path; test processes speak to each other through them."""
    return name in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], str | bytes)

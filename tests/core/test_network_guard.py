"""The guard against network calls inside a transaction does bite, and only there."""

from __future__ import annotations

import socket

import pytest

from scm.core import db
from scm.core.db import Database
from tests.network_guard import NetworkInTransaction


def knock() -> None:
    with socket.socket() as caller:
        caller.settimeout(1)
        caller.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("write", [True, False])
def test_a_network_call_inside_a_transaction_is_refused(database: Database, write: bool) -> None:
    with database.unit_of_work(write=write):
        assert db.in_transaction()
        with pytest.raises(NetworkInTransaction, match="commit first"):
            knock()
        with pytest.raises(NetworkInTransaction):
            socket.getaddrinfo("localhost", 80)


def test_outside_a_transaction_it_goes_through(database: Database) -> None:
    with database.unit_of_work(write=True):
        pass
    assert not db.in_transaction()
    with pytest.raises(ConnectionRefusedError):
        knock()


def test_a_transaction_that_failed_is_over(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.unit_of_work(write=True):
        print(1 / 0)
    assert not db.in_transaction()

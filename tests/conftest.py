"""Fixtures that every test may ask for: databases, the real data, and how hard hypothesis tries."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session

from scm.core.db import Database
from tests import databases, network_guard
from tests.databases import Backend
from tests.world import World

SOAK = os.environ.get("SCM_SOAK", "") not in ("", "0")
_end_run = pytest.StashKey[Callable[[], None]]()

# The time one example takes says nothing on a busy machine, so there is no deadline.
_COMMON = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", _COMMON, max_examples=25, stateful_step_count=25)
settings.register_profile("deep", _COMMON, max_examples=1000, stateful_step_count=60)
settings.load_profile("deep" if SOAK else "quick")


def pytest_configure(config: pytest.Config) -> None:
    network_guard.install()
    if not hasattr(config, "workerinput"):  # the workers of pytest-xdist join the run of their controller
        config.stash[_end_run] = databases.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if end_run := config.stash.get(_end_run, None):
        end_run()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SOAK:
        return
    soaking = [item for item in items if item.get_closest_marker("soak")]
    if soaking:
        config.hook.pytest_deselected(items=soaking)
        items[:] = [item for item in items if item not in soaking]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.getreports("skipped")
    without_postgres = [report for report in skipped if "PostgreSQL:" in str(report.longrepr)]
    if without_postgres:
        words = f"{len(without_postgres)} tests did not run on PostgreSQL, because no server was found"
        terminalreporter.write_line(words, red=True, bold=True)
    without_browser = [report for report in skipped if "browser:" in str(report.longrepr)]
    if without_browser:
        words = f"{len(without_browser)} tests did not run in a browser, because no chromium was found"
        terminalreporter.write_line(words, red=True, bold=True)


@pytest.fixture(params=databases.BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each kind of database in turn."""
    kind: Backend = request.param
    return kind


@pytest.fixture
def database_url(backend: Backend) -> Iterator[str]:
    """The address of a migrated database of the test's own, in which it may commit."""
    with databases.fresh_database(backend) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A `Database` of the test's own, for tests that commit or use several connections."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(request: pytest.FixtureRequest, backend: Backend) -> Iterator[Session]:
    """A session in a write transaction that is rolled back at the end of the test.

    It is cheap: all such tests of a process share a database. A test that asks for `database` as well gets a
    session on that one.
    """
    names = request.fixturenames
    own = "database" in names or "database_url" in names
    chosen: Database = request.getfixturevalue("database" if own else f"_shared_{backend}")
    with chosen.unit_of_work(write=True) as opened:
        sa.event.listen(opened, "before_commit", _refuse_commit)
        yield opened
        opened.rollback()
        sa.event.remove(opened, "before_commit", _refuse_commit)


@pytest.fixture
def world(session: Session) -> World:
    """A small trading company in the test's own session."""
    return World(session)


@pytest.fixture
def fresh_database(backend: Backend) -> Iterator[Callable[[], Database]]:
    """A call that opens one more `Database` of the test's own, for instance one per hypothesis example."""
    with contextlib.ExitStack() as stack:

        def open_one() -> Database:
            opened = Database(stack.enter_context(databases.fresh_database(backend)))
            stack.callback(opened.dispose)
            return opened

        yield open_one


@pytest.fixture(scope="session")
def data_directory() -> Path:
    """The folder with the real data files, read only; chosen by SCM_DATA_DIR."""
    directory = _data_directory()
    if not directory.is_dir():
        databases.missing(f"no real data in {directory}: name the folder in SCM_DATA_DIR")
    return directory


@pytest.fixture(scope="session")
def _shared_sqlite() -> Iterator[Database]:
    yield from _shared("sqlite")


@pytest.fixture(scope="session")
def _shared_postgresql() -> Iterator[Database]:
    yield from _shared("postgresql")


def _shared(backend: Backend) -> Iterator[Database]:
    with databases.fresh_database(backend) as url:
        opened = Database(url)
        yield opened
        opened.dispose()


def _refuse_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        raise AssertionError("a domain function committed: that belongs to the unit of work that called it")


@functools.cache
def _data_directory() -> Path:
    return Path(os.environ.get("SCM_DATA_DIR") or databases.ROOT.parent / "shared" / "data")

"""Fresh, migrated databases for tests: the only module that makes and removes them.

The schema is built by Alembic once per test run and database kind; every test gets a copy, which costs a
file copy on SQLite and 25 ms on PostgreSQL. One server and one pair of templates serve all processes of a
run: they meet in a directory that the first of them makes (`begin_run`); its path travels in the environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Literal

import pytest

from tests import postgres

Backend = Literal["sqlite", "postgresql"]
BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")

RUN_DIRECTORY = "SCM_TEST_RUN"  # environment variable with the directory where the run's processes meet
ROOT = Path(__file__).parent.parent
TEMPLATE = "template_migrated"
_numbers = itertools.count(1)
_servers_started: list[subprocess.Popen[bytes]] = []  # kept, or Python warns that they still run


def begin_run() -> Callable[[], None]:
    """This function will make the meeting place of a test run and return the call that ends the run.

    The server, if a test started one, stops at that call, or when this process dies in whatever way.
    """
    directory = Path(tempfile.mkdtemp(prefix="scm-tests-"))
    owner = (directory / "owner").open("w")
    fcntl.flock(owner, fcntl.LOCK_EX)
    os.environ[RUN_DIRECTORY] = str(directory)

    def end() -> None:
        with (directory / "alive").open("w") as alive:
            fcntl.flock(owner, fcntl.LOCK_UN)
            _lock_within(alive, seconds=20)
        owner.close()
        del os.environ[RUN_DIRECTORY]
        shutil.rmtree(directory, ignore_errors=True)

    return end


@contextlib.contextmanager
def fresh_database(backend: Backend) -> Iterator[str]:
    """This function will give the address of a migrated database of its own, removed at the end of the block.

    Skips the test when there is no PostgreSQL on this machine; fails it when SCM_REQUIRE_DATA or CI is set.
    """
    name = f"scm_{os.getpid()}_{next(_numbers)}"
    if backend == "sqlite":
        directory = _run_directory() / name
        directory.mkdir()
        shutil.copyfile(_sqlite_template(), directory / "scm.db")
        try:
            yield f"sqlite:///{directory / 'scm.db'}"
        finally:
            shutil.rmtree(directory)
    else:
        server = _server_with_template()
        url = server.create(name, template=TEMPLATE)
        try:
            yield url
        finally:
            server.drop(name)


@contextlib.contextmanager
def copy_of(backend: Backend, url: str) -> Iterator[str]:
    """This function will give the address of a copy of a database that nobody has open, removed at the end."""
    name = f"scm_{os.getpid()}_{next(_numbers)}"
    if backend == "sqlite":
        directory = _run_directory() / name
        directory.mkdir()
        shutil.copyfile(url.removeprefix("sqlite:///"), directory / "scm.db")
        try:
            yield f"sqlite:///{directory / 'scm.db'}"
        finally:
            shutil.rmtree(directory)
    else:
        server = _server_with_template()
        copied = server.create(name, template=url.partition("?")[0].rpartition("/")[2])
        try:
            yield copied
        finally:
            server.drop(name)


def is_required() -> bool:
    """This function will tell whether what a test needs must be there, so that nothing is skipped unseen."""
    return any(os.environ.get(name, "") not in ("", "0") for name in ("SCM_REQUIRE_DATA", "CI"))


def missing(reason: str) -> None:
    """This function will skip the running test with a reason, or fail it where skipping is not allowed."""
    if is_required():
        pytest.fail(f"{reason} (SCM_REQUIRE_DATA or CI is set, so this is not skipped)", pytrace=False)
    pytest.skip(reason)


def _run_directory() -> Path:
    return Path(os.environ[RUN_DIRECTORY])


@functools.cache
def _sqlite_template() -> Path:
    template = _run_directory() / "template.db"
    with _one_at_a_time("sqlite-template"):
        if not template.exists():
            draft = _run_directory() / "draft.db"
            draft.unlink(missing_ok=True)  # half made, if a migration failed
            _migrate(f"sqlite:///{draft}")
            leftover = draft.with_name("draft.db-wal")
            assert not leftover.exists(), "the migration left a connection to the SQLite template open"
            draft.rename(template)
    return template


@functools.cache
def _server_with_template() -> postgres.Server:
    server = _server()
    ready = _run_directory() / "postgresql-template"
    with _one_at_a_time("postgresql-template.lock"):
        if not ready.exists():
            url = server.create(TEMPLATE)
            try:
                _migrate(url)
            except BaseException:
                server.drop(TEMPLATE)  # so that the next test meets the same error and not a half-made template
                raise
            ready.touch()
    return server


def _migrate(url: str) -> None:
    from web import (
        migrations,
    )  # it loads every table of every room, which tests of pure functions do not need

    migrations.upgrade(url)


def _server() -> postgres.Server:
    """This function will give the run's server, which the first process that needs it starts."""
    address = _run_directory() / "server.json"
    with _one_at_a_time("server-start"):
        if not address.exists():
            _start_server(address)
    content = json.loads(address.read_text())
    if "error" in content:
        missing(f"PostgreSQL: {content['error']}")
    return postgres.Server(**content)


def _start_server(address: Path) -> None:
    words = _run_directory() / "server.log"
    with words.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres", str(_run_directory())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C must not take the server from under the last tests
        )
    _servers_started.append(process)
    while not address.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the keeper of the PostgreSQL server failed: {words.read_text()}")
        time.sleep(0.02)


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    with (_run_directory() / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_within(file: IO[str], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the run's PostgreSQL server did not stop in {seconds} s") from None
        time.sleep(0.02)

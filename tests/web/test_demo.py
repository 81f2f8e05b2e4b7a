"""The demo is one command that goes on where it stopped, and the page is served on this machine only."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from scm.core.db import Base, Database
from scm.loop.generated import catalogue, history, masters, past, sales_file
from scm.loop.importing import sales
from scm.loop.world import simulation
from scm.master.companies import Company as CompanyRow
from scm.master.items import Item
from tests import databases
from tests.loop.company import Company
from web import cli
from web.commands import demo, demo_copy
from web.progress import Bar

SECONDS = 60.0


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """`scm demo` with a smaller company and fewer days, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCM_DATABASE_URL", raising=False)
    monkeypatch.setattr(demo, "DAYS", 2)
    monkeypatch.setattr(demo, "SMALL_PAST_DAYS", 5)
    monkeypatch.setattr(catalogue, "FEW", catalogue.LEAST)
    monkeypatch.setattr(history, "make", functools.partial(history.make, history_days=200))
    return lambda *options: cli.main(["demo", "--small", *options])


def test_a_demo_runs_the_loop_and_a_second_one_does_nothing_again(
    small_demo: Callable[..., int],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCM_DATABASE_URL", database_url)
    work: list[str] = []
    steps = ((sales_file, "write"), (masters, "write"), (sales, "run"), (past, "write"), (simulation, "run"))
    for module, name in steps:
        monkeypatch.setattr(module, name, noting(work, f"{module.__name__}.{name}", getattr(module, name)))

    assert small_demo("--no-serve") == 0
    printed = capsys.readouterr()
    assert work == [f"{module.__name__}.{name}" for module, name in steps]
    assert "accounted for" in printed.out and "fill rate" in printed.out
    assert "nothing disagrees; every move is valued" in printed.out
    stages = printed.err.splitlines()
    assert stages[0] == "Making a company up …"
    assert stages[-3:] == ["Proving the books …", "Beginning one more day …", "Backing up …"]
    assert "The working day of 2026-09-25 has begun" in printed.out
    assert "This is a demo" in printed.out and "demo-planner" in printed.out and "warehouse2" in printed.out
    assert all(stage.endswith(" …") for stage in stages)

    work.clear()
    assert small_demo("--no-serve") == 0
    assert work == []
    printed = capsys.readouterr()
    assert "has been simulated up to 2026-09-25 before" in printed.out
    assert "has begun" not in printed.out

    assert cli.main(["verify-books"]) == 0


def test_a_demo_is_put_back_to_its_first_morning(
    small_demo: Callable[..., int],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCM_DATABASE_URL", database_url)
    assert small_demo("--no-serve") == 0
    fresh = contents(database_url)
    database = Database(database_url)
    with database.unit_of_work(write=True) as session:
        session.execute(sa.update(Item).values(name="renamed by a visitor"))
        session.execute(sa.update(CompanyRow).values(business_date=date(2026, 12, 1)))
    database.dispose()
    assert contents(database_url) != fresh
    capsys.readouterr()

    assert small_demo("--no-serve", "--reset") == 0
    assert "The demo is as it was when it was finished" in capsys.readouterr().out
    assert contents(database_url) == fresh


def test_a_copy_of_another_release_is_not_used(
    small_demo: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert small_demo("--no-serve") == 0
    [copy] = tmp_path.glob("demo-small.finished-*")
    monkeypatch.setattr(demo_copy, "stamp", lambda **_: "another")
    assert small_demo("--no-serve", "--reset") == 0
    assert "The demo is made anew" in capsys.readouterr().out
    assert not copy.exists() and (tmp_path / "demo-small.finished-another").exists()


def test_a_demo_on_a_server_without_a_copy_is_left_alone(
    small_demo: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with databases.fresh_database("postgresql") as url:
        monkeypatch.setenv("SCM_DATABASE_URL", url)
        assert small_demo("--no-serve", "--reset") == 1
    assert "has not finished the demo" in capsys.readouterr().err


def test_nobody_elses_company_is_reset(
    small_demo: Callable[..., int],
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = company.database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("SCM_DATABASE_URL", url)
    before = contents(url)
    assert small_demo("--no-serve", "--reset") == 1
    assert "holds Small company: use another SCM_DATABASE_URL" in capsys.readouterr().err
    assert contents(url) == before


def test_a_demo_that_was_stopped_goes_on(
    small_demo: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real_day, days = simulation._day, iter(range(10))

    def stopped_on_the_second(*arguments: Any, **options: Any) -> None:
        if next(days) == 1:
            raise KeyboardInterrupt
        real_day(*arguments, **options)

    monkeypatch.setattr(simulation, "_day", stopped_on_the_second)
    assert small_demo("--no-serve") == 130
    assert "Stopped. What was committed stays" in capsys.readouterr().err
    assert small_demo("--no-serve") == 0
    printed = capsys.readouterr().out
    assert "goes on from 2026-09-24" in printed
    assert "nothing disagrees" in printed


def test_without_a_database_setting_a_demo_keeps_to_a_file_of_its_own(
    small_demo: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(demo, "_simulate", lambda context, plan: 0)
    cli.main(["init"])
    before = (tmp_path / "scm.db").read_bytes()
    assert small_demo("--no-serve") == 0
    assert (tmp_path / "demo-small.db").exists()
    assert (tmp_path / "scm.db").read_bytes() == before
    assert "SCM_DATABASE_URL=sqlite:///demo-small.db" in capsys.readouterr().out


def test_a_demo_never_touches_another_company(
    small_demo: Callable[..., int],
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCM_DATABASE_URL", company.database.url.render_as_string(hide_password=False))
    assert small_demo("--no-serve") == 1
    assert "holds Small company: use another SCM_DATABASE_URL" in capsys.readouterr().err


def test_a_demo_of_a_file_that_is_not_there_says_so(
    small_demo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert small_demo("--no-serve", "--data", "nowhere.csv.gz") == 2
    assert "nowhere.csv.gz" in capsys.readouterr().err


def test_the_page_is_served_on_this_machine_only(tmp_path: Path) -> None:
    port = free_port()
    with databases.fresh_database("sqlite") as url:
        environment = {**os.environ, "SCM_DATABASE_URL": url, "PYTHONPATH": str(databases.ROOT)}
        command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port)]
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert "Sign in" in answer_of(server, port)
            with socket.socket() as outside, pytest.raises(OSError):  # another address of this very machine
                outside.settimeout(2)
                outside.connect(("127.0.0.2", port))
            taken = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        finally:
            server.terminate()
            out, _ = server.communicate(timeout=20)
    assert out.startswith(f"Open http://127.0.0.1:{port}/ ")
    assert taken.returncode == 1
    assert f"port {port} is taken" in taken.stderr


def test_a_bar_on_a_terminal_shows_the_stage_and_how_far_it_is() -> None:
    text = StringIO()
    with Bar(Console(file=text, force_terminal=True, width=100)) as bar:
        bar.stage("Simulating", total=4)
        bar.advance(3)
        bar.stage("Proving the books")
    shown = text.getvalue()
    assert "Simulating" in shown and "3/4" in shown and "Proving the books" in shown


def test_in_a_pipe_each_stage_is_one_line() -> None:
    text = StringIO()
    with Bar(Console(file=text)) as bar:
        bar.stage("Simulating", total=4)
        bar.advance(3)
        bar.stage("Proving the books")
    assert text.getvalue() == "Simulating …\nProving the books …\n"


def contents(url: str) -> list[tuple[str, Any]]:
    """What a visitor sees first: names, dates, and how much there is of everything."""
    database = Database(url)
    with database.unit_of_work(write=False) as session:
        names = session.execute(sa.select(Item.sku, Item.name).order_by(Item.sku)).all()
        found: list[tuple[str, Any]] = [(row.sku, row.name) for row in names]
        found += [(row.name, row.business_date) for row in session.scalars(sa.select(CompanyRow))]
        for table in Base.metadata.sorted_tables:
            if table.name not in ("job_run", "idempotency_key"):
                found.append((table.name, session.scalar(sa.select(sa.func.count()).select_from(table))))
    database.dispose()
    return found


def noting(notes: list[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        notes.append(name)
        return function(*arguments, **options)

    return noted


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answer_of(server: subprocess.Popen[str], port: int) -> str:
    """What the page answers, as soon as the server listens."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/proposals", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.read().decode())
        except urllib.error.URLError:
            assert server.poll() is None, server.communicate()[1]
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.1)

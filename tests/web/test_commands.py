"""The command line as others script against it: names, options, answers and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.master import companies, setup
from scm.stock.balances import StockBalance
from tests.loop import company as small
from tests.loop.company import Company
from web import cli

Scm = Callable[..., int]
KINDS = {"sale", "return", "adjustment", "charge"}


@pytest.fixture
def scm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scm:
    """The command in a folder of its own; a first argument that is a company chooses its database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCM_DATABASE_URL", raising=False)

    def run(*arguments: object, on: Company | str | None = None) -> int:
        if on is not None:
            url = on if isinstance(on, str) else on.database.url.render_as_string(hide_password=False)
            monkeypatch.setenv("SCM_DATABASE_URL", url)
        return cli.main([str(argument) for argument in arguments])

    return run


@pytest.fixture
def sales_file(tmp_path: Path) -> Path:
    """The small company's sales up to go-live, and the two weeks after."""
    path = tmp_path / "sales.csv"
    small.write_sales(path)
    return path


def test_a_company_is_made_and_its_history_comes_in(
    scm: Scm, database_url: str, sales_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scm("init", "--name", "Bolts Ltd", "--currency", "EUR", "--zone", "Europe/Berlin", on=database_url) == 0
    assert "Bolts Ltd is ready: 1 site with 200 bins" in capsys.readouterr().out

    report = sales_file.with_name("report.json")
    command = ("import", "sales", sales_file, "--format", "standard", "--report", report)
    assert scm(*command, "--dry-run") == 0
    printed = capsys.readouterr()
    rehearsed = json.loads(report.read_text())
    assert rehearsed["dry_run"] is True
    assert "dry run, nothing was changed" in printed.out
    assert scm("cycle", "--as-of", "2026-09-27") == 1
    assert "import agreements first" in capsys.readouterr().err

    assert scm(*command) == 0
    printed = capsys.readouterr()
    imported = json.loads(report.read_text())
    assert imported["lines"] == rehearsed["lines"] == len(sales_file.read_text().splitlines()) - 1
    assert imported["accepted"] == rehearsed["accepted"]
    assert set(imported["accepted"]) == KINDS
    assert imported["rejected"] == {}
    assert imported["lines"] == sum(imported["accepted"].values()) + sum(imported["rejected"].values())
    assert imported["go_live_date"] == "2026-09-28", "the day after the last line"
    assert f"{imported['lines']:,}" in printed.out
    assert "Assumed, because the file does not say" in printed.out
    assert "reading sales.csv …" in printed.err.splitlines()

    assert scm(*command) == 1
    assert "this file was imported on" in capsys.readouterr().err

    assert scm("cycle", "--as-of", "2026-09-27") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Cycle 2026-09-27: 25 items, ")
    assert "HiGHS, optimal, gap 0." in printed.out and "EUR\u00a0" in printed.out
    assert printed.err.splitlines() == ["Cycle 2026-09-27: reading …"]


def test_rejected_lines_are_counted_and_named(
    scm: Scm, sales_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scm("init")
    with sales_file.open("a") as file:
        file.write("1,KT-001,Mug,half,2026-09-01T09:00:00,1.00,C1,United Kingdom,sale\r\n")
    assert scm("import", "sales", sales_file, "--format", "standard", "--report", "report.json") == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert sum(report["rejected"].values()) == 1
    assert report["lines"] == sum(report["accepted"].values()) + 1
    [example] = report["rejected_examples"]
    assert (example["row"], example["field"], example["value"]) == (report["lines"] + 1, "quantity", "half")
    assert f"row {report['lines'] + 1}, quantity 'half'" in capsys.readouterr().out


def test_the_default_database_is_a_file_in_this_folder(scm: Scm, tmp_path: Path) -> None:
    assert scm("init") == 0
    assert (tmp_path / "scm.db").exists()


def test_a_second_company_is_refused(scm: Scm, company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert scm("init", on=company) == 1
    assert "already holds Small company" in capsys.readouterr().err


def test_the_simulation_prints_its_weeks_and_proves_the_books(
    scm: Scm, company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scm("simulate", "--days", 5, "--seed", 7, "--delay", "ASSUMED-19=2", on=company) == 0
    printed = capsys.readouterr()
    for name in ("fill rate", "OTIF", "units backordered", "stock value", "return rate", "forecast WAPE", "orders"):
        assert name in printed.out
    assert "nothing disagrees; every move is valued" in " ".join(printed.out.split())
    assert printed.err.splitlines() == ["Simulating …", "Proving the books …"]

    assert scm("verify-books") == 0
    assert "nothing disagrees" in " ".join(capsys.readouterr().out.split())

    place = plant_one_unit(company)
    assert scm("verify-books") == 1
    printed = capsys.readouterr()
    assert place in printed.out
    assert ": expected " in printed.out and ", found " in printed.out


def test_a_real_company_is_not_simulated(scm: Scm, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert scm("init", on=database_url) == 0
    assert scm("simulate", "--days", 1) == 1
    assert "not created as a simulated company" in capsys.readouterr().err


def test_a_misspelt_supplier_is_refused(scm: Scm, company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    assert scm("simulate", "--days", 1, "--delay", "S07=2", on=company) == 1
    assert "there is no supplier S07" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [("cycle", "--as-of", "2026-09-14"), ("verify-books",), ("simulate", "--days", "1"), ("serve",)],
    ids=lambda command: command[0],
)
def test_without_a_schema_a_command_says_what_to_run_first(
    scm: Scm, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert scm(*command) == 1
    assert "run scm init first" in capsys.readouterr().err


def test_without_a_company_a_command_says_what_to_run_first(
    scm: Scm, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scm("cycle", "--as-of", "2026-09-14", on=database_url) == 1
    assert "create one with scm init" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ("cycle",),
        ("cycle", "--as-of", "14.9.2026"),
        ("cycle", "--as-of", "2026-02-30"),
        ("cycle", "--as-of", "9999-12-31"),
        ("cycle", "--as-of", "0001-01-01"),
        ("simulate", "--days", "0"),
        ("simulate", "--days", "-1"),
        ("simulate", "--days", "1.5"),
        ("simulate", "--days", "99999999999"),
        ("simulate", "--days", "1", "--seed", "x"),
        ("simulate", "--days", "1", "--delay", "S07"),
        ("simulate", "--days", "1", "--delay", "S07=0"),
        ("simulate", "--days", "1", "--delay", "S07=nan"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "x"),
        ("demo", "--port", "-1", "--no-serve"),
        ("init", "--bins", "0"),
        ("init", "--go-live", "soon"),
        ("import", "sales", "file.csv"),
        ("import", "sales", "file.csv", "--format", "xlsx"),
        ("import", "stock", "file.csv"),
        ("sell",),
        (),
    ],
    ids=" ".join,
)
def test_wrong_options_end_with_code_two_and_touch_nothing(
    scm: Scm, tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        scm(*command)
    assert left.value.code == 2
    assert "usage: scm" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--currency", "pounds"), "three capital letters"),
        (("--zone", "Mars/Phobos"), "such as Europe/London"),
        (("--zone", "Europe"), "such as Europe/London"),
        (("--zone", "../../etc/passwd"), "such as Europe/London"),
        (("--code", "x" * 21), "1 to 20 printable characters"),
        (("--name", "x" * 101), "1 to 100 printable characters"),
        (("--name", "a\0b"), "1 to 100 printable characters"),
        (("--name", " "), "1 to 100 printable characters"),
    ],
    ids=lambda value: value[1][:12] if isinstance(value, tuple) else "",
)
def test_a_company_that_cannot_be_is_refused(
    scm: Scm, database_url: str, options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scm("init", *options, on=database_url) == 2
    assert says in capsys.readouterr().err
    database = Database(database_url)
    with database.unit_of_work(write=False) as session, pytest.raises(companies.CompanyMissing):
        companies.only(session)
    database.dispose()


def test_a_file_that_cannot_be_used_changes_nothing(
    scm: Scm, company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    for path, says in ((tmp_path / "nowhere.csv", "nowhere.csv"), (tmp_path, tmp_path.name), (picture, "picture.csv")):
        assert scm("import", "sales", path, "--format", "standard", on=company) == 2
        assert says in capsys.readouterr().err
    command = ("import", "sales", picture, "--format", "standard")
    assert scm(*command, "--report", tmp_path / "no" / "report.json") == 2
    assert "in a folder that exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://nobody@/none?host=/nonexistent", 3),
        ("sqlite:////nonexistent/folder/scm.db", 3),
        ("mysql://localhost/scm", 2),
        ("scm.db", 2),
    ],
)
def test_a_database_that_is_down_or_unknown_is_told_apart(
    scm: Scm, url: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (("verify-books",), ("init",)):
        assert scm(*command, on=url) == code
        said = capsys.readouterr().err
        assert said.startswith("scm: ") and "Traceback" not in said


def test_an_address_with_a_password_is_never_printed(scm: Scm, capsys: pytest.CaptureFixture[str]) -> None:
    assert scm("verify-books", on="postgresql://scm:secret@/none?host=/nonexistent") == 3
    printed = capsys.readouterr()
    assert "secret" not in printed.err + printed.out


def plant_one_unit(company: Company) -> str:
    with company.writing() as session:
        row = session.scalars(
            sa.select(StockBalance).where(StockBalance.location_id.in_(setup.load(session).bin_ids)).limit(1)
        ).one()
        row.on_hand += 1
        code: str = session.execute(
            sa.text("SELECT code FROM location WHERE id = :id"), {"id": row.location_id}
        ).scalar_one()
        return code

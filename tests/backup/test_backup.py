"""A backup taken while others work restores whole, and the books are proved; a bad one changes nothing."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from scm.core import numbering, sealing
from scm.core.audit import AuditRow
from scm.core.db import Database
from scm.core.errors import ScmError
from scm.finance import valuation
from scm.stock.moves import MoveState, StockMove
from tests.races import crew, office
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.world import World
from web import cli, migrations
from web.backup import BadBackup, FileExists, NotEmpty, OtherBackend, RestoreFailed, taking

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
Fresh = Callable[[], Database]


@pytest.fixture
def full(database: Database) -> Database:
    """A company that has bought, received, valued and sealed something."""
    with database.unit_of_work(write=True) as session:
        world = World(session)
        bolt = world.item("bolt\twith\ntab and \\N")
        world.stock(bolt, 40)
        order = world.sent_order((world.agreement(bolt, world.supplier("S1")), 100))
        world.receive(order, 60)
        world.put_away()
        valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
        numbering.draw(session, series=numbering.SALES_ORDER, company_id=world.setup.company_id, year=2026, count=7)
    database.run(lambda session: sealing.seal(session, now=NOW))
    return database


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.unit_of_work(write=False) as session:
        names = sa.inspect(session.connection()).get_table_names()
        return {
            name: sorted(
                (tuple(row) for row in session.connection().exec_driver_sql(f'SELECT * FROM "{name}"')), key=repr
            )
            for name in names
        }


def restore(database: Database, file: Path, *, replace: bool = False) -> None:
    _, books = taking.restore(database, file, replace=replace, now=NOW)
    assert books.findings == ()


def test_what_is_restored_is_what_was_backed_up_and_work_goes_on(
    full: Database, fresh_database: Fresh, tmp_path: Path
) -> None:
    file = tmp_path / "backup.scm"
    manifest = taking.take(full, file, now=NOW)
    assert sum(manifest.rows.values()) > 50
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    other = fresh_database()
    restore(other, file)
    assert everything(other) == everything(full)
    with other.unit_of_work(write=False) as session:
        report = sealing.verify(session)
    assert report.findings == () and report.rows > 0
    # Numbers go on where they stopped, and the past is kept as before.
    with other.unit_of_work(write=True) as session:
        [number] = numbering.draw(session, series=numbering.SALES_ORDER, company_id=1, year=2026)
        assert number == "SO-2026-000008"
        session.execute(sa.insert(AuditRow), [_audit_row()])
    with pytest.raises(exc.IntegrityError), other.unit_of_work(write=True) as session:
        session.execute(sa.update(StockMove).where(StockMove.state == MoveState.POSTED).values(quantity=1))


def _audit_row() -> dict[str, object]:
    return {
        "at": NOW,
        "actor_id": 1,
        "verb": "v",
        "document_kind": "d",
        "document_id": 1,
        "detail": {},
    }


def test_a_backup_under_load_restores_and_its_books_are_proved(
    database: Database, database_url: str, fresh_database: Fresh, tmp_path: Path
) -> None:
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session)
    acknowledged: list[int] = []
    with crew.alone(database_url, office.post_and_tell, ground, 1) as (process, ear):
        heard = crew.told(ear)
        acknowledged += [next(heard) for _ in range(20)]
        for number in range(3):
            taking.take(database, tmp_path / f"{number}.scm", now=NOW)
            acknowledged += [next(heard) for _ in range(5)]
        crew.kill(process)
    for number in range(3):
        other = fresh_database()
        restore(other, tmp_path / f"{number}.scm")
        check_books(other)
        with other.unit_of_work(write=False) as session:
            posted = set(session.scalars(sa.select(StockMove.quantity).where(StockMove.state == MoveState.POSTED)))
        # All that was acknowledged before, and nothing with a hole in it.
        assert posted == set(range(1, len(posted) + 1))
        assert len(posted) >= 20 + 5 * number


def test_a_full_database_is_only_replaced_when_that_was_asked_for(full: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.scm"
    taking.take(full, file, now=NOW)
    with full.unit_of_work(write=True) as session:
        session.execute(sa.insert(AuditRow), [_audit_row()])
    later = everything(full)
    with pytest.raises(NotEmpty, match="--replace"):
        restore(full, file)
    assert everything(full) == later
    restore(full, file, replace=True)
    assert len(everything(full)["audit_row"]) == len(later["audit_row"]) - 1


def test_a_backup_overwrites_no_file(full: Database, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("mine")
    with pytest.raises(FileExists):
        taking.take(full, file, now=NOW)
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


def rewritten(file: Path, *, part: Callable[[str], bool], change: Callable[[bytes], bytes]) -> None:
    """This function will change a part inside a backup as somebody would who can write zips."""
    with zipfile.ZipFile(file) as old:
        content = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(file, "w") as new:
        for name, data in content.items():
            new.writestr(name, change(data) if part(name) else data)


@pytest.mark.parametrize("damage", ["cut", "noise", "part", "manifest", "revision"])
def test_a_damaged_backup_is_refused_and_changes_nothing(full: Database, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "backup.scm"
    taking.take(full, file, now=NOW)
    before = everything(full)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "noise":
        file.write_bytes(b"this is no backup" * 100)
    elif damage == "part":
        rewritten(file, part=lambda name: "stock_move" in name or "sqlite" in name, change=lambda data: data + b"x")
    elif damage == "manifest":
        rewritten(file, part=lambda name: name == "manifest.json", change=lambda data: b"[1]")
    else:
        rewritten(
            file,
            part=lambda name: name == "manifest.json",
            change=lambda data: data.replace(b'"revision": "', b'"revision": "x'),
        )
    with pytest.raises(BadBackup):
        restore(full, file, replace=True)
    assert everything(full) == before


def test_rows_that_do_not_add_up_are_refused_and_change_nothing(full: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.scm"
    manifest = taking.take(full, file, now=NOW)
    before = everything(full)
    moves = manifest.rows["stock_move"]
    rewritten(
        file,
        part=lambda name: name == "manifest.json",
        change=lambda data: data.replace(f'"stock_move": {moves}'.encode(), f'"stock_move": {moves + 1}'.encode()),
    )
    with pytest.raises((BadBackup, RestoreFailed)):
        restore(full, file, replace=True)
    assert everything(full) == before


def test_a_backup_of_one_kind_of_database_is_not_for_the_other(full: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup.scm"
    taking.take(full, file, now=NOW)
    other, now = ("postgresql", "sqlite") if not full.is_sqlite else ("sqlite", "postgresql")
    rewritten(
        file,
        part=lambda name: name == "manifest.json",
        change=lambda data: data.replace(f'"{other}"'.encode(), f'"{now}"'.encode()),
    )
    with pytest.raises(OtherBackend):
        restore(full, file, replace=True)


def test_a_disk_that_cannot_be_written_is_said(full: Database, tmp_path: Path) -> None:
    with pytest.raises(ScmError, match="cannot be written"):
        taking.take(full, tmp_path / "no such folder" / "backup.scm", now=NOW)


def test_the_date_a_simulated_company_is_pinned_to_is_in_the_backup(
    full: Database, fresh_database: Fresh, tmp_path: Path
) -> None:
    taking.take(full, tmp_path / "b", now=NOW)
    other = fresh_database()
    restore(other, tmp_path / "b")
    with other.unit_of_work(write=False) as session:
        [pinned] = session.connection().exec_driver_sql("SELECT business_date FROM company").scalars()
    assert str(pinned) == str(date(2026, 1, 5))


def test_an_older_schema_is_brought_up_to_date_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    monkeypatch.setenv("SCM_DATABASE_URL", url)
    assert cli.main(["upgrade"]) == 1
    assert "create a company with scm init" in capsys.readouterr().err
    migrations.upgrade(url, revision="0003")
    assert cli.main(["upgrade"]) == 0
    assert "The schema was 0003 and is" in capsys.readouterr().out
    assert cli.main(["upgrade"]) == 0
    assert "already" in capsys.readouterr().out

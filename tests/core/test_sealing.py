"""The audit trail is tamper-evident: what is changed, removed, moved, put in or cut off is found and named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from scm.core import audit, sealing, users
from scm.core.db import Database
from scm.core.sealing import AuditSeal

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def trail(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Twelve rows in four seals."""
    monkeypatch.setattr(sealing, "ROWS_AT_ONCE", 3)
    with database.unit_of_work(write=True) as session:
        mira = users.add(session, username="mira", display_name="Mira", roles=frozenset(), now=NOW)
    for number in range(12):
        with database.unit_of_work(write=True) as session:
            audit.record(session, actor=mira, verb="move", document_kind="o", document_ids=[number], n=number)
    seal_all(database)
    return database


def seal_all(database: Database, now: datetime = NOW) -> int:
    count = 0
    while database.run(lambda session: sealing.seal(session, now=now) is not None):
        count += 1
    return count


def findings(database: Database, head: str | None = None) -> tuple[str, ...]:
    with database.unit_of_work(write=False) as session:
        return sealing.verify(session, expected_head=head).findings


def tamper(database: Database, *statements: str) -> None:
    """This function will do what somebody with every right on the database could do: lift the triggers, and write."""
    tables = ("audit_row", "audit_seal")
    with database.unit_of_work(write=True) as session:
        if database.is_sqlite:
            names = session.scalars(
                sa.text(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('audit_row', 'audit_seal')"
                )
            ).all()
            for name in names:
                session.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            for table in tables:
                session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def test_a_trail_nobody_touched_is_proved(trail: Database) -> None:
    with trail.unit_of_work(write=False) as session:
        report = sealing.verify(session)
    assert (report.findings, report.seals, report.rows, report.unsealed.rows) == ((), 4, 12, 0)
    assert "nothing was tampered with" in report.summary()
    assert findings(trail, head=report.head) == ()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_row SET verb = 'other' WHERE id = 5", "rows 4 to 6"),
        ("UPDATE audit_row SET detail = '{\"n\":99}' WHERE id = 5", "rows 4 to 6"),
        ("DELETE FROM audit_row WHERE id = 5", "audit rows 5 were removed"),
        ("DELETE FROM audit_row WHERE id > 10", "audit rows 11, 12 were removed"),
        ("DELETE FROM audit_seal WHERE id = 2", "seal 2 is missing"),
        ("UPDATE audit_seal SET sealed_at = '2020-01-01 00:00:00' WHERE id = 2", "seal 2"),
    ],
)
def test_what_was_tampered_with_is_named(trail: Database, statement: str, said: str) -> None:
    tamper(trail, statement)
    assert any(said in finding for finding in findings(trail))


def test_two_rows_that_changed_places_are_found(trail: Database) -> None:
    tamper(
        trail,
        "UPDATE audit_row SET id = -1 WHERE id = 4",
        "UPDATE audit_row SET id = 4 WHERE id = 9",
        "UPDATE audit_row SET id = 9 WHERE id = -1",
    )
    assert len(findings(trail)) == 2


def test_a_trail_cut_at_its_end_with_its_seals_is_found_by_a_hash_noted_elsewhere(trail: Database) -> None:
    with trail.unit_of_work(write=False) as session:
        head = sealing.verify(session).head
    tamper(trail, "DELETE FROM audit_seal WHERE id = 4", "DELETE FROM audit_row WHERE id > 9")
    assert findings(trail) == ()
    assert any("seals were removed at the end" in finding for finding in findings(trail, head=head))


def test_a_row_put_in_between_is_found(trail: Database) -> None:
    tamper(
        trail,
        "DELETE FROM audit_row WHERE id = 5",
        "INSERT INTO audit_row (id, at, actor_id, verb, document_kind, document_id, detail) "
        "SELECT 0, at, actor_id, verb, document_kind, document_id, detail FROM audit_row WHERE id = 4",
    )
    assert any("audit row 0 was put in" in finding for finding in findings(trail))


def test_a_row_committed_late_is_sealed_later_and_is_no_finding(trail: Database) -> None:
    insert = (
        "INSERT INTO audit_row (id, at, actor_id, verb, document_kind, document_id, detail) "
        "SELECT {0}, at, actor_id, verb, document_kind, document_id, '{{}}' FROM audit_row WHERE id = 4"
    )
    with trail.unit_of_work(write=True) as session:
        session.execute(sa.text(insert.format(20)))
    assert seal_all(trail) == 1
    with trail.unit_of_work(write=True) as session:
        session.execute(sa.text(insert.format(15)))
    with trail.unit_of_work(write=False) as session:
        assert sealing.unsealed(session).rows == 1
    assert seal_all(trail, NOW + timedelta(minutes=1)) == 1
    assert seal_all(trail, NOW + timedelta(minutes=2)) == 0
    assert findings(trail) == ()
    # A day later no open transaction can explain a row that appears below the seals.
    with trail.unit_of_work(write=True) as session:
        session.execute(sa.text(insert.format(21)))
    assert seal_all(trail, NOW + timedelta(days=2)) == 1
    with trail.unit_of_work(write=True) as session:
        session.execute(sa.text(insert.format(16)))
    assert findings(trail) == ("audit row 16 was put in after its neighbours were sealed",)


def test_the_age_of_what_is_not_sealed_is_shown(trail: Database) -> None:
    with trail.unit_of_work(write=True) as session:
        mira = users.actor(session, username="mira")
        audit.record(session, actor=mira, verb="late", document_kind="o", document_ids=[1])
    with trail.unit_of_work(write=False) as session:
        report = sealing.verify(session)
    assert report.findings == ()
    assert report.unsealed.rows == 1 and report.unsealed.oldest_at is not None
    assert "1 rows are not sealed yet" in report.summary()


@pytest.mark.parametrize("change", [sa.update(AuditSeal).values(row_count=1), sa.delete(AuditSeal)])
def test_the_database_itself_keeps_the_seals(trail: Database, change: sa.Update | sa.Delete) -> None:
    with (
        pytest.raises(exc.IntegrityError, match="a seal never changes"),
        trail.unit_of_work(write=True) as session,
    ):
        session.execute(change)

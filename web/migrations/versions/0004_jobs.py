"""Jobs and workers, the delivery of the outbox, webhooks, and the seals of the audit trail.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEALED = "a seal never changes"


def upgrade() -> None:
    """This function will take this step."""
    _jobs()
    _deliveries()
    _seals()


def _jobs() -> None:
    op.create_table(
        "job_schedule",
        sa.Column("job", sa.String(length=60), nullable=False),
        sa.Column("opened_until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_schedule")),
    )
    op.create_table(
        "worker_beat",
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("job", sa.String(length=60), nullable=False),
        sa.Column("scheduled_for", sa.String(length=120), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before_at", INSTANT, nullable=True),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("lease_until_at", INSTANT, nullable=True),
        sa.Column("cancel_requested_at", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("stage", sa.String(length=200), server_default="", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_job_run_run_state")
        ),
        sa.ForeignKeyConstraint(["requested_by_id"], ["app_user.id"], name=op.f("fk_job_run_requested_by_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "scheduled_for", name=op.f("uq_job_run_job_scheduled_for")),
    )
    op.create_index(op.f("ix_job_run_state_due_at"), "job_run", ["state", "due_at"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_job_run_one_running", "job_run", ["job"], unique=True, sqlite_where=running, postgresql_where=running
    )


def _deliveries() -> None:
    op.add_column("outbox_message", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    for name in ("next_attempt_at", "claimed_until_at", "delivered_at", "dead_at"):
        op.add_column("outbox_message", sa.Column(name, INSTANT, nullable=True))
    op.add_column("outbox_message", sa.Column("last_error", sa.String(length=400), server_default="", nullable=False))
    for name, column, condition in (
        ("ix_outbox_message_waiting", "next_attempt_at", "delivered_at IS NULL AND dead_at IS NULL"),
        ("ix_outbox_message_dead", "dead_at", "dead_at IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "outbox_message", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shape", sa.String(length=24), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=True),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT, nullable=True),
        sa.CheckConstraint("shape IN ('wecom', 'dingtalk', 'slack')", name=op.f("ck_webhook_endpoint_webhook_shape")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )


def _seals() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.Column("highest_id", sa.BigInteger(), nullable=False),
        sa.Column("ranges", sa.Text(), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seal")),
    )
    op.create_index(op.f("ix_audit_row_at"), "audit_row", ["at"])
    op.create_index(op.f("ix_audit_row_actor_id_at"), "audit_row", ["actor_id", "at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION keep_audit_seal() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SEALED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER keep_audit_seal BEFORE UPDATE OR DELETE ON audit_seal "
            "FOR EACH ROW EXECUTE FUNCTION keep_audit_seal()"
        )
        op.execute(
            "CREATE TRIGGER keep_audit_seal_whole BEFORE TRUNCATE ON audit_seal EXECUTE FUNCTION keep_audit_seal()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER keep_audit_seal_{action.lower()} BEFORE {action} ON audit_seal "
                f"BEGIN SELECT RAISE(ABORT, '{SEALED}'); END"
            )
        )

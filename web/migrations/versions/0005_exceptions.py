"""Exceptions: what was found and since when, what people answered, and what was measured day by day.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = (
    "stock_out",
    "late_supply",
    "proposals_due",
    "forecast_break",
    "late_supplier",
    "excess",
    "to_approve",
    "to_draft",
    "to_submit",
    "to_send",
    "price_moved",
    "unconfirmed",
    "past_cut_off",
    "ship_by_risk",
    "inbound_due",
    "short_pick",
    "to_put_away",
    "count_to_approve",
    "quarantined",
    "to_inspect",
    "to_dispose",
    "to_refund",
    "return_overdue",
    "transfer_late",
    "transfer_short",
    "order_late",
    "order_waits",
    "job_failed",
    "message_dead",
    "figures_assumed",
)
ACTIONS = ("comment", "snooze", "wake", "hand_over", "accept", "solve")
OPEN = sa.text("closed_at IS NULL")
SAID = "what was said about an exception never changes: add a comment"


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "exception_case",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", _enum("kind", KINDS), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seen_date", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_date", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("snoozed_by_id", sa.Integer(), nullable=True),
        sa.Column("snooze_comment", sa.String(length=400), nullable=False),
        sa.Column("accepted_by_id", sa.Integer(), nullable=True),
        sa.Column("accepted_reason", sa.String(length=400), nullable=False),
        sa.Column("accepted_amount", sa.BigInteger(), nullable=True),
        sa.Column("solved_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_date IS NULL)", name=op.f("ck_exception_case_closed_has_its_date")
        ),
        sa.CheckConstraint(
            "accepted_by_id IS NULL OR accepted_reason <> ''", name=op.f("ck_exception_case_accepted_with_a_reason")
        ),
        sa.CheckConstraint(
            "(snoozed_until IS NULL) = (snoozed_by_id IS NULL)", name=op.f("ck_exception_case_snoozed_by_somebody")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_exception_case_site_id_site")),
        *(_user("exception_case", column) for column in ("owner", "snoozed_by", "accepted_by", "solved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_case")),
    )
    op.create_index(
        "uq_exception_case_open",
        "exception_case",
        ["site_id", "kind", "subject_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(op.f("ix_exception_case_site_id_closed_date"), "exception_case", ["site_id", "closed_date"])
    op.create_table(
        "exception_entry",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("action", _enum("entry_action", ACTIONS), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("to_user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["exception_case.id"], name=op.f("fk_exception_entry_case_id_exception_case")
        ),
        *(_user("exception_entry", column) for column in ("actor", "to_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_entry")),
    )
    op.create_index(op.f("ix_exception_entry_case_id"), "exception_entry", ["case_id"])
    op.create_table(
        "exception_check",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_date", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_exception_check_site_id_site")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_exception_check")),
    )
    op.create_table(
        "indicator_day",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("measured_date", sa.Date(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_indicator_day_site_id_site")),
        sa.PrimaryKeyConstraint("site_id", "measured_date", name=op.f("pk_indicator_day")),
    )
    op.create_table(
        "item_measure",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("measured_date", sa.Date(), nullable=False),
        sa.Column("since_date", sa.Date(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("last_sale_date", sa.Date(), nullable=True),
        sa.Column("asked_8_weeks", sa.BigInteger(), nullable=False),
        sa.Column("asked_8_weeks_before", sa.BigInteger(), nullable=False),
        sa.Column("daily_thousandths", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("received >= 0", name=op.f("ck_item_measure_received_not_negative")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_item_measure_site_id_site")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_measure_item_id_item")),
        sa.PrimaryKeyConstraint("site_id", "item_id", name=op.f("pk_item_measure")),
    )
    _keep_what_was_said()


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _user(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([f"{column}_id"], ["app_user.id"], name=op.f(f"fk_{table}_{column}_id_app_user"))


def _keep_what_was_said() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION keep_exception_entry() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER keep_exception_entry BEFORE UPDATE OR DELETE ON exception_entry "
            "FOR EACH ROW EXECUTE FUNCTION keep_exception_entry()"
        )
        op.execute(
            "CREATE TRIGGER keep_exception_entry_whole BEFORE TRUNCATE ON exception_entry "
            "EXECUTE FUNCTION keep_exception_entry()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER keep_exception_entry_{action.lower()} BEFORE {action} ON exception_entry "
                f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
            )
        )

"""What channels say about their orders, and when a channel says one was paid.

Revision: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FROZEN = "what a channel has said never changes: take the next message"


def upgrade() -> None:
    """This function will take this step."""
    op.add_column("sales_order", sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True))
    kinds = sa.Enum(
        "placed",
        "changed",
        "cancelled",
        "paid",
        name="message_kind",
        native_enum=False,
        create_constraint=True,
        length=24,
    )
    op.create_table(
        "channel_message",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_channel_message_channel_id_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_message")),
        sa.UniqueConstraint(
            "channel_id",
            "external_id",
            "sequence",
            "kind",
            name=op.f("uq_channel_message_channel_id_external_id_sequence_kind"),
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        _freeze_on_postgresql("channel_message")
    else:
        _freeze_on_sqlite("channel_message")


def _freeze_on_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{FROZEN}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
    )
    op.execute(f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION keep_{table}()")


def _freeze_on_sqlite(table: str) -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER keep_{table}_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END"
            )
        )

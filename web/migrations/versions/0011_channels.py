"""What items cost in a channel, and what passes between the pools of a site.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FROZEN = "what passed between pools never changes: let it pass back"


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "channel_price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_channel_price_price_not_negative")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_channel_price_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_channel_price_channel_id_channel")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_channel_price_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_price")),
        sa.UniqueConstraint(
            "channel_id", "item_id", "valid_from", name=op.f("uq_channel_price_channel_id_item_id_valid_from")
        ),
    )
    op.create_index(op.f("ix_channel_price_item_id"), "channel_price", ["item_id"])
    op.create_table(
        "pool_transfer",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("source_pool", sa.String(length=20), nullable=False),
        sa.Column("destination_pool", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("transferred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_pool_transfer_transfers_something")),
        sa.CheckConstraint("source_pool <> destination_pool", name=op.f("ck_pool_transfer_goes_somewhere")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_pool_transfer_item_id_item")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_pool_transfer_owner_id_owner")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_pool_transfer_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_transfer")),
    )
    op.create_index(op.f("ix_pool_transfer_item_id_site_id"), "pool_transfer", ["item_id", "site_id"])
    if op.get_bind().dialect.name == "postgresql":
        _freeze_on_postgresql("pool_transfer")
    else:
        _freeze_on_sqlite("pool_transfer")


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

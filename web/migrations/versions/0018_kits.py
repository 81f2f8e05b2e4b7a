"""Kits as they were sold: the lines of their components name them.

Revision: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "sales_order_kit",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_sales_order_kit_sells_something")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_sales_order_kit_price_not_negative")),
        sa.ForeignKeyConstraint(["bom_id"], ["bom.id"], name=op.f("fk_sales_order_kit_bom_id_bom")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_sales_order_kit_item_id_item")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_sales_order_kit_order_id_sales_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order_kit")),
    )
    op.create_index(op.f("ix_sales_order_kit_order_id"), "sales_order_kit", ["order_id"])
    # SQLite adds a column with its foreign key only in one statement; a rebuilt table would drop what refers to it.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    name = "fk_sales_order_line_kit_id_sales_order_kit"
    op.execute(
        f"ALTER TABLE sales_order_line ADD COLUMN kit_id {kind} CONSTRAINT {name} REFERENCES sales_order_kit (id)"
    )

"""Rates of value added tax, and the tax in orders, invoices and credit notes.

Revision: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# table, column: amounts and rates that are 0 for whoever has no VAT
TAXES = (
    ("sales_order_line", "vat_rate"),
    ("customer_invoice", "vat_amount"),
    ("customer_invoice_line", "vat_rate"),
    ("customer_invoice_line", "vat_amount"),
    ("credit_note", "vat_amount"),
)


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "vat_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("rate >= 0 AND rate < 1000000000", name=op.f("ck_vat_rate_rate_is_a_share")),
        sa.CheckConstraint("item_id IS NULL OR category_id IS NULL", name=op.f("ck_vat_rate_of_one_thing")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_vat_rate_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["item_category.id"], name=op.f("fk_vat_rate_category_id_item_category")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_vat_rate_company_id_company")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_vat_rate_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_rate")),
    )
    op.create_index(op.f("ix_vat_rate_item_id"), "vat_rate", ["item_id"])
    for table in ("sales_order", "customer_invoice"):
        op.add_column(table, sa.Column("prices_with_vat", sa.Boolean(), server_default=sa.false(), nullable=False))
    for table, column in TAXES:
        op.add_column(table, sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))

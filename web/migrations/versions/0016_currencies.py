"""Exchange rates, and what suppliers ask for and are paid.

Revision: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# table, what the refusal says
FROZEN = (
    ("exchange_rate", "a recorded rate never changes: record the next one"),
    ("supplier_invoice", "what a supplier has asked for never changes"),
    ("supplier_payment", "a payment never changes"),
)


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "exchange_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("rate_date", sa.Date(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rate_rate_is_positive")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_exchange_rate_company_id_company")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint(
            "company_id", "currency", "rate_date", name=op.f("uq_exchange_rate_company_id_currency_rate_date")
        ),
    )
    op.create_table(
        "supplier_invoice",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("vat_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("company_amount", sa.BigInteger(), nullable=False),
        sa.Column("vat_company_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_supplier_invoice_asks_for_something")),
        sa.CheckConstraint(
            "vat_amount >= 0 AND vat_amount < amount", name=op.f("ck_supplier_invoice_vat_is_part_of_it")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_supplier_invoice_company_id_company")),
        sa.ForeignKeyConstraint(["supplier_id"], ["partner.id"], name=op.f("fk_supplier_invoice_supplier_id_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_invoice")),
        sa.UniqueConstraint("supplier_id", "number", name=op.f("uq_supplier_invoice_supplier_id_number")),
    )
    op.create_index(
        op.f("ix_supplier_invoice_document_kind_document_id"), "supplier_invoice", ["document_kind", "document_id"]
    )
    op.create_table(
        "supplier_payment",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("invoice_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("company_amount", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("paid_date", sa.Date(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_supplier_payment_pays_something")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoice.id"], name=op.f("fk_supplier_payment_invoice_id_supplier_invoice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_payment")),
    )
    op.create_index(op.f("ix_supplier_payment_invoice_id"), "supplier_payment", ["invoice_id"])
    for table, text in FROZEN:
        if op.get_bind().dialect.name == "postgresql":
            _freeze_on_postgresql(table, text)
        else:
            _freeze_on_sqlite(table, text)


def _freeze_on_postgresql(table: str, text: str) -> None:
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
    )
    op.execute(f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION keep_{table}()")


def _freeze_on_sqlite(table: str, text: str) -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER keep_{table}_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        )

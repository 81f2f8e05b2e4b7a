"""What people change in proposals, and the note a later run leaves on them; who wrote an order, what its supplier
confirmed, and whom an approver asked to decide.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# table, what the refusal says
FROZEN = (
    ("proposal_edit", "an edit of a proposal never changes: undo it"),
    ("approval_handover", "a handover never changes: hand over again"),
    ("purchase_order_confirmation", "a confirmation never changes: confirm again"),
)


def upgrade() -> None:
    """This function will take this step."""
    op.add_column("proposal", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("proposal", sa.Column("need", sa.BigInteger(), nullable=True))
    op.add_column("proposal", sa.Column("binding", sa.String(length=30), nullable=True))
    op.add_column("proposal", sa.Column("cover_days", sa.Integer(), nullable=True))
    op.add_column("proposal", sa.Column("stock_out_thousandths", sa.Integer(), nullable=True))
    op.create_table(
        "proposal_edit",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("proposal_id", BIG_ID, nullable=False),
        sa.Column("quantity_before", sa.BigInteger(), nullable=False),
        sa.Column("quantity_after", sa.BigInteger(), nullable=False),
        sa.Column("order_date_before", sa.Date(), nullable=False),
        sa.Column("order_date_after", sa.Date(), nullable=False),
        sa.Column("due_date_before", sa.Date(), nullable=False),
        sa.Column("due_date_after", sa.Date(), nullable=False),
        sa.Column("agreement_before_id", sa.Integer(), nullable=True),
        sa.Column("agreement_after_id", sa.Integer(), nullable=True),
        sa.Column("unit_price_before", sa.BigInteger(), nullable=True),
        sa.Column("unit_price_after", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("edited_by_id", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undoes_id", BIG_ID, nullable=True),
        sa.CheckConstraint("quantity_after > 0", name=op.f("ck_proposal_edit_proposes_something")),
        sa.CheckConstraint("reason <> '' OR undoes_id IS NOT NULL", name=op.f("ck_proposal_edit_has_a_reason")),
        sa.ForeignKeyConstraint(
            ["agreement_after_id"],
            ["supplier_agreement.id"],
            name=op.f("fk_proposal_edit_agreement_after_id_supplier_agreement"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_before_id"],
            ["supplier_agreement.id"],
            name=op.f("fk_proposal_edit_agreement_before_id_supplier_agreement"),
        ),
        sa.ForeignKeyConstraint(["edited_by_id"], ["app_user.id"], name=op.f("fk_proposal_edit_edited_by_id_app_user")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_edit_proposal_id_proposal")),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["proposal_edit.id"], name=op.f("fk_proposal_edit_undoes_id_proposal_edit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_edit")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_proposal_edit_undoes_id")),
    )
    with op.batch_alter_table("proposal_edit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposal_edit_proposal_id"), ["proposal_id"], unique=False)
    op.create_table(
        "item_target",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("demand", sa.BigInteger(), nullable=False),
        sa.Column("safety_demand", sa.BigInteger(), nullable=False),
        sa.Column("safety_lead_time", sa.BigInteger(), nullable=False),
        sa.Column("reorder_point", sa.BigInteger(), nullable=False),
        sa.Column("expected_returns", sa.BigInteger(), nullable=False),
        sa.Column("need", sa.BigInteger(), nullable=False),
        sa.Column("protection_days", sa.Integer(), nullable=False),
        sa.Column("lead_time_days", sa.BigInteger(), nullable=False),
        sa.Column("return_rate", sa.BigInteger(), nullable=False),
        sa.Column("resellable_share", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_target_item_id_item")),
        sa.ForeignKeyConstraint(["run_id"], ["cycle_run.id"], name=op.f("fk_item_target_run_id_cycle_run")),
        sa.PrimaryKeyConstraint("run_id", "item_id", name=op.f("pk_item_target")),
    )
    with op.batch_alter_table("item_target", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_target_item_id_run_id"), ["item_id", "run_id"], unique=False)
    _orders()
    for table, text in FROZEN:
        if op.get_bind().dialect.name == "postgresql":
            _freeze_on_postgresql(table, text)
        else:
            _freeze_on_sqlite(table, text)


def _orders() -> None:
    op.add_column("purchase_order_line", sa.Column("reason", sa.String(length=400), nullable=False, server_default=""))
    op.create_table(
        "purchase_order_author",
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_purchase_order_author_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_purchase_order_author_user_id_app_user")),
        sa.PrimaryKeyConstraint("order_id", "user_id", name=op.f("pk_purchase_order_author")),
    )
    op.create_table(
        "approval_handover",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("approval_id", BIG_ID, nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.String(length=400), nullable=False),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_approval_handover_to_somebody_else")),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approval.id"], name=op.f("fk_approval_handover_approval_id_approval")
        ),
        sa.ForeignKeyConstraint(["from_id"], ["app_user.id"], name=op.f("fk_approval_handover_from_id_app_user")),
        sa.ForeignKeyConstraint(["to_id"], ["app_user.id"], name=op.f("fk_approval_handover_to_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_handover")),
    )
    op.create_index(op.f("ix_approval_handover_approval_id"), "approval_handover", ["approval_id"])
    op.create_table(
        "purchase_order_confirmation",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("line_id", BIG_ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_order_confirmation_confirms_something")),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["purchase_order_line.id"],
            name=op.f("fk_purchase_order_confirmation_line_id_purchase_order_line"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["app_user.id"], name=op.f("fk_purchase_order_confirmation_recorded_by_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_confirmation")),
    )
    op.create_index(op.f("ix_purchase_order_confirmation_line_id"), "purchase_order_confirmation", ["line_id"])


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

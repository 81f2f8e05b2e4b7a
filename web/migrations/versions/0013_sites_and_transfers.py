"""Lanes between the company's sites, transfers along them, and what was lost on the way.

Revision: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = ("draft", "released", "shipped", "received", "closed", "cancelled")
PARTIES = ("carrier", "sender", "receiver")


def upgrade() -> None:
    """This function will take this step."""
    _lanes()
    _transfers()
    _losses()
    # Companies that were set up before have no place yet for goods on their way between sites.
    op.execute(
        "INSERT INTO location (company_id, site_id, code, kind, is_area, valued, pick_sequence, retired) "
        "SELECT c.id, NULL, 'TRANSIT', 'transit', false, true, 0, false FROM company c "
        "WHERE NOT EXISTS (SELECT 1 FROM location l WHERE l.company_id = c.id AND l.code = 'TRANSIT')"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE number_transfer_seq")


def _lanes() -> None:
    op.create_table(
        "transfer_lane",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_site_id", sa.Integer(), nullable=False),
        sa.Column("to_site_id", sa.Integer(), nullable=False),
        sa.Column("transit_days", sa.Integer(), nullable=False),
        sa.Column("joint_cost", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("from_site_id <> to_site_id", name=op.f("ck_transfer_lane_goes_elsewhere")),
        sa.CheckConstraint("transit_days >= 0", name=op.f("ck_transfer_lane_transit_not_negative")),
        sa.CheckConstraint("joint_cost >= 0", name=op.f("ck_transfer_lane_cost_not_negative")),
        sa.CheckConstraint("priority >= 1", name=op.f("ck_transfer_lane_priorities_count_from_one")),
        sa.ForeignKeyConstraint(["from_site_id"], ["site.id"], name=op.f("fk_transfer_lane_from_site_id_site")),
        sa.ForeignKeyConstraint(["to_site_id"], ["site.id"], name=op.f("fk_transfer_lane_to_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_lane")),
        sa.UniqueConstraint("from_site_id", "to_site_id", name=op.f("uq_transfer_lane_from_site_id_to_site_id")),
    )


def _transfers() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("from_site_id", sa.Integer(), nullable=False),
        sa.Column("to_site_id", sa.Integer(), nullable=False),
        sa.Column("lane_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="transfer_state", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("drafted_date", sa.Date(), nullable=False),
        sa.Column("ship_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_date", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.CheckConstraint("from_site_id <> to_site_id", name=op.f("ck_transfer_goes_elsewhere")),
        sa.CheckConstraint("due_date >= ship_date", name=op.f("ck_transfer_due_after_shipped")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_transfer_company_id_company")),
        sa.ForeignKeyConstraint(["from_site_id"], ["site.id"], name=op.f("fk_transfer_from_site_id_site")),
        sa.ForeignKeyConstraint(["to_site_id"], ["site.id"], name=op.f("fk_transfer_to_site_id_site")),
        sa.ForeignKeyConstraint(["lane_id"], ["transfer_lane.id"], name=op.f("fk_transfer_lane_id_transfer_lane")),
        sa.ForeignKeyConstraint(["written_by_id"], ["app_user.id"], name=op.f("fk_transfer_written_by_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("number", name=op.f("uq_transfer_number")),
    )
    op.create_index(op.f("ix_transfer_from_site_id_state"), "transfer", ["from_site_id", "state"])
    op.create_index(op.f("ix_transfer_to_site_id_state"), "transfer", ["to_site_id", "state"])
    op.create_table(
        "transfer_line",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("transfer_id", BIG_ID, nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_transfer_line_moves_something")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_line_transfer_id_transfer")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_transfer_line_item_id_item")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_transfer_line_owner_id_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_line")),
        sa.UniqueConstraint("transfer_id", "line_number", name=op.f("uq_transfer_line_transfer_id_line_number")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_transfer_line_proposal_id")),
    )
    op.create_index(op.f("ix_transfer_line_transfer_id"), "transfer_line", ["transfer_id"])
    op.create_index(op.f("ix_transfer_line_item_id"), "transfer_line", ["item_id"])


def _losses() -> None:
    op.create_table(
        "transfer_loss",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("line_id", BIG_ID, nullable=False),
        sa.Column("move_id", BIG_ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "party",
            sa.Enum(*PARTIES, name="loss_party", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_transfer_loss_loses_something")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_transfer_loss_has_a_reason")),
        sa.ForeignKeyConstraint(["line_id"], ["transfer_line.id"], name=op.f("fk_transfer_loss_line_id_transfer_line")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_transfer_loss_move_id_stock_move")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["app_user.id"], name=op.f("fk_transfer_loss_recorded_by_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_loss")),
        sa.UniqueConstraint("move_id", name=op.f("uq_transfer_loss_move_id")),
    )
    op.create_index(op.f("ix_transfer_loss_line_id"), "transfer_loss", ["line_id"])

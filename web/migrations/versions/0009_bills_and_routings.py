"""What items are made of and how: bills of materials, routings, work centres and their shifts.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "work_center",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("machines >= 1", name=op.f("ck_work_center_has_a_machine")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_work_center_company_id_company")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_work_center_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_center")),
        sa.UniqueConstraint("site_id", "code", name=op.f("uq_work_center_site_id_code")),
    )
    op.create_table(
        "bom",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "make",
                "subcontract",
                "phantom",
                "kit",
                name="bom_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "retired",
                name="bom_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("output_quantity", sa.BigInteger(), nullable=False),
        sa.Column("yield_rate", sa.BigInteger(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("minimum_order_quantity", sa.BigInteger(), nullable=False),
        sa.Column("order_multiple", sa.BigInteger(), nullable=False),
        sa.Column("cover_limit_days", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'subcontract') = (partner_id IS NOT NULL)", name=op.f("ck_bom_subcontractor_is_named")
        ),
        sa.CheckConstraint(
            "cover_limit_days IS NULL OR cover_limit_days >= 1", name=op.f("ck_bom_cover_limit_is_positive")
        ),
        sa.CheckConstraint("lead_time_days >= 0", name=op.f("ck_bom_lead_time_not_negative")),
        sa.CheckConstraint("minimum_order_quantity >= 0 AND order_multiple >= 1", name=op.f("ck_bom_lots_are_whole")),
        sa.CheckConstraint("output_quantity >= 1", name=op.f("ck_bom_makes_something")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_bom_revisions_count_from_one")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_bom_ends_after_it_begins")
        ),
        sa.CheckConstraint("yield_rate > 0 AND yield_rate <= 1000000000", name=op.f("ck_bom_yield_is_a_share")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_bom_company_id_company")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_bom_item_id_item")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_bom_partner_id_partner")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_bom_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bom")),
        sa.UniqueConstraint("item_id", "site_id", "revision", name=op.f("uq_bom_item_id_site_id_revision")),
    )
    op.create_index(op.f("ix_bom_company_id_state"), "bom", ["company_id", "state"])
    op.create_table(
        "shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("ends_at", sa.Time(), nullable=False),
        sa.CheckConstraint("starts_at <> ends_at", name=op.f("ck_shift_takes_time")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_shift_weekday_exists")),
        sa.ForeignKeyConstraint(
            ["work_center_id"], ["work_center.id"], name=op.f("fk_shift_work_center_id_work_center")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
        sa.UniqueConstraint(
            "work_center_id", "weekday", "starts_at", name=op.f("uq_shift_work_center_id_weekday_starts_at")
        ),
    )
    op.create_table(
        "bom_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("scrap_rate", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("line_number >= 1", name=op.f("ck_bom_line_lines_count_from_one")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_bom_line_uses_something")),
        sa.CheckConstraint("scrap_rate >= 0 AND scrap_rate <= 1000000000", name=op.f("ck_bom_line_scrap_is_a_share")),
        sa.ForeignKeyConstraint(["bom_id"], ["bom.id"], name=op.f("fk_bom_line_bom_id_bom")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_bom_line_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bom_line")),
        sa.UniqueConstraint("bom_id", "item_id", name=op.f("uq_bom_line_bom_id_item_id")),
        sa.UniqueConstraint("bom_id", "line_number", name=op.f("uq_bom_line_bom_id_line_number")),
    )
    op.create_index(op.f("ix_bom_line_item_id"), "bom_line", ["item_id"])
    op.create_table(
        "routing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bom_id"], ["bom.id"], name=op.f("fk_routing_bom_id_bom")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing")),
        sa.UniqueConstraint("bom_id", name=op.f("uq_routing_bom_id")),
    )
    op.create_table(
        "bom_substitute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bom_line_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("priority >= 1", name=op.f("ck_bom_substitute_priorities_count_from_one")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_bom_substitute_uses_something")),
        sa.ForeignKeyConstraint(["bom_line_id"], ["bom_line.id"], name=op.f("fk_bom_substitute_bom_line_id_bom_line")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_bom_substitute_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bom_substitute")),
        sa.UniqueConstraint("bom_line_id", "item_id", name=op.f("uq_bom_substitute_bom_line_id_item_id")),
        sa.UniqueConstraint("bom_line_id", "priority", name=op.f("uq_bom_substitute_bom_line_id_priority")),
    )
    op.create_index(op.f("ix_bom_substitute_item_id"), "bom_substitute", ["item_id"])
    op.create_table(
        "operation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("routing_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=False),
        sa.Column("setup_seconds", sa.BigInteger(), nullable=False),
        sa.Column("run_seconds", sa.BigInteger(), nullable=False),
        sa.Column("run_quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("run_quantity >= 1", name=op.f("ck_operation_runs_for_something")),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_operation_steps_count_from_one")),
        sa.CheckConstraint("setup_seconds + run_seconds > 0", name=op.f("ck_operation_takes_time")),
        sa.CheckConstraint("setup_seconds >= 0 AND run_seconds >= 0", name=op.f("ck_operation_time_not_negative")),
        sa.ForeignKeyConstraint(["routing_id"], ["routing.id"], name=op.f("fk_operation_routing_id_routing")),
        sa.ForeignKeyConstraint(
            ["work_center_id"], ["work_center.id"], name=op.f("fk_operation_work_center_id_work_center")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        sa.UniqueConstraint("routing_id", "sequence", name=op.f("uq_operation_routing_id_sequence")),
    )
    op.create_index(op.f("ix_operation_work_center_id"), "operation", ["work_center_id"])

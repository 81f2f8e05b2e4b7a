"""Work orders, what is reported of them, what they hold in value, and the links by which partners report.

Revision: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# table, what the refusal says
FROZEN = (
    ("operation_report", "a report never changes: correct it with another"),
    ("production_output", "how much remained when an output was posted never changes"),
    ("production_variance", "a variance never changes"),
)


def upgrade() -> None:
    """This function will take this step."""
    _orders()
    _parts()
    _reports()
    _value()
    _links()
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("CREATE SEQUENCE number_work_order_seq")
    for table, text in FROZEN:
        _freeze(table, text, postgresql=postgresql)
    # Sites that are there already get the place that new ones have from the start.
    op.execute(
        "INSERT INTO location (company_id, site_id, code, kind, is_area, valued, pick_sequence, retired) "
        "SELECT company_id, id, code || '-PRODUCTION', 'production', false, false, 0, false FROM site"
    )


def _orders() -> None:
    op.create_table(
        "work_order",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "released",
                "started",
                "completed",
                "closed",
                "cancelled",
                name="work_order_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
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
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("start_quantity", sa.BigInteger(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("origin_kind", sa.String(length=40), nullable=True),
        sa.Column("origin_id", sa.BigInteger(), nullable=True),
        sa.Column("created_date", sa.Date(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_short", sa.String(length=200), nullable=False),
        sa.Column("completed_date", sa.Date(), nullable=True),
        sa.Column("closed_date", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint("quantity > 0 AND start_quantity >= quantity", name=op.f("ck_work_order_makes_something")),
        sa.CheckConstraint("start_date <= due_date", name=op.f("ck_work_order_starts_before_it_is_due")),
        sa.CheckConstraint("(origin_kind IS NULL) = (origin_id IS NULL)", name=op.f("ck_work_order_origin_is_whole")),
        sa.CheckConstraint("kind IN ('make', 'subcontract')", name=op.f("ck_work_order_is_made")),
        sa.CheckConstraint(
            "(kind = 'subcontract') = (partner_id IS NOT NULL)", name=op.f("ck_work_order_subcontractor_is_named")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'cancelled') OR released_at IS NOT NULL",
            name=op.f("ck_work_order_released_has_its_time"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_date IS NOT NULL)", name=op.f("ck_work_order_closed_has_its_date")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_work_order_company_id_company")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_work_order_site_id_site")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_work_order_item_id_item")),
        sa.ForeignKeyConstraint(["bom_id"], ["bom.id"], name=op.f("fk_work_order_bom_id_bom")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_work_order_partner_id_partner")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_work_order_created_by_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order")),
        sa.UniqueConstraint("number", name=op.f("uq_work_order_number")),
        sa.UniqueConstraint("origin_kind", "origin_id", name=op.f("uq_work_order_origin_kind_origin_id")),
    )
    op.create_index(op.f("ix_work_order_state"), "work_order", ["state"])
    op.create_index(op.f("ix_work_order_item_id"), "work_order", ["item_id"])
    op.create_index(op.f("ix_work_order_bom_id"), "work_order", ["bom_id"])
    op.create_index(op.f("ix_work_order_site_id_state_due_date"), "work_order", ["site_id", "state", "due_date"])


def _parts() -> None:
    op.create_table(
        "work_order_component",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("bom_line_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("net_quantity", sa.BigInteger(), nullable=False),
        sa.Column("replaces_id", BIG_ID, nullable=True),
        sa.Column("replaced", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_work_order_component_needs_something")),
        sa.CheckConstraint(
            "net_quantity >= 0 AND net_quantity <= quantity", name=op.f("ck_work_order_component_net_is_part_of_it")
        ),
        sa.CheckConstraint(
            "replaced >= 0 AND replaced <= quantity", name=op.f("ck_work_order_component_replaced_is_part_of_it")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.id"], name=op.f("fk_work_order_component_order_id_work_order")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_work_order_component_item_id_item")),
        sa.ForeignKeyConstraint(
            ["bom_line_id"], ["bom_line.id"], name=op.f("fk_work_order_component_bom_line_id_bom_line")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"],
            ["work_order_component.id"],
            name=op.f("fk_work_order_component_replaces_id_work_order_component"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order_component")),
        sa.UniqueConstraint("order_id", "line_number", name=op.f("uq_work_order_component_order_id_line_number")),
    )
    op.create_index(op.f("ix_work_order_component_item_id"), "work_order_component", ["item_id"])
    op.create_table(
        "work_order_operation",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=True),
        sa.Column("setup_seconds", sa.BigInteger(), nullable=False),
        sa.Column("run_seconds", sa.BigInteger(), nullable=False),
        sa.Column("run_quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "setup_seconds >= 0 AND run_seconds >= 0", name=op.f("ck_work_order_operation_time_not_negative")
        ),
        sa.CheckConstraint("run_quantity > 0", name=op.f("ck_work_order_operation_runs_for_something")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.id"], name=op.f("fk_work_order_operation_order_id_work_order")
        ),
        sa.ForeignKeyConstraint(
            ["work_center_id"], ["work_center.id"], name=op.f("fk_work_order_operation_work_center_id_work_center")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order_operation")),
        sa.UniqueConstraint("order_id", "sequence", name=op.f("uq_work_order_operation_order_id_sequence")),
    )
    op.create_index(op.f("ix_work_order_operation_work_center_id"), "work_order_operation", ["work_center_id"])


def _reports() -> None:
    op.create_table(
        "operation_report",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("operation_id", BIG_ID, nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("scrap", sa.BigInteger(), nullable=False),
        sa.Column(
            "scrap_reason",
            sa.Enum(
                "material",
                "setup",
                "machine",
                "handling",
                "other",
                name="scrap_reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_date", sa.Date(), nullable=False),
        sa.Column("reported_by_id", sa.Integer(), nullable=False),
        sa.Column("scrap_move_id", BIG_ID, nullable=True),
        sa.Column("corrects_id", BIG_ID, nullable=True),
        sa.CheckConstraint(
            "(corrects_id IS NULL AND good >= 0 AND scrap >= 0 AND minutes >= 0)"
            " OR (corrects_id IS NOT NULL AND good <= 0 AND scrap <= 0 AND minutes <= 0)",
            name=op.f("ck_operation_report_only_corrections_take_back"),
        ),
        sa.CheckConstraint(
            "good <> 0 OR scrap <> 0 OR minutes <> 0", name=op.f("ck_operation_report_reports_something")
        ),
        sa.CheckConstraint(
            "(scrap = 0) = (scrap_reason IS NULL)", name=op.f("ck_operation_report_scrap_has_its_reason")
        ),
        sa.CheckConstraint(
            "(scrap = 0) = (scrap_move_id IS NULL)", name=op.f("ck_operation_report_scrap_has_its_move")
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["work_order_operation.id"],
            name=op.f("fk_operation_report_operation_id_work_order_operation"),
        ),
        sa.ForeignKeyConstraint(
            ["reported_by_id"], ["app_user.id"], name=op.f("fk_operation_report_reported_by_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["scrap_move_id"], ["stock_move.id"], name=op.f("fk_operation_report_scrap_move_id_stock_move")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["operation_report.id"], name=op.f("fk_operation_report_corrects_id_operation_report")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_report")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_operation_report_corrects_id")),
    )
    op.create_index(op.f("ix_operation_report_operation_id"), "operation_report", ["operation_id"])


def _value() -> None:
    op.create_table(
        "production_output",
        sa.Column("move_id", BIG_ID, nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining > 0", name=op.f("ck_production_output_made_something")),
        sa.ForeignKeyConstraint(["move_id"], ["stock_move.id"], name=op.f("fk_production_output_move_id_stock_move")),
        sa.PrimaryKeyConstraint("move_id", name=op.f("pk_production_output")),
    )
    op.create_table(
        "production_closing",
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_production_closing_company_id_company")),
        sa.PrimaryKeyConstraint("document_kind", "document_id", name=op.f("pk_production_closing")),
    )
    op.create_index(
        "ix_production_closing_open",
        "production_closing",
        ["company_id"],
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "production_variance",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", BIG_ID, nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_production_variance_writes_something_off")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_production_variance_company_id_company")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name=op.f("fk_production_variance_entry_id_journal_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_production_variance")),
    )
    op.create_index(op.f("ix_production_variance_entry_id"), "production_variance", ["entry_id"])
    op.create_index(
        op.f("ix_production_variance_document_kind_document_id"),
        "production_variance",
        ["document_kind", "document_id"],
    )


def _links() -> None:
    op.create_table(
        "partner_link",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > made_at", name=op.f("ck_partner_link_is_good_for_a_while")),
        sa.ForeignKeyConstraint(["order_id"], ["work_order.id"], name=op.f("fk_partner_link_order_id_work_order")),
        sa.ForeignKeyConstraint(["made_by_id"], ["app_user.id"], name=op.f("fk_partner_link_made_by_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_partner_link_token_hash")),
    )
    op.create_index(op.f("ix_partner_link_order_id"), "partner_link", ["order_id"])


def _freeze(table: str, text: str, *, postgresql: bool) -> None:
    if postgresql:
        op.execute(
            f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
        )
        op.execute(f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION keep_{table}()")
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER keep_{table}_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        )

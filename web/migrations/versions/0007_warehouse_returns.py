"""The way out of quarantine, the packer's check scan, counts that are counted anew; photos of what came back, parcels
that nobody expects, and who decided otherwise than was proposed.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# table, what the refusal says
FROZEN = (
    ("quarantine_decision", "a decision about quarantined goods never changes"),
    ("packing_check", "a check scan never changes"),
    ("return_photo", "a photo never changes"),
)


def upgrade() -> None:
    """This function will take this step."""
    op.create_table(
        "quarantine_decision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", BIG_ID, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "way_out",
            sa.Enum(
                "release",
                "return_to_supplier",
                "scrap",
                name="way_out",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_date", sa.Date(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quarantine_decision_lets_something_out")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_quarantine_decision_has_a_reason")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_quarantine_decision_company_id_company")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_quarantine_decision_site_id_site")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_quarantine_decision_location_id_location")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_quarantine_decision_item_id_item")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_quarantine_decision_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["app_user.id"], name=op.f("fk_quarantine_decision_decided_by_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_decision")),
    )
    op.create_index(op.f("ix_quarantine_decision_site_id"), "quarantine_decision", ["site_id"])
    op.create_index(op.f("ix_quarantine_decision_item_id"), "quarantine_decision", ["item_id"])
    op.create_table(
        "packing_check",
        sa.Column("shipment_id", BIG_ID, nullable=False),
        sa.Column("checked_by_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_packing_check_shipment_id_shipment")),
        sa.ForeignKeyConstraint(
            ["checked_by_id"], ["app_user.id"], name=op.f("fk_packing_check_checked_by_id_app_user")
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_packing_check")),
    )
    op.add_column(
        "cycle_count",
        sa.Column(
            "recount_of_id",
            BIG_ID,
            sa.ForeignKey("cycle_count.id", name=op.f("fk_cycle_count_recount_of_id_cycle_count")),
            nullable=True,
        ),
        inline_references=True,
    )
    # A unique index, which says the same as a constraint: SQLite cannot add a constraint to a table.
    op.create_index("uq_cycle_count_recount_of_id", "cycle_count", ["recount_of_id"], unique=True)
    _returns_desk()
    for table, text in FROZEN:
        _freeze(table, text)


def _returns_desk() -> None:
    op.create_table(
        "unknown_parcel",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "matched",
                "disposed",
                name="parcel_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("sender", sa.String(length=120), nullable=False),
        sa.Column("contents", sa.String(length=400), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_date", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("return_id", BIG_ID, nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.CheckConstraint("contents <> ''", name=op.f("ck_unknown_parcel_says_what_arrived")),
        sa.CheckConstraint(
            "(state = 'matched') = (return_id IS NOT NULL)", name=op.f("ck_unknown_parcel_matched_to_a_return")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_unknown_parcel_settled_has_its_time")
        ),
        sa.CheckConstraint("state <> 'disposed' OR reason <> ''", name=op.f("ck_unknown_parcel_disposed_for_a_reason")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_unknown_parcel_company_id_company")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_unknown_parcel_site_id_site")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_unknown_parcel_recorded_by_app_user")),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["return_authorization.id"],
            name=op.f("fk_unknown_parcel_return_id_return_authorization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_parcel")),
        sa.UniqueConstraint("number", name=op.f("uq_unknown_parcel_number")),
    )
    op.create_index(op.f("ix_unknown_parcel_return_id"), "unknown_parcel", ["return_id"])
    op.create_index(op.f("ix_unknown_parcel_site_id_state"), "unknown_parcel", ["site_id", "state"])
    op.create_table(
        "return_photo",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("inspection_id", BIG_ID, nullable=True),
        sa.Column("parcel_id", BIG_ID, nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("taken_by", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(inspection_id IS NULL) <> (parcel_id IS NULL)", name=op.f("ck_return_photo_shows_one_thing")
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_return_photo_shows_something")),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("fk_return_photo_inspection_id_inspection")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["unknown_parcel.id"], name=op.f("fk_return_photo_parcel_id_unknown_parcel")
        ),
        sa.ForeignKeyConstraint(["taken_by"], ["app_user.id"], name=op.f("fk_return_photo_taken_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_photo")),
    )
    op.create_index(op.f("ix_return_photo_inspection_id"), "return_photo", ["inspection_id"])
    op.create_index(op.f("ix_return_photo_parcel_id"), "return_photo", ["parcel_id"])
    op.add_column("disposal", sa.Column("overridden", sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE number_unknown_parcel_seq")


def _freeze(table: str, text: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
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

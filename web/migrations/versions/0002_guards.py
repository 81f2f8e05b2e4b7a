"""The rows every database has, the number sequences, and the triggers that keep the past as it was.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SEQUENCES = (
    "sales_order",
    "purchase_order",
    "goods_receipt",
    "wave",
    "shipment",
    "cycle_count",
    "return_authorization",
)
# table, condition on the old row, what the refusal says
FROZEN = (
    ("stock_move", "OLD.state = 'posted'", "a posted stock move never changes: reverse it"),
    ("audit_row", None, "the audit trail is append-only"),
)


def upgrade() -> None:
    """This function will take this step."""
    op.execute("INSERT INTO lot (id, item_id, code, is_serial) VALUES (1, NULL, '-', false)")
    op.execute("INSERT INTO owner (id, code, partner_id) VALUES (1, 'own', NULL)")
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    for table in ("lot", "owner"):
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1)")
    for series in SEQUENCES:
        op.execute(f"CREATE SEQUENCE number_{series}_seq")
    for table, condition, text in FROZEN:
        op.execute(
            f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        when = f"WHEN ({condition}) " if condition else ""
        op.execute(
            f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW {when}EXECUTE FUNCTION keep_{table}()"
        )


def _sqlite() -> None:
    for table, condition, text in FROZEN:
        for action in ("UPDATE", "DELETE"):
            when = f"WHEN {condition} " if condition else ""
            op.execute(
                sa.text(
                    f"CREATE TRIGGER keep_{table}_{action.lower()} BEFORE {action} ON {table} {when}"
                    f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
                )
            )

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
    ("journal_entry", None, "the journal is append-only: post another entry"),
    ("posting", None, "the journal is append-only: post another entry"),
    ("move_value", None, "the value of a move never changes: reverse the move"),
    ("customer_invoice", None, "an invoice never changes: credit it"),
    ("customer_invoice_line", None, "an invoice never changes: credit it"),
    ("payment", None, "a payment never changes: refund it"),
    ("credit_note", None, "a credit note never changes"),
    ("refund", None, "a refund never changes"),
    ("prior_sale", None, "a prior sale never changes"),
    ("inspection", None, "an inspection never changes"),
    ("disposal", None, "a disposal never changes"),
    ("return_refund", None, "a refund never changes"),
)
# Valuation follows the goods: a move of own stock (owner 1) over a valued boundary is noted in the transaction that
# posts it. The ids of the notes ascend in the order of posting, because the balances' rows are locked by then.
NOTE_UNVALUED = (
    "INSERT INTO unvalued_move (move_id) SELECT NEW.id FROM location s JOIN location d ON d.id = NEW.destination_id "
    "WHERE s.id = NEW.source_id AND s.valued <> d.valued AND NEW.owner_id = 1"
)
POSTED = (
    ("INSERT", "NEW.state = 'posted'"),
    ("UPDATE", "NEW.state = 'posted' AND OLD.state <> 'posted'"),
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
        op.execute(f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION keep_{table}()")
    op.execute(
        "CREATE FUNCTION note_unvalued() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {NOTE_UNVALUED}; RETURN NULL; END $$"
    )
    for action, condition in POSTED:
        op.execute(
            f"CREATE TRIGGER note_unvalued_{action.lower()} AFTER {action} ON stock_move "
            f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION note_unvalued()"
        )


def _sqlite() -> None:
    for action, condition in POSTED:
        op.execute(
            sa.text(
                f"CREATE TRIGGER note_unvalued_{action.lower()} AFTER {action} ON stock_move WHEN {condition} "
                f"BEGIN {NOTE_UNVALUED}; END"
            )
        )
    for table, only_if, text in FROZEN:
        for action in ("UPDATE", "DELETE"):
            when = f"WHEN {only_if} " if only_if else ""
            op.execute(
                sa.text(
                    f"CREATE TRIGGER keep_{table}_{action.lower()} BEFORE {action} ON {table} {when}"
                    f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
                )
            )

"""A proposal to make goods names the bill of materials they are made by.

Revision: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """This function will take this step."""
    # SQLite adds a constraint to a table only together with a column.
    op.execute(
        "ALTER TABLE proposal ADD COLUMN bom_id INTEGER "
        "CONSTRAINT fk_proposal_bom_id_bom REFERENCES bom (id) "
        "CONSTRAINT ck_proposal_made_by_a_bom CHECK ((kind = 'make') = (bom_id IS NOT NULL))"
    )

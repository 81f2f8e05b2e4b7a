"""What a parcel of a carrier's service costs, which decides between sites that could serve an order.

Revision: 0015
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """This function will take this step."""
    # SQLite adds a constraint to a table only together with a column.
    op.execute(
        "ALTER TABLE carrier_service ADD COLUMN parcel_cost BIGINT DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_carrier_service_cost_not_negative CHECK (parcel_cost >= 0)"
    )

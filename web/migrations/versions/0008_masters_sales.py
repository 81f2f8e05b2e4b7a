"""Carriers' services may be retired, and a company says in which language its pages speak at first.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """This function will take this step."""
    op.add_column("carrier_service", sa.Column("retired", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("company", sa.Column("default_locale", sa.String(length=10), nullable=True))

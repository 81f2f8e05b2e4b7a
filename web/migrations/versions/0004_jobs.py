"""Nothing yet.

Revision: 0004
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """This function will take this step."""

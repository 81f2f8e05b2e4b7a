"""Nothing yet.

Revision: 0008
"""

from __future__ import annotations

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """This function will take this step."""

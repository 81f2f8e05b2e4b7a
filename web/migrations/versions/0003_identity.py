"""Nothing yet.

Revision: 0003
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """This function will take this step."""

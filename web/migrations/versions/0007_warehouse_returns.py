"""Nothing yet.

Revision: 0007
"""

from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """This function will take this step."""

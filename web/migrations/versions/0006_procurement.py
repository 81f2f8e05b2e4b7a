"""Nothing yet.

Revision: 0006
"""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """This function will take this step."""

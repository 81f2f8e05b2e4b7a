"""Nothing yet.

Revision: 0005
"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """This function will take this step."""

"""The people of a demo: whose names stand on what the simulated company does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from scm.core import users
from scm.core.users import Role

NAMES: Mapping[str, str] = {
    "planner": "林雨晴 Lin Yuqing",
    "buyer": "赵明 Zhao Ming",
    "approver": "Helen Carter",
    "warehouse": "王建国 Wang Jianguo",
    "returns": "Priya Shah",
    "sales": "Tom Ellis",
    "admin": "周岚 Zhou Lan",
    "system": "System",
}
# Whoever counts does not approve the difference: the warehouse has two people.
SECOND, SECOND_NAME = "warehouse2", "Maria Lopez"


def add_second(session: Session, *, now: datetime) -> None:
    """This function will add the second person of the warehouse."""
    roles = frozenset({Role.WAREHOUSE})
    users.add(session, username=SECOND, display_name=SECOND_NAME, roles=roles, now=now)

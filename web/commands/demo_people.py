"""The people of a demo: whose names stand on what the simulated company does, and how one signs in as them.

Their passwords are known to everybody, so only a simulated company gets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from scm.core import passwords, sign_in, staff, users
from scm.core.users import Role
from scm.master import companies

NAMES: Mapping[str, str] = {
    "planner": "林雨晴 Lin Yuqing",
    "buyer": "赵明 Zhao Ming",
    "approver": "Helen Carter",
    "warehouse": "王建国 Wang Jianguo",
    "production": "陈国强 Chen Guoqiang",
    "returns": "Priya Shah",
    "sales": "Tom Ellis",
    "admin": "周岚 Zhou Lan",
    "system": "System",
}
# Whoever counts does not approve the difference: the warehouse has two people. The second approver has a limit.
SECONDS = (("warehouse2", "Maria Lopez", Role.WAREHOUSE), ("approver2", "陈静 Chen Jing", Role.APPROVER))


def add_seconds(session: Session, *, now: datetime) -> None:
    """This function will add the second people of the warehouse and of approval."""
    for username, name, role in SECONDS:
        users.add(session, username=username, display_name=name, roles=frozenset({role}), now=now)


def give_passwords(session: Session, *, now: datetime) -> None:
    """This function will give those who have none the password of the demo. Raises `NotSimulated`."""
    companies.require_simulated(companies.only(session))
    system = users.actor(session, username="system")
    for person in staff.everybody(session, now=now):
        if not person.has_password:
            password = password_of(person.username)
            sign_in.reset_password(session, username=person.username, new=password, actor=system, now=now)


def logins(session: Session, *, now: datetime) -> list[tuple[str, str, str]]:
    """This function will list role, user name and name of those whom the demo's password lets in."""
    return [
        (", ".join(sorted(role.value for role in person.roles)), person.username, person.display_name)
        for person in staff.everybody(session, now=now)
        if person.active and passwords.matches(session, user_id=person.user_id, password=password_of(person.username))
    ]


def password_of(username: str) -> str:
    """This function will give the password of a demo's user.

    >>> password_of("buyer")
    'demo-buyer'
    """
    return f"demo-{username}"

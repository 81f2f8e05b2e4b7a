"""People are added, changed and let go by an administrator, and nobody shuts themselves out."""

from __future__ import annotations

from typing import Any

import pytest

from scm.core import passwords, sign_in, staff
from scm.core.passwords import BadPassword
from scm.core.staff import BadUser, NotThisUser, Person, UserChanged
from scm.core.users import Role, RoleMissing, UserExists, UserUnknown
from tests.world import World

PASSWORD = "four words are enough"


def add(world: World, username: str = "ada", *, roles: frozenset[Role] = frozenset({Role.PLANNER})) -> None:
    staff.add(
        world.begin(),
        username=username,
        display_name="Ada Hill",
        roles=roles,
        password=PASSWORD,
        locale="zh_CN",
        actor=world.user("admin"),
        now=world.now,
    )


def person(world: World, username: str = "ada") -> Person:
    return next(one for one in staff.everybody(world.begin(), now=world.now) if one.username == username)


def test_a_person_is_added_with_a_password_roles_and_language(world: World) -> None:
    add(world, roles=frozenset({Role.PLANNER, Role.SALES}))
    ada = person(world)
    assert (ada.roles, ada.has_password, ada.locale, ada.active) == (
        frozenset({Role.PLANNER, Role.SALES}),
        True,
        "zh_CN",
        True,
    )
    assert passwords.matches(world.begin(), user_id=ada.user_id, password=PASSWORD)
    assert "system" not in {one.username for one in staff.everybody(world.begin(), now=world.now)}
    with world.refuses(UserExists):
        add(world)


@pytest.mark.parametrize("username", ["", "Ada", "a b", "é", "x" * 61, "a;b"])
def test_user_names_are_plain(world: World, username: str) -> None:
    with world.refuses(BadUser, "the user name is"):
        add(world, username)


@pytest.mark.parametrize("roles", [frozenset[Role](), frozenset({Role.SYSTEM})])
def test_nobody_is_given_no_role_or_the_one_of_the_jobs(world: World, roles: frozenset[Role]) -> None:
    with world.refuses(BadUser, "give some of"):
        add(world, roles=roles)


def test_a_weak_password_adds_nobody(world: World) -> None:
    with world.refuses(BadPassword) as session:
        staff.add(
            session,
            username="ada",
            display_name="Ada",
            roles={Role.PLANNER},
            password="short",
            actor=world.user("admin"),
            now=world.now,
        )


def test_roles_change_for_who_knows_them(world: World) -> None:
    add(world)
    change: dict[str, Any] = {"username": "ada", "display_name": "Ada", "actor": world.user("admin")}
    staff.change(world.begin(), believed={Role.PLANNER}, wanted={Role.BUYER, Role.SALES}, **change)
    assert person(world).roles == {Role.BUYER, Role.SALES}
    with world.refuses(UserChanged, "has the roles buyer, sales by now") as session:
        staff.change(session, believed={Role.PLANNER}, wanted={Role.BUYER}, **change)


def test_who_is_let_go_is_signed_out_and_may_come_back(world: World) -> None:
    add(world)
    act: dict[str, Any] = {"username": "ada", "actor": world.user("admin"), "now": world.now}
    staff.set_active(world.begin(), active=False, **act)
    assert not person(world).active
    staff.set_active(world.begin(), active=True, **act)
    staff.end_sessions(world.begin(), **act)
    assert person(world).active and person(world).sessions == 0


def test_nobody_shuts_themselves_out_and_the_jobs_user_stays(world: World) -> None:
    admin = world.user("admin")
    with world.refuses(NotThisUser, "the own user") as session:
        staff.set_active(session, username="admin", active=False, actor=admin, now=world.now)
    with world.refuses(NotThisUser, "the own role admin") as session:
        staff.change(
            session, username="admin", display_name="A", believed={Role.ADMIN}, wanted={Role.SALES}, actor=admin
        )
    with world.refuses(NotThisUser, "jobs act as") as session:
        staff.set_active(session, username="system", active=False, actor=admin, now=world.now)
    with world.refuses(UserUnknown) as session:
        staff.end_sessions(session, username="nobody", actor=admin, now=world.now)


def test_only_an_administrator_keeps_the_people(world: World) -> None:
    with world.refuses(RoleMissing) as session:
        staff.end_sessions(session, username="buyer", actor=world.user("planner"), now=world.now)
    with world.refuses(RoleMissing) as session:
        sign_in.reset_password(session, username="buyer", new=PASSWORD, actor=world.user("planner"), now=world.now)

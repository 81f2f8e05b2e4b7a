"""The people: who they are, what they may do, where they work; added, let go and shut out by an administrator."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scm.core import clock, sign_in, staff
from scm.core.staff import BadUser
from scm.core.users import Role
from scm.master import site_access
from web.area import Area
from web.desk import Desk, act, done, is_partial, not_here, read
from web.pages.admin import wording

area = Area("users", __name__)
ADMIN = frozenset({Role.ADMIN})
BYTES_OF_CHANCE = 12


@area.page("/admin/users", roles=ADMIN)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will list everybody with roles and open sessions."""
    with read() as session:
        people = staff.everybody(session, now=clock.wall_now())
    active = sum(person.active for person in people)
    return render_template("admin/users.html", people=people, active=active, roles=wording.ROLES)


@area.page("/admin/users/<username>", roles=ADMIN)
def show(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will show one person with what may be changed."""
    with read() as session:
        people = staff.everybody(session, now=clock.wall_now())
        person = next((one for one in people if one.username == username), None)
        if person is None:
            not_here("user", username)
        works_at = site_access.of_user(session, user_id=person.user_id, company_id=desk.company.id)
        sites = site_access.of_user(session, user_id=0, company_id=desk.company.id)
    return render_template(
        "admin/user.html", person=person, sites=sites, works_at={site.code for site in works_at}, roles=wording.ROLES
    )


@area.action("/admin/users/new", roles=ADMIN)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add a person with a password made up here, which is shown once."""
    form, password = request.form, secrets.token_urlsafe(BYTES_OF_CHANCE)
    username = form.get("username", "")
    locale = form.get("locale") or None

    def work(session: Session) -> None:
        staff.add(
            session,
            username=username,
            display_name=form.get("display_name", ""),
            roles=_roles(form.getlist("role")),
            password=password,
            locale=locale,
            actor=desk.actor,
            now=clock.wall_now(),
        )

    act("user.add", work)
    return _tell(username, password)


@area.action("/admin/users/<username>", roles=ADMIN)
def change(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will rename a person and give them other roles."""
    form = request.form
    believed, wanted = _roles(form.getlist("believed")), _roles(form.getlist("role"))

    def work(session: Session) -> None:
        staff.change(
            session,
            username=username,
            display_name=form.get("display_name", ""),
            believed=believed,
            wanted=wanted,
            actor=desk.actor,
        )

    act("user.change", work)
    return done(url_for("users.show", username=username), gettext("%(name)s is changed.", name=username))


@area.action("/admin/users/<username>/sites", roles=ADMIN)
def assign_sites(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will set the sites at which a person works; none means all."""
    codes = request.form.getlist("site")
    act(
        "user.sites",
        lambda session: site_access.assign(session, username=username, site_codes=codes, actor=desk.actor),
    )
    return done(url_for("users.show", username=username), gettext("%(name)s is changed.", name=username))


@area.action("/admin/users/<username>/let-go", roles=ADMIN)
def let_go(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will deactivate a person and end their sessions."""
    act(
        "user.let_go",
        lambda session: staff.set_active(
            session, username=username, active=False, actor=desk.actor, now=clock.wall_now()
        ),
    )
    said = gettext("%(name)s can no longer sign in. What they did stays under their name.", name=username)
    return done(url_for("users.show", username=username), said)


@area.action("/admin/users/<username>/take-back", roles=ADMIN)
def take_back(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will let a person sign in again."""
    act(
        "user.take_back",
        lambda session: staff.set_active(
            session, username=username, active=True, actor=desk.actor, now=clock.wall_now()
        ),
    )
    return done(url_for("users.show", username=username), gettext("%(name)s may sign in again.", name=username))


@area.action("/admin/users/<username>/end-sessions", roles=ADMIN)
def end_sessions(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will sign a person out everywhere."""
    act(
        "user.end_sessions",
        lambda session: staff.end_sessions(session, username=username, actor=desk.actor, now=clock.wall_now()),
    )
    return done(url_for("users.show", username=username), gettext("%(name)s is signed out everywhere.", name=username))


@area.action("/admin/users/<username>/password", roles=ADMIN)
def reset_password(desk: Desk, username: str) -> ResponseReturnValue:
    """This function will give a person a password made up here, which is shown once, and end their sessions."""
    password = secrets.token_urlsafe(BYTES_OF_CHANCE)

    def work(session: Session) -> None:
        sign_in.reset_password(session, username=username, new=password, actor=desk.actor, now=clock.wall_now())

    act("user.reset_password", work)
    return _tell(username, password)


def _tell(username: str, password: str) -> ResponseReturnValue:
    """The password stands on this answer and nowhere else. A form sent twice made another one, which nobody has."""
    if was_replayed():
        return done(
            url_for("users.show", username=username), gettext("That was done before: reset the password again.")
        )
    page = "admin/password_part.html" if is_partial() else "admin/password.html"
    return render_template(page, username=username, password=password)


def was_replayed() -> bool:
    """This function will tell whether the answer of a change came from memory."""
    return bool(g.get("replayed"))


def _roles(texts: Sequence[str]) -> frozenset[Role]:
    known = {role.value: role for role in staff.GIVEN}
    strange = [text for text in texts if text not in known]
    if strange:
        raise BadUser(f"there is no role {strange[0][:40]!r}: give some of {', '.join(sorted(known))}")
    return frozenset(known[text] for text in texts)

"""The desk: who asks, at which site, in which language, and on which day. Every page gets one.

A page reads in `read()`, a change is one domain verb in `act()`, which carries it out once per client key.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from flask import Response, current_app, flash, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from scm.core import clock, idempotency, language, sign_in
from scm.core.db import Database
from scm.core.errors import InvalidInput, NotFound
from scm.core.preferences import Preferences
from scm.core.sign_in import SignedIn
from scm.core.users import Actor, Role
from scm.master import companies, site_access
from scm.master.companies import Company
from scm.master.site_access import WorkSite
from web import i18n

KEY_FIELD = "key"
# Passwords are left out of what is hashed and remembered beside the key.
NOT_THE_BODY = frozenset({KEY_FIELD, "csrf_token", "back", "old", "new", "password"})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One person at work. `now` and `today` are business time: for a simulated company its pinned date."""

    actor: Actor
    display_name: str
    preferences: Preferences
    company: Company
    site: WorkSite
    sites: Sequence[WorkSite]
    now: datetime
    today: date

    @property
    def site_id(self) -> int:
        """The site whose goods and orders these pages show."""
        return self.site.id

    @property
    def currency(self) -> str:
        """The company's currency."""
        return self.company.currency

    @property
    def zone(self) -> str:
        """The site's time zone, in which pages write instants."""
        return self.site.zone

    def has(self, *roles: Role) -> bool:
        """This function will tell whether the person has one of the roles."""
        return bool(self.actor.roles.intersection(roles))


class KeyMissing(InvalidInput):
    """A change came without its client key."""


def database() -> Database:
    """This function will give the database behind the running application."""
    found = current_app.extensions["scm"]
    assert isinstance(found, Database)
    return found


@contextlib.contextmanager
def read() -> Iterator[Session]:
    """This function will open the read transaction of a page, with names in the language of the request."""
    with language.reading_in(i18n.current_locale()), database().unit_of_work(write=False) as session:
        yield session


def current() -> Desk:
    """This function will give the desk of the running request."""
    desk = g.desk
    assert isinstance(desk, Desk), "this route is open to nobody in particular: it has no desk"
    return desk


def load(signed_in: SignedIn) -> Desk:
    """This function will set the desk up for a signed-in person. Raises `CompanyMissing`, `SiteUnknown`."""
    with read() as session:
        company = companies.only(session)
        sites = site_access.of_user(session, user_id=signed_in.actor.user_id, company_id=company.id)
    if not sites:
        raise site_access.SiteUnknown(f"{signed_in.actor.username} works at no site: ask an administrator for one")
    chosen = next((site for site in sites if site.id == signed_in.preferences.site_id), sites[0])
    now, today = companies.business_time(company, wall=clock.wall_now())
    return Desk(
        actor=signed_in.actor,
        display_name=signed_in.display_name,
        preferences=signed_in.preferences,
        company=company,
        site=chosen,
        sites=sites,
        now=now,
        today=today,
    )


def touch(signed_in: SignedIn) -> None:
    """This function will note now and then that a session is in use, in a small transaction of its own."""
    now = clock.wall_now()
    if now - signed_in.seen_at > sign_in.SEEN_EVERY:
        database().run(lambda session: sign_in.touch(session, session_id=signed_in.session_id, now=now))


def act(command: str, work: Callable[[Session], Any]) -> Any:
    """This function will carry out one verb in one transaction, once for the form's client key, and give its answer.

    A form that is sent twice (a double click, Back) gets the first answer. What `work` returns must be a JSON value.
    Raises `KeyMissing`, the refusals of `idempotency.run_once`, and whatever the verb raises.
    """
    key = request.form.get(KEY_FIELD, "")
    if not key:
        raise KeyMissing("this form came without its key: load the page again and repeat the change")
    answer = idempotency.run_once(
        database(),
        principal=current().actor.username,
        command=command,
        key=key,
        body=_body(request.form) | _files() | {"address": request.path},
        now=clock.wall_now(),
        work=work,
    )
    g.replayed = answer.replayed
    return answer.value


def new_key() -> str:
    """This function will give a key for one form on one page."""
    return uuid.uuid4().hex


def done(url: str, message: str = "") -> AnyResponse:
    """This function will lead on to a page after a change, with a word about what was done."""
    if message:
        flash(message, "done")
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, code=303)


def is_partial() -> bool:
    """This function will tell whether htmx asks, so that a part of a page or a header is the answer."""
    return request.headers.get("HX-Request") == "true"


def back(otherwise: str) -> str:
    """This function will give the page a form came from, if it is one of ours."""
    wanted = request.form.get("back", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else otherwise


def not_here(kind: str, name: str) -> NoReturn:
    """This function will refuse an object that does not exist for this desk: none of its company and site."""
    raise NotHere(f"there is no {kind} {name[:60]} at this site")


class NotHere(NotFound):
    """What the address names does not exist, or belongs to another site."""


def _body(form: MultiDict[str, str]) -> dict[str, Any]:
    return {name: form.getlist(name) for name in sorted(form) if name not in NOT_THE_BODY}


def _files() -> dict[str, Any]:
    """Uploaded files by their fields: another file is another body, whatever its name."""
    found: dict[str, Any] = {}
    for name, file in request.files.items(multi=True):
        file.stream.seek(0)
        found.setdefault(f"file {name}", []).append(hashlib.sha256(file.stream.read()).hexdigest())
        file.stream.seek(0)
    return found

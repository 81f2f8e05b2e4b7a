"""Signing in and out."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user, logout_user

from scm.core import clock, sign_in
from scm.core.passwords import TooManyAttempts
from scm.core.preferences import LOCALES
from scm.core.sign_in import WrongCredentials
from web import i18n, security
from web.area import NOBODY_IN_PARTICULAR, PEOPLE, Area
from web.desk import Desk, database, done

area = Area("account", __name__)


@area.page("/login", roles=NOBODY_IN_PARTICULAR)
def login() -> ResponseReturnValue:
    """This function will show the form, or lead somebody who is signed in to their home."""
    language = request.args.get("language")
    if language in LOCALES:
        session[i18n.LOCALE_KEY] = language
    if current_user.is_authenticated:
        return redirect("/")
    return render_template("account/login.html", wanted=_wanted(request.args.get("next", "")))


@area.action("/login", roles=NOBODY_IN_PARTICULAR)
def enter() -> ResponseReturnValue:
    """This function will sign somebody in with a session of its own."""
    username = request.form.get("username", "").strip()[:60]
    wanted = _wanted(request.form.get("next", ""))
    try:
        token = sign_in.sign_in(
            database(),
            username=username,
            password=request.form.get("password", ""),
            address=request.remote_addr or "",
            now=clock.wall_now(),
        )
    except (WrongCredentials, TooManyAttempts) as refused:
        flash(i18n.refusal(refused), "refused")
        status = 429 if isinstance(refused, TooManyAttempts) else 403
        return render_template("account/login.html", wanted=wanted), status
    security.begin_session(token)
    return redirect(wanted, code=303)


@area.action("/logout", roles=PEOPLE)
def leave(desk: Desk) -> ResponseReturnValue:
    """This function will end the session here and in the database."""
    now, token = clock.wall_now(), str(current_user.get_id())
    database().run(lambda writing: sign_in.sign_out(writing, token=token, actor=desk.actor, now=now))
    logout_user()
    session.clear()
    return done(url_for("account.login"), gettext("You are signed out."))


def _wanted(address: str) -> str:
    """The page somebody wanted before they signed in; never one of another server."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if ours else "/"

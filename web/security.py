"""What guards every request: the host it was sent to, who sent it, what they may, forged forms, and the headers."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from scm.core import clock, secret_keys, sign_in
from scm.core.db import Database
from scm.core.errors import NotAllowed
from scm.core.sign_in import SignedIn
from web import area, desk

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
OPEN_ENDPOINTS = frozenset({"static"})  # Flask's own


class Account(UserMixin):  # type: ignore[misc]
    """A signed-in browser, as Flask-Login keeps it: its id is the token of the session, not the user."""

    def __init__(self, token: str, signed_in: SignedIn | None = None) -> None:
        self.token = token
        self.signed_in = signed_in

    def get_id(self) -> str:
        """The token that stands in the signed cookie."""
        return self.token


class NotYours(NotAllowed):
    """The page is for other roles."""


class ElsewhereHost(NotAllowed):
    """The request was sent to a name this server does not answer to."""


def init(app: Flask, database: Database, *, hosts: frozenset[str], https: bool) -> None:
    """This function will put the guards in front of every route. `hosts` are names beside those of this machine."""
    app.config |= {
        "SECRET_KEY": secret_keys.obtain(database),
        "SESSION_COOKIE_NAME": "scm_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": https,
    }
    allowed = hosts | frozenset(LOOPBACK_NAMES)
    app.before_request(lambda: _refuse_other_hosts(allowed))
    CSRFProtect(app)
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None  # sessions end in the database
    manager.user_loader(_account)
    app.before_request(_admit)
    app.after_request(_secure)
    app.jinja_env.globals["csp_nonce"] = nonce
    app.jinja_env.globals["allow_inline_style"] = allow_inline_style


def nonce() -> str:
    """This function will give the nonce of this answer, made only when a template asks for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def allow_inline_style() -> str:
    """This function will allow inline style on this one page, because Plotly writes it."""
    g.inline_style = True
    return ""


def policy() -> str:
    """This function will give the content security policy of this answer."""
    script = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    style = "'self' 'unsafe-inline'" if g.get("inline_style") else "'self'"
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _refuse_other_hosts(allowed: frozenset[str]) -> None:
    """A page on the internet must not reach this server through a name that it points here."""
    name = request.host.rpartition(":")[0] if request.host.rsplit(":", 1)[-1].isdigit() else request.host
    if name not in allowed:
        raise ElsewhereHost(f"{name[:80]} is not a name of this server: SCM_PUBLIC_URL names the one it answers to")


def _account(token: str) -> Account | None:
    with desk.read() as reading:
        found = sign_in.find(reading, token=token, now=clock.wall_now())
    return None if found is None else Account(token, found)


def _admit() -> ResponseReturnValue | None:
    """Find out who asks, and whether the route is for them. An unlisted route is for nobody."""
    endpoint = request.endpoint
    if endpoint is None or endpoint in OPEN_ENDPOINTS:
        return None  # there is no such address; the error says so
    accepted = area.roles_of(endpoint)
    signed_in: SignedIn | None = getattr(current_user, "signed_in", None)
    if accepted == area.NOBODY_IN_PARTICULAR:
        return None
    if signed_in is None:
        return _to_login()
    g.desk = desk.load(signed_in)
    desk.touch(signed_in)
    if accepted is None or not signed_in.actor.roles.intersection(accepted):
        wanted = ", ".join(sorted(role.value for role in accepted or ()))
        raise NotYours(f"{signed_in.actor.username} may not open this page: it is for {wanted or 'nobody'}")
    return None


def _to_login() -> ResponseReturnValue:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    address = url_for("account.login", next=wanted) if wanted != "/" else url_for("account.login")
    if desk.is_partial():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def begin_session(token: str) -> Any:
    """This function will put a new token into a fresh cookie; nothing of the visitor's old cookie is kept."""
    from flask_login import login_user

    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    return login_user(Account(token))


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy())
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.path.startswith("/static/") and response.status_code in (200, 304):
        # An address with the file's checksum never changes. A module that another one imports has none, and is asked
        # for again each time: a new release is never shown with old scripts.
        lasts = "public, max-age=31536000, immutable" if "v" in request.args else "public, no-cache"
        response.headers["Cache-Control"] = lasts
    return response


__all__ = ["CSRFError", "begin_session", "init", "policy"]

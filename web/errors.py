"""Errors as pages and parts of pages: what happened, what did not change, how to mend it, and a reference."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from scm.core.errors import InvalidInput, NotAllowed, NotFound, ScmError, Unavailable
from web import desk, i18n
from web.security import ElsewhereHost

log = structlog.get_logger("web")


def init(app: Flask) -> None:
    """This function will map every error to an answer."""
    app.register_error_handler(ScmError, _domain_error)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)


def status_of(error: ScmError) -> int:
    """This function will give the HTTP status of a refusal."""
    if isinstance(error, ElsewhereHost):
        return 421
    families = ((InvalidInput, 400), (NotAllowed, 403), (NotFound, 404), (Unavailable, 503))
    return next((status for family, status in families if isinstance(error, family)), 409)


def _domain_error(error: ScmError) -> ResponseReturnValue:
    status = status_of(error)
    if status == 503:
        log.warning("unavailable", path=request.path, error=str(error))
    titles = {
        400: gettext("That cannot be"),
        403: gettext("Not allowed"),
        404: gettext("Not found"),
        409: gettext("That does not fit"),
        421: gettext("Not here"),
        503: gettext("The database is not available"),
    }
    answer = _answer(titles[status], i18n.refusal(error), status)
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def _forged(error: CSRFError) -> ResponseReturnValue:
    text = gettext("This form is older than your session. Load the page again and repeat the change.")
    return _answer(gettext("The form has expired"), text, 400)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    texts = {
        404: gettext("There is no such page. The address may be mistyped, or the document may be another site's."),
        405: gettext("This address cannot be used that way."),
        413: gettext("What was sent is larger than may be."),
    }
    code = error.code or 500
    answer = _answer(
        gettext("Not found") if code == 404 else gettext("That cannot be"), texts.get(code, error.name), code
    )
    for name, value in error.get_headers():
        if name != "Content-Type":
            answer.headers[name] = value
    return answer


def _defect(error: Exception) -> ResponseReturnValue:
    """A fault of the program: the reader gets a reference, the log gets the rest."""
    reference = secrets.token_hex(4)
    log.exception("defect", reference=reference, path=request.path, method=request.method)
    text = gettext("This is a fault of the program. Its log has the details under %(reference)s.", reference=reference)
    return _answer(gettext("Something broke"), text, 500)


def _answer(title: str, text: str, status: int) -> Response:
    changing = request.method != "GET"
    if desk.is_partial():
        answer = make_response(render_template("parts/refusal.html", title=title, text=text, changing=changing), status)
        answer.headers["HX-Retarget"] = "#messages"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    page = "error.html" if "desk" in g else "error_bare.html"
    return make_response(render_template(page, title=title, text=text, changing=changing), status)

"""The Flask application: pages, the errors they can end in, and what every answer carries.

There is no login yet, so it answers only requests addressed to this machine; `scm serve` binds to loopback.
"""

from __future__ import annotations

from decimal import Decimal

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from scm.core.db import Database
from scm.core.errors import InvalidInput, NotFound, ScmError, Unavailable
from scm.finance import money
from web.pages import proposals

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(database: Database) -> Flask:
    """This function will build the application over one database."""
    app = Flask(__name__)
    app.jinja_env.filters["money"] = shown_money
    app.jinja_env.filters["count"] = shown_count
    app.jinja_env.filters["signed"] = shown_signed
    app.register_blueprint(proposals.blueprint(database))
    app.before_request(_refuse_other_hosts)
    app.after_request(_secure)
    app.register_error_handler(ScmError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    return app


def shown_money(amount: int, currency: str) -> str:
    """This function will write minor units as people read them.

    >>> shown_money(123456, "GBP")
    'GBP\\xa01,234.56'
    """
    places = money.places(currency)
    return f"{currency}\u00a0{Decimal(amount).scaleb(-places):,.{places}f}"


def shown_count(quantity: int) -> str:
    """This function will write a quantity with thousands apart."""
    return f"{quantity:,}".replace("-", "−")


def shown_signed(quantity: int) -> str:
    """This function will write a quantity with its sign, as a term of a sum.

    >>> shown_signed(-1200)
    '−1,200'
    """
    return shown_count(quantity) if quantity <= 0 else f"+{quantity:,}"


def _refuse_other_hosts() -> tuple[str, int] | None:
    """A page on the internet must not read this one through a name that it points at this machine."""
    name = request.host.rpartition(":")[0] if request.host.rsplit(":", 1)[-1].isdigit() else request.host
    if name not in LOOPBACK_NAMES:
        text = "Open this page on the machine that serves it."
        return render_template("error.html", title="Not here", text=text), 421
    return None


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "max-age=3600"
    return response


def _domain_error(error: ScmError) -> tuple[str, int]:
    status = 400 if isinstance(error, InvalidInput) else 404 if isinstance(error, NotFound) else 409
    if isinstance(error, Unavailable):
        status = 503
    return render_template("error.html", title="This did not work", text=str(error)), status


def _http_error(error: HTTPException) -> WerkzeugResponse:
    answer = error.get_response()  # with its own headers, such as which methods are allowed
    if answer.status_code >= 400:
        answer.data = render_template("error.html", title=error.name, text=error.description or "")
        answer.content_type = "text/html; charset=utf-8"
    return answer

"""The Flask application: the areas of pages, and what every request and answer goes through."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for

from scm.core.db import Database
from scm.core.preferences import LOCALES
from web import area, desk, errors, formats, i18n, metrics, navigation, pages, security
from web.listing import cells

MOST_UPLOADED = 16 * 1024 * 1024
STATIC = Path(__file__).parent / "static"


def create_app(
    database: Database,
    *,
    hosts: frozenset[str] = frozenset(),
    https: bool = False,
    metrics_token: str | None = None,
) -> Flask:
    """This function will build the application over one database. `hosts` are its names beside this machine's."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_UPLOADED
    app.extensions["scm"] = database
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    i18n.init(app)
    formats.init(app)
    errors.init(app)
    metrics.init(app, token=metrics_token)
    security.init(app, database, hosts=hosts, https=https)
    app.context_processor(_shell)
    app.jinja_env.globals |= {
        "new_key": desk.new_key,
        "plain_cell": cells.plain,
        "static": static_address,
        "web_tag": i18n.web_tag,
        "language_names": i18n.NAMES,
        "languages": LOCALES,
    }
    for one in pages.areas():
        app.register_blueprint(one)
    return app


def static_address(name: str) -> str:
    """This function will give the address of a static file, with its checksum."""
    return url_for("static", filename=name, v=_checksum(name))


@cache
def _checksum(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _shell() -> dict[str, Any]:
    """What every template may use."""
    seated = g.get("desk")
    if seated is None:
        return {"desk": None, "may": lambda endpoint: False}
    return {
        "desk": seated,
        "rail": lambda: navigation.rail(seated),
        "waiting_at_home": lambda: navigation.waiting_at_home(seated),
        "may": lambda endpoint: area.may(seated, endpoint),
    }

"""The facts of the company: what it is called, how its pages speak, which day it has reached."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scm.core import webhooks
from scm.core.users import Role
from scm.master import companies
from scm.master.companies import Facts
from web.area import Area
from web.desk import Desk, act, done, read

area = Area("settings", __name__)
ADMIN = frozenset({Role.ADMIN})


@area.page("/admin/settings", roles=ADMIN)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show the company and where its messages go."""
    with read() as session:
        hooks = webhooks.endpoints(session)
    return render_template("admin/settings.html", hooks=hooks)


@area.action("/admin/settings", roles=ADMIN)
def change(desk: Desk) -> ResponseReturnValue:
    """This function will rename the company and set the language of its pages."""
    form = request.form
    believed = Facts(name=form.get("believed_name", ""), default_locale=form.get("believed_locale") or None)
    wanted = Facts(name=form.get("name", ""), default_locale=form.get("locale") or None)
    act(
        "company.change",
        lambda session: companies.change(session, believed=believed, wanted=wanted, actor=desk.actor),
    )
    return done(url_for("settings.index"), gettext("The settings are changed."))

"""One's own page: language, theme, keys, sounds, site and password."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from scm.core import clock, preferences, sign_in
from scm.core.preferences import THEMES
from web.area import PEOPLE
from web.desk import Desk, act, back, done, not_here
from web.pages.account.signing import area


@area.page("/account", roles=PEOPLE)
def show(desk: Desk) -> ResponseReturnValue:
    """This function will show what can be decided."""
    return render_template("account/show.html", themes=THEMES)


@area.action("/account/preferences", roles=PEOPLE)
def prefer(desk: Desk) -> ResponseReturnValue:
    """This function will change the wishes that the form names."""
    form = request.form
    wishes: dict[str, object] = {name: form[name] or None for name in ("locale", "theme") if name in form}
    if "switches" in form:
        wishes |= {name: form.get(name) == "yes" for name in ("single_keys", "sounds")}
    if "site" in form:
        site = next((one for one in desk.sites if one.code == form["site"]), None)
        wishes["site_id"] = site.id if site is not None else not_here("site", form["site"])
    act("preferences.change", lambda session: preferences.change(session, actor=desk.actor, **wishes))
    return done(back(url_for("account.show")))


@area.action("/account/password", roles=PEOPLE)
def change_password(desk: Desk) -> ResponseReturnValue:
    """This function will change one's own password; other browsers are signed out."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    token, now = str(current_user.get_id()), clock.wall_now()
    database_work = sign_in.change_password
    act(
        "user.change_password",
        lambda session: database_work(session, actor=desk.actor, old=old, new=new, token=token, now=now),
    )
    return done(url_for("account.show"), gettext("The password is changed. Other browsers are signed out."))

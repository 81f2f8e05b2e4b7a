"""Parcels nobody expects: written down with a photo, later matched to a return or an order, or taken off the queue."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from aftersales import desk as verbs
from aftersales import parcels, showing
from web.desk import Desk, act, done, read
from web.pages.returns import HANDLES, LOOKS, area, words
from web.pages.returns.steps import uploaded
from web.schemas import read_form
from web.schemas.returns import MatchForm, ParcelForm, ReasonForm


@area.page("/returns/parcels/new", roles=HANDLES)
def new_parcel(desk: Desk) -> ResponseReturnValue:
    return render_template("returns/new_parcel.html", label=request.args.get("label", "")[: parcels.LONGEST_LABEL])


@area.action("/returns/parcels", roles=HANDLES)
def record_parcel(desk: Desk) -> ResponseReturnValue:
    form = read_form(ParcelForm)
    pictures = uploaded()
    act(
        "parcel.record",
        lambda session: parcels.record(
            session,
            site_id=desk.site_id,
            label=form["label"],
            sender=form["sender"],
            contents=form["contents"],
            pictures=pictures,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(
        url_for("returns.index"), gettext("The parcel is written down. Put it on the shelf of unknown parcels.")
    )


@area.page("/returns/parcels/<number>", roles=LOOKS)
def parcel(desk: Desk, number: str) -> ResponseReturnValue:
    with read() as session:
        found = showing.parcel(session, number=number, site_id=desk.site_id)
    return render_template("returns/parcel.html", parcel=found, words=words, handles=desk.has(*HANDLES))


@area.action("/returns/parcels/<number>/match", roles=HANDLES)
def match_parcel(desk: Desk, number: str) -> ResponseReturnValue:
    wanted = read_form(MatchForm)["number"].strip().upper()
    act(
        "parcel.match",
        lambda session: verbs.match_parcel(
            session,
            number=number,
            return_number=wanted,
            site_id=desk.site_id,
            actor=desk.actor,
            now=desk.now,
        ),
    )
    said = gettext("%(parcel)s belongs to %(number)s.", parcel=number, number=wanted)
    return done(url_for("returns.work", number=wanted), said)


@area.action("/returns/parcels/<number>/dispose", roles=HANDLES)
def dispose_parcel(desk: Desk, number: str) -> ResponseReturnValue:
    reason = read_form(ReasonForm)["reason"]
    act(
        "parcel.dispose",
        lambda session: verbs.dispose_parcel(
            session, number=number, reason=reason, site_id=desk.site_id, actor=desk.actor, now=desk.now
        ),
    )
    return done(url_for("returns.index"), gettext("%(parcel)s is off the queue.", parcel=number))

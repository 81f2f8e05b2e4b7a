"""What is done about slow movers from the cover list: for picked rows with what came of each, or for one item."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from scm.core.errors import Conflict, InvalidInput
from scm.loop import cover
from scm.loop.cover import Outcome
from scm.master import assortment
from web import i18n
from web.desk import Desk, act, back, done, is_partial
from web.listing import bulk
from web.listing.bulk import Refused
from web.listing.routes import picked
from web.pages.cover import COVER, ROLES, area


class BadNumber(InvalidInput):
    """A price or a percentage cannot be read."""


class NotDone(Conflict):
    """The only item that was picked was refused, and why."""


@area.action("/cover/stop", roles=ROLES)
def stop(desk: Desk) -> ResponseReturnValue:
    """This function will stop buying the picked items."""
    wanted, reason = picked(COVER, desk), _reason()
    return _each(
        "cover.stop",
        lambda session: cover.stop_buying_each(
            session, wanted, site_id=desk.site_id, reason=reason, actor=desk.actor, now=desk.now
        ),
        lambda count: ngettext("%(num)s item is bought no more", "%(num)s items are bought no more", count),
    )


@area.action("/cover/buy-again", roles=ROLES)
def buy_again(desk: Desk) -> ResponseReturnValue:
    """This function will let the next plan buy the picked items again."""
    wanted, reason = picked(COVER, desk), _reason()
    return _each(
        "cover.buy_again",
        lambda session: cover.buy_again_each(session, wanted, site_id=desk.site_id, reason=reason, actor=desk.actor),
        lambda count: ngettext("%(num)s item is bought again", "%(num)s items are bought again", count),
    )


@area.action("/cover/mark-down", roles=ROLES)
def mark_down(desk: Desk) -> ResponseReturnValue:
    """This function will lower the prices of the picked items by a share."""
    wanted, reason = picked(COVER, desk), _reason()
    share = _number(request.form.get("percent", "")) / 100
    return _each(
        "cover.mark_down",
        lambda session: cover.mark_down_each(
            session, wanted, site_id=desk.site_id, share=share, reason=reason, actor=desk.actor
        ),
        lambda count: ngettext("%(num)s item is marked down", "%(num)s items are marked down", count),
    )


@area.action("/cover/<int:item_id>/price", roles=ROLES)
def price(desk: Desk, item_id: int) -> ResponseReturnValue:
    """This function will lower the price of one item to what was written."""
    wanted, reason = _number(request.form.get("price", "")), request.form.get("reason", "")

    def work(session: Session) -> None:
        assortment.mark_down(session, {item_id: wanted}, company_id=desk.company.id, reason=reason, actor=desk.actor)

    act("item.mark_down", work)
    return done(back(url_for("cover.index")), gettext("The new price holds from now on."))


@area.action("/cover/<int:item_id>/take-back", roles=ROLES)
def take_back(desk: Desk, item_id: int) -> ResponseReturnValue:
    """This function will cancel what sent orders still owe of one item."""
    reason = request.form.get("reason", "")

    def work(session: Session) -> int:
        return cover.take_back(
            session, item_id, site_id=desk.site_id, reason=reason, actor=desk.actor, now=desk.now
        ).quantity

    quantity = act("cover.take_back", work)
    said = ngettext("%(num)s unit is no longer on order.", "%(num)s units are no longer on order.", quantity)
    return done(back(url_for("cover.index")), said)


def _each(command: str, work: Callable[[Session], Outcome], said: Callable[[int], str]) -> ResponseReturnValue:
    def told(session: Session) -> list[object]:
        outcome = work(session)
        return [len(outcome.done), [list(pair) for pair in outcome.refused]]

    count, refused = act(command, told)
    if is_partial():  # one item, from its own row
        if refused:
            raise NotDone(i18n.said(refused[0][1]))
        return done(back(url_for("cover.index")), said(count))
    return bulk.answer(
        "cover", said=said(count), refused=[Refused(name=name, why=i18n.said(why)) for name, why in refused]
    )


def _reason() -> str:
    """The dialogs of a list stand in one form, so that the reason is the one that was filled in."""
    return next((text for text in request.form.getlist("reason") if text.strip()), "")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 10**12:
        raise BadNumber(f"{text[:20]!r} is no number: write it such as 12.50")
    return number

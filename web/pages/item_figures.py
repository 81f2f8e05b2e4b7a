"""The figures of an item's page: the strip under its head, and what the last run learnt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypedDict

from flask_babel import gettext

from procurement.proposal_book import ShownProposal
from scm.loop.item_page import past
from scm.loop.item_page.story import Story
from web import formats
from web.i18n import Text
from web.pages import wording

MOST_EVENTS = 16


def strip(told: Story) -> Sequence[dict[str, Any]]:
    """This function will give the strip of figures under the head."""
    position, target = told.position, told.target
    next_due = told.coming[0].due_date if told.coming else None
    figures = [
        {
            "label": gettext("Available"),
            "value": formats.count(position.available),
            "small": gettext("of %(on_hand)s on hand", on_hand=formats.count(position.on_hand)),
        },
        {
            "label": gettext("On order"),
            "value": formats.count(position.on_order),
            "small": gettext("next %(day)s", day=formats.short_day(next_due)) if next_due else "",
        },
        {
            "label": gettext("Cover"),
            "value": formats.days(told.cover_days),
            "small": gettext("planned for %(days)s", days=formats.days(target.protection_days)) if target else "",
            "hint": gettext("How long the free stock lasts at the forecast demand."),
        },
    ]
    if position.backordered:
        waiting = {"label": gettext("Backordered"), "value": formats.count(position.backordered)}
        figures.insert(1, waiting | {"small": gettext("customers wait"), "meaning": "risk"})
    if target:
        figures += [
            {"label": gettext("Safety stock"), "value": formats.count(target.safety_stock)},
            {
                "label": gettext("Reorder point"),
                "value": formats.count(target.reorder_point),
                "small": gettext("up to %(level)s", level=formats.count(target.order_up_to_level)),
            },
        ]
    if told.forecast:
        figures.append(
            {
                "label": gettext("Demand a week"),
                "value": formats.decimal(told.forecast.weekly),
                "small": wording.demand_class(told.forecast.demand_class),
            }
        )
    return figures


def learnt(told: Story) -> list[Text]:
    """This function will say what the last run counts on by now, beside what the one before it counted on."""
    now, before = told.target, told.target_before
    if now is None:
        return []
    newest = told.proposals[0] if told.proposals else None
    said = wording.causes(newest.inputs["causes"]) if newest else []
    if before is None:
        return said
    if round(now.return_rate, 4) != round(before.return_rate, 4):
        said.append(
            gettext(
                "The plan now counts on %(now)s of what is sold coming back; the run before counted on %(before)s.",
                now=formats.percent(now.return_rate, 2),
                before=formats.percent(before.return_rate, 2),
            )
        )
    if round(now.resellable_share, 3) != round(before.resellable_share, 3):
        said.append(
            gettext(
                "Of what comes back, %(now)s is counted as fit for sale again; it was %(before)s.",
                now=formats.percent(now.resellable_share),
                before=formats.percent(before.resellable_share),
            )
        )
    if round(now.lead_time_days, 1) != round(before.lead_time_days, 1):
        said.append(
            gettext(
                "The lead time counted on went from %(before)s to %(now)s days.",
                now=formats.decimal(now.lead_time_days),
                before=formats.decimal(before.lead_time_days),
            )
        )
    if now.safety_stock != before.safety_stock:
        said.append(
            gettext(
                "Safety stock went from %(before)s to %(now)s.",
                now=formats.count(now.safety_stock),
                before=formats.count(before.safety_stock),
            )
        )
    return said


class Event(TypedDict):
    """One thing that happened to the item; a decision brings its proposal along."""

    day: date
    text: Text
    note: str
    proposal: ShownProposal | None


def events(told: Story) -> list[Event]:
    """This function will tell what happened to the item lately, the newest first."""
    found = [
        Event(
            day=one.received_date,
            text=gettext("%(quantity)s received", quantity=formats.count(one.quantity)),
            note=f"{one.order_number}, {one.supplier_name}",
            proposal=None,
        )
        for one in told.received
    ]
    for first, last in past.outages(told.days):
        days = formats.days((last - first).days + 1)
        found.append(Event(day=first, text=gettext("Out of stock for %(days)s", days=days), note="", proposal=None))
    if told.returns.last_return_date:
        came_back = gettext("The last return came back")
        found.append(Event(day=told.returns.last_return_date, text=came_back, note="", proposal=None))
    for one in told.proposals:
        if one.decided_at is not None:
            found.append(Event(day=one.decided_at.date(), text="", note="", proposal=one))
    return sorted(found, key=lambda event: event["day"], reverse=True)[:MOST_EVENTS]

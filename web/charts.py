"""What charts are drawn from: figures and words, ready for a script. Colours and places are the script's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext

from scm.loop.item_page import past
from scm.loop.item_page.story import Story
from web import formats

WEEK = timedelta(days=7)


def item_chart(told: Story) -> dict[str, Any]:
    """This function will give the chart of an item: weeks that were, weeks to come, outages, targets, arrivals."""
    ahead = _ahead(told)
    return {
        "past": [
            {"day": week.since.isoformat(), "asked": week.asked, "lost": week.lost, "stock": week.on_hand}
            for week in past.weeks(told.days)
        ],
        "ahead": ahead,
        "outages": [
            [first.isoformat(), (last + timedelta(days=1)).isoformat()] for first, last in past.outages(told.days)
        ],
        "runs_out": _iso(told.projection.runs_out),
        "today": told.today.isoformat(),
        "safety": told.target.safety_stock if told.target else None,
        "arrivals": _arrivals(told, until=ahead[-1]["day"] if ahead else ""),
        "words": _words(told),
        "table": "item-weeks",
    }


def _ahead(told: Story) -> list[dict[str, Any]]:
    """The forecast's weeks, each with the projected stock at its end; weeks that have passed are left out."""
    rows = []
    for week in told.forecast.weeks if told.forecast else ():
        end = week.since + WEEK - timedelta(days=1)
        place = (end - told.today).days
        if not 0 <= place < len(told.projection.with_proposals):
            continue
        rows.append(
            {
                "day": week.since.isoformat(),
                "date": week.since,
                "mean": round(week.mean, 1),
                "low": round(week.low, 1),
                "high": round(week.high, 1),
                "stock": told.projection.as_it_stands[place],
                "with_proposals": told.projection.with_proposals[place],
            }
        )
    return rows


def _arrivals(told: Story, *, until: str) -> list[dict[str, Any]]:
    """What comes when, proposals included: overdue goods count as today's."""
    found: dict[date, int] = {}
    coming = [(one.due_date, one.quantity) for one in told.coming]
    proposed = [(one.due_date, one.quantity) for one in told.open_proposals]
    for due, quantity in coming + proposed:
        day = max(due, told.today)
        found[day] = found.get(day, 0) + quantity
    return [
        {"day": day.isoformat(), "text": formats.signed(quantity)}
        for day, quantity in sorted(found.items())
        if day.isoformat() <= until
    ]


def _words(told: Story) -> dict[str, str]:
    safety = formats.count(told.target.safety_stock) if told.target else ""
    return {
        "asked": gettext("Demand"),
        "forecast": gettext("Forecast, band to 95%"),
        "stock": gettext("Stock at week end"),
        "projected": gettext("Projected stock"),
        "outage": gettext("no stock"),
        "today": gettext("today"),
        "safety": gettext("safety %(quantity)s", quantity=safety),
        "runs_out": gettext("runs out"),
        "low": gettext("median"),
        "high": gettext("hardly more than"),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

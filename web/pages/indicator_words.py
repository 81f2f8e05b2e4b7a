"""What the indicators are called, what each is exactly, how it is written, and where its rows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from scm.loop.indicators import Indicator, Reading
from web import formats
from web.desk import Desk
from web.i18n import Text
from web.pages import links

CLEARLY = Decimal("0.005")  # a change of half a point is worth a sign
NOTHING = Decimal("0.0005")
RATES = frozenset(Indicator) - {Indicator.BACKORDERED, Indicator.STOCK_VALUE, Indicator.INVENTORY_DAYS}
LOWER_IS_BETTER = frozenset({Indicator.BACKORDERED, Indicator.FORECAST_ERROR, Indicator.RETURN_RATE})


@dataclass(frozen=True, kw_only=True)
class IndicatorWords:
    """Name, definition, and the address of the rows behind it."""

    name: Text
    definition: Text
    rows: str


def _words(name: Text, definition: Text, rows: str) -> IndicatorWords:
    return IndicatorWords(name=name, definition=definition, rows=rows)


INDICATORS: Mapping[Indicator, IndicatorWords] = {
    Indicator.IN_STOCK: _words(
        _l("In-stock rate"),
        _l("Of the active items, those of which at least one unit can be promised now."),
        "/cover?out=yes",
    ),
    Indicator.FILL_RATE: _words(
        _l("Fill rate"),
        _l("Of the units customers ordered in the week, those promised from stock or gone by its end."),
        "/sales-orders",
    ),
    Indicator.OTIF: _words(
        _l("OTIF"),
        _l("Of the orders due in the week by the promised date, those delivered complete by that date."),
        "/sales-orders",
    ),
    Indicator.READY_COMPLETE: _words(
        _l("Ready-complete rate"),
        _l("Of the orders that wait in storage, those whose every unit is promised from stock."),
        "/sales-orders",
    ),
    Indicator.BACKORDERED: _words(
        _l("Backordered"), _l("Units that customers ordered, were not given and still wait for."), "/sales-orders"
    ),
    Indicator.STOCK_VALUE: _words(
        _l("Stock value"), _l("Value of the stock at moving average cost."), "/cover?sort=-value"
    ),
    Indicator.INVENTORY_DAYS: _words(
        _l("Days of inventory"),
        _l("Stock value × 30 ÷ cost of sales of the last 30 days: how long the stock would last at that pace."),
        "/cover?sort=-cover_days",
    ),
    Indicator.SELL_THROUGH: _words(
        _l("Sell-through rate"),
        _l("Units sold in the last 30 days ÷ (stock at their start + units received in them)."),
        "/cover?sort=sell_through",
    ),
    Indicator.MOVING: _words(
        _l("Moving rate"),
        _l("Of the items with something to sell in the last 30 days, those that sold at all."),
        "/cover?moving=no",
    ),
    Indicator.FORECAST_ERROR: _words(
        _l("Forecast error (WAPE)"),
        _l("Sum of the absolute errors of the forecast one week ahead ÷ sum of demand, by item."),
        "/items",
    ),
    Indicator.VALUE_ADDED: _words(
        _l("Forecast value added"),
        _l("How much smaller that error is than that of saying next week will be like the last; below 0 it does harm."),
        "/items",
    ),
    Indicator.SUPPLIER_ON_TIME: _words(
        _l("Supplier on time"),
        _l("Of the deliveries of the last ninety days, those not later than agreed."),
        "/suppliers",
    ),
    Indicator.RETURN_RATE: _words(
        _l("Return rate"), _l("Units that came back in the last 30 days ÷ units delivered in them."), "/returns"
    ),
}
TREE: Sequence[tuple[Text, Sequence[Indicator]]] = (
    (
        _l("Service"),
        (
            Indicator.IN_STOCK,
            Indicator.FILL_RATE,
            Indicator.OTIF,
            Indicator.READY_COMPLETE,
            Indicator.BACKORDERED,
        ),
    ),
    (
        _l("Stock"),
        (Indicator.STOCK_VALUE, Indicator.INVENTORY_DAYS, Indicator.SELL_THROUGH, Indicator.MOVING),
    ),
    (
        _l("Forecast, supply and returns"),
        (Indicator.FORECAST_ERROR, Indicator.VALUE_ADDED, Indicator.SUPPLIER_ON_TIME, Indicator.RETURN_RATE),
    ),
)


def figures(readings: Sequence[Reading], wanted: Sequence[Indicator], desk: Desk) -> list[dict[str, Any]]:
    """This function will give the indicators of one branch as the strip of figures draws them."""
    by_indicator = {reading.indicator: reading for reading in readings}
    return [_figure(by_indicator[one], desk) for one in wanted if one in by_indicator]


def _figure(reading: Reading, desk: Desk) -> dict[str, Any]:
    words = INDICATORS[reading.indicator]
    change = reading.since_yesterday if reading.since_yesterday is not None else reading.since_last_week
    return {
        "label": words.name,
        "value": _value(reading, desk),
        "small": _change(reading.indicator, change, desk) if change and _shows(reading.indicator, change) else None,
        "meaning": _meaning(reading.indicator, change) if change else None,
        "href": links.openable(desk, words.rows),
        "hint": " ".join([str(words.definition), *_history(reading, desk)]),
    }


def _shows(one: Indicator, change: Decimal) -> bool:
    """A change that would be written as 0.0 is none."""
    return one not in RATES or abs(change) >= NOTHING


def _value(reading: Reading, desk: Desk) -> str:
    if reading.indicator is Indicator.STOCK_VALUE:
        return formats.shown_money(reading.part, desk.currency)
    if reading.indicator is Indicator.BACKORDERED:
        return formats.count(reading.part)
    if reading.indicator is Indicator.INVENTORY_DAYS:
        return formats.days(reading.value)
    if reading.indicator is Indicator.VALUE_ADDED:
        return _points(reading.value)
    return formats.percent(reading.value)


def _change(one: Indicator, change: Decimal, desk: Desk) -> str:
    if one in RATES:
        return _points(change)
    if one is Indicator.STOCK_VALUE:
        sign = "+" if change > 0 else ""
        return f"{sign}{formats.amount(int(change), desk.currency)}"
    return _signed(change, 1 if one is Indicator.INVENTORY_DAYS else 0)


def _history(reading: Reading, desk: Desk) -> list[str]:
    """Of how many things it speaks, and what it was."""
    said = []
    if reading.indicator in RATES - {Indicator.FORECAST_ERROR, Indicator.VALUE_ADDED}:
        said.append(
            gettext("%(part)s of %(whole)s.", part=formats.count(reading.part), whole=formats.count(reading.whole))
        )
    if reading.since_yesterday is not None:
        said.append(
            gettext("Since yesterday %(change)s.", change=_change(reading.indicator, reading.since_yesterday, desk))
        )
    if reading.since_last_week is not None:
        said.append(
            gettext("Since last week %(change)s.", change=_change(reading.indicator, reading.since_last_week, desk))
        )
    return [str(text) for text in said]


def _meaning(one: Indicator, change: Decimal) -> str | None:
    if (
        one in (Indicator.STOCK_VALUE, Indicator.INVENTORY_DAYS)
        or (one in RATES and abs(change) < CLEARLY)
        or not change
    ):
        return None
    better = (change < 0) == (one in LOWER_IS_BETTER)
    return "good" if better else "watch"


def _points(share: Decimal) -> str:
    return str(gettext("%(points)s pt", points=_signed(share * 100, 1)))


def _signed(value: Decimal, places: int) -> str:
    rounded = round(value, places)
    written = formats.decimal(abs(rounded), places)
    return f"+{written}" if rounded > 0 else f"{formats.MINUS}{written}" if rounded < 0 else written

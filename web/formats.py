"""How pages write figures, money, days and instants, in the reader's language and the site's time zone.

English and Chinese write digits alike, thousands apart by a comma; they differ in days and words. The functions are
called for every cell of every list, so they do without the general machinery of locales.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Flask, g, has_request_context
from flask_babel import gettext, ngettext

from scm.finance import money
from web.i18n import current_locale

NO_BREAK = "\u00a0"
MINUS = "−"
MISSING = "–"
CHINESE = "zh_CN"


def init(app: Flask) -> None:
    """This function will give the templates their filters."""
    for name, written in FILTERS.items():
        app.jinja_env.filters[name] = written


def count(quantity: int | None) -> str:
    """This function will write a whole number with thousands apart; nothing known is a dash.

    >>> count(-12345)
    '−12,345'
    """
    if quantity is None:
        return MISSING
    return f"{quantity:,}".replace("-", MINUS)


def signed(quantity: int) -> str:
    """This function will write a whole number with its sign, as a term of a sum.

    >>> signed(40), signed(-40)
    ('+40', '−40')
    """
    return f"+{count(quantity)}" if quantity > 0 else count(quantity)


def decimal(value: Decimal | float | None, places: int = 1) -> str:
    """This function will write a number with so many places."""
    if value is None:
        return MISSING
    return f"{Decimal(str(value)):,.{places}f}".replace("-", MINUS)


def percent(share: Decimal | float | None, places: int = 1) -> str:
    """This function will write a share between 0 and 1 as per cent.

    >>> percent(0.9637)
    '96.4%'
    """
    return MISSING if share is None else f"{decimal(Decimal(str(share)) * 100, places)}%"


def amount(minor_units: int | None, currency: str) -> str:
    """This function will write minor units without the currency, for columns whose head names it.

    >>> amount(123456, "GBP")
    '1,234.56'
    """
    if minor_units is None:
        return MISSING
    places = money.places(currency)
    return decimal(Decimal(minor_units).scaleb(-places), places)


def shown_money(minor_units: int | None, currency: str) -> str:
    """This function will write minor units with their currency.

    >>> shown_money(-123456, "GBP")
    '−GBP\\xa01,234.56'
    """
    if minor_units is None:
        return MISSING
    sign = MINUS if minor_units < 0 else ""
    return f"{sign}{symbol(currency)}{NO_BREAK}{amount(abs(minor_units), currency)}"


def symbol(currency: str) -> str:
    """This function will give the sign of a currency: ¥ for renminbi, the code for those that share a sign."""
    return "¥" if currency == "CNY" else currency


def price(unit_price: Decimal | None, currency: str) -> str:
    """This function will write a unit price with as many places as it has, at least those of the currency."""
    if unit_price is None:
        return MISSING
    exponent = unit_price.normalize().as_tuple().exponent
    assert isinstance(exponent, int), f"{unit_price} is no price"
    return decimal(unit_price, max(-exponent, money.places(currency)))


def priced(unit_price: Decimal | None, currency: str) -> str:
    """This function will write a unit price with its currency, where no head names it.

    >>> priced(Decimal("3.2"), "GBP")
    'GBP\\xa03.20'
    """
    return MISSING if unit_price is None else f"{symbol(currency)}{NO_BREAK}{price(unit_price, currency)}"


def day(value: date | None) -> str:
    """This function will write a calendar day with its year."""
    if value is None:
        return MISSING
    if current_locale() == CHINESE:
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_months()[value.month]} {value.year}"


def short_day(value: date | None) -> str:
    """This function will write a calendar day without its year."""
    if value is None:
        return MISSING
    if current_locale() == CHINESE:
        return f"{value.month}月{value.day}日"
    return f"{value.day} {_months()[value.month]}"


def instant(value: datetime | None) -> str:
    """This function will write an instant in the site's zone, to the minute."""
    if value is None:
        return MISSING
    local = value.astimezone(_zone())
    return f"{day(local.date())} {local:%H:%M}"


def clock_time(value: datetime | None) -> str:
    """This function will write the time of day of an instant in the site's zone."""
    return MISSING if value is None else f"{value.astimezone(_zone()):%H:%M}"


def zone_name(value: datetime) -> str:
    """This function will name the site's zone at an instant, as an offset.

    >>> from datetime import UTC
    >>> zone_name(datetime(2026, 7, 1, tzinfo=UTC))
    'UTC+0'
    """
    offset = value.astimezone(_zone()).utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds()) // 60
    rest = f":{abs(minutes) % 60:02d}" if minutes % 60 else ""
    return f"UTC{'+' if minutes >= 0 else MINUS}{abs(minutes) // 60}{rest}"


def relative_day(value: date | None, today: date) -> str:
    """This function will say how far a day is: today, in 4 days, 2 days ago."""
    if value is None:
        return MISSING
    distance = (value - today).days
    if distance == 0:
        return str(gettext("today"))
    if distance > 0:
        return str(ngettext("in %(num)s day", "in %(num)s days", distance))
    return str(ngettext("%(num)s day ago", "%(num)s days ago", -distance))


def days(number: int | Decimal | float | None) -> str:
    """This function will write a number of days with their unit."""
    if number is None:
        return MISSING
    written = count(number) if isinstance(number, int) else decimal(number)
    return str(gettext("%(number)s d", number=written))


def iso(value: date | None) -> str:
    """This function will write a day as a field of a form takes it."""
    return "" if value is None else value.isoformat()


@cache
def _months() -> dict[int, str]:
    return {number: str(name) for number, name in Locale("en").months["format"]["abbreviated"].items()}


def _zone() -> ZoneInfo:
    desk = g.get("desk") if has_request_context() else None
    return ZoneInfo(desk.zone if desk is not None else "UTC")


FILTERS = {
    "count": count,
    "signed": signed,
    "decimal": decimal,
    "percent": percent,
    "amount": amount,
    "money": shown_money,
    "symbol": symbol,
    "price": price,
    "priced": priced,
    "day": day,
    "short_day": short_day,
    "instant": instant,
    "clock_time": clock_time,
    "zone_name": zone_name,
    "relative_day": relative_day,
    "days": days,
    "iso": iso,
}

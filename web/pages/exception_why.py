"""Why an exception stands there: the sentence with its figures, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from flask_babel import gettext, ngettext

from scm.loop.exceptions.evidence import Evidence, Wait
from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.inbox import CaseRow
from web import formats, i18n

MOST_WAITS = 6
MOST_ORDERS = 4


def why(row: CaseRow, found: Evidence, currency: str) -> str:
    """This function will explain a row with the figures as they are now; nothing where the row says it all."""
    explain = _WHY.get(row.kind)
    return explain(row, found, currency) if explain else ""


def _stock_out(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    short = found.projection.short if found.projection else None
    if short is None:
        return str(gettext("Projected stock stays above 0 now: this row closes at the next look."))
    said = gettext(
        "Free %(free)s + at the dock %(inbound)s − customers waiting %(waiting)s; demand %(demand)s a day leaves "
        "nothing on %(day)s.",
        free=formats.count(facts["free"]),
        inbound=formats.count(facts["inbound"]),
        waiting=formats.count(facts["backordered"]),
        demand=formats.decimal(facts["demand_a_day"]),
        day=formats.short_day(short.first_date),
    )
    if short.next_supply is not None:
        help_comes = gettext(
            "%(order)s brings %(quantity)s on %(day)s.",
            order=short.next_supply.number,
            quantity=formats.count(short.next_supply.quantity),
            day=formats.short_day(short.next_supply.due_date),
        )
    else:
        help_comes = gettext("What is ordered today comes on %(day)s.", day=formats.short_day(short.until))
    if facts["sale_price"] is None:
        worth = gettext("Short %(units)s.", units=formats.count(short.units))
    else:
        worth = gettext(
            "Short %(units)s × %(price)s.",
            units=formats.count(short.units),
            price=formats.priced(Decimal(facts["sale_price"]), currency),
        )
    late = gettext("%(order)s is overdue and not counted on.", order=facts["overdue_order"])
    return " ".join([str(said), str(help_comes), str(worth), *([str(late)] if facts["overdue_order"] else [])])


def _excess(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    said = gettext(
        "Stock %(stock)s against a demand of %(demand)s a day: %(units)s more than %(days)s days need.",
        stock=formats.count(facts["stock"]),
        demand=formats.decimal(facts["demand_a_day"], 2),
        units=formats.count(row.quantity),
        days=facts["limit_days"],
    )
    if facts["on_order"]:
        more = gettext("%(units)s more are on order.", units=formats.count(facts["on_order"]))
        return f"{said} {more}"
    return str(said)


def _break(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    return str(
        gettext(
            "Since %(day)s customers asked for %(sold)s in %(weeks)s weeks; the forecast said %(expected)s, between "
            "%(low)s and %(high)s.",
            day=formats.short_day(date.fromisoformat(facts["since"])),
            sold=formats.count(facts["sold"]),
            weeks=facts["weeks"],
            expected=formats.decimal(facts["expected"]),
            low=formats.decimal(facts["low"]),
            high=formats.decimal(facts["high"]),
        )
    )


def _late_supply(row: CaseRow, found: Evidence, currency: str) -> str:
    return str(
        gettext(
            "%(units)s units are owed since %(day)s, at a cost of %(cost)s; customers wait for %(waiting)s of them.",
            units=formats.count(row.quantity),
            day=formats.short_day(row.due_date),
            cost=formats.shown_money(row.facts["cost"], currency),
            waiting=formats.count(row.facts["waiting_units"]),
        )
    )


def _price_moved(row: CaseRow, found: Evidence, currency: str) -> str:
    return str(
        gettext(
            "At the prices agreed now the order would cost %(difference)s %(direction)s.",
            difference=formats.shown_money(abs(row.facts["difference"]), currency),
            direction=gettext("more") if row.facts["difference"] >= 0 else gettext("less"),
        )
    )


def _late_supplier(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    return str(
        gettext(
            "Its %(deliveries)s deliveries of the last year took %(mean)s days on average, %(agreed)s were agreed. It "
            "still owes %(orders)s orders worth %(cost)s.",
            deliveries=facts["deliveries"],
            mean=formats.decimal(Decimal(facts["mean_days"])),
            agreed=formats.decimal(Decimal(facts["agreed_days"])),
            orders=facts["open_orders"],
            cost=formats.shown_money(row.amount, currency),
        )
    )


def _waiting(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    asked = facts.get("requested_at")
    if asked is None:
        return str(
            gettext(
                "Written %(num)s days ago; the first line is due on %(day)s.",
                num=facts["waits_days"],
                day=formats.short_day(row.due_date),
            )
        )
    return str(
        gettext(
            "%(who)s asked on %(at)s; the first line is due on %(day)s.",
            who=facts["requested_by"],
            at=formats.instant(datetime.fromisoformat(asked)),
            day=formats.short_day(row.due_date),
        )
    )


def _order_waits(row: CaseRow, found: Evidence, currency: str) -> str:
    return " ".join(_one_wait(wait) for wait in found.waits[:MOST_WAITS])


def _one_wait(wait: Wait) -> str:
    units = formats.count(wait.quantity)
    if not wait.orders:
        return str(gettext("%(units)s of %(sku)s wait; none is on order.", units=units, sku=wait.sku))
    number, day = wait.orders[0]
    said = gettext(
        "%(units)s of %(sku)s wait for %(order)s, due %(day)s.",
        units=units,
        sku=wait.sku,
        order=number,
        day=formats.short_day(day),
    )
    if len(wait.orders) == 1:
        return str(said)
    others = ", ".join(dict.fromkeys(other for other, _ in wait.orders[1:MOST_ORDERS]))
    later = gettext("After it: %(orders)s.", orders=others)
    return f"{said} {later}"


def _assumed(row: CaseRow, found: Evidence, currency: str) -> str:
    facts = row.facts
    said = ngettext(
        "%(num)s agreement has figures nobody has confirmed.",
        "%(num)s agreements have figures nobody has confirmed.",
        facts["agreements"],
    )
    parts = [str(said)] if facts["agreements"] else []
    if facts["terms"]:
        parts.append(str(gettext("So have its terms of order.") if parts else gettext("Its terms are assumed.")))
    if facts["open_orders"]:
        parts.append(
            str(
                ngettext(
                    "%(num)s open order worth %(amount)s rests on them.",
                    "%(num)s open orders worth %(amount)s rest on them.",
                    facts["open_orders"],
                    amount=formats.shown_money(row.amount, currency),
                )
            )
        )
    return " ".join(parts)


def _error(row: CaseRow, found: Evidence, currency: str) -> str:
    return i18n.said(str(row.facts["error"]))


_WHY: Mapping[Kind, Callable[[CaseRow, Evidence, str], str]] = {
    Kind.STOCK_OUT: _stock_out,
    Kind.EXCESS: _excess,
    Kind.FORECAST_BREAK: _break,
    Kind.LATE_SUPPLY: _late_supply,
    Kind.LATE_SUPPLIER: _late_supplier,
    Kind.PRICE_MOVED: _price_moved,
    Kind.TO_APPROVE: _waiting,
    Kind.TO_SUBMIT: _waiting,
    Kind.TO_SEND: _waiting,
    Kind.ORDER_WAITS: _order_waits,
    Kind.FIGURES_ASSUMED: _assumed,
    Kind.JOB_FAILED: _error,
    Kind.MESSAGE_DEAD: _error,
}

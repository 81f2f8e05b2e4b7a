"""What happens in a row of the inbox, in one short line and the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext, ngettext

from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.inbox import CaseRow
from web import formats, i18n


def what(row: CaseRow, currency: str) -> str:
    """This function will say in one short line what happens."""
    return WHAT[row.kind](row, row.facts, currency)


def _stock_out(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    units = formats.count(row.quantity)
    if facts["next_order"]:
        return str(gettext("Short %(units)s before %(order)s", units=units, order=facts["next_order"]))
    return str(gettext("Short %(units)s; nothing on order", units=units))


def _late_supply(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    late = ngettext("%(num)s day late", "%(num)s days late", facts["days_late"])
    if facts["waiting_units"]:
        waits = gettext("customers wait for %(units)s", units=formats.count(facts["waiting_units"]))
        return _both(late, waits)
    idle = gettext("nobody waits for it yet")
    return _both(late, idle)


def _proposals(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    return str(ngettext("%(num)s proposal", "%(num)s proposals", facts["proposals"]))


def _break(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    return str(
        gettext(
            "Sold %(sold)s, expected %(expected)s (%(low)s to %(high)s)",
            sold=formats.count(facts["sold"]),
            expected=formats.decimal(facts["expected"]),
            low=formats.decimal(facts["low"]),
            high=formats.decimal(facts["high"]),
        )
    )


def _late_supplier(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    return str(
        gettext(
            "%(late)s of %(all)s deliveries late; %(mean)s days instead of %(agreed)s",
            late=facts["late"],
            all=facts["deliveries"],
            mean=formats.decimal(Decimal(facts["mean_days"])),
            agreed=formats.decimal(Decimal(facts["agreed_days"])),
        )
    )


def _excess(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    if facts["cover_days"] is None:
        return str(gettext("%(units)s in stock, no demand expected", units=formats.count(facts["stock"])))
    return str(gettext("%(days)s days of cover", days=formats.count(facts["cover_days"])))


def _order(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    lines = ngettext("%(num)s line", "%(num)s lines", facts["lines"])
    author = gettext("written by %(who)s", who=facts["written_by"])
    return _both(lines, author)


def _moved(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    lines = ngettext("%(num)s line", "%(num)s lines", facts["lines"])
    now = gettext("dearer now") if facts["difference"] >= 0 else gettext("cheaper now")
    return _both(lines, now)


def _unconfirmed(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    return str(gettext("Sent on %(day)s, no answer", day=formats.short_day(date.fromisoformat(facts["sent"]))))


def _both(first: str, second: str) -> str:
    return str(gettext("%(first)s; %(second)s", first=first, second=second))


def _units(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    return str(ngettext("%(num)s unit", "%(num)s units", row.quantity or 0))


def _inbound(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    lines = ngettext("%(num)s line", "%(num)s lines", facts["lines"])
    late, days = gettext("due today"), facts["days_late"]
    if days:
        late = ngettext("%(num)s day late", "%(num)s days late", days)
    return _both(lines, late)


def _ship_by(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    units = ngettext("%(num)s unit", "%(num)s units", row.quantity or 0)
    instant = formats.instant(datetime.fromisoformat(facts["ship_by"]))
    if facts["passed"]:
        return _both(units, gettext("was to ship by %(instant)s", instant=instant))
    return _both(units, gettext("ship by %(instant)s", instant=instant))


def _count(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    lines = ngettext("%(num)s line differs", "%(num)s lines differ", facts["lines"])
    net = gettext("net %(net)s", net=formats.signed(facts["net"]))
    return _both(lines, net)


def _transfer(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    late = ngettext("%(num)s day late", "%(num)s days late", facts["days_late"])
    return _both(gettext("on its way here") if facts["sent"] else gettext("not sent yet"), late)


def _return(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    units = ngettext("%(num)s unit", "%(num)s units", row.quantity or 0)
    age = ngettext("authorized %(num)s day ago", "authorized %(num)s days ago", facts["age_days"])
    return _both(units, age)


def _waits(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    units = ngettext("%(num)s unit waits", "%(num)s units wait", row.quantity or 0)
    if facts["unpromised"]:
        return _both(units, gettext("nothing can be promised"))
    return str(units)


def _assumed(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    if not facts["agreements"]:
        return str(gettext("its terms of order are assumed"))
    return str(ngettext("%(num)s agreement is assumed", "%(num)s agreements are assumed", facts["agreements"]))


def _error(row: CaseRow, facts: Mapping[str, Any], currency: str) -> str:
    first = str(facts["error"]).partition("\n")[0]
    return i18n.said(first)[:90] or str(gettext("no reason was recorded"))


WHAT: Mapping[Kind, Callable[[CaseRow, Mapping[str, Any], str], str]] = {
    Kind.STOCK_OUT: _stock_out,
    Kind.LATE_SUPPLY: _late_supply,
    Kind.PROPOSALS_DUE: _proposals,
    Kind.FORECAST_BREAK: _break,
    Kind.LATE_SUPPLIER: _late_supplier,
    Kind.EXCESS: _excess,
    Kind.TO_APPROVE: _order,
    Kind.TO_DRAFT: _proposals,
    Kind.TO_SUBMIT: _order,
    Kind.TO_SEND: _order,
    Kind.PRICE_MOVED: _moved,
    Kind.UNCONFIRMED: _unconfirmed,
    Kind.PAST_CUT_OFF: _units,
    Kind.SHIP_BY_RISK: _ship_by,
    Kind.INBOUND_DUE: _inbound,
    Kind.SHORT_PICK: _units,
    Kind.TO_PUT_AWAY: _units,
    Kind.COUNT_TO_APPROVE: _count,
    Kind.QUARANTINED: _units,
    Kind.TRANSFER_LATE: _transfer,
    Kind.TRANSFER_SHORT: _units,
    Kind.TO_INSPECT: _return,
    Kind.TO_DISPOSE: _return,
    Kind.TO_REFUND: _return,
    Kind.RETURN_OVERDUE: _return,
    Kind.ORDER_LATE: _units,
    Kind.ORDER_WAITS: _waits,
    Kind.JOB_FAILED: _error,
    Kind.MESSAGE_DEAD: _error,
    Kind.FIGURES_ASSUMED: _assumed,
}

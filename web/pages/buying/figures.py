"""The strip of figures and the chain on top of an order's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, ngettext

from procurement.evidence import Evidence
from scm.loop.chain import Link, Stage
from web import formats
from web.pages.buying import wording


def figures(order: Evidence) -> list[dict[str, Any]]:
    """This function will give what decides first, as the strip draws it; what is not known is left out."""
    found: list[dict[str, Any]] = [
        {
            "label": gettext("Total"),
            "value": formats.shown_money(order.amount, order.currency),
            "small": gettext("VAT %(amount)s", amount=formats.amount(order.vat_amount, order.currency))
            if order.vat_amount
            else "",
        }
    ]
    if (budget := order.budget) is not None:
        found.append(
            {
                "label": gettext("Budget left with this"),
                "value": formats.shown_money(budget.left, budget.currency),
                "small": gettext("beyond it")
                if budget.left < 0
                else gettext("of %(amount)s", amount=formats.amount(budget.amount, budget.currency)),
                "meaning": "risk" if budget.left < 0 else "",
            }
        )
    if (change := order.price_change) is not None:
        sign = "+" if change > 0 else ""
        found.append(
            {
                "label": gettext("Price, last orders"),
                "value": f"{sign}{formats.percent(change)}",
                "small": gettext("weighted"),
            }
        )
    if (measured := order.measured) is not None:
        found.append(
            {
                "label": gettext("Supplier on time"),
                "value": gettext("%(some)s of %(all)s", some=measured.on_time, all=measured.n),
                "small": ngettext("%(num)s overdue now", "%(num)s overdue now", measured.overdue)
                if measured.overdue
                else "",
                "meaning": "risk" if measured.overdue else "",
            }
        )
    if order.defects is not None and order.defects.rate is not None:
        found.append(
            {
                "label": gettext("Defects, 12 months"),
                "value": formats.percent(order.defects.rate),
                "small": wording.units(order.defects.defective),
            }
        )
    return found


def chain_links(stages: Sequence[Stage], number: str) -> list[tuple[str, str | None]]:
    """This function will give the documents around an order: one each by its number, more by how many they are."""
    found: list[tuple[str, str | None]] = []
    for stage in stages:
        if stage.current:
            found.append((number, None))
        elif (shown := _shown(stage)) is not None:
            found.append(shown)
    return found or [(number, None)]


def _shown(stage: Stage) -> tuple[str, str] | None:
    count, last = len(stage.links), stage.links[-1]
    if stage.name == "proposal":
        return ngettext("%(num)s proposal", "%(num)s proposals", count), "/proposals"
    if stage.name == "goods_receipt":
        said = last.number if count == 1 else ngettext("%(num)s receipt", "%(num)s receipts", count)
        return said, "#story"
    if stage.name == "sales_order":
        return _one_or_list(stage, "/sales-orders", ngettext("%(num)s sales order", "%(num)s sales orders", count))
    if stage.name == "return_authorization":
        return _one_or_list(stage, "/returns", ngettext("%(num)s return", "%(num)s returns", count))
    return None


def _one_or_list(stage: Stage, folder: str, many: str) -> tuple[str, str]:
    links: Sequence[Link] = stage.links
    return (links[0].number, f"{folder}/{links[0].number}") if len(links) == 1 else (many, folder)

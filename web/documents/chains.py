"""The chain of a document as the line on top of its page: each stage a text, and where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flask import current_app
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from scm.loop import chain
from scm.loop.chain import Link, Stage
from web import area
from web.desk import Desk
from web.documents import words

# Where the pages of documents are. A kind without a page, or with one of other roles, is named without a link.
ADDRESSES = {
    "item": "/items/{number}",
    "proposal": "/proposals/{number}",
    "purchase_order": "/purchase-orders/{number}",
    "goods_receipt": "/warehouse/receipts/{number}",
    "sales_order": "/sales-orders/{number}",
    "work_order": "/production/work-orders/{number}",
    "wave": "/warehouse/waves/{number}",
    "shipment": "/warehouse/shipments/{number}",
    "return_authorization": "/returns/{number}",
}


@dataclass(frozen=True, kw_only=True)
class ShownLink:
    """One document: what it is called, its page, and the word for its state."""

    text: str
    address: str | None
    state: str


@dataclass(frozen=True, kw_only=True)
class ShownStage:
    """One stage: a single document is named, several are counted and unfold."""

    text: str
    current: bool
    links: Sequence[ShownLink]


def read(session: Session, desk: Desk, *, kind: str, document_id: int) -> list[ShownStage]:
    """This function will read the chain of a document for a page, in a bounded number of queries."""
    return shown(chain.of_document(session, kind=kind, document_id=document_id), desk)


def shown(stages: Sequence[Stage], desk: Desk) -> list[ShownStage]:
    """This function will put a chain into words and addresses."""
    return [
        ShownStage(
            text=_name(stage.links[0]) if len(stage.links) == 1 else _counted(stage),
            current=stage.current,
            links=[
                ShownLink(
                    text=_name(link), address=address_of(link.kind, link.number, desk), state=words.state(link.state)
                )
                for link in stage.links
            ],
        )
        for stage in stages
    ]


def address_of(kind: str, number: str, desk: Desk) -> str | None:
    """This function will give the page of a document, or None when there is none that this person may open."""
    rule = ADDRESSES.get(kind)
    if rule is None:
        return None
    address = rule.format(number=quote(number, safe=""))
    try:
        endpoint, _ = current_app.url_map.bind("").match(address, method="GET")
    except (HTTPException, RequestRedirect):
        return None
    return address if area.may(desk, endpoint) else None


def _name(link: Link) -> str:
    if link.kind == "proposal":
        return str(gettext("Proposal %(number)s", number=link.number))
    if link.kind == "inspection":
        return str(gettext("Inspection: %(state)s", state=words.state(link.state)))
    return link.number


def _counted(stage: Stage) -> str:
    """How many documents, in words; behind the most that are read there may be more."""
    count = len(stage.links)
    counted = {
        "item": lambda: ngettext("%(num)s item", "%(num)s items", count),
        "proposal": lambda: ngettext("%(num)s proposal", "%(num)s proposals", count),
        "purchase_order": lambda: ngettext("%(num)s purchase order", "%(num)s purchase orders", count),
        "goods_receipt": lambda: ngettext("%(num)s receipt", "%(num)s receipts", count),
        "return_receipt": lambda: ngettext("%(num)s receipt", "%(num)s receipts", count),
        "sales_order": lambda: ngettext("%(num)s sales order", "%(num)s sales orders", count),
        "prior_sale": lambda: ngettext("%(num)s earlier sale", "%(num)s earlier sales", count),
        "wave": lambda: ngettext("%(num)s wave", "%(num)s waves", count),
        "shipment": lambda: ngettext("%(num)s shipment", "%(num)s shipments", count),
        "customer_invoice": lambda: ngettext("%(num)s invoice", "%(num)s invoices", count),
        "return_authorization": lambda: ngettext("%(num)s return", "%(num)s returns", count),
        "inspection": lambda: ngettext("%(num)s inspection", "%(num)s inspections", count),
        "credit_note": lambda: ngettext("%(num)s credit note", "%(num)s credit notes", count),
    }[stage.name]()
    return str(gettext("%(counted)s and more", counted=counted)) if stage.more else str(counted)

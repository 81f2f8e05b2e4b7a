"""From the cells of a file to messages: items by SKU or GTIN, prices, customers, with every doubt named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import gtin, partners
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner, PartnerRequest
from scm.master.sheets import Row, RowError
from scm.sales import pricing
from scm.sales.channel_orders.messages import CONTENT, Message, MessageKind, WantedLine
from scm.sales.channel_orders.reading import MessageRows, Read
from scm.sales.channels import Channel

CHUNK = 5_000


@dataclass(kw_only=True)
class Decided:
    """The messages of a file with the rows they begin in, the customers to add, and what is wrong."""

    messages: list[tuple[int, Message]] = field(default_factory=list)
    new_customers: dict[str, PartnerRequest] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database knows of what a file names."""

    by_sku: dict[str, tuple[int, bool]]
    by_gtin: dict[str, tuple[int, bool]]
    prices: dict[int, Decimal]
    customers: dict[str, bool]  # by code: whether it may be sold to


def decide(session: Session, read: Read, *, channel: Channel, today: date) -> Decided:
    """This function will make messages of what a file says. It raises nothing: doubts are in the errors."""
    decided = Decided(errors=list(read.errors))
    known = _known(session, read, channel=channel, today=today)
    seen: dict[Any, tuple[int, Message]] = {}
    for rows in read.messages:
        before = len(decided.errors)
        message = _message(rows, known, decided)
        if message is None or len(decided.errors) > before:
            continue
        first = seen.setdefault(message.key, (rows.row, message))
        if first[1].said() != message.said():
            reason = f"row {first[0]} says otherwise under the same sequence"
            _doubt(decided, rows.row, "sequence", message.sequence, reason, "give each message a sequence of its own")
        elif first[0] == rows.row:
            decided.messages.append((rows.row, message))
    return decided


def _message(rows: MessageRows, known: _Known, decided: Decided) -> Message | None:
    head = rows.head
    kind = MessageKind(head["message"])
    sequence, sent_at = head["sequence"], head["sent_at"]
    if sequence is None and sent_at is None:
        _doubt(decided, rows.row, "sequence", "", "neither sequence nor sent_at is given", "give one of them")
        return None
    if sequence is None:
        sequence = int(sent_at.timestamp()) * 1_000_000 + sent_at.microsecond
    if kind not in CONTENT:
        return Message(kind=kind, external_id=head["external_id"], sequence=sequence, sent_at=sent_at)
    _customer(rows, known, decided)
    if not rows.lines:
        mend = "give at least one line, or send cancelled"
        _doubt(decided, rows.row, "sku", "", "the message has no lines", mend)
    lines = [_line(row, known, decided) for row in rows.lines]
    return Message(
        kind=kind,
        external_id=head["external_id"],
        sequence=sequence,
        sent_at=sent_at,
        customer=head["customer"] or "",
        requested_date=head["requested_date"],
        lines=tuple(sorted(line for line in lines if line is not None)),
    )


def _customer(rows: MessageRows, known: _Known, decided: Decided) -> None:
    code, name = rows.head["customer"], rows.head["customer_name"]
    if code is None:
        _doubt(decided, rows.row, "customer", "", "it is empty", "give the customer's code")
    elif code in known.customers:
        if not known.customers[code]:
            mend = "choose another, or make it a customer"
            _doubt(decided, rows.row, "customer", code, "it is no active customer", mend)
    elif code not in decided.new_customers:
        if name is None:
            mend = "add it first, or give customer_name, too"
            _doubt(decided, rows.row, "customer", code, "there is no such customer", mend)
            return
        decided.new_customers[code] = PartnerRequest(
            code=code, name=name, is_customer=True, country=rows.head["country"]
        )


def _line(row: Row, known: _Known, decided: Decided) -> WantedLine | None:
    sku, code = row.values["sku"], row.values["gtin"]
    quantity, price = row.values["quantity"], row.values["unit_price"]
    column, value = ("sku", sku) if sku is not None else ("gtin", code)
    found = known.by_sku.get(sku) if sku is not None else known.by_gtin.get(gtin.normal(code or "") or "")
    if value is None:
        _doubt(decided, row.number, "sku", "", "neither sku nor gtin is given", "give one of them")
    elif found is None:
        _doubt(decided, row.number, column, value, "there is no such item", "check it, or add the item")
    elif not found[1]:
        _doubt(decided, row.number, column, value, "the item is retired", "choose another")
    elif sku is not None and code is not None and known.by_gtin.get(gtin.normal(code) or "") != found:
        _doubt(decided, row.number, "gtin", code, f"it is not the GTIN of {sku}", "give only one of them, or mend it")
    if quantity is None:
        _doubt(decided, row.number, "quantity", "", "it is empty", "give a whole number above 0")
    given = price is not None
    if price is None and found is not None:
        price = known.prices.get(found[0])
        if price is None:
            mend = "give the price, or set one for the item in the channel"
            _doubt(decided, row.number, "unit_price", "", "the channel has no price for the item today", mend)
    if found is None or quantity is None or price is None:
        return None
    return WantedLine(found[0], quantity, price.normalize(), given)


def _known(session: Session, read: Read, *, channel: Channel, today: date) -> _Known:
    lines = [row.values for rows in read.messages for row in rows.lines]
    skus = {values["sku"] for values in lines if values["sku"] is not None}
    forms = {form for values in lines if values["gtin"] for form in gtin.written_forms(values["gtin"])}
    codes = {rows.head["customer"] for rows in read.messages if rows.head["customer"] is not None}
    columns = sa.select(Item.id, Item.sku, Item.gtin, Item.status).where(Item.company_id == channel.company_id)
    by_sku = {}
    for ids in _chunks(skus):
        for row in session.execute(columns.where(Item.sku.in_(ids))):
            by_sku[row.sku] = (row.id, row.status is not ItemStatus.RETIRED)
    by_gtin = {}
    for ids in _chunks(forms):
        for row in session.execute(columns.where(Item.gtin.in_(ids))):
            by_gtin[gtin.normal(row.gtin) or row.gtin] = (row.id, row.status is not ItemStatus.RETIRED)
    customers = {}
    for ids in _chunks(codes):
        parties = sa.select(Partner.code, Partner.is_customer, Partner.retired).where(
            Partner.company_id == channel.company_id, Partner.code.in_(ids)
        )
        customers.update({code: buys and not retired for code, buys, retired in session.execute(parties)})
    wanted = [item_id for item_id, _ in [*by_sku.values(), *by_gtin.values()]]
    prices: dict[int, Decimal] = {}
    for item_ids in _chunks(wanted):
        prices |= pricing.price_on(session, channel_id=channel.id, item_ids=item_ids, today=today)
    return _Known(by_sku, by_gtin, prices, customers)


def _doubt(decided: Decided, row: int, column: str, value: object, reason: str, mend: str) -> None:
    decided.errors.append(RowError(row=row, column=column, value=str(value), reason=reason, mend=mend))


def _chunks(values: Iterable[Any]) -> list[list[Any]]:
    ordered = sorted(set(values))
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]


def add_customers(session: Session, decided: Decided, *, channel: Channel, actor: Any) -> None:
    """This function will add the customers that a file names and the database does not know."""
    if decided.new_customers:
        partners.add(session, list(decided.new_customers.values()), company_id=channel.company_id, actor=actor)

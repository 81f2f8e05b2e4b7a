"""Items and customers that a file names: those we know are found, the others created, each in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Actor
from scm.loop.importing.lines import Codes, Flags, Int64, Lines
from scm.master import items as master_items
from scm.master import partners
from scm.master.items import Item, ItemRequest
from scm.master.partners import Partner, PartnerRequest

NONE = -1
CHUNK = 5000
ANONYMOUS_CODE = "ANONYMOUS"


@dataclass(frozen=True)
class Found:
    """By place in a list of codes: the id (-1 where the code is not used), and how many were created now."""

    ids: Int64
    created: int


def items(
    session: Session,
    *,
    skus: Sequence[str],
    used: Flags,
    new: Callable[[list[int]], list[ItemRequest]],
    company_id: int,
    actor: Actor,
) -> Found:
    """This function will give the items of the used SKUs; `new` describes those at the places we do not know yet.

    Letter case and spaces around a SKU say nothing, in our own items neither.
    """
    rows = session.execute(sa.select(Item.id, Item.sku).where(Item.company_id == company_id))
    known = {row.sku.strip().upper(): row.id for row in rows}
    missing = [place for place in np.flatnonzero(used).tolist() if skus[place] not in known]
    ids = master_items.create(session, new(missing), company_id=company_id, actor=actor) if missing else []
    known.update(zip((skus[place] for place in missing), ids, strict=True))
    return Found(_ids(skus, known, used), len(missing))


def customers(
    session: Session, *, codes: Sequence[str], countries: Sequence[str], used: Flags, company_id: int, actor: Actor
) -> Found:
    """This function will give the partners of the used customer codes, adding those that are new.

    The empty code is the anonymous customer.
    """
    partner_codes = [code or ANONYMOUS_CODE for code in codes]
    rows = session.execute(sa.select(Partner.id, Partner.code).where(Partner.company_id == company_id))
    known = {row.code: row.id for row in rows}
    missing = [place for place in np.flatnonzero(used).tolist() if partner_codes[place] not in known]
    for start in range(0, len(missing), CHUNK):
        requests = [
            PartnerRequest(
                code=partner_codes[place],
                name=f"Customer {codes[place]}" if codes[place] else "Anonymous customer",
                is_customer=True,
                country=countries[place][:60] or None,
            )
            for place in missing[start : start + CHUNK]
        ]
        ids = partners.add(session, requests, company_id=company_id, actor=actor)
        known.update(zip((request.code for request in requests), ids, strict=True))
    return Found(_ids(partner_codes, known, used), len(missing))


def usual(count: int, of: Codes, values: Codes, chosen: Flags, texts: Sequence[str]) -> list[str]:
    """This function will give, for each of `count` things, the text it is most often seen with (or "").

    `of` and `values` are codes by line; only chosen lines count, and no empty text. Among equals the first in the
    list of texts wins.
    """
    some = np.array([bool(text) for text in texts], dtype=np.bool_)
    seen = chosen & some[values] if len(values) else chosen
    pairs, counts = np.unique(of[seen].astype(np.int64) * max(1, len(texts)) + values[seen], return_counts=True)
    thing, text = pairs // max(1, len(texts)), pairs % max(1, len(texts))
    order = np.lexsort((text, -counts, thing))
    things, first = np.unique(thing[order], return_index=True)
    usual_texts = [""] * count
    for place, value in zip(things.tolist(), text[order][first].tolist(), strict=True):
        usual_texts[place] = texts[value]
    return usual_texts


def names_of_items(lines: Lines, *, is_sale: Flags) -> list[str]:
    """This function will name each SKU by its usual description on sales with a price, or else by its code.

    Descriptions on other lines are comments: "damages", "thrown away", "?".
    """
    usual_names = usual(
        len(lines.sku_values), lines.sku, lines.description, is_sale & (lines.prices > 0), lines.description_values
    )
    return [name or sku for name, sku in zip(usual_names, lines.sku_values, strict=True)]


def price_of(millionths: int) -> Decimal:
    """This function will give a price in millionths as a Decimal of major units."""
    return Decimal(millionths).scaleb(-UNIT_PRICE_PLACES)


def _ids(codes: Sequence[str], known: dict[str, int], used: Flags) -> Int64:
    ids = np.full(len(codes), NONE, dtype=np.int64)
    for place in np.flatnonzero(used).tolist():
        ids[place] = known[codes[place]]
    return ids

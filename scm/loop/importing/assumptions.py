"""What a sales file does not tell: who supplies each item, when, at what price and in what lots, and its category.

Everything here is drawn from a seed, sized by what the file does tell, and written with the names of the assumed
columns in `assumed`. Items that have a supplier already are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import dialect_insert, table_of
from scm.core.users import Actor
from scm.finance import money
from scm.loop.importing import masters
from scm.loop.importing.chance import Chance
from scm.loop.importing.figures import RECENT_WEEKS, Figures
from scm.loop.importing.lines import Int64
from scm.master import agreements, partners
from scm.master.agreements import AgreementRequest, TermsRequest
from scm.master.items import ItemCategory, ItemRequest, ItemStatus
from scm.master.partners import PartnerRequest

SUPPLIER_COUNT = 40
SUPPLIER_CODE = "ASSUMED-{:02d}"
REVIEW_PERIOD_DAYS = 7
OVER_RECEIPT_RATE = Decimal("0.05")
SHORTEST_LEAD_TIME_DAYS, LONGEST_LEAD_TIME_DAYS = 3, 28
PACKS = (1, 6, 12, 24, 48)
SKU_PREFIX = 3  # items whose codes begin alike come from one supplier
CENT = 10_000  # millionths
MAJOR = 1_000_000

TERMS_ASSUMED = (
    "review_period_days",
    "review_weekday",
    "joint_order_cost",
    "minimum_order_value",
    "over_receipt_rate",
)
AGREEMENT_ASSUMED = ("partner_id", "lead_time_days", "minimum_order_quantity", "order_multiple", "unit_price")
ITEM_ASSUMED = ("category_id", "opening_unit_cost")

# A category is a family that shares a season. The first one with a word that a word of the name begins with.
CATEGORIES = (
    ("SEASONAL", ("CHRISTMAS", "XMAS", "EASTER", "ADVENT", "SNOWFLAKE", "REINDEER", "HALLOWEEN", "VALENTINE")),
    ("LIGHTS", ("CANDLE", "T-LIGHT", "TLIGHT", "LANTERN", "LIGHT", "LAMP")),
    ("BAGS", ("BAG", "SHOPPER", "PURSE", "LUGGAGE", "CASE")),
    ("GARDEN", ("GARDEN", "PLANT", "WATERING", "HERB", "BIRD", "PARASOL", "PICNIC")),
    ("JEWELLERY", ("NECKLACE", "BRACELET", "EARRING", "RING", "BROOCH", "CHARM")),
    ("TOYS", ("TOY", "DOLL", "GAME", "PUZZLE", "CHILD", "BABY", "KID", "PLAY")),
    ("STATIONERY", ("CARD", "PAPER", "WRAP", "PEN", "NOTEBOOK", "STICKER", "RIBBON", "TISSUE")),
    ("KITCHEN", ("MUG", "CUP", "BOWL", "PLATE", "CAKE", "TEA", "KITCHEN", "JAR", "TIN", "TRAY", "APRON", "SPOON")),
    ("HOME", ("SIGN", "FRAME", "CLOCK", "CUSHION", "MIRROR", "HOOK", "DOOR", "HEART", "BOX", "DRAWER", "DECORATION")),
)
OTHER_CATEGORY = "OTHER"


@dataclass(frozen=True)
class Assumed:
    """How much was made up now."""

    suppliers: int
    agreements: int


def item_requests(
    session: Session,
    *,
    places: Sequence[int],
    skus: Sequence[str],
    names: Sequence[str],
    figures: Figures,
    company_id: int,
    base_unit_id: int,
    seed: int,
) -> list[ItemRequest]:
    """This function will describe the items at some places of the file's SKUs, with assumed cost and category.

    An item that the file never sells, only corrects the stock of, is retired from the start.
    """
    chance = Chance(seed)
    category_ids = _categories(session, {category_of(names[place]) for place in places}, company_id)
    requests = []
    for place in places:
        price, sold = int(figures.median_price[place]), bool(figures.sold[place])
        requests.append(
            ItemRequest(
                sku=skus[place],
                name=names[place],
                base_unit_id=base_unit_id,
                category_id=category_ids[category_of(names[place])],
                status=ItemStatus.ACTIVE if sold else ItemStatus.RETIRED,
                sale_price=masters.price_of(price) if price else None,
                opening_unit_cost=masters.price_of(unit_cost(price, skus[place], chance)),
                assumed=ITEM_ASSUMED,
            )
        )
    return requests


def suppliers(
    session: Session,
    *,
    skus: Sequence[str],
    item_ids: Int64,
    figures: Figures,
    company_id: int,
    currency: str,
    seed: int,
    actor: Actor,
) -> Assumed:
    """This function will give every sold item without a supplier one, and the terms of buying it there."""
    supplied = agreements.preferred(session)
    sold = np.flatnonzero(figures.sold & (item_ids >= 0)).tolist()
    bare = [place for place in sold if int(item_ids[place]) not in supplied]
    chance = Chance(seed)
    weekly = (figures.recent // RECENT_WEEKS).tolist()
    group_of = {place: supplier_of(skus[place], chance) for place in bare}
    costs = {place: unit_cost(int(figures.median_price[place]), skus[place], chance) for place in bare}
    weekly_value = dict.fromkeys(sorted(set(group_of.values())), 0)
    for place in bare:
        weekly_value[group_of[place]] += costs[place] * weekly[place]
    supplier_ids, added = _suppliers(session, weekly_value, company_id, currency, chance, actor)
    requests = [
        _agreement(
            skus[place],
            weekly=weekly[place],
            group=group_of[place],
            partner_id=supplier_ids[group_of[place]],
            item_id=int(item_ids[place]),
            cost=costs[place],
            chance=chance,
        )
        for place in bare
    ]
    if requests:
        agreements.set_agreements(session, requests, actor=actor)
    return Assumed(added, len(requests))


def supplier_of(sku: str, chance: Chance) -> int:
    """This function will name the supplier group of an item: codes that begin alike come from one supplier."""
    return chance.between(1, SUPPLIER_COUNT, "supplier", sku[:SKU_PREFIX])


def unit_cost(sale_price: int, sku: str, chance: Chance) -> int:
    """This function will assume what a unit costs: 40 to 60% of its usual sale price, at least a hundredth.

    Both in millionths.
    """
    share = chance.between(40, 60, "cost", sku)
    return max(CENT, (sale_price * share // 100 + CENT // 2) // CENT * CENT)


def category_of(name: str) -> str:
    """This function will choose a category by the words of a name.

    >>> category_of("RED STRIPE CERAMIC DRAWER KNOB"), category_of("PINK CHERRY LIGHTS")
    ('HOME', 'LIGHTS')
    """
    words = name.upper().split()
    for code, beginnings in CATEGORIES:
        if any(word.startswith(beginnings) for word in words):
            return code
    return OTHER_CATEGORY


def lot(weekly: int, sku: str, chance: Chance) -> tuple[int, int]:
    """This function will assume (minimum order quantity, order multiple): the largest pack within a week's demand."""
    multiple = max((pack for pack in PACKS if pack <= weekly), default=1)
    return multiple * (2 if chance.happens(30, "minimum", sku) else 1), multiple


def _categories(session: Session, codes: Iterable[str], company_id: int) -> dict[str, int]:
    wanted = sorted(codes)
    if wanted:
        insert = dialect_insert(session, table_of(ItemCategory)).on_conflict_do_nothing()
        session.execute(insert, [{"company_id": company_id, "code": c, "name": c.capitalize()} for c in wanted])
    rows = session.execute(sa.select(ItemCategory.code, ItemCategory.id).where(ItemCategory.company_id == company_id))
    return {row.code: row.id for row in rows}


def _suppliers(
    session: Session, weekly_value: dict[int, int], company_id: int, currency: str, chance: Chance, actor: Actor
) -> tuple[dict[int, int], int]:
    """The partner of each group, and how many are new."""
    codes = {SUPPLIER_CODE.format(group): group for group in weekly_value}
    known = partners.ids_by_code(session, codes, company_id=company_id)
    new = [code for code in codes if code not in known]
    if new:
        requests = [
            PartnerRequest(
                code=code,
                name=f"Supplier {codes[code]:02d} (assumed)",
                is_supplier=True,
                email=f"orders@supplier-{codes[code]:02d}.example",
            )
            for code in new
        ]
        known.update(zip(new, partners.add(session, requests, company_id=company_id, actor=actor), strict=True))
        terms = [_terms(codes[code], known[code], weekly_value[codes[code]], currency, chance) for code in new]
        agreements.set_terms(session, terms, actor=actor)
    return {codes[code]: partner_id for code, partner_id in known.items()}, len(new)


def _terms(group: int, partner_id: int, weekly_value: int, currency: str, chance: Chance) -> TermsRequest:
    """A minimum order of about half a week's buying, between 50 and 500 major units, in steps of ten."""
    tens = min(50, max(5, weekly_value // MAJOR // 20))
    minor = 10 ** money.places(currency)
    return TermsRequest(
        partner_id=partner_id,
        currency=currency,
        review_period_days=REVIEW_PERIOD_DAYS,
        review_weekday=chance.between(0, 4, "weekday", group),
        joint_order_cost=chance.between(20, 60, "joint", group) * minor,
        minimum_order_value=tens * 10 * minor,
        over_receipt_rate=OVER_RECEIPT_RATE,
        assumed=TERMS_ASSUMED,
    )


def _agreement(
    sku: str, *, weekly: int, group: int, partner_id: int, item_id: int, cost: int, chance: Chance
) -> AgreementRequest:
    minimum, multiple = lot(weekly, sku, chance)
    return AgreementRequest(
        partner_id=partner_id,
        item_id=item_id,
        lead_time_days=chance.between(SHORTEST_LEAD_TIME_DAYS, LONGEST_LEAD_TIME_DAYS, "lead time", group),
        unit_price=masters.price_of(cost),
        minimum_order_quantity=minimum,
        order_multiple=multiple,
        assumed=AGREEMENT_ASSUMED,
    )

"""Writes the brand's master data with the product's verbs: items, suppliers and what was agreed, customers.

Nothing is marked as assumed but what the brand itself has not agreed on yet: the lead times of its newest supplier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import dialect_insert, table_of
from scm.core.users import Actor
from scm.finance import money
from scm.loop.generated import outlets
from scm.loop.generated.catalogue import CatalogueItem
from scm.loop.generated.history import History
from scm.loop.generated.suppliers import FACTORIES, Factory
from scm.loop.generated.year import CHANNELS, DISTRIBUTORS
from scm.master import agreements, gtin, items, partners
from scm.master.agreements import AgreementRequest, TermsRequest
from scm.master.items import Item, ItemCategory, ItemRequest
from scm.master.partners import PartnerRequest
from scm.master.setup import Setup

COUNTRY = "China"
OWN_NUMBERS = "20"  # GS1 leaves numbers that begin so to whoever sticks labels on their own goods
WITHOUT_NUMBER = 29  # every so manieth item has none yet
OVER_RECEIPT_RATE = Decimal("0.05")
NEWEST = "S12"  # its lead times are only guessed so far
FAMILY_NAMES = (
    ("王", "Wang"),
    ("李", "Li"),
    ("张", "Zhang"),
    ("刘", "Liu"),
    ("陈", "Chen"),
    ("杨", "Yang"),
    ("赵", "Zhao"),
    ("黄", "Huang"),
    ("周", "Zhou"),
    ("吴", "Wu"),
    ("徐", "Xu"),
    ("孙", "Sun"),
    ("胡", "Hu"),
    ("林", "Lin"),
)
TITLES = (("女士", "Ms"), ("先生", "Mr"))
SHOPS = (
    "杭州半亩家居 Hangzhou Banmu Home",
    "成都小院生活 Chengdu Xiaoyuan Living",
    "广州白屋百货 Guangzhou Baiwu Store",
    "北京合宜家品 Beijing Heyi Homeware",
    "西安拾光里 Xi'an Shiguangli",
    "武汉江岸生活馆 Wuhan Jiang'an Living",
    "厦门海角家物 Xiamen Haijiao Homeware",
    "沈阳暖舍 Shenyang Nuanshe",
    "长沙一间铺 Changsha Yijian Shop",
    "昆明四时家居 Kunming Sishi Home",
)


def is_written(session: Session) -> bool:
    """This function will tell whether the brand has its items already."""
    return session.scalar(sa.select(Item.id).limit(1)) is not None


def write(session: Session, history: History, *, places: Setup, actor: Actor) -> None:
    """This function will write items, suppliers with terms and agreements, channels with prices, and all customers."""
    company_id = places.company_id
    categories = _categories(session, history.items, company_id=company_id)
    requests = [
        _item(history, place, category_id=categories[item.family.code], base_unit_id=places.base_unit_id)
        for place, item in enumerate(history.items)
    ]
    item_ids = items.create(session, requests, company_id=company_id, actor=actor)
    used = {factory.code for factory, _ in history.sources}
    factories = [factory for factory in FACTORIES if factory.code in used]
    on_its_day = history.stories is not None
    supplier_ids = _suppliers(session, factories, on_its_day=on_its_day, places=places, actor=actor)
    agreements.set_agreements(
        session,
        [
            AgreementRequest(
                partner_id=supplier_ids[factory.code],
                item_id=item_id,
                lead_time_days=factory.lead_time_days,
                unit_price=agreed.unit_price,
                minimum_order_quantity=agreed.minimum_order_quantity,
                order_multiple=agreed.order_multiple,
                assumed=("lead_time_days",) if factory.code == NEWEST else (),
            )
            for item_id, (factory, agreed) in zip(item_ids, history.sources, strict=True)
        ],
        actor=actor,
    )
    partners.add(session, _customers(), company_id=company_id, actor=actor)
    outlets.open_all(session, history.items, item_ids, since=history.days[0], places=places, actor=actor)


def _item(history: History, place: int, *, category_id: int, base_unit_id: int) -> ItemRequest:
    item, (_, agreed) = history.items[place], history.sources[place]
    body = f"{OWN_NUMBERS}{place + 1:010d}"
    return ItemRequest(
        sku=item.sku,
        name=item.name,
        english_name=item.english_name,
        base_unit_id=base_unit_id,
        gtin=None if place % WITHOUT_NUMBER == WITHOUT_NUMBER - 1 else body + str(gtin.check_digit(body)),
        category_id=category_id,
        sale_price=Decimal(item.price),
        opening_unit_cost=agreed.unit_price,
        lot_tracked=item.shelf_life_days is not None,
        shelf_life_days=item.shelf_life_days,
    )


def _categories(session: Session, sold: Sequence[CatalogueItem], *, company_id: int) -> Mapping[str, int]:
    families = {item.family.code: item.family for item in sold}
    rows = [{"company_id": company_id, "code": code, "name": family.title} for code, family in families.items()]
    session.execute(dialect_insert(session, table_of(ItemCategory)).on_conflict_do_nothing(), rows)
    found = session.execute(sa.select(ItemCategory.code, ItemCategory.id).where(ItemCategory.company_id == company_id))
    return {row.code: row.id for row in found}


def _suppliers(
    session: Session, factories: Sequence[Factory], *, on_its_day: bool, places: Setup, actor: Actor
) -> Mapping[str, int]:
    """A company of a few suppliers orders from each on any day, so that every day has something to order."""
    requests = [
        PartnerRequest(code=one.code, name=one.name, is_supplier=True, email=one.email, country=COUNTRY)
        for one in factories
    ]
    ids = partners.add(session, requests, company_id=places.company_id, actor=actor)
    minor = 10 ** money.places(places.currency)
    terms = [
        TermsRequest(
            partner_id=partner_id,
            currency=places.currency,
            review_period_days=one.period_days,
            review_weekday=one.weekday if on_its_day else None,
            joint_order_cost=one.joint_order_cost * minor,
            minimum_order_value=one.minimum_order_value * minor,
            over_receipt_rate=OVER_RECEIPT_RATE,
        )
        for one, partner_id in zip(factories, ids, strict=True)
    ]
    agreements.set_terms(session, terms, actor=actor)
    return {one.code: partner_id for one, partner_id in zip(factories, ids, strict=True)}


def _customers() -> list[PartnerRequest]:
    """People of the shops' channels, known by a name and a title, and the distributors."""
    found = []
    for channel in CHANNELS:
        for number in range(1, channel.customers + 1):
            name = SHOPS[number - 1] if channel.code == DISTRIBUTORS else _person(number)
            found.append(
                PartnerRequest(code=channel.customer_code(number), name=name, is_customer=True, country=COUNTRY)
            )
    return found


def _person(number: int) -> str:
    family_name, title = FAMILY_NAMES[number % len(FAMILY_NAMES)], TITLES[number // len(FAMILY_NAMES) % len(TITLES)]
    return f"{family_name[0]}{title[0]} {title[1]} {family_name[1]}"

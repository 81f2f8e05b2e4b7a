"""Items, their numbers, packs and units: exact, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scm.core.users import RoleMissing
from scm.master import agreements, calendars, gtin, items, packs, partners
from scm.master.agreements import AgreementRequest, BadAgreement, TermsRequest
from scm.master.calendars import NeverOpen, WorkingWeek
from scm.master.gtin import BadGtin
from scm.master.items import BadItem, BaseUnit, Item, ItemExists, ItemRequest, ItemStatus, ItemUnknown
from scm.master.packs import BadPack, NotExact, PackRequest
from scm.master.partners import BadPartner, PartnerExists, PartnerRequest, PartnerUnknown
from scm.stock import base_units
from scm.stock.base_units import BaseUnitFrozen
from tests.world import World

GOOD_GTINS = ("6291041500213", "40170725", "012345678905", "10614141000415")


@pytest.mark.parametrize("number", GOOD_GTINS)
def test_published_numbers_have_their_check_digit(number: str) -> None:
    assert gtin.check(number) == number


@given(body=st.text("0123456789", min_size=12, max_size=12), place=st.integers(0, 12), change=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, place: int, change: int) -> None:
    number = body + str(gtin.check_digit(body))
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    with pytest.raises(BadGtin, match="check digit"):
        gtin.check(wrong)


@pytest.mark.parametrize(("number", "words"), [("1234", "4 digits"), ("62910415OO213", "no digit"), ("٣" * 13, "no")])
def test_what_is_no_gtin_is_refused(number: str, words: str) -> None:
    with pytest.raises(BadGtin, match=words):
        gtin.check(number)


@given(packs_=st.integers(0, 10**9), held=st.integers(1, 10**6))
def test_packs_go_to_base_units_and_back_without_loss(packs_: int, held: int) -> None:
    assert packs.to_packs(packs.to_base_units(packs_, base_units=held), base_units=held) == packs_


@given(units=st.integers(0, 10**9), held=st.integers(1, 10**6))
def test_base_units_become_whole_packs_or_are_refused(units: int, held: int) -> None:
    if units % held:
        with pytest.raises(NotExact, match="no whole number of packs"):
            packs.to_packs(units, base_units=held)
    else:
        assert packs.to_packs(units, base_units=held) * held == units


@pytest.mark.parametrize("quantity", [Decimal("0.3"), Decimal("NaN"), Decimal("Infinity")])
def test_a_part_of_a_unit_is_refused(quantity: Decimal) -> None:
    with pytest.raises(NotExact):
        packs.to_base_units(quantity, base_units=12)


def create(world: World, **figures: Any) -> int:
    usual: dict[str, Any] = {"sku": "0042", "name": "bolt", "base_unit_id": world.setup.base_unit_id}
    request = ItemRequest(**usual | figures)
    [item_id] = items.create(world.begin(), [request], company_id=world.setup.company_id, actor=world.user("planner"))
    return item_id


def test_an_item_is_created_once(world: World) -> None:
    item_id = create(world, gtin=GOOD_GTINS[0])
    assert items.skus(world.begin(), [item_id]) == {item_id: "0042"}
    with world.refuses(ItemExists, "SKU 0042 is taken"):
        create(world)
    with world.refuses(ItemExists, "GTIN 6291041500213 belongs to another"):
        create(world, sku="43", gtin=GOOD_GTINS[0])
    with world.refuses(RoleMissing) as session:
        items.create(session, [], company_id=world.setup.company_id, actor=world.user("sales"))


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"sku": " "}, "the SKU needs"),
        ({"sku": "x" * 41}, "the SKU needs"),
        ({"name": ""}, "the name needs"),
        ({"sale_price": Decimal(-1)}, "sale_price is -1"),
        ({"shelf_life_days": 0, "lot_tracked": True}, "at least 1"),
        ({"shelf_life_days": 5}, "lots must be tracked"),
        ({"gtin": "6291041500214"}, "check digit is 3"),
    ],
)
def test_an_item_with_wrong_figures_is_refused(world: World, figures: dict[str, Any], words: str) -> None:
    with world.refuses(BadItem if "gtin" not in figures else BadGtin, words):
        create(world, **figures)


def test_a_retired_item_stays(world: World) -> None:
    item_id = create(world)
    items.retire(world.begin(), [item_id], actor=world.user("planner"))
    assert world.begin().execute(sa.select(Item.status)).scalar_one() is ItemStatus.RETIRED
    with world.refuses(ItemUnknown, "999999") as session:
        items.retire(session, [item_id, 999999], actor=world.user("planner"))


def test_the_base_unit_is_frozen_by_the_first_move(world: World) -> None:
    gram = BaseUnit(code="g", name="gram")
    session = world.begin()
    session.add(gram)
    session.flush()
    unit, item_id = gram.id, create(world)
    base_units.change(world.begin(), item_id=item_id, base_unit_id=unit, actor=world.user("planner"))
    assert world.begin().execute(sa.select(Item.base_unit_id)).scalar_one() == unit
    world.demand(item_id, 1)
    with world.refuses(BaseUnitFrozen, "0042 has moves") as session:
        base_units.change(session, item_id=item_id, base_unit_id=world.setup.base_unit_id, actor=world.user("planner"))


def test_packs_are_set_and_read_in_bulk(world: World) -> None:
    item_id = create(world)
    boxes = [PackRequest(item_id=item_id, code=code, base_units=n) for code, n in (("box", 12), ("pallet", 960))]
    packs.set_packs(world.begin(), boxes, actor=world.user("planner"))
    packs.set_packs(
        world.begin(), [PackRequest(item_id=item_id, code="box", base_units=10)], actor=world.user("planner")
    )
    assert packs.of_items(world.begin(), [item_id]) == {item_id: {"box": 10, "pallet": 960}}
    with world.refuses(BadPack) as session:
        wrong = PackRequest(item_id=item_id, code="none", base_units=0)
        packs.set_packs(session, [wrong], actor=world.user("planner"))


def test_the_preferred_source_is_the_first_that_is_left(world: World) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    first, second = world.supplier("first"), world.supplier("second")
    world.agreement(bolt, second, priority=2, lead_time_days=3)
    world.agreement(bolt, first, priority=1, lead_time_days=9)
    found = agreements.preferred(world.begin())
    assert (found[bolt].supplier_id, found[bolt].lead_time_days) == (first, 9)
    assert nut not in found
    partners.retire(world.begin(), [first], actor=world.user("buyer"))
    assert agreements.preferred(world.begin(), item_ids=[bolt])[bolt].supplier_id == second


def test_agreements_are_set_over_what_they_were(world: World) -> None:
    bolt, acme = world.item("bolt"), world.supplier("acme")
    for price in ("4.00", "4.10"):
        request = AgreementRequest(partner_id=acme, item_id=bolt, lead_time_days=7, unit_price=Decimal(price))
        agreements.set_agreements(world.begin(), [request], actor=world.user("buyer"))
    assert agreements.preferred(world.begin())[bolt].unit_price == Decimal("4.10")
    wrong = AgreementRequest(partner_id=acme, item_id=bolt, lead_time_days=-1, unit_price=Decimal(1))
    with world.refuses(BadAgreement, "lead_time_days is -1") as session:
        agreements.set_agreements(session, [wrong], actor=world.user("buyer"))
    with world.refuses(BadAgreement, "a share from 0 to 1") as session:
        terms = TermsRequest(partner_id=acme, currency="GBP", review_period_days=7, over_receipt_rate=Decimal("1.1"))
        agreements.set_terms(session, [terms], actor=world.user("buyer"))


def test_partners_have_a_code_of_their_own_and_a_part_to_play(world: World) -> None:
    def add(*requests: PartnerRequest) -> list[int]:
        return partners.add(world.begin(), requests, company_id=world.setup.company_id, actor=world.user("buyer"))

    acme = PartnerRequest(code="acme", name="Acme", is_supplier=True)
    assert partners.recipients(world.begin(), add(acme)).popitem()[1] == "acme"
    with world.refuses(PartnerExists, "acme is taken"):
        add(acme)
    with world.refuses(PartnerExists, "twin is taken"):
        add(*[PartnerRequest(code="twin", name="Twin", is_customer=True)] * 2)
    with world.refuses(BadPartner, "supplies, buys or carries"):
        add(PartnerRequest(code="idle", name="Idle"))
    with world.refuses(PartnerUnknown) as session:
        partners.retire(session, [999999], actor=world.user("buyer"))


def test_the_next_working_day_skips_weekends_and_closed_days(world: World) -> None:
    calendars.close(
        world.begin(),
        site_id=world.setup.site_id,
        closed_dates=[world.day(7)],
        reason="stocktaking",
        actor=world.user("planner"),
    )
    calendar = calendars.load(world.begin(), site_id=world.setup.site_id)
    saturday, monday = world.day(5), world.day(7)
    assert [calendar.is_working_day(world.day(days)) for days in (4, 5, 6, 7, 8)] == [True, False, False, False, True]
    assert calendar.next_working_days([saturday, monday]) == {saturday: world.day(8), monday: world.day(8)}


def test_a_site_that_never_works_says_so(world: World) -> None:
    world.begin().execute(sa.update(WorkingWeek).values(works=False))
    calendar = calendars.load(world.begin(), site_id=world.setup.site_id)
    with pytest.raises(NeverOpen, match="works on no day"):
        calendar.next_working_day(world.today)

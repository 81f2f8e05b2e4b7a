"""A revision is approved by somebody else, closes the one before it, and never lets an item be made of itself."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
import sqlalchemy as sa

from scm.core.approval import Approval, ContentChanged, Decision, SelfApproval
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.master import bom_approving, bom_content, bom_validity, bom_writing
from scm.master.bom import Bom, BomKind, BomLine, BomState
from scm.master.bom_approving import BomChanged, ValidAlready
from scm.master.bom_content import BadBom, LineContent, SubstituteContent
from scm.master.bom_cycles import Cycle
from scm.master.bom_writing import BomUnknown
from scm.master.items import Item, ItemStatus
from tests.master.making import approve, approved_bill, bill, by, content, edit, submit
from tests.world import World


def row(world: World, bom_id: int) -> Bom:
    return world.begin().scalars(sa.select(Bom).where(Bom.id == bom_id)).one()


def decisions(world: World, bom_id: int) -> list[Decision]:
    rows = sa.select(Approval.decision).where(Approval.subject_kind == "bom", Approval.subject_id == bom_id)
    return list(world.begin().scalars(rows.order_by(Approval.id)))


def test_a_revision_is_used_once_somebody_else_has_approved_it(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    bom_id = bill(world, table, content(world, {leg: 4}))
    assert bom_validity.valid_on(world.begin(), on=world.today, company_id=world.setup.company_id) == {}
    submit(world, bom_id)
    with world.refuses(SelfApproval, "planner submitted BOM table@MAIN r1") as session:
        bom_approving.approve(session, bom_id=bom_id, **by(world, "planner"), now=world.now)
    with world.refuses(RoleMissing) as session:
        bom_approving.approve(session, bom_id=bom_id, **by(world, "buyer"), now=world.now)
    approve(world, bom_id)
    valid = bom_validity.valid_on(world.begin(), on=world.today, company_id=world.setup.company_id)
    assert [(key, bom.id) for key, bom in valid.items()] == [((world.setup.site_id, table), bom_id)]
    with world.refuses(IllegalTransition, "BOM table@MAIN r1 is approved: edit is not possible"):
        edit(world, bom_id, output_quantity=2)


def test_an_edit_voids_the_request_for_approval(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    bom_id = bill(world, table, content(world, {leg: 4}))
    submit(world, bom_id)
    edit(world, bom_id, output_quantity=2)
    assert row(world, bom_id).state is BomState.DRAFT
    assert decisions(world, bom_id) == [Decision.VOID]
    with world.refuses(IllegalTransition, "submitted"):
        approve(world, bom_id)
    submit(world, bom_id)
    # Even what is changed behind the verbs' back is not approved unseen.
    world.begin().execute(sa.update(BomLine).where(BomLine.bom_id == bom_id).values(quantity=5))
    with world.refuses(ContentChanged, "BOM table@MAIN r1 was changed after it was submitted"):
        approve(world, bom_id)


def test_who_edits_knows_what_is_there(world: World) -> None:
    table, leg, top = world.item("table"), world.item("leg"), world.item("top")
    bom_id = bill(world, table, content(world, {leg: 4}))
    old = bom_content.read(world.begin(), [bom_id])[bom_id]
    edit(world, bom_id, lines=content(world, {leg: 3, top: 1}).lines)
    with world.refuses(BomChanged, "has changed meanwhile") as session:
        bom_approving.edit(
            session,
            bom_id=bom_id,
            believes=bom_approving.believed(old),
            content=dataclasses.replace(old, output_quantity=9),
            **by(world, "planner"),
            now=world.now,
        )
    with world.refuses(BomUnknown) as session:
        bom_approving.submit(session, bom_id=999, **by(world, "planner"), now=world.now)


def test_a_revision_is_withdrawn_or_rejected_with_a_reason(world: World) -> None:
    bom_id = bill(world, world.item("table"), content(world, {world.item("leg"): 4}))
    submit(world, bom_id)
    bom_approving.withdraw(world.begin(), bom_id=bom_id, **by(world, "planner"), now=world.now)
    assert row(world, bom_id).state is BomState.DRAFT
    submit(world, bom_id)
    with world.refuses(BadBom, "why it is rejected") as session:
        bom_approving.reject(session, bom_id=bom_id, **by(world, "admin"), now=world.now, comment=" ")
    bom_approving.reject(world.begin(), bom_id=bom_id, **by(world, "admin"), now=world.now, comment="no glue")
    assert row(world, bom_id).state is BomState.DRAFT
    assert decisions(world, bom_id) == [Decision.VOID, Decision.REJECTED]


def test_an_empty_bill_and_a_retired_component_are_not_submitted(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    empty = bill(world, table, content(world, {}))
    with world.refuses(BadBom, "has no lines"):
        submit(world, empty)
    bom_id = bill(world, table, content(world, {leg: 4}))
    world.begin().execute(sa.update(Item).where(Item.id == leg).values(status=ItemStatus.RETIRED))
    with world.refuses(BadBom, "item leg is retired"):
        submit(world, bom_id)


def test_the_next_revision_closes_the_one_before_it(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    first = approved_bill(world, table, {leg: 4})
    second = bom_writing.revise(world.begin(), bom_id=first, valid_from=world.day(30), **by(world, "planner"))
    edit(world, second, lines=content(world, {leg: 3}).lines)
    submit(world, second)
    approve(world, second)
    assert row(world, first).valid_until == world.day(29)

    def used(on: date) -> int:
        valid = bom_validity.valid_on(world.begin(), on=on, company_id=world.setup.company_id)
        return valid[world.setup.site_id, table].id

    assert [used(world.day(days)) for days in (0, 29, 30, 900)] == [first, first, second, second]
    third = bill(world, table, content(world, {leg: 5}, valid_from=world.day(10)))
    submit(world, third)
    with world.refuses(ValidAlready, f"revision 2 begins on {world.day(30)}"):
        approve(world, third)
    bom_approving.withdraw(world.begin(), bom_id=third, **by(world, "planner"), now=world.now)
    edit(world, third, valid_until=world.day(19))
    submit(world, third)
    approve(world, third)
    assert [used(world.day(days)) for days in (9, 10, 19, 30)] == [first, third, third, second]
    assert bom_validity.valid_on(world.begin(), on=world.day(20), company_id=world.setup.company_id) == {}


def test_a_revision_of_the_same_day_takes_the_place_of_the_one_before(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    first, second = approved_bill(world, table, {leg: 4}), approved_bill(world, table, {leg: 3})
    assert [row(world, bom_id).state for bom_id in (first, second)] == [BomState.RETIRED, BomState.APPROVED]


def test_what_is_retired_is_made_no_more(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    bom_id = approved_bill(world, table, {leg: 4})
    bom_approving.retire(world.begin(), bom_id=bom_id, **by(world, "planner"))
    assert bom_validity.valid_on(world.begin(), on=world.today, company_id=world.setup.company_id) == {}
    with world.refuses(IllegalTransition, "nothing more can happen to it"):
        approve(world, bom_id)


def test_a_circle_is_refused_and_its_way_is_named(world: World) -> None:
    a, b, c, d = (world.item(sku) for sku in "abcd")
    approved_bill(world, a, {b: 1})
    approved_bill(world, b, {c: 1, d: 1})
    with world.refuses(Cycle, "c → a → b → c would be made of each other"):
        bill(world, c, content(world, {d: 1, a: 1}))
    substitute = (SubstituteContent(item_id=b, priority=1, quantity=1),)
    with world.refuses(Cycle, "d → b → d"):
        line = LineContent(line_number=10, item_id=world.item("e"), quantity=1, substitutes=substitute)
        bill(world, d, content(world, {}, lines=(line,)))


def test_a_circle_counts_only_on_days_that_its_parts_share(world: World) -> None:
    a, b, c = (world.item(sku) for sku in "abc")
    approved_bill(world, a, {b: 1}, valid_until=world.day(9))
    approved_bill(world, b, {c: 1}, valid_from=world.day(5))
    approved_bill(world, c, {a: 1}, valid_from=world.day(10))  # when a is not made of b any more
    approved_bill(world, c, {a: 1}, valid_until=world.day(4))  # when b is not yet made of c
    with world.refuses(Cycle, f"on {world.day(5)} c → a → b → c"):
        bill(world, c, content(world, {a: 1}, valid_from=world.day(3), valid_until=world.day(6)))


def test_two_drafts_that_close_a_circle_together_are_not_both_approved(world: World) -> None:
    a, b = world.item("a"), world.item("b")
    one, other = bill(world, a, content(world, {b: 1})), bill(world, b, content(world, {a: 1}))
    submit(world, one)
    submit(world, other)
    approve(world, one)
    with world.refuses(Cycle, "b → a → b"):
        approve(world, other)


@pytest.mark.parametrize("kind", [BomKind.PHANTOM, BomKind.KIT])
def test_a_circle_through_what_is_never_stocked_is_a_circle_as_well(world: World, kind: BomKind) -> None:
    a, b = world.item("a"), world.item("b")
    approved_bill(world, a, {b: 1}, kind=kind)
    with world.refuses(Cycle, "b → a → b"):
        bill(world, b, content(world, {a: 1}))

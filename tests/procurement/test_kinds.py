"""What is made or moved is proposed beside what is bought, and no path of buying ever sees it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from procurement import (
    drafting,
    edits,
    effects,
    orders,
    proposal_book,
    proposal_list,
    proposals,
    renewing,
    rules,
    undoing,
)
from procurement.drafting import NotBought
from procurement.edits import BadEdit, Change, ProposalEdit
from procurement.proposals import BadProposal, Proposal, ProposalKind, ProposalRequest, ProposalState
from scm.core import listing
from scm.core.db import table_of
from scm.core.listing import Condition, ListQuery
from scm.loop.exceptions import buying
from scm.loop.exceptions.findings import Scope
from scm.master.locations import Site
from scm.master.partners import Partner
from tests.world import World


class Desk(NamedTuple):
    """A world with a second site, and bolts that may be bought or moved."""

    world: World
    north: int
    bolt: int
    acme: int
    agreement: int

    def moved(self, quantity: int = 30) -> ProposalRequest:
        """This function will ask for bolts of the other site."""
        return ProposalRequest(
            kind=ProposalKind.MOVE,
            item_id=self.bolt,
            from_site_id=self.north,
            quantity=quantity,
            order_date=self.world.today,
            due_date=self.world.day(2),
            account=[{"name": "demand", "quantity": quantity}],
            inputs={"need": quantity, "binding": "need"},
        )

    def bought(self, quantity: int = 50) -> ProposalRequest:
        """This function will ask for bolts of the supplier."""
        return ProposalRequest(
            item_id=self.bolt,
            supplier_id=self.acme,
            agreement_id=self.agreement,
            quantity=quantity,
            order_date=self.world.today,
            due_date=self.world.day(7),
            unit_price=Decimal("4.00"),
            account=[{"name": "demand", "quantity": quantity}],
            inputs={"need": quantity, "binding": "need"},
        )

    def publish(self, *requests: ProposalRequest, run_id: int = 1) -> list[int]:
        """This function will publish a run."""
        world = self.world
        return renewing.publish(
            world.begin(),
            requests,
            order_date=world.today,
            run_id=run_id,
            company_id=world.setup.company_id,
            site_id=world.setup.site_id,
            actor=world.user("system"),
            now=world.now,
        )

    def both(self) -> tuple[int, int]:
        """This function will publish one to move and one to buy."""
        moved, bought = self.publish(self.moved(), self.bought())
        return moved, bought

    def accept(self, *ids: int) -> None:
        """This function will accept proposals as the planner."""
        proposals.accept(self.world.begin(), ids, actor=self.world.user("planner"), now=self.world.now)

    def edit(self, proposal_id: int, change: Change) -> None:
        """This function will change a proposal as the planner."""
        edits.edit(
            self.world.begin(),
            proposal_id=proposal_id,
            site_id=self.world.setup.site_id,
            change=change,
            reason="a fair",
            actor=self.world.user("planner"),
            now=self.world.now,
            today=self.world.today,
        )


@pytest.fixture
def desk(world: World) -> Desk:
    bolt, acme = world.item("bolt"), world.supplier("acme")
    north = Site(company_id=world.setup.company_id, code="NORTH", name="North", zone="Europe/London")
    session = world.begin()
    session.add(north)
    session.flush()
    return Desk(world, north.id, bolt, acme, world.agreement(bolt, acme))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"from_site_id": None}, "from_site_id is missing, a proposal to move needs it"),
        ({"supplier_id": 1}, "leave supplier_id out, a proposal to move has none"),
        ({"kind": ProposalKind.BUY}, "supplier_id is missing, a proposal to buy needs it"),
        ({"kind": ProposalKind.MAKE}, "bom_id is missing, a proposal to make needs it"),
        ({"kind": ProposalKind.MAKE, "bom_id": 1}, "leave from_site_id out, a proposal to make has none"),
    ],
)
def test_a_kind_names_what_it_is_got_from_and_nothing_else(desk: Desk, change: dict[str, object], said: str) -> None:
    wrong = ProposalRequest(**vars(desk.moved()) | change)
    with desk.world.refuses(BadProposal, match=said):
        desk.publish(wrong)


@pytest.mark.parametrize("column", ["supplier_id", "agreement_id", "unit_price"])
def test_the_database_itself_keeps_the_kinds_apart(desk: Desk, column: str) -> None:
    moved, bought = desk.both()
    table = table_of(Proposal)
    one = Decimal(1) if column == "unit_price" else 1
    wrong: list[tuple[int, dict[str, object]]] = [
        (moved, {column: one}),
        (bought, {column: None}),
        (moved, {"from_site_id": None}),
        (moved, {"from_site_id": desk.world.setup.site_id}),
        (bought, {"from_site_id": desk.north}),
        (bought, {"bom_id": 1}),
    ]
    for proposal_id, value in wrong:
        session = desk.world.begin()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(sa.update(table).where(table.c.id == proposal_id).values(value))


def test_no_path_of_buying_sees_what_is_moved(desk: Desk) -> None:
    world = desk.world
    moved, bought = desk.both()
    rules.sign(
        world.begin(), name="all", currency="GBP", largest_amount=10**9, actor=world.user("buyer"), now=world.now
    )
    site_id = world.setup.site_id
    assert rules.accept_by_rule(world.begin(), site_id=site_id, actor=world.user("system"), now=world.now) == [bought]
    desk.accept(moved)
    assert drafting.waiting(world.begin(), site_id=site_id) == [bought]
    with world.refuses(NotBought, match=f"proposal {moved} is to move goods") as session:
        orders.draft(session, [moved, bought], actor=world.user("buyer"), now=world.now, today=world.today)
    scope = Scope(
        site_id=site_id,
        company_id=world.setup.company_id,
        currency="GBP",
        zone="Europe/London",
        now=world.now,
        today=world.today,
    )
    names = {desk.acme: ("acme", "acme")}
    [found] = buying.proposals(world.begin(), scope, names)
    assert found.quantity == 50, "the thirty to move are nobody's to order"
    [order_id] = orders.draft(world.begin(), None, actor=world.user("buyer"), now=world.now, today=world.today)
    assert order_id
    assert drafting.waiting(world.begin(), site_id=site_id) == []


def test_lists_and_pages_tell_a_move_from_an_order(desk: Desk) -> None:
    world = desk.world
    moved, bought = desk.both()
    page = proposal_list.listing(site_id=world.setup.site_id, currency="GBP")
    by_kind = {
        row["kind"]: row for row in listing.fetch(world.begin(), page, ListQuery(), sums=("value", "at_risk")).rows
    }
    assert by_kind[ProposalKind.MOVE]["from_site"] == "NORTH"
    assert by_kind[ProposalKind.MOVE]["supplier"] is None
    assert by_kind[ProposalKind.MOVE]["value"] == 30 * 400, "worth what it cost when the item was entered"
    only = ListQuery(conditions=(Condition(field="kind", values=(ProposalKind.MOVE,)),), search="north")
    assert [row["key"] for row in listing.fetch(world.begin(), page, only).rows] == [moved]
    shown = proposal_book.by_ids(world.begin(), [moved, bought], site_id=world.setup.site_id)
    assert (shown[moved].from_site_code, shown[moved].unit_price, shown[moved].value) == ("NORTH", None, 0)
    assert (shown[bought].supplier_code, shown[bought].value, shown[bought].from_site_code) == ("acme", 20_000, "")


def test_a_move_is_changed_and_taken_back_like_an_order(desk: Desk) -> None:
    world = desk.world
    moved, _ = desk.both()
    site_id = world.setup.site_id
    with world.refuses(BadEdit, match="it is not bought, so it has no supplier"):
        desk.edit(moved, Change(agreement_id=desk.agreement))
    change = Change(quantity=20, order_date=world.day(1))
    seen = effects.effect(world.begin(), proposal_id=moved, site_id=site_id, change=change, today=world.today)
    assert (seen.value, seen.value_after, seen.currency) == (0, 0, "GBP")
    desk.edit(moved, change)
    now = world.begin().get_one(Proposal, moved)
    assert (now.quantity, now.order_date, now.due_date) == (20, world.day(1), world.day(3))
    assert sum(term["quantity"] for term in now.account) == 20
    [edit] = world.begin().scalars(sa.select(ProposalEdit)).all()
    assert (edit.agreement_before_id, edit.unit_price_after) == (None, None)
    shown = proposal_book.by_ids(world.begin(), [moved], site_id=site_id)[moved]
    assert [one.supplier_before for one in shown.edits] == [""]
    edits.undo_edit(world.begin(), proposal_id=moved, site_id=site_id, actor=world.user("planner"), now=world.now)
    assert world.begin().get_one(Proposal, moved).quantity == 30


def test_a_later_run_keeps_decisions_on_each_kind_apart(desk: Desk) -> None:
    world = desk.world
    moved, bought = desk.both()
    proposals.reject(world.begin(), [moved], reason="no lorry", actor=world.user("planner"), now=world.now)
    again = desk.publish(desk.moved(), desk.bought(80), run_id=2)
    states = {one.id: one.state for one in world.begin().scalars(sa.select(Proposal))}
    assert states[moved] is ProposalState.REJECTED and states[bought] is ProposalState.SUPERSEDED
    [fresh] = again
    assert world.begin().get_one(Proposal, fresh).kind is ProposalKind.BUY, "the no was about moving only"
    assert undoing.undo(
        world.begin(), [moved], site_id=world.setup.site_id, actor=world.user("planner"), now=world.now
    ).done == (moved,)


def test_a_supplier_is_named_by_what_is_bought_only(desk: Desk) -> None:
    moved, _ = desk.both()
    joined = sa.select(Proposal.id).join(Partner, Partner.id == Proposal.supplier_id)
    assert moved not in set(desk.world.begin().scalars(joined))

"""A proposal to move becomes a transfer when it is accepted, counts for both sites, and is taken back as a draft."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from procurement import moving, proposal_book, proposals, supply, undoing
from procurement.moving import TransferReleased
from procurement.outcomes import Outcome
from procurement.proposals import Proposal, ProposalKind, ProposalRequest, ProposalState
from tests.moving import Lanes
from tests.world import World
from warehouse.transfer_documents import Transfer, TransferLine, TransferState


class Desk:
    """The south is short of bolts and nuts, of which the north has a hundred each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lanes = Lanes(world)
        self.items = [world.item("bolt"), world.item("nut")]
        for item in self.items:
            world.stock(item, 100)
        # Everything is brought to the north first, as a lorry would.
        first = self.lanes.sent(*((item, 100) for item in self.items))
        self.lanes.receive(first)
        self.lanes.put_away(self.lanes.north)

    def propose(self, *quantities: int) -> list[int]:
        """This function will publish one proposal to move for each item."""
        world = self.world
        requests = [
            ProposalRequest(
                kind=ProposalKind.MOVE,
                item_id=item,
                from_site_id=self.lanes.north,
                quantity=quantity,
                order_date=world.today,
                due_date=world.day(2),
                account=[{"name": "demand", "quantity": quantity}],
                inputs={"need": quantity, "binding": "need"},
            )
            for item, quantity in zip(self.items, quantities, strict=False)
        ]
        return proposals.publish(
            world.begin(),
            requests,
            run_id=1,
            company_id=world.setup.company_id,
            site_id=self.lanes.south,
            actor=world.user("system"),
            now=world.now,
        )

    def accept(self, ids: Sequence[int]) -> Sequence[int]:
        """This function will accept proposals as the planner."""
        world = self.world
        planner = world.user("planner")
        return moving.accept(world.begin(), ids, actor=planner, now=world.now, today=world.today).done

    def undo(self, *ids: int) -> Outcome:
        """This function will take answers back."""
        world = self.world
        return undoing.undo(world.begin(), ids, site_id=self.lanes.south, actor=world.user("planner"), now=world.now)

    def transfers(self) -> list[Transfer]:
        """This function will read the transfers to the south."""
        statement = sa.select(Transfer).where(Transfer.to_site_id == self.lanes.south).order_by(Transfer.id)
        return list(self.world.begin().scalars(statement))

    def coming(self) -> dict[int, int]:
        """This function will read what counts as supply of the south: decided on, or on the way."""
        found: dict[int, int] = dict.fromkeys(self.items, 0)
        for line in supply.undecided(self.world.begin(), site_id=self.lanes.south):
            found[line.item_id] += line.quantity
        for item in self.items:
            found[item] += self.lanes.position(item, self.lanes.south).on_order
        return found

    def bound(self) -> dict[int, int]:
        """This function will read what the north can no longer dispose of."""
        found: dict[int, int] = dict.fromkeys(self.items, 0)
        for line in supply.leaving(self.world.begin(), site_id=self.lanes.north):
            found[line.item_id] += line.quantity
        for item in self.items:
            found[item] += sum(quantity for _, quantity in self.lanes.position(item, self.lanes.north).demand)
        return found


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_accepted_moves_along_a_lane_become_one_transfer(desk: Desk) -> None:
    ids = desk.propose(30, 20)
    assert desk.accept(ids) == tuple(ids)
    [transfer] = desk.transfers()
    assert (transfer.state, transfer.from_site_id) == (TransferState.DRAFT, desk.lanes.north)
    lines = desk.world.begin().scalars(sa.select(TransferLine).where(TransferLine.transfer_id == transfer.id)).all()
    assert [(line.proposal_id, line.quantity) for line in lines] == [(ids[0], 30), (ids[1], 20)]
    shown = proposal_book.by_ids(desk.world.begin(), ids, site_id=desk.lanes.south)
    assert {one.transfer_number for one in shown.values()} == {transfer.number}


def test_from_the_answer_to_the_shelf_it_counts_once_for_each_site(desk: Desk) -> None:
    bolt = desk.items[0]
    assert (desk.coming()[bolt], desk.bound()[bolt]) == (0, 0)
    desk.accept(desk.propose(30))
    [transfer] = desk.transfers()
    transfer_id = transfer.id
    assert (desk.coming()[bolt], desk.bound()[bolt]) == (30, 30)
    desk.lanes.release(transfer_id)
    assert (desk.coming()[bolt], desk.bound()[bolt]) == (30, 30)
    desk.lanes.pick(transfer_id)
    assert (desk.coming()[bolt], desk.bound()[bolt]) == (30, 30)
    desk.lanes.ship(transfer_id)
    assert (desk.coming()[bolt], desk.bound()[bolt]) == (30, 0)
    assert desk.lanes.position(bolt, desk.lanes.north).on_hand == 70
    desk.lanes.receive(transfer_id)
    assert (desk.coming()[bolt], desk.lanes.position(bolt, desk.lanes.south).inbound) == (0, 30)


def test_an_answer_is_taken_back_while_the_transfer_is_a_draft(desk: Desk) -> None:
    bolts, nuts = desk.propose(30, 20)
    desk.accept([bolts, nuts])
    assert desk.undo(bolts).done == (bolts,)
    [transfer] = desk.transfers()
    assert transfer.state is TransferState.DRAFT
    assert desk.coming() == {desk.items[0]: 0, desk.items[1]: 20}
    assert desk.undo(nuts).done == (nuts,)
    [transfer] = desk.transfers()
    assert (transfer.state, transfer.reason) == (TransferState.CANCELLED, "every proposal on it was taken back")
    desk.accept([bolts])
    assert len(desk.transfers()) == 2, "a new one, the old one is given up"


def test_what_is_promised_to_a_transfer_is_not_taken_back(desk: Desk) -> None:
    [bolts] = desk.propose(30)
    desk.accept([bolts])
    [transfer] = desk.transfers()
    desk.lanes.release(transfer.id)
    outcome = desk.undo(bolts)
    assert outcome.done == ()
    assert isinstance(outcome.refused[0].error, TransferReleased)
    assert "which is released: it cannot be taken back" in str(outcome.refused[0].error)
    assert desk.world.begin().get_one(Proposal, bolts).state is ProposalState.ACCEPTED
    shown = proposal_book.by_ids(desk.world.begin(), [bolts], site_id=desk.lanes.south)
    assert shown[bolts].left_the_house

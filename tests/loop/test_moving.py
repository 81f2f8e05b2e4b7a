"""The cycle over two sites: what one is short of and the other can spare is moved, the rest is bought."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from procurement import moving
from procurement.proposals import Proposal, ProposalKind, ProposalState
from scm.loop.cycle_runs import CycleRun
from scm.master import sites, transfer_lanes
from scm.master.items import Item
from scm.master.sites import SiteRequest
from scm.master.transfer_lanes import LaneTerms
from scm.stock import projection
from tests.loop.company import GO_LIVE, Company, evening
from warehouse import putaway, transfers
from warehouse.transfer_documents import Transfer, TransferState
from warehouse.transfers import LineRequest

MORNING_AFTER = 2  # days that the lanes take


class Pair:
    """The company with a second site, to which most of what it had free was brought."""

    def __init__(self, company: Company, *, share: int = 100, lanes: Sequence[tuple[str, str]] = ()) -> None:
        self.company = company
        self.main = company.setup.site_id
        admin = company.setup.users["admin"]
        with company.writing() as session:
            request = SiteRequest(code="NORTH", name="North", zone="Europe/London", bin_count=5)
            self.north = sites.add(session, request, company_id=company.setup.company_id, actor=admin)
        for from_code, to_code in [("MAIN", "NORTH"), ("NORTH", "MAIN"), *lanes]:
            with company.writing() as session:
                transfer_lanes.add(
                    session,
                    from_code=from_code,
                    to_code=to_code,
                    terms=LaneTerms(transit_days=MORNING_AFTER, joint_cost=0, priority=1),
                    company_id=company.setup.company_id,
                    actor=admin,
                )
        if share:
            self._bring(share)

    def _bring(self, share: int) -> None:
        """Goods of the main site go north, as a lorry takes them."""
        company, hand = self.company, self.company.setup.users["warehouse"]
        free = {item: position.available * share // 100 for item, position in self.positions(self.main).items()}
        lines = [
            LineRequest(item_id=item, quantity=quantity) for item, quantity in sorted(free.items()) if quantity > 0
        ]
        now = evening(GO_LIVE)
        with company.writing() as session:
            transfer_id = transfers.draft(
                session, lines, from_site_id=self.main, to_site_id=self.north, actor=hand, today=GO_LIVE
            )
        with company.writing() as session:
            transfers.release(session, transfer_id, actor=hand)
        with company.writing() as session:
            transfers.pick(session, transfer_id, actor=hand, today=GO_LIVE)
        with company.writing() as session:
            transfers.ship(session, transfer_id, actor=hand, now=now, today=GO_LIVE)
        with company.writing() as session:
            transfers.receive(session, transfer_id, actor=hand, now=now, today=GO_LIVE)
        with company.writing() as session:
            putaway.put_away_all(session, site_id=self.north, actor=hand, now=now, today=GO_LIVE)

    def positions(self, site_id: int) -> dict[int, projection.Position]:
        """This function will read what a site has."""
        with self.company.reading() as session:
            return projection.positions(session, site_id=site_id)

    def proposals(self, kind: ProposalKind) -> list[Proposal]:
        """This function will read the open proposals of a kind."""
        with self.company.reading() as session:
            statement = sa.select(Proposal).where(Proposal.state == ProposalState.OPEN, Proposal.kind == kind)
            return list(session.scalars(statement.order_by(Proposal.id)))


@pytest.fixture
def pair(company: Company) -> Pair:
    return Pair(company)


def bought(company: Company) -> dict[int, int]:
    with company.reading() as session:
        rows = session.execute(
            sa.select(Proposal.item_id, Proposal.quantity).where(
                Proposal.state == ProposalState.OPEN, Proposal.kind == ProposalKind.BUY
            )
        )
        return {row.item_id: row.quantity for row in rows}


def test_what_another_site_can_spare_is_moved_before_anything_is_bought(
    another_company: Callable[[], Company],
) -> None:
    alone, pair = another_company(), Pair(another_company())
    alone.cycle()
    pair.company.cycle()
    moved = {one.item_id: one for one in pair.proposals(ProposalKind.MOVE)}
    assert len(moved) > 5
    had = pair.positions(pair.north)
    for one in moved.values():
        assert (one.site_id, one.from_site_id) == (pair.main, pair.north)
        assert sum(term["quantity"] for term in one.account) == one.quantity
        assert one.quantity <= had[one.item_id].available
        assert (one.due_date - one.order_date).days == MORNING_AFTER
        terms = {term["name"]: term["quantity"] for term in one.account}
        need = sum(quantity for name, quantity in terms.items() if name not in ("moved_by_others", "not_spared"))
        assert need == one.inputs["need"] > 0
        assert (one.inputs["binding"] == "spare") == ("not_spared" in terms)
    # All stock is where it was or can be moved back, so that about what one site buys is bought in all.
    together, before = bought(pair.company), bought(alone)
    for item_id in moved:
        rest = -sum(t["quantity"] for t in moved[item_id].account if t["name"] == "not_spared")
        if rest == 0:
            assert item_id not in together or item_id in before, "what is moved is not bought, too"
    assert sum(together.values()) <= sum(before.values()) * 1.05


def test_an_accepted_move_is_not_proposed_again(pair: Pair) -> None:
    pair.company.cycle()
    first = pair.proposals(ProposalKind.MOVE)
    planner = pair.company.setup.users["planner"]
    with pair.company.writing() as session:
        ids = [one.id for one in first]
        moving.accept(session, ids, actor=planner, now=evening(GO_LIVE), today=first[0].order_date)
    with pair.company.reading() as session:
        [transfer] = session.scalars(sa.select(Transfer).where(Transfer.to_site_id == pair.main)).all()
        assert transfer.state is TransferState.DRAFT
    pair.company.cycle()
    again = {one.item_id: one.quantity for one in pair.proposals(ProposalKind.MOVE)}
    assert not again.keys() & {one.item_id for one in first if one.inputs["binding"] == "need"}


def test_without_a_lane_everything_is_bought(company: Company) -> None:
    pair = Pair(company)
    with company.writing() as session:
        session.execute(sa.update(transfer_lanes.TransferLane).values(retired=True))
    company.cycle()
    assert pair.proposals(ProposalKind.MOVE) == []
    assert len(pair.proposals(ProposalKind.BUY)) > 5


def test_every_site_has_a_record_and_proposals_of_its_own(pair: Pair) -> None:
    result = pair.company.cycle()
    with pair.company.reading() as session:
        runs = session.scalars(sa.select(CycleRun).order_by(CycleRun.id)).all()
    assert [run.site_id for run in runs] == [pair.main, pair.north]
    assert result.run_id == runs[0].id
    assert result.proposals == sum(run.proposals for run in runs)


def test_an_empty_second_site_changes_nothing(another_company: Callable[[], Company]) -> None:
    alone, beside = another_company(), another_company()
    Pair(beside, share=0)
    one, other = alone.cycle(), beside.cycle()
    assert (one.inputs_hash, one.proposals, one.value) == (other.inputs_hash, other.proposals, other.value)
    first, second = alone.proposals(), beside.proposals()
    assert {sku: (p.quantity, p.account, p.inputs) for sku, p in first.items()} == {
        sku: (p.quantity, p.account, p.inputs) for sku, p in second.items()
    }


def test_what_a_draft_will_take_is_no_longer_there_for_the_sender(company: Company) -> None:
    pair = Pair(company, share=0)
    planner = company.setup.users["planner"]
    with company.reading() as session:
        item_id = session.scalars(sa.select(Item.id).order_by(Item.id)).first()
    assert item_id is not None
    quantity = pair.positions(pair.main)[item_id].available
    company.cycle()
    before = need_of(company, item_id)
    with company.writing() as session:
        transfers.draft(
            session,
            [LineRequest(item_id=item_id, quantity=quantity)],
            from_site_id=pair.main,
            to_site_id=pair.north,
            actor=planner,
            today=GO_LIVE,
        )
    company.cycle()
    assert need_of(company, item_id) == before + quantity


def need_of(company: Company, item_id: int) -> int:
    """What the newest run of the main site found missing of an item."""
    with company.reading() as session:
        found = session.execute(
            sa.text(
                "SELECT need FROM item_target t JOIN cycle_run r ON r.id = t.run_id "
                "WHERE t.item_id = :item AND r.site_id = :site ORDER BY r.id DESC"
            ),
            {"item": item_id, "site": company.setup.site_id},
        )
        return int(found.scalars().first() or 0)

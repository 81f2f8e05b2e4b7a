"""Builders for tests of several sites: a second one in the world, a lane to it, and what is sent along."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from scm.master import locations, sites, transfer_lanes
from scm.master.locations import LocationKind
from scm.master.sites import SiteRequest
from scm.master.transfer_lanes import LaneTerms
from scm.stock import projection
from scm.stock.balances import StockBalance
from scm.stock.moves import Move, MoveState
from scm.stock.projection import Position
from tests.world import World
from warehouse import putaway, transfer_documents, transfers
from warehouse.transfer_documents import KIND, TransferState
from warehouse.transfers import LineRequest, Picked, Sent


class Lanes:
    """A world with a second site called NORTH, two days away by a lane in each direction."""

    def __init__(self, world: World, *, transit_days: int = 2) -> None:
        self.world = world
        self.south = world.setup.site_id
        self.north = self.site("NORTH")
        self.transit = locations.of_kind(world.begin(), kind=LocationKind.TRANSIT, site_id=None)
        self.lane("MAIN", "NORTH", transit_days=transit_days)
        self.lane("NORTH", "MAIN", transit_days=transit_days)

    def site(self, code: str) -> int:
        """This function will open one more site."""
        request = SiteRequest(code=code, name=code.title(), zone="Europe/London", bin_count=3)
        admin = self.world.user("admin")
        return sites.add(self.world.begin(), request, company_id=self.world.setup.company_id, actor=admin)

    def lane(self, from_code: str, to_code: str, *, transit_days: int, joint_cost: int = 500) -> int:
        """This function will open a lane."""
        return transfer_lanes.add(
            self.world.begin(),
            from_code=from_code,
            to_code=to_code,
            terms=LaneTerms(transit_days=transit_days, joint_cost=joint_cost, priority=1),
            company_id=self.world.setup.company_id,
            actor=self.world.user("admin"),
        )

    def draft(self, *lines: tuple[int, int], back: bool = False) -> int:
        """This function will write a transfer of (item, quantity) lines to the north, or back."""
        ends = (self.north, self.south) if back else (self.south, self.north)
        return transfers.draft(
            self.world.begin(),
            [LineRequest(item_id=item, quantity=quantity) for item, quantity in lines],
            from_site_id=ends[0],
            to_site_id=ends[1],
            actor=self.world.user("planner"),
            today=self.world.today,
        )

    def release(self, transfer_id: int) -> None:
        """This function will promise the sender's stock to a transfer."""
        transfers.release(self.world.begin(), transfer_id, actor=self.world.user("warehouse"))

    def pick(self, transfer_id: int) -> list[int]:
        """This function will give a transfer its bins."""
        world = self.world
        return transfers.pick(world.begin(), transfer_id, actor=world.user("warehouse"), today=world.today)

    def ship(self, transfer_id: int, *results: Picked, reason: str = "") -> Sent:
        """This function will send what was picked; everything, unless results are given."""
        return transfers.ship(
            self.world.begin(),
            transfer_id,
            results=results or None,
            reason=reason,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def sent(self, *lines: tuple[int, int], back: bool = False) -> int:
        """This function will write a transfer and send all of it."""
        transfer_id = self.draft(*lines, back=back)
        self.release(transfer_id)
        self.pick(transfer_id)
        self.ship(transfer_id)
        return transfer_id

    def receive(self, transfer_id: int, *results: Picked) -> list[Move]:
        """This function will receive what has come; everything, unless results are given."""
        return transfers.receive(
            self.world.begin(),
            transfer_id,
            results=results or None,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def put_away(self, site_id: int) -> None:
        """This function will put away all that stands at a site's dock."""
        world = self.world
        putaway.put_away_all(
            world.begin(), site_id=site_id, actor=world.user("warehouse"), now=world.now, today=world.today
        )

    def state(self, transfer_id: int) -> TransferState:
        """This function will read where a transfer stands."""
        return self.world.begin().get_one(transfer_documents.Transfer, transfer_id).state

    def on_the_way(self, transfer_id: int) -> list[Move]:
        """This function will read the moves of a transfer that are on the way."""
        moves = self.world.moves_of(KIND, [transfer_id])
        return [m for m in moves if m.state is MoveState.PLANNED and m.source_id == self.transit]

    def position(self, item: int, site_id: int) -> Position:
        """This function will read an item's position at a site."""
        return projection.positions(self.world.begin(), site_id=site_id, item_ids=[item]).get(item, Position())

    def everywhere(self, items: Sequence[int]) -> dict[int, int]:
        """This function will count all units that are anywhere in the company's places."""
        rows = self.world.begin().execute(
            sa.select(StockBalance.item_id, sa.func.sum(StockBalance.on_hand))
            .where(StockBalance.item_id.in_(list(items)))
            .group_by(StockBalance.item_id)
        )
        return dict.fromkeys(items, 0) | {item: int(quantity) for item, quantity in rows}

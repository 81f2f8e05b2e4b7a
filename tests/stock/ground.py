"""The smallest company a stock test needs, made of rows, and short words for the stock verbs on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import users
from scm.core.users import Actor, Role
from scm.master.companies import Company
from scm.master.items import BaseUnit, Item
from scm.master.locations import PHYSICAL, Location, LocationKind, Site
from scm.master.partners import Partner
from scm.stock import ledger
from scm.stock.balances import StockBalance, StockPool
from scm.stock.ledger import MoveRequest
from scm.stock.lots import NO_LOT
from scm.stock.moves import Move

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The ids of one company with one site: a storage area with bins, and every other kind of location once."""

    company_id: int
    site_id: int
    area_id: int
    bin_ids: tuple[int, ...]
    item_ids: tuple[int, ...]
    places: dict[LocationKind, int]
    clerk: Actor

    @property
    def bolt(self) -> int:
        return self.item_ids[0]

    @property
    def how(self) -> dict[str, Any]:
        """Who posts, and when."""
        return {"actor": self.clerk, "now": NOW, "today": TODAY}

    def at(self, kind: LocationKind) -> int:
        """This function will give the one location of a kind that is not storage."""
        return self.places[kind]

    def inbound(self, quantity: int, *, item: int | None = None, over: int = 0, line: int = 1) -> MoveRequest:
        """This function will ask for goods from the supplier: to the dock, then to the storage area."""
        return MoveRequest(
            item_id=item or self.bolt,
            source_id=self.at(LocationKind.SUPPLIER),
            destination_id=self.at(LocationKind.DOCK),
            onward=(self.area_id,),
            quantity=quantity,
            over_quantity=over,
            due_date=TODAY,
            document_kind="purchase_order",
            document_id=1,
            line_id=line,
        )

    def outbound(self, quantity: int, *, item: int | None = None, line: int = 1, order: int = 1) -> MoveRequest:
        """This function will ask for goods for a customer: staging, then on the road, then delivered."""
        return MoveRequest(
            item_id=item or self.bolt,
            source_id=self.area_id,
            destination_id=self.at(LocationKind.STAGING),
            onward=(self.at(LocationKind.DELIVERY), self.at(LocationKind.CUSTOMER)),
            quantity=quantity,
            due_date=TODAY,
            document_kind="sales_order",
            document_id=order,
            line_id=line,
        )

    def found(
        self, quantity: int, *, item: int | None = None, bin_id: int | None = None, lot: int = NO_LOT
    ) -> MoveRequest:
        """This function will ask for goods that turn up in a bin: opening stock, or a count that found more."""
        return MoveRequest(
            item_id=item or self.bolt,
            source_id=self.at(LocationKind.ADJUSTMENT),
            destination_id=bin_id or self.bin_ids[0],
            lot_id=lot,
            quantity=quantity,
            due_date=TODAY,
            document_kind="cycle_count",
            document_id=1,
            line_id=1,
        )

    def lost(
        self, quantity: int, *, item: int | None = None, bin_id: int | None = None, lot: int = NO_LOT
    ) -> MoveRequest:
        """This function will ask for goods that a count found missing from a bin."""
        return MoveRequest(
            item_id=item or self.bolt,
            source_id=bin_id or self.bin_ids[0],
            destination_id=self.at(LocationKind.ADJUSTMENT),
            lot_id=lot,
            quantity=quantity,
            due_date=TODAY,
            document_kind="cycle_count",
            document_id=1,
            line_id=1,
        )

    def plan(self, session: Session, *requests: MoveRequest) -> list[Move]:
        """This function will plan moves of this company."""
        return ledger.plan(session, requests, company_id=self.company_id)

    def move_now(self, session: Session, *requests: MoveRequest) -> ledger.PostResult:
        """This function will plan and post moves at once."""
        return ledger.move_now(session, requests, company_id=self.company_id, actor=self.clerk, now=NOW, today=TODAY)


def prepare(session: Session, *, bins: int = 3, items: int = 2) -> Ground:
    """This function will write the company's rows."""
    company = Company(code="acme", name="Acme", currency="EUR", zone="Europe/Berlin")
    unit = BaseUnit(code="pc", name="piece")
    session.add_all([company, unit])
    session.flush()
    site = Site(company_id=company.id, code="main", name="Main", zone="Europe/Berlin")
    maker = Partner(company_id=company.id, code="maker", name="Maker", is_supplier=True)
    session.add_all([site, maker])
    session.flush()

    def location(code: str, kind: LocationKind, *, area: bool = False, sequence: int = 0) -> Location:
        physical = kind in PHYSICAL
        return Location(
            company_id=company.id,
            site_id=site.id if physical and kind is not LocationKind.PARTNER else None,
            code=code,
            kind=kind,
            partner_id=maker.id if kind is LocationKind.PARTNER else None,
            is_area=area,
            valued=physical,
            pick_sequence=sequence,
        )

    area = location("area", LocationKind.STORAGE, area=True)
    shelves = [location(f"bin-{n}", LocationKind.STORAGE, sequence=n) for n in range(bins)]
    others = {kind: location(kind.value, kind) for kind in LocationKind if kind is not LocationKind.STORAGE}
    goods = [Item(company_id=company.id, sku=f"item-{n}", name=f"Item {n}", base_unit_id=unit.id) for n in range(items)]
    session.add_all([area, *shelves, *others.values(), *goods])
    session.flush()
    clerk = users.add(session, username="clerk", display_name="Clerk", roles=frozenset(Role), now=NOW)
    return Ground(
        company_id=company.id,
        site_id=site.id,
        area_id=area.id,
        bin_ids=tuple(shelf.id for shelf in shelves),
        item_ids=tuple(item.id for item in goods),
        places={kind: place.id for kind, place in others.items()},
        clerk=clerk,
    )


def on_hand(session: Session, location_id: int, *, item: int) -> int:
    """This function will count an item in one place, over lots and owners."""
    total = sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0)
    found = session.scalar(
        sa.select(total).where(StockBalance.location_id == location_id, StockBalance.item_id == item)
    )
    return int(found or 0)


def pool(session: Session, ground: Ground, *, item: int | None = None) -> tuple[int, int]:
    """This function will give (on hand, reserved) of an item's pool."""
    row = session.execute(
        sa.select(StockPool.on_hand, StockPool.reserved).where(
            StockPool.item_id == (item or ground.bolt), StockPool.site_id == ground.site_id
        )
    ).one_or_none()
    return (0, 0) if row is None else (row.on_hand, row.reserved)

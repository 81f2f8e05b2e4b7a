"""The ways goods take through a work order: components out of storage, output to the dock. Plans moves, posts none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.master import locations
from scm.master.locations import Location, LocationKind
from scm.production.documents import KIND, WorkOrder, WorkOrderComponent
from scm.production.progress import OUTPUT
from scm.stock import ledger
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move


@dataclass(frozen=True, slots=True)
class SitePlaces:
    """Where the goods of a site's orders come from and go to."""

    storage_id: int  # the area
    floor_id: int
    dock_id: int


class NotABin(InvalidInput):
    """Goods from production go to the dock or to a bin of the site."""


def of_site(session: Session, site_id: int) -> SitePlaces:
    """This function will find the places of a site. Raises `LocationUnknown`."""
    return SitePlaces(
        storage_id=locations.of_kind(session, kind=LocationKind.STORAGE, site_id=site_id, area=True),
        floor_id=locations.of_kind(session, kind=LocationKind.PRODUCTION, site_id=site_id),
        dock_id=locations.of_kind(session, kind=LocationKind.DOCK, site_id=site_id),
    )


def plan_output(session: Session, wanted: Sequence[tuple[WorkOrder, int]]) -> list[Move]:
    """This function will plan that orders bring so much more to the dock, and from there to storage."""
    sites = {site_id: of_site(session, site_id) for site_id in {order.site_id for order, _ in wanted}}
    requests = [
        MoveRequest(
            item_id=order.item_id,
            source_id=sites[order.site_id].floor_id,
            destination_id=sites[order.site_id].dock_id,
            onward=(sites[order.site_id].storage_id,),
            quantity=quantity,
            due_date=order.due_date,
            document_kind=KIND,
            document_id=order.id,
            line_id=OUTPUT,
        )
        for order, quantity in wanted
    ]
    return _plan(session, requests, [order for order, _ in wanted])


def plan_components(session: Session, wanted: Sequence[tuple[WorkOrder, WorkOrderComponent, int]]) -> list[Move]:
    """This function will plan that orders take so much of components.

    An order that a partner makes sends it to the partner first; there it goes into production.
    """
    sites = {site_id: of_site(session, site_id) for site_id in {order.site_id for order, _, _ in wanted}}
    partners = {
        partner_id: locations.of_partner(session, partner_id=partner_id, company_id=company_id)
        for partner_id, company_id in sorted(
            {(order.partner_id, order.company_id) for order, _, _ in wanted if order.partner_id is not None}
        )
    }
    requests = []
    for order, component, quantity in wanted:
        site = sites[order.site_id]
        away = order.partner_id is not None
        requests.append(
            MoveRequest(
                item_id=component.item_id,
                source_id=site.storage_id,
                destination_id=partners[order.partner_id] if order.partner_id is not None else site.floor_id,
                onward=(site.floor_id,) if away else (),
                quantity=quantity,
                due_date=order.start_date,
                document_kind=KIND,
                document_id=order.id,
                line_id=component.id,
            )
        )
    return _plan(session, requests, [order for order, _, _ in wanted])


def refuse_unless_bins(session: Session, bin_ids: Iterable[int | None], *, site_id: int) -> None:
    """This function will refuse places that are no bins of a site; None stands for the dock. Raises `NotABin`."""
    wanted = {bin_id for bin_id in bin_ids if bin_id is not None}
    for place in locations.places(session, wanted).values():
        if place.kind is not LocationKind.STORAGE or place.is_area or place.site_id != site_id:
            raise NotABin(f"{place.code} is no bin of the site: choose a bin, or the dock")


def find_bin(session: Session, code: str, *, site_id: int) -> int | None:
    """This function will find a bin of a site by what stands on its label; no code means the dock. Raises `NotABin`."""
    wanted = code.strip()
    if not wanted:
        return None
    found = session.scalar(
        sa.select(Location.id).where(
            Location.site_id == site_id,
            Location.code.in_({wanted, wanted.upper()}),
            Location.kind == LocationKind.STORAGE,
            ~Location.is_area,
            ~Location.retired,
        )
    )
    if found is None:
        raise NotABin(f"{wanted} is no bin of the site: choose a bin, or the dock")
    return found


def _plan(session: Session, requests: Sequence[MoveRequest], orders: Sequence[WorkOrder]) -> list[Move]:
    companies = {order.company_id for order in orders}
    if not companies:
        return []
    [company_id] = companies  # a database holds one
    return ledger.plan(session, requests, company_id=company_id)

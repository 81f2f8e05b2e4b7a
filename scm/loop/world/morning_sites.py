"""The second site in the morning: one lorry was partly unloaded there, one is being picked, and one is a draft.

It was opened that day, with a lane in each direction; what goes there is what the first site has most of.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.world.stage import Stage
from scm.master import sites, transfer_lanes
from scm.master.locations import Site
from scm.master.sites import SiteRequest
from scm.master.transfer_lanes import LaneTerms
from scm.stock import projection
from warehouse import transfer_documents, transfers
from warehouse.transfers import LineRequest, Picked

CODE, NAME, BINS = "NORTH", "Northern store", 20
LANE = LaneTerms(transit_days=1, joint_cost=4_500, priority=1)
LORRIES, LINES, SHARE = 3, 3, 6  # a lorry takes a sixth of what is free of each of three items
PICKED, SENT = 2, 1  # of the lorries, how many are picked, and how many have left


def send(stage: Stage, *, today: date) -> None:
    """This function will open the second site and leave its first transfers in the middle."""
    stage.act_once(f"{today} second site", lambda session: _open(session, stage))
    loads: list[list[list[int]]] = stage.look_once(f"{today} loads", lambda session: _loads(session, stage))
    hand = stage.person("warehouse")
    for turn, load in enumerate(loads):
        draft = functools.partial(_draft, stage=stage, load=load, today=today)
        transfer_id = int(stage.look_once(f"{today} transfer {turn}", draft))
        if turn < PICKED:
            release = functools.partial(transfers.release, transfer_id=transfer_id, actor=hand)
            stage.act_once(f"{today} release transfer {turn}", release)
            pick = functools.partial(transfers.pick, transfer_id=transfer_id, actor=hand, today=today)
            stage.act_once(f"{today} pick transfer {turn}", pick)
        if turn < SENT:
            _drive(stage, f"{today} drive {turn}", transfer_id, today=today)


def _open(session: Session, stage: Stage) -> None:
    admin, company_id = stage.person("admin"), stage.setup.company_id
    request = SiteRequest(code=CODE, name=NAME, zone=stage.setup.zone, bin_count=BINS, working_weekdays=range(6))
    sites.add(session, request, company_id=company_id, actor=admin)
    first = session.get_one(Site, stage.setup.site_id).code
    for from_code, to_code in ((first, CODE), (CODE, first)):
        transfer_lanes.add(
            session, from_code=from_code, to_code=to_code, terms=LANE, company_id=company_id, actor=admin
        )


def _loads(session: Session, stage: Stage) -> list[list[list[int]]]:
    """Item and quantity of each lorry's lines: what is free most of."""
    positions = projection.positions(session, site_id=stage.setup.site_id)
    free = sorted(((position.available, item_id) for item_id, position in positions.items()), reverse=True)
    lines = [[item_id, available // SHARE] for available, item_id in free if available >= SHARE]
    chosen = lines[: LORRIES * LINES]
    return [chosen[start : start + LINES] for start in range(0, len(chosen), LINES)]


def _draft(session: Session, *, stage: Stage, load: Sequence[Sequence[int]], today: date) -> int:
    north = session.scalars(sa.select(Site.id).where(Site.code == CODE)).one()
    return transfers.draft(
        session,
        [LineRequest(item_id=item_id, quantity=quantity) for item_id, quantity in load],
        from_site_id=stage.setup.site_id,
        to_site_id=north,
        actor=stage.person("planner"),
        today=today,
    )


def _drive(stage: Stage, name: str, transfer_id: int, *, today: date) -> None:
    """The lorry leaves early, and half of its first line is unloaded before the morning is over."""
    hand = stage.person("warehouse")
    stage.act_once(
        f"{name} leaves",
        lambda session: transfers.ship(session, transfer_id, actor=hand, now=stage.at(today, 7), today=today),
    )
    stage.act_once(f"{name} arrives", lambda session: _unload(session, stage, transfer_id, today=today))


def _unload(session: Session, stage: Stage, transfer_id: int, *, today: date) -> None:
    move = transfer_documents.planned_moves(session, transfer_id)[0]
    transfers.receive(
        session,
        transfer_id,
        results=[Picked(move_id=move.id, quantity=max(1, move.quantity // 2))],
        actor=stage.person("warehouse"),
        now=stage.at(today, 10),
        today=today,
    )

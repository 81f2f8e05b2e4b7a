"""The second site in the morning: one lorry was partly unloaded there, one is being picked, and one is a draft.

It was opened that day, with a lane in each direction; what goes there is what the first site has most of.
"""

from __future__ import annotations

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
from warehouse.transfer_documents import Transfer
from warehouse.transfers import LineRequest, Picked

CODE, NAME, BINS = "NORTH", "Northern store", 20
LANE = LaneTerms(transit_days=1, joint_cost=4_500, priority=1)
LORRIES, LINES, SHARE = 3, 3, 6  # a lorry takes a sixth of what is free of each of three items
PICKED, SENT = 2, 1  # of the lorries, how many are picked, and how many have left


def send(stage: Stage, *, today: date) -> None:
    """This function will open the second site and leave its first transfers in the middle."""
    _open(stage, today=today)
    loads: list[list[list[int]]] = stage.look_once(f"{today} loads", lambda session: _loads(session, stage))
    for turn, load in enumerate(loads):
        transfer_id = _draft(stage, f"{today} transfer {turn}", turn, load, today=today)
        if turn < PICKED:
            _pick(stage, f"{today} pick transfer {turn}", transfer_id, today=today)
        if turn < SENT:
            _drive(stage, f"{today} drive {turn}", transfer_id, today=today)


def _open(stage: Stage, *, today: date) -> None:
    admin, company_id = stage.person("admin"), stage.setup.company_id
    request = SiteRequest(code=CODE, name=NAME, zone=stage.setup.zone, bin_count=BINS, working_weekdays=range(6))
    stage.act_once(
        f"{today} second site", lambda session: sites.add(session, request, company_id=company_id, actor=admin)
    )
    first = stage.look(lambda session: session.get_one(Site, stage.setup.site_id).code)
    for from_code, to_code in ((first, CODE), (CODE, first)):
        _join(stage, f"{today} lane to {to_code}", from_code, to_code)


def _join(stage: Stage, name: str, from_code: str, to_code: str) -> None:
    admin, company_id = stage.person("admin"), stage.setup.company_id
    stage.act_once(
        name,
        lambda session: transfer_lanes.add(
            session, from_code=from_code, to_code=to_code, terms=LANE, company_id=company_id, actor=admin
        ),
    )


def _loads(session: Session, stage: Stage) -> list[list[list[int]]]:
    """Item and quantity of each lorry's lines: what is free most of."""
    positions = projection.positions(session, site_id=stage.setup.site_id)
    free = sorted(((position.available, item_id) for item_id, position in positions.items()), reverse=True)
    lines = [[item_id, available // SHARE] for available, item_id in free if available >= SHARE]
    chosen = lines[: LORRIES * LINES]
    return [chosen[start : start + LINES] for start in range(0, len(chosen), LINES)]


def _draft(stage: Stage, name: str, turn: int, load: Sequence[Sequence[int]], *, today: date) -> int:
    """The id of a transfer that the planner writes once; before this morning there was none."""
    north = stage.look(lambda session: session.scalars(sa.select(Site.id).where(Site.code == CODE)).one())
    lines = [LineRequest(item_id=item_id, quantity=quantity) for item_id, quantity in load]
    planner, first = stage.person("planner"), stage.setup.site_id
    stage.act_once(
        name,
        lambda session: transfers.draft(
            session, lines, from_site_id=first, to_site_id=north, actor=planner, today=today
        ),
    )
    written = sa.select(Transfer.id).order_by(Transfer.id).offset(turn).limit(1)
    return stage.look(lambda session: session.scalars(written).one())


def _pick(stage: Stage, name: str, transfer_id: int, *, today: date) -> None:
    hand = stage.person("warehouse")
    stage.act_once(f"{name}: release", lambda session: transfers.release(session, transfer_id, actor=hand))
    stage.act_once(name, lambda session: transfers.pick(session, transfer_id, actor=hand, today=today))


def _drive(stage: Stage, name: str, transfer_id: int, *, today: date) -> None:
    """The lorry leaves early, and half of its first line is unloaded before the morning is over."""
    hand = stage.person("warehouse")
    stage.act_once(
        f"{name} leaves",
        lambda session: transfers.ship(session, transfer_id, actor=hand, now=stage.at(today, 7), today=today),
    )
    move = stage.look(lambda session: transfer_documents.planned_moves(session, transfer_id)[0])
    unloaded = [Picked(move_id=move.id, quantity=max(1, move.quantity // 2))]
    stage.act_once(
        f"{name} arrives",
        lambda session: transfers.receive(
            session, transfer_id, results=unloaded, actor=hand, now=stage.at(today, 10), today=today
        ),
    )

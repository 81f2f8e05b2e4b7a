"""A workshop beside the demo company's trade: work centres, and products in every state, made of parts nobody sells."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time
from decimal import Decimal

from sqlalchemy.orm import Session

from scm.core import users
from scm.master import bom_approving, bom_content, bom_writing, items, setup, work_centers
from scm.master.bom import BomKind
from scm.master.bom_content import BomContent, LineContent, OperationContent, SubstituteContent
from scm.master.items import ItemRequest
from scm.master.work_centers import CenterRow, ShiftRow

PARTS = ("BENCH-OAK", "BENCH-SET", "BENCH-LEG", "BENCH-TOP", "BENCH-FIT", "BENCH-BOLT", "PLANK-OAK", "PLANK-ASH")


def furnish(session: Session, *, today: date) -> None:
    """This function will add the workshop through the verbs of those who plan, by the clock of a working day."""
    found = setup.load(session)
    now = datetime.combine(today, time(9), UTC)
    planner, admin = (users.actor(session, username=name) for name in ("planner", "admin"))
    requests = [
        ItemRequest(sku=sku, name=sku.title(), base_unit_id=found.base_unit_id, opening_unit_cost=Decimal("2.5"))
        for sku in PARTS
    ]
    ids = dict(zip(PARTS, items.create(session, requests, company_id=found.company_id, actor=planner), strict=True))
    saw = work_centers.add(
        session,
        CenterRow(name="Saw", machines=2),
        code="SAW",
        site_id=found.site_id,
        company_id=found.company_id,
        actor=planner,
    )
    week = [ShiftRow(weekday=day, starts_at=time(6), ends_at=time(14)) for day in range(5)]
    night = ShiftRow(weekday=4, starts_at=time(22), ends_at=time(6))
    work_centers.set_shifts(
        session, work_center_id=saw, site_id=found.site_id, believed=(), wanted=[*week, night], actor=planner
    )

    def line(number: int, sku: str, quantity: int, *others: str, scrap: str = "0") -> LineContent:
        substitutes = tuple(
            SubstituteContent(item_id=ids[other], priority=priority, quantity=quantity)
            for priority, other in enumerate(others, start=1)
        )
        return LineContent(
            line_number=number,
            item_id=ids[sku],
            quantity=quantity,
            scrap_rate=Decimal(scrap),
            substitutes=substitutes,
        )

    def write(sku: str, kind: BomKind, *lines: LineContent, steps: tuple[OperationContent, ...] = ()) -> int:
        return bom_writing.create(
            session,
            BomContent(kind=kind, valid_from=today, lines=lines, operations=steps),
            site_id=found.site_id,
            item_id=ids[sku],
            company_id=found.company_id,
            actor=planner,
        )

    def submit(bom_id: int) -> None:
        bom_approving.submit(session, bom_id=bom_id, company_id=found.company_id, actor=planner, now=now)

    cut = OperationContent(
        sequence=10, name="Cut", work_center_id=saw, setup_seconds=600, run_seconds=90, run_quantity=4
    )
    legs = write("BENCH-LEG", BomKind.MAKE, line(10, "PLANK-OAK", 2, "PLANK-ASH", scrap="0.05"), steps=(cut,))
    fittings = write("BENCH-FIT", BomKind.PHANTOM, line(10, "BENCH-BOLT", 8))
    bench = write(
        "BENCH-OAK",
        BomKind.MAKE,
        line(10, "BENCH-LEG", 4),
        line(20, "BENCH-TOP", 1),
        line(30, "BENCH-FIT", 1),
        steps=(cut,),
    )
    for bom_id in (legs, fittings, bench):
        submit(bom_id)
        bom_approving.approve(session, bom_id=bom_id, company_id=found.company_id, actor=admin, now=now)
    submit(write("BENCH-SET", BomKind.KIT, line(10, "BENCH-OAK", 2)))
    draft = write("BENCH-TOP", BomKind.MAKE, line(10, "PLANK-OAK", 6), steps=(cut,))
    present = bom_content.read(session, [draft])[draft]
    bom_approving.edit(
        session,
        bom_id=draft,
        believes=bom_approving.believed(present),
        content=dataclasses.replace(present, yield_rate=Decimal("0.95"), cover_limit_days=60),
        company_id=found.company_id,
        actor=planner,
        now=now,
    )

"""One last, unfinished morning: the day begins like any other, and then everybody leaves their desk.

Whoever opens the pages of a demo finds work on every desk: proposals half answered, orders waiting for approval, a
lorry at the door, a wave half picked, parcels to look into. All of it comes about by the verbs that people use. Each
step is taken once, by a name of its own, so that an interrupted morning goes on where it stopped.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.core.progress import SILENT, Progress
from scm.finance import valuation
from scm.loop.exceptions import refresh
from scm.loop.world import morning_bench, morning_desk, morning_dock, morning_floor, morning_office, morning_sites
from scm.loop.world.stage import Stage
from scm.loop.world.temper import Temper
from scm.master import companies, setup
from scm.sales.documents import SalesOrder

STEPS = 6


def begin(database: Database, *, seed: int, progress: Progress = SILENT) -> bool:
    """This function will begin the working day of the business date, and tell whether there was anything to do.

    A morning that has begun to its end before is left as it is, whatever people have done since. Raises `NotSimulated`.
    """
    with database.unit_of_work(write=False) as session:
        company = companies.only(session)
        companies.require_simulated(company)
        today, places = company.business_date, setup.load(session)
        if today is None or _has_begun(session, today):
            return False
    stage = Stage(database=database, setup=places, temper=Temper(seed=seed))
    progress.stage("Beginning one more day", total=STEPS)
    for step in (
        morning_dock.unload,
        morning_office.answer,
        morning_desk.take_in,
        morning_bench.assemble,
        morning_sites.send,
        morning_floor.start,
    ):
        step(stage, today=today)
        progress.advance()
    now = stage.at(today, 11)
    stage.act(lambda session: valuation.run(session, company_id=stage.setup.company_id, now=now))
    site_id, watcher = stage.setup.site_id, stage.person("system")
    stage.act(lambda session: refresh.refresh(session, site_id=site_id, actor=watcher, now=now, today=today))
    return True


def _has_begun(session: Session, today: date) -> bool:
    """The last step of a morning is an order that stays for ever; the names of the other steps are forgotten."""
    last = morning_floor.last_order(today)
    return session.scalar(sa.select(SalesOrder.id).where(SalesOrder.external_id == last)) is not None

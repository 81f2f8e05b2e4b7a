"""`scm simulate`: day after day the world acts, the books are valued, and the real cycle runs each night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from scm.core.db import Database
from scm.core.errors import Conflict, NotFound
from scm.core.progress import SILENT, Progress
from scm.finance import valuation
from scm.finance.reconcile import BooksReport
from scm.loop import cycle, kpis
from scm.loop.kpis import Kpis
from scm.loop.targets import PlanSettings
from scm.loop.world import carrier, crew, customers, officers, payers, returners, suppliers
from scm.loop.world.stage import Stage
from scm.loop.world.temper import Temper
from scm.master import companies, setup
from scm.master.partners import Partner
from scm.production import books

WEEK_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a simulation printed: the figures of each week, and the proof of the books at its end."""

    first_day: date
    last_day: date
    weeks: tuple[Kpis, ...]
    books: BooksReport


class SupplierUnknown(NotFound):
    """A delay was asked for a supplier that does not exist."""


class NotReady(Conflict):
    """The simulated company has no date to start from."""


def run(
    database: Database,
    *,
    days: int,
    seed: int,
    delay_factors: Mapping[str, float] | None = None,
    settings: PlanSettings = cycle.DEFAULTS,
    progress: Progress = SILENT,
) -> Outcome:
    """This function will simulate so many days from the business date on. Raises `NotSimulated`, `NotReady`."""
    with database.unit_of_work(write=False) as session:
        company = companies.only(session)
        companies.require_simulated(company)
        places = setup.load(session)
        if company.business_date is None:
            raise NotReady(f"{company.name} has no business date: create it with a go-live date")
        first, since = company.business_date, company.go_live_date or company.business_date
    stage = Stage(database=database, setup=places, temper=Temper(seed=seed, delay_factors=dict(delay_factors or {})))
    _refuse_unknown_suppliers(stage)
    progress.stage("Simulating", total=days)
    last = first + timedelta(days=days - 1)
    weeks: list[Kpis] = []
    monday = first
    for offset in range(days):
        today = first + timedelta(days=offset)
        _day(stage, today=today, since=since, settings=settings)
        if (today - monday).days == WEEK_DAYS - 1 or today == last:
            # Now, not at the end: what waits today may have been filled by then.
            weeks.append(_week(stage, monday, today))
            monday = today + timedelta(days=1)
        progress.advance()
    progress.stage("Proving the books")
    with database.unit_of_work(write=False) as session:
        proof = books.verify(session, now=stage.at(last, 23, 50))
    return Outcome(first_day=first, last_day=last, weeks=tuple(weeks), books=proof)


def _day(stage: Stage, *, today: date, since: date, settings: PlanSettings) -> None:
    stage.act(lambda session: companies.set_business_date(session, companies.only(session), today=today))
    officers.answer_proposals(stage, today=today)
    suppliers.deliver(stage, today=today)
    carrier.deliver(stage, today=today)
    customers.order(stage, today=today)
    crew.ship_what_is_due(stage, today=today)
    crew.count(stage, today=today)
    returners.send_back(stage, today=today, since=since)
    returners.handle(stage, today=today)
    customers.walk_away(stage, today=today)
    payers.pay(stage, today=today)
    night = stage.at(today, 22)
    stage.act(lambda session: valuation.run(session, company_id=stage.setup.company_id, now=night))
    cycle.run(stage.database, as_of=today, actor=stage.person("system"), now=stage.at(today, 23), settings=settings)
    # The next morning begins a new day: whoever asks for the date at night gets the day that ended.
    tomorrow = today + timedelta(days=1)
    stage.act(lambda session: companies.set_business_date(session, companies.only(session), today=tomorrow))


def _week(stage: Stage, start: date, end: date) -> Kpis:
    return stage.look(
        lambda session: kpis.of_period(
            session,
            site_id=stage.setup.site_id,
            company_id=stage.setup.company_id,
            from_date=start,
            until_date=end,
        )
    )


def _refuse_unknown_suppliers(stage: Stage) -> None:
    """A misspelt supplier would leave the world as it is, and nobody would notice."""
    wanted = sorted(stage.temper.delay_factors)
    if wanted:
        known = stage.look(lambda session: set(session.scalars(sa.select(Partner.code).where(Partner.is_supplier))))
        unknown = [code for code in wanted if code not in known]
        if unknown:
            raise SupplierUnknown(f"there is no supplier {unknown[0]}: the codes are {', '.join(sorted(known)[:10])} …")

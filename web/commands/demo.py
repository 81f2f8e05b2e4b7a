"""`scm demo`: a company, its history, the loop over its last days, a morning's work, and the pages, in one command.

Each step is skipped when it is done already, so an interrupted demo goes on where it stopped and a second one starts
at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.table import Table
from sqlalchemy.orm import Session

from scm.core import clock
from scm.core.config import DEFAULT_DATABASE_URL, Settings
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.loop import cycle_runs
from scm.loop.generated import catalogue, history, masters, past, sales_file, steering, stories
from scm.loop.generated.history import History
from scm.loop.importing import sales
from scm.loop.importing.tables import SalesImport
from scm.loop.world import morning, simulation
from scm.master import companies, setup
from scm.master.companies import Company, CompanyMissing
from scm.sales import channels
from web import migrations
from web.commands import Context, answers, demo_copy, demo_people, importing, serve, simulate
from web.progress import Bar

SEED = 1
DAYS = 14
BINS = 600
GENERATED_UNTIL = date(2026, 9, 24)
GENERATED_NAME = "禾汀家居 Heting Home (generated)"
# The retailer packs on Sundays and rests on Saturdays, as its invoices show; the brand rests on Sundays.
RETAILER_WEEKDAYS, BRAND_WEEKDAYS = (0, 1, 2, 3, 4, 6), (0, 1, 2, 3, 4, 5)
SMALL_VOLUME, SMALL_PAST_DAYS = 3.0, 35  # a hundred items instead of four hundred, and a shorter past


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Which company the demo is about."""

    code: str
    name: str
    currency: str
    zone: str
    working_weekdays: tuple[int, ...]
    file: Path
    format: str
    generated: bool
    small: bool = False

    def stamp(self) -> str:
        """What this demo comes out as."""
        return demo_copy.stamp(code=self.code, seed=SEED, data=None if self.generated else self.file)

    def history(self) -> History:
        """The made-up past; the same every time it is asked for."""
        if self.small:
            return history.make(
                last_day=GENERATED_UNTIL,
                seed=SEED,
                range_=catalogue.FEW,
                future_days=DAYS,
                volume=SMALL_VOLUME,
                with_stories=False,
            )
        return history.make(last_day=GENERATED_UNTIL, seed=SEED, future_days=DAYS)


class AnotherCompany(Conflict):
    """The database holds a company that is not this demo's."""


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will set the company up, run the loop on it and serve its proposals."""
    with tempfile.TemporaryDirectory() as folder, _own_database(context, options) as own:
        plan = _plan(options.data, Path(folder), small=options.small)
        if options.reset:
            _reset(own, plan)
        migrations.upgrade(own.settings.database_url)
        code = _prepare(own, plan)
        own.database.refresh_statistics()
        _print_logins(own)
        if _is_unset(context.settings):
            print(f"Other commands find this company with SCM_DATABASE_URL={own.settings.database_url}")
        if code == 0 and not options.no_serve:
            return serve.run(own, options)
        return code


def _own_database(context: Context, options: argparse.Namespace) -> Context:
    """Without SCM_DATABASE_URL each demo has a file of its own, so that it never touches anybody's books."""
    settings = context.settings
    if _is_unset(settings):
        name = "demo-real" if options.data else "demo-small" if options.small else "demo"
        settings = dataclasses.replace(settings, database_url=f"sqlite:///{name}.db")
    return Context(settings=settings, console=context.console)


def _is_unset(settings: Settings) -> bool:
    return settings.database_url == DEFAULT_DATABASE_URL and "SCM_DATABASE_URL" not in os.environ


def _plan(data: Path | None, folder: Path, *, small: bool) -> _Plan:
    if data is not None:
        return _Plan(
            code="retail",
            name="Online retailer (real invoices)",
            currency="GBP",
            zone="Europe/London",
            working_weekdays=RETAILER_WEEKDAYS,
            file=data,
            format="online-retail",
            generated=False,
        )
    return _Plan(
        code="demo-small" if small else "demo",
        name=GENERATED_NAME,
        currency="CNY",
        zone="Asia/Shanghai",
        working_weekdays=BRAND_WEEKDAYS,
        file=folder / "generated.csv",
        format="standard",
        generated=True,
        small=small,
    )


def _reset(context: Context, plan: _Plan) -> None:
    """Only a demo of this very company is put back to its first morning."""
    database = context.any_database
    if migrations.is_current(database):
        with database.unit_of_work(write=False) as session:
            _refuse_another(database, _existing(session), plan)
    elif migrations.revision_of(database) is not None:
        raise AnotherCompany(f"{database.url.database} was made by another release: use another SCM_DATABASE_URL")
    with Bar(context.console) as bar:
        restored = demo_copy.reset(database, stamp=plan.stamp(), progress=bar)
    print("The demo is as it was when it was finished." if restored else "The demo is made anew.")


def _refuse_another(database: Database, company: Company | None, plan: _Plan) -> None:
    if company is not None and (company.code != plan.code or not company.simulated):
        raise AnotherCompany(f"{database.url.database} holds {company.name}: use another SCM_DATABASE_URL")


def _prepare(context: Context, plan: _Plan) -> int:
    _company(context, plan)
    if plan.generated:
        _make_up(context, plan)
    else:
        _import(context, plan)
    return _simulate(context, plan) or _begin_morning(context, plan)


def _company(context: Context, plan: _Plan) -> None:
    database = context.database
    with database.unit_of_work(write=False) as session:
        company = _existing(session)
    _refuse_another(database, company, plan)
    if company is not None:
        return
    now = clock.wall_now()
    with database.unit_of_work(write=True) as session:
        created = setup.create_company(
            session,
            code=plan.code,
            name=plan.name,
            currency=plan.currency,
            zone=plan.zone,
            simulated=True,
            generated=plan.generated,
            bin_count=BINS,
            working_weekdays=plan.working_weekdays,
            display_names=demo_people.NAMES,
            actor_now=now,
        )
        channels.open_own_shop(
            session, company_id=created.company_id, site_id=created.site_id, actor=created.users["system"]
        )
        demo_people.add_seconds(session, now=now)


def _existing(session: Session) -> Company | None:
    try:
        return companies.only(session)
    except CompanyMissing:
        return None


def _import(context: Context, plan: _Plan) -> None:
    database = context.database
    with database.unit_of_work(write=False) as session:
        imported = session.query(SalesImport.file_name).first()
        if imported is not None:
            if not plan.generated and imported.file_name != plan.file.name:
                raise AnotherCompany(
                    f"{database.url.database} was made from {imported.file_name}, not from {plan.file.name}: "
                    "remove that file, or name another database in SCM_DATABASE_URL"
                )
            return
        actor = setup.load(session).users["system"]
    with Bar(context.console) as bar:
        report = sales.run(
            database,
            plan.file,
            format=plan.format,
            dry_run=False,
            go_live_date=None,
            seed=SEED,
            actor=actor,
            now=clock.wall_now(),
            progress=bar,
            assume=not plan.generated,
            last_days=DAYS,
        )
    importing.print_report(report, answers())


def _make_up(context: Context, plan: _Plan) -> None:
    """Master data, sales, the past of goods and purchases, and what people decided: each only while it is missing."""
    database = context.database
    with database.unit_of_work(write=False) as session:
        if steering.is_decided(session):
            return
        places, known = setup.load(session), masters.is_written(session)
    with Bar(context.console) as bar:
        bar.stage("Making a company up")
        made_up = plan.history()
        sales_file.write(plan.file, made_up)
    if not known:
        system = places.users["system"]
        database.run(lambda session: masters.write(session, made_up, places=places, actor=system))
    _import(context, plan)
    with Bar(context.console) as bar:
        past.write(database, made_up, days=SMALL_PAST_DAYS if plan.small else past.DAYS, progress=bar)
    now = clock.wall_now()
    database.run(lambda session: steering.decide(session, made_up, places=places, people=places.users, now=now))


def _simulate(context: Context, plan: _Plan) -> int:
    database = context.database
    with database.unit_of_work(write=False) as session:
        company = companies.only(session)
        site_id = setup.load(session).site_id
        today, first, currency = company.business_date, company.go_live_date, company.currency
        done = cycle_runs.latest(session, site_id=site_id)
    assert today is not None and first is not None, "an import sets the dates of a simulated company"
    days = DAYS - (today - first).days
    if days <= 0:
        print(f"{company.name} has been simulated up to {today} before.")
        return 0
    if done is not None:
        print(f"{company.name} goes on from {today}.")
    with Bar(context.console) as bar:
        outcome = simulation.run(database, days=days, seed=SEED, delay_factors=_delays(plan), progress=bar)
    simulate.print_outcome(outcome, currency=currency, console=answers())
    return 1 if outcome.books.findings else 0


def _delays(plan: _Plan) -> Mapping[str, float]:
    """The supplier who has turned late stays so."""
    if not plan.generated or plan.small:
        return {}
    planted = stories.before(GENERATED_UNTIL + timedelta(days=1))
    return {planted.late_supplier: planted.drift_factor}


def _begin_morning(context: Context, plan: _Plan) -> int:
    """One more day, left in the middle, so that everybody who opens a page finds work; never once the days went on."""
    database = context.database
    with database.unit_of_work(write=False) as session:
        company = companies.only(session)
    assert company.go_live_date is not None, "an import sets the dates of a simulated company"
    if company.business_date == company.go_live_date + timedelta(days=DAYS):
        if plan.generated and not plan.small:
            _phase_out(database, company)
        with Bar(context.console) as bar:
            begun = morning.begin(database, seed=SEED, progress=bar)
            if begun:
                demo_copy.save(database, stamp=plan.stamp(), progress=bar)
        if begun:
            print(f"The working day of {company.business_date} has begun: there is work on every desk.")
    return 0


def _phase_out(database: Database, company: Company) -> None:
    """The planner's first decision of the morning."""
    assert company.business_date is not None, "an import sets the dates of a simulated company"
    planted = stories.before(company.business_date)

    def decide(session: Session) -> None:
        planner = setup.load(session).users["planner"]
        steering.phase_out(session, planted, company_id=company.id, actor=planner)

    database.run(decide)


def _print_logins(context: Context) -> None:
    """The passwords are no secret: that is said, and a real company never gets here."""
    database, now = context.database, clock.wall_now()
    with database.unit_of_work(write=True) as session:
        demo_people.give_passwords(session, now=now)
    with database.unit_of_work(write=False) as session:
        logins = demo_people.logins(session, now=now)
    table = Table(box=None)
    for head in ("role", "user name", "password", "name"):
        table.add_column(head)
    for role, username, name in logins:
        table.add_row(role, username, demo_people.password_of(username), name)
    print("This is a demo: whoever reaches its pages may sign in with these.")
    answers().print(table, highlight=False)

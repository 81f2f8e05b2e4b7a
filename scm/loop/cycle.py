"""The nightly cycle: read the facts, measure the last forecast, forecast, plan, publish proposals.

A short read, the computation with no transaction open, and one short publication that is refused when what the plan
was made from has changed meanwhile. A run that fails publishes nothing: the last good proposals stay.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting import engine, runs
from procurement import renewing
from procurement.proposals import ProposalRequest
from scm.core import audit, types
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.core.progress import SILENT, Progress
from scm.core.users import Actor, Role
from scm.loop import (
    accounts,
    indicators,
    item_targets,
    making_accounts,
    making_plan,
    measures,
    messages,
    moving_accounts,
    moving_plan,
    targets,
)
from scm.loop import inputs as reading
from scm.loop.accounts import Planned
from scm.loop.cycle_runs import KIND, CycleRun
from scm.loop.exceptions import refresh
from scm.loop.inputs import CycleInputs, Floats
from scm.loop.making_plan import MakingPlan
from scm.loop.moving_plan import Netted, SiteMoves
from scm.loop.targets import PlanSettings
from scm.master import companies, sites, transfer_lanes
from scm.master.locations import Site
from scm.master.transfer_lanes import Lane
from scm.planning import feasibility, replenishment
from scm.planning.checks import InvalidPlanningInput
from scm.planning.problem import Settings
from scm.planning.solver import NoSolution, SolverUnavailable

STAGES = 4
DEFAULTS = PlanSettings()


@dataclass(frozen=True, kw_only=True)
class CycleResult:
    """What a run did over all sites, as the command line prints it. `run_id` is that of the first site's record."""

    run_id: int
    as_of: date
    items: int
    proposals: int
    value: int
    currency: str
    solver: str
    status: str
    gap: float
    inputs_hash: str
    duration_seconds: float
    measures: dict[str, Any]
    messages: tuple[str, ...]


Conclude = Callable[[Session, CycleResult], None]


class NothingToPlan(Conflict):
    """No active item has a supplier's agreement."""


class InputsChanged(Conflict):
    """What the plan was made from changed while it was made."""


class PlanFailed(Conflict):
    """The plan could not be computed, and why."""


class PlanInfeasible(Conflict):
    """The independent check found the plan breaking a rule; it is not published."""


def run(
    database: Database,
    *,
    as_of: date,
    actor: Actor,
    now: datetime,
    settings: PlanSettings = DEFAULTS,
    progress: Progress = SILENT,
    conclude: Conclude | None = None,
) -> CycleResult:
    """This function will run the cycle for every site as of the end of a day and publish the proposals of all.

    What one site is short of and another can spare is proposed to be moved; the rest is bought.

    `conclude` is called in the transaction that publishes, so that whoever must run a slot once can note it there.
    Raises `NothingToPlan`, `SupplierWithoutTerms`, `PlanFailed`, `PlanInfeasible`, `InputsChanged`; the last good plan
    stays then.
    """
    actor.require(Role.PLANNER, Role.SYSTEM)
    started = time.perf_counter()
    progress.stage(f"Cycle {as_of}: reading", total=STAGES)
    with database.unit_of_work(write=False) as session:
        found, lanes = _read(session, as_of)
    if not found:
        raise NothingToPlan("no active item has a supplier's agreement: import agreements first")
    if len(found) > 1:
        progress.stage(f"Cycle {as_of}: {len(found)} sites", total=STAGES + 2 * (len(found) - 1))
    progress.advance()
    computed = _plan(found, lanes, settings, progress)

    def publish(session: Session) -> CycleResult:
        published = _joined(
            [_publish(session, done, requests, actor=actor, now=now, started=started) for done, requests in computed]
        )
        if conclude is not None:
            conclude(session, published)
        return published

    result = database.run(publish)
    for one in found:
        database.run(functools.partial(_look_around, found=one, actor=actor, now=now))
    progress.advance()
    return result


def _look_around(session: Session, found: CycleInputs, *, actor: Actor, now: datetime) -> None:
    """With the new plan in place: what needs somebody in the morning, and how the business stands."""
    site_id, morning = found.site_id, found.order_date
    refresh.refresh(session, site_id=site_id, actor=actor, now=now, today=morning)
    indicators.measure(session, site_id=site_id, actor=actor, now=now, today=morning)


def _read(session: Session, as_of: date) -> tuple[list[CycleInputs], list[Lane]]:
    """What every site that buys something reads, and the lanes between them."""
    company = companies.only(session)
    found = [
        reading.read(session, company=company, site=site, as_of=as_of)
        for site in sites.all_of(session, company_id=company.id)
    ]
    return [one for one in found if one.sources], transfer_lanes.in_use(session, company_id=company.id)


def _plan(
    found: Sequence[CycleInputs], lanes: Sequence[Lane], settings: PlanSettings, progress: Progress
) -> list[tuple[Planned, list[tuple[ProposalRequest, int]]]]:
    """Each site's plan and its proposals: first what the others can spare is moved, then the rest is made and bought.

    The sites buy from one budget, in their order.
    """
    drafts, current = [], found[0]
    computed: list[tuple[Planned, list[tuple[ProposalRequest, int]]]] = []
    spent: Floats = np.zeros(settings.opportunities)
    try:
        for current in found:
            drafts.append(_draft(current, settings, progress))
        moves = moving_plan.plan(drafts, lanes)
        for draft, moved in zip(drafts, moves, strict=True):
            current = draft.inputs
            done = _solve(draft, moved, spent, progress)
            to_move = moving_accounts.proposals_of(done, draft.wanted, moved.arrivals)
            requests = [(request, 0) for request in to_move]
            computed.append((done, [*requests, *accounts.proposals_of(done), *_to_make(done)]))
            spent = spent + (done.plan.quantities * done.problem.unit_price[:, None]).sum(axis=0)
    except (InvalidPlanningInput, NoSolution, SolverUnavailable) as error:
        raise PlanFailed(
            f"the plan as of {current.as_of} could not be made: {_in_our_words(error, current)}; nothing is published, "
            "the last plan stays"
        ) from error
    return computed


@dataclass(frozen=True, kw_only=True)
class _Draft(Netted):
    """One site's needs, with what its plan is made from."""

    forecast: engine.ForecastResult
    making: MakingPlan
    settings: PlanSettings


def _draft(found: CycleInputs, settings: PlanSettings, progress: Progress) -> _Draft:
    settings = targets.reaching_far_enough(found, settings=settings)
    guarded = targets.protection(found, settings=settings)
    made_guarded = making_plan.protection(found, settings=settings)
    forecast = engine.forecast(
        np.concatenate([found.demand, found.made_demand]),
        protection_buckets=np.concatenate([guarded.buckets, made_guarded.buckets]),
        groups=np.array(
            [source.category_id for source in found.sources] + [made.category_id for made in found.making.items],
            dtype=np.int64,
        ),
        settings=settings.forecast,
    )
    progress.advance()
    bought, made = _split(forecast, len(found.sources))
    making = making_plan.plan(found, made_guarded, made, settings=settings)
    days = settings.forecast.horizon * targets.WEEK_DAYS
    dependent = making.dependent(found.item_ids.tolist(), days)
    wanted = targets.targets(found, guarded, bought, dependent, settings=settings)
    return _Draft(inputs=found, guarded=guarded, wanted=wanted, forecast=forecast, making=making, settings=settings)


def _solve(draft: _Draft, moves: SiteMoves, spent: Floats, progress: Progress) -> Planned:
    wanted = moving_plan.after(draft.wanted, moves) if moves.arrivals or moves.outgoing.any() else draft.wanted
    problem = targets.problem(draft.inputs, wanted, settings=draft.settings)
    if spent.any():
        problem = replace(problem, budget=np.maximum(problem.budget - spent, 0.0))
    plan = replenishment.solve(problem, settings=Settings())
    violations = feasibility.check(problem, plan)
    if violations:
        raise PlanInfeasible(
            f"the plan breaks {len(violations)} rules, first: {violations[0].text}; it is not published, the last plan "
            "stays"
        )
    progress.advance()
    return Planned(
        inputs=draft.inputs,
        guarded=draft.guarded,
        wanted=wanted,
        forecast=draft.forecast,
        problem=problem,
        plan=plan,
        making=draft.making,
        settings=draft.settings,
    )


def _split(forecast: engine.ForecastResult, bought: int) -> tuple[engine.ForecastResult, engine.ForecastResult]:
    """The forecasts of what is bought, and of what is made."""
    arrays = {name: value for name, value in vars(forecast).items() if isinstance(value, np.ndarray)}
    first: dict[str, Any] = {name: value[:bought] for name, value in arrays.items()}
    rest: dict[str, Any] = {name: value[bought:] for name, value in arrays.items()}
    return replace(forecast, **first), replace(forecast, **rest)


def _to_make(done: Planned) -> list[tuple[ProposalRequest, int]]:
    """Proposals to make, which have no price: their value is 0."""
    made = _split(done.forecast, len(done.inputs.sources))[1]
    found = making_accounts.proposals_of(done.inputs, done.making, made, settings=done.settings)
    return [(request, 0) for request in found]


def _in_our_words(error: ValueError, found: CycleInputs) -> str:
    """The engine knows items and suppliers by position only."""
    if isinstance(error, InvalidPlanningInput) and error.index:
        place = error.index[0]
        if error.field in ("joint_order_cost", "minimum_value", "order_today"):
            return f"supplier {found.suppliers[sorted(found.suppliers)[place]].code}: {error}"
        if error.field != "budget":
            return f"item {found.sources[place].sku}: {error}"
    return str(error)


def _publish(
    session: Session,
    done: Planned,
    requests: Sequence[tuple[ProposalRequest, int]],
    *,
    actor: Actor,
    now: datetime,
    started: float,
) -> CycleResult:
    found, digest = done.inputs, done.inputs.digest()
    _one_at_a_time(session, site_id=found.site_id)
    if reading.fence_now(session, found=found) != found.fence():
        raise InputsChanged(
            f"stock, orders, agreements or budgets changed while {found.as_of} was planned: nothing was published, "
            "run the cycle again"
        )
    forecast_run_id = runs.record(
        session,
        site_id=found.site_id,
        as_of=found.as_of,
        now=now,
        inputs_hash=digest,
        item_ids=done.item_ids.tolist(),
        protection_buckets=np.concatenate([done.guarded.buckets, done.making.guarded.buckets]),
        settings=done.settings.forecast,
        result=done.forecast,
    )
    record = _record(done, now=now, proposal_count=len(requests), forecast_run_id=forecast_run_id, started=started)
    session.add(record)
    session.flush()
    item_targets.record(session, run_id=record.id, planned=done)
    renewing.publish(
        session,
        [request for request, _ in requests],
        order_date=found.order_date,
        run_id=record.id,
        company_id=found.company_id,
        site_id=found.site_id,
        actor=actor,
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        verb="cycle.run",
        document_kind=KIND,
        document_ids=[record.id],
        as_of=found.as_of.isoformat(),
        inputs_hash=digest,
        solver=done.plan.solver,
    )
    return _result(record, currency=found.currency, value=sum(value for _, value in requests), gap=done.plan.gap)


def _one_at_a_time(session: Session, *, site_id: int) -> None:
    """Of two runs that end together the later one must see, and replace, what the other has published."""
    session.execute(sa.select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))


def _record(done: Planned, *, now: datetime, proposal_count: int, forecast_run_id: int, started: float) -> CycleRun:
    found = done.inputs
    return CycleRun(
        site_id=found.site_id,
        as_of_date=found.as_of,
        finished_at=now,
        duration_milliseconds=round((time.perf_counter() - started) * 1000),
        inputs_hash=found.digest(),
        settings=_settings(done.settings),
        forecast_run_id=forecast_run_id,
        items=len(done.item_ids),
        proposals=proposal_count,
        solver=done.plan.solver,
        status=done.plan.status,
        objective=round(done.plan.objective),
        bound=math.floor(done.plan.bound),
        gap=Decimal(str(round(done.plan.gap, types.RATE_PLACES))).quantize(Decimal(1).scaleb(-types.RATE_PLACES)),
        measures=measures.measure(found),
        messages=messages.texts(done),
    )


def _result(record: CycleRun, *, currency: str, value: int, gap: float) -> CycleResult:
    return CycleResult(
        run_id=record.id,
        as_of=record.as_of_date,
        items=record.items,
        proposals=record.proposals,
        value=value,
        currency=currency,
        solver=record.solver,
        status=record.status,
        gap=gap,
        inputs_hash=record.inputs_hash,
        duration_seconds=record.duration_milliseconds / 1000,
        measures=record.measures,
        messages=tuple(record.messages),
    )


def _joined(results: Sequence[CycleResult]) -> CycleResult:
    """What the runs of all sites did together; the measures are those of the first site."""
    first = results[0]
    if len(results) == 1:
        return first
    return replace(
        first,
        items=max(one.items for one in results),
        proposals=sum(one.proposals for one in results),
        value=sum(one.value for one in results),
        gap=max(one.gap for one in results),
        duration_seconds=max(one.duration_seconds for one in results),
        messages=tuple(message for one in results for message in one.messages),
    )


def _settings(settings: PlanSettings) -> dict[str, Any]:
    plain = asdict(settings)
    plain["forecast"]["quantiles"] = list(plain["forecast"]["quantiles"])
    return plain

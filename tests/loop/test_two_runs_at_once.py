"""Two runs of the cycle that end together leave the proposals of one: nothing is proposed twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from procurement import proposals
from procurement.proposals import Proposal, ProposalState
from scm.loop import cycle
from tests.loop.company import Company

SECONDS = 2.0  # the guarded pair never meets: one waits for the other's commit


def test_two_runs_that_end_together_propose_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    meet_before_publishing(monkeypatch, seconds=SECONDS)
    run_ids = run_twice(company)
    assert proposed_by(company) == {max(run_ids)}


# SQLite has one writer at a time, lock or no lock.
@pytest.mark.parametrize("backend", ["postgresql"])
def test_without_the_lock_everything_is_proposed_twice(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it shows that the runs above really end together."""
    meet_before_publishing(monkeypatch, seconds=60)
    monkeypatch.setattr(cycle, "_one_at_a_time", lambda session, *, site_id: None)
    run_ids = run_twice(company)
    assert proposed_by(company) == set(run_ids)


def meet_before_publishing(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    barrier, real_publish = threading.Barrier(2), proposals.publish

    def publish(*arguments: Any, **options: Any) -> list[int]:
        try:
            barrier.wait(timeout=seconds)
        except threading.BrokenBarrierError:
            barrier.reset()
        return real_publish(*arguments, **options)

    monkeypatch.setattr(proposals, "publish", publish)


def run_twice(company: Company) -> list[int]:
    company.empty_shelves()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(company.cycle) for _ in range(2)]
        return [run.result().run_id for run in runs]


def proposed_by(company: Company) -> set[int]:
    with company.reading() as session:
        return set(session.scalars(sa.select(Proposal.run_id).where(Proposal.state == ProposalState.OPEN)))

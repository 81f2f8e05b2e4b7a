"""Builders of proposals for tests of what becomes of them."""

from __future__ import annotations

import sqlalchemy as sa

from procurement import proposals
from procurement.proposals import ProposalRequest
from scm.core.users import Actor
from scm.master.agreements import SupplierAgreement
from tests.world import World


def propose(world: World, *wanted: tuple[int, int]) -> list[int]:
    """This function will publish a run of (agreement, quantity) proposals and give their ids."""
    session = world.begin()
    found = {row.id: row for row in session.scalars(sa.select(SupplierAgreement))}
    lines = [
        ProposalRequest(
            item_id=found[agreement].item_id,
            supplier_id=found[agreement].partner_id,
            agreement_id=agreement,
            quantity=quantity,
            order_date=world.today,
            due_date=world.day(7),
            unit_price=found[agreement].unit_price,
            account=[{"name": "demand", "quantity": quantity}],
            inputs={},
        )
        for agreement, quantity in wanted
    ]
    return proposals.publish(
        session,
        lines,
        run_id=1,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )


def accepted(world: World, *wanted: tuple[int, int], actor: Actor | None = None) -> list[int]:
    """This function will publish proposals and accept them."""
    ids = propose(world, *wanted)
    proposals.accept(world.begin(), ids, actor=actor or world.user("planner"), now=world.now)
    return ids

"""The office in the morning: the planner has answered some proposals, the buyer has ordered, the approver has not come.

What is left behind: open proposals, accepted ones that stand on no order, a draft, several orders that wait for
approval, one of them large, and one that is approved and not sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting import runs
from procurement import orders, proposals, purchase_orders
from procurement.drafting import OrderLineRequest
from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from procurement.rules import ApprovalLimit
from scm.finance import money
from scm.loop import sources
from scm.loop.sources import Source
from scm.loop.world.stage import Stage
from scm.stock import projection

# So many orders lie on the buyer's desk; what the proposals do not bring, the buyer writes.
ORDERS = 6
LINES = 4
SHORT_WEEKS, LONG_WEEKS = 3, 26  # what a hand-written order is to last, and the one large one


def answer(stage: Stage, *, today: date) -> None:
    """This function will answer a part of the proposals and leave orders in every state."""
    planner, buyer, approver = stage.person("planner"), stage.person("buyer"), stage.person("approver")
    first, later, last = stage.at(today, 8, 10), stage.at(today, 8, 40), stage.at(today, 9, 5)
    chosen = stage.look(lambda session: _to_accept(session, stage))
    if chosen:
        stage.act_once(f"{today} accept", lambda session: proposals.accept(session, chosen, actor=planner, now=first))
    accepted = stage.look(lambda session: _accepted(session, stage))
    ordered = accepted[: -(-len(accepted) * 2 // 3)]
    if ordered:
        stage.act_once(
            f"{today} draft",
            lambda session: orders.draft(session, ordered, actor=buyer, now=later, today=today),
        )
    lines = stage.look(lambda session: _by_hand(session, stage, today=today))
    if lines:
        stage.act_once(
            f"{today} write",
            lambda session: orders.write(
                session, lines, site_id=stage.setup.site_id, actor=buyer, now=later, today=today
            ),
        )
    _split(stage, now=later, today=today)
    finished = stage.look(lambda session: _by_amount(session, stage, PurchaseOrderState.DRAFT))[1:]
    if finished:
        stage.act_once(f"{today} submit", lambda session: orders.submit(session, finished, actor=buyer, now=later))
    smallest = stage.look(lambda session: _by_amount(session, stage, PurchaseOrderState.SUBMITTED))[:1]
    if smallest:
        stage.act_once(
            f"{today} approve",
            lambda session: orders.approve(session, smallest, actor=approver, now=last, today=today),
        )


def _split(stage: Stage, *, now: datetime, today: date) -> None:
    """Where an approver has a limit, the buyer writes two orders to one supplier that stay below it one by one."""
    halves = stage.look_once(f"{today} halves", lambda session: _halves(session, stage, today=today))
    for turn, lines in enumerate(halves):
        requests = [
            OrderLineRequest(agreement_id=agreement_id, quantity=quantity, due_date=date.fromisoformat(due))
            for agreement_id, quantity, due in lines
        ]
        stage.act_once(
            f"{today} half {turn}",
            lambda session, requests=requests: orders.write(  # type: ignore[misc]
                session, requests, site_id=stage.setup.site_id, actor=stage.person("buyer"), now=now, today=today
            ),
        )


def _halves(session: Session, stage: Stage, *, today: date) -> list[list[tuple[int, int, str]]]:
    """Two loads of lines, each within the lowest limit and both together above it; none where nobody has a limit."""
    currency = stage.setup.currency
    limit = session.scalar(
        sa.select(sa.func.min(ApprovalLimit.largest_amount)).where(ApprovalLimit.currency == currency)
    )
    if limit is None:
        return []
    drafted = set(
        session.scalars(
            sa.select(PurchaseOrder.supplier_id).where(
                PurchaseOrder.site_id == stage.setup.site_id,
                PurchaseOrder.state.in_([PurchaseOrderState.DRAFT, PurchaseOrderState.SUBMITTED]),
            )
        )
    )
    for supplier_id, bought in reversed(by_cover(session, stage).items()):
        if supplier_id in drafted:
            continue
        loads = [_load(session, stage, bought[start::2], limit=limit, today=today) for start in (0, 1)]
        if sum(amount for amount, _ in loads) > limit:
            return [
                [(line.agreement_id, line.quantity, line.due_date.isoformat()) for line in lines] for _, lines in loads
            ]
    return []


def _load(
    session: Session, stage: Stage, bought: Sequence[Source], *, limit: int, today: date
) -> tuple[int, list[OrderLineRequest]]:
    """As many weeks of some items as a limit allows, and what they cost, in minor units."""
    price = {source.agreement_id: source.unit_price for source in bought}
    best: tuple[int, list[OrderLineRequest]] = (0, [])
    for weeks in range(1, LONG_WEEKS):
        lines = lines_of(session, stage, bought, weeks=weeks, due_date=None, today=today)
        amount = sum(
            money.line_amount(price[line.agreement_id], line.quantity, currency=stage.setup.currency) for line in lines
        )
        if amount > limit:
            break
        best = amount, lines
    return best


def lines_of(
    session: Session, stage: Stage, bought: Sequence[Source], *, weeks: int, due_date: date | None, today: date
) -> list[OrderLineRequest]:
    """This function will write lines that last so many weeks by the newest forecast, in whole lots."""
    weekly = runs.newest_weekly_means(
        session, site_id=stage.setup.site_id, item_ids=[source.item_id for source in bought]
    )
    lines = []
    for source in bought:
        wanted = max(1, source.minimum_order_quantity, round(weeks * weekly.get(source.item_id, 0)))
        lots = -(-wanted // source.order_multiple)
        lines.append(
            OrderLineRequest(
                agreement_id=source.agreement_id,
                quantity=lots * source.order_multiple,
                due_date=due_date or today + timedelta(days=source.lead_time_days),
            )
        )
    return lines


def by_cover(session: Session, stage: Stage) -> dict[int, list[Source]]:
    """This function will list by supplier what is bought there, the shortest cover first."""
    bought = sources.of_company(session, company_id=stage.setup.company_id)
    item_ids = [source.item_id for source in bought]
    weekly = runs.newest_weekly_means(session, site_id=stage.setup.site_id, item_ids=item_ids)
    stock = projection.positions(session, site_id=stage.setup.site_id)
    cover: dict[int, float] = {
        item_id: stock[item_id].inventory_position / weekly[item_id]
        for item_id in item_ids
        if weekly.get(item_id, 0) > 0 and item_id in stock
    }
    found: dict[int, list[Source]] = defaultdict(list)
    for source in sorted(bought, key=lambda source: (cover.get(source.item_id, 0), source.item_id)):
        if source.item_id in cover:
            found[source.supplier_id].append(source)
    return dict(sorted(found.items()))


def _proposed(session: Session, stage: Stage) -> set[int]:
    """What the newest plan proposes to buy, answered or not."""
    statement = sa.select(Proposal.item_id).where(
        Proposal.site_id == stage.setup.site_id,
        Proposal.kind == ProposalKind.BUY,
        Proposal.state.in_([ProposalState.OPEN, ProposalState.ACCEPTED]),
        Proposal.order_date >= _newest_order_date(stage),
    )
    return set(session.scalars(statement))


def _newest_order_date(stage: Stage) -> sa.ScalarSelect[date]:
    newest = sa.select(sa.func.max(Proposal.order_date)).where(Proposal.site_id == stage.setup.site_id)
    return newest.scalar_subquery()


def _to_accept(session: Session, stage: Stage) -> list[int]:
    """The first two fifths of every supplier's."""
    rows = session.execute(
        sa.select(Proposal.id, Proposal.supplier_id)
        .where(
            Proposal.site_id == stage.setup.site_id,
            Proposal.kind == ProposalKind.BUY,
            Proposal.state == ProposalState.OPEN,
        )
        .order_by(Proposal.id)
    )
    waiting: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        waiting[row.supplier_id].append(row.id)
    return sorted(i for ids in waiting.values() for i in ids[: len(ids) * 2 // 5])


def _accepted(session: Session, stage: Stage) -> list[int]:
    """What was accepted and stands on no order."""
    statement = sa.select(Proposal.id).where(
        Proposal.site_id == stage.setup.site_id,
        Proposal.kind == ProposalKind.BUY,
        Proposal.state == ProposalState.ACCEPTED,
        ~sa.exists().where(purchase_orders.PurchaseOrderLine.proposal_id == Proposal.id),
    )
    return list(session.scalars(statement.order_by(Proposal.id)))


def _by_hand(session: Session, stage: Stage, *, today: date) -> list[OrderLineRequest]:
    """One large order and some small ones, of suppliers that no accepted proposal names."""
    drafted = set(
        session.scalars(
            sa.select(PurchaseOrder.supplier_id).where(
                PurchaseOrder.site_id == stage.setup.site_id, PurchaseOrder.state == PurchaseOrderState.DRAFT
            )
        )
    )
    proposed = _proposed(session, stage)
    others = [
        [source for source in bought if source.item_id not in proposed][:LINES]
        for supplier_id, bought in by_cover(session, stage).items()
        if supplier_id not in drafted
    ]
    lines: list[OrderLineRequest] = []
    for turn, chosen in enumerate(others[: max(1, ORDERS - len(drafted))]):
        weeks = LONG_WEEKS if turn == 0 else SHORT_WEEKS
        lines += lines_of(session, stage, chosen, weeks=weeks, due_date=None, today=today)
    return lines


def _by_amount(session: Session, stage: Stage, state: PurchaseOrderState) -> list[int]:
    """The orders of a state, the smallest first."""
    found = session.scalars(
        sa.select(PurchaseOrder).where(PurchaseOrder.site_id == stage.setup.site_id, PurchaseOrder.state == state)
    ).all()
    lines = purchase_orders.lines_of(session, found)
    return [o.id for o in sorted(found, key=lambda o: (purchase_orders.amount_of(o, lines[o.id]), o.id))]

"""A small workshop in short words: what is made of what, orders, and the floor's verbs; every call is a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import Actor
from scm.finance import costs, journal, valuation, work_in_progress
from scm.finance.averages import StockCost
from scm.finance.costs import MoveValue
from scm.finance.journal import Account
from scm.master.bom import Bom, BomKind, BomLine, BomState, BomSubstitute
from scm.master.partners import Partner
from scm.master.routing import Operation, Routing, WorkCenter
from scm.production import books, completeness, completing, issuing, orders, progress, reporting
from scm.production.completeness import ComponentLine
from scm.production.completing import Completed, Completion
from scm.production.documents import KIND, ScrapReason, WorkOrder, WorkOrderState
from scm.production.issuing import Issue, Issued, Return
from scm.production.orders import WorkOrderRequest
from scm.production.progress import Progress
from scm.production.reporting import Report
from scm.stock.moves import Move
from tests.world import World


class Shop:
    """One world with a bench, and what is made there."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def session(self) -> Session:
        """The session as the next transaction finds it."""
        return self.world.begin()

    @property
    def floor(self) -> Actor:
        """Somebody who works at the bench."""
        return self.world.user("production")

    @property
    def planner(self) -> Actor:
        """Somebody who plans the orders."""
        return self.world.user("planner")

    def bom(
        self,
        item: int,
        *lines: tuple[int, int],
        output_quantity: int = 1,
        yield_rate: str = "1",
        scrap_rate: str = "0",
        kind: BomKind = BomKind.MAKE,
        partner: int | None = None,
        operations: Sequence[str] = (),
        state: BomState = BomState.APPROVED,
        valid_from: date | None = None,
        valid_until: date | None = None,
        revision: int = 1,
    ) -> int:
        """This function will write an approved bill of (component, quantity) lines, with one centre a step."""
        session = self.session
        setup = self.world.setup
        bom = Bom(
            company_id=setup.company_id,
            site_id=setup.site_id,
            item_id=item,
            revision=revision,
            kind=kind,
            state=state,
            valid_from=valid_from or self.world.today,
            valid_until=valid_until,
            output_quantity=output_quantity,
            yield_rate=Decimal(yield_rate),
            partner_id=partner,
            lead_time_days=2,
            minimum_order_quantity=0,
            order_multiple=1,
            cover_limit_days=None,
        )
        session.add(bom)
        session.flush()
        for number, (component, quantity) in enumerate(lines, start=1):
            session.add(
                BomLine(
                    bom_id=bom.id,
                    line_number=number,
                    item_id=component,
                    quantity=quantity,
                    scrap_rate=Decimal(scrap_rate),
                )
            )
        if operations:
            routing = Routing(bom_id=bom.id)
            session.add(routing)
            session.flush()
            for number, name in enumerate(operations, start=1):
                center = WorkCenter(
                    company_id=setup.company_id,
                    site_id=setup.site_id,
                    code=f"{name.upper()}-{bom.id}",
                    name=name,
                    machines=1,
                    retired=False,
                )
                session.add(center)
                session.flush()
                session.add(
                    Operation(
                        routing_id=routing.id,
                        sequence=number * 10,
                        name=name,
                        work_center_id=center.id,
                        setup_seconds=600,
                        run_seconds=60,
                        run_quantity=1,
                    )
                )
        session.flush()
        return bom.id

    def substitute(self, bom: int, component: int, other: int, *, quantity: int = 1, priority: int = 1) -> None:
        """This function will let an item stand in for a component of a bill."""
        session = self.session
        line_id = session.scalars(
            sa.select(BomLine.id).where(BomLine.bom_id == bom, BomLine.item_id == component)
        ).one()
        session.add(BomSubstitute(bom_line_id=line_id, item_id=other, priority=priority, quantity=quantity))
        session.flush()

    def partner(self, code: str = "plater") -> int:
        """This function will add somebody who makes things for us."""
        row = Partner(company_id=self.world.setup.company_id, code=code, name=code, is_supplier=True)
        session = self.session
        session.add(row)
        session.flush()
        return row.id

    def order(self, bom: int, quantity: int, *, due_in: int = 5) -> int:
        """This function will write one planned order and give its id."""
        request = WorkOrderRequest(bom_id=bom, quantity=quantity, due_date=self.world.day(due_in))
        [order] = orders.create(self.session, [request], actor=self.planner, now=self.world.now, today=self.world.today)
        return order.id

    def release(self, order: int, *, in_spite_of: str = "") -> None:
        """This function will release an order."""
        orders.release(
            self.session,
            [order],
            actor=self.planner,
            now=self.world.now,
            today=self.world.today,
            in_spite_of=in_spite_of,
        )
        self.world.begin()

    def released(self, bom: int, quantity: int) -> int:
        """This function will write and release an order."""
        order = self.order(bom, quantity)
        self.release(order)
        return order

    def row(self, order: int) -> WorkOrder:
        """This function will read an order."""
        return self.session.get_one(WorkOrder, order)

    def state(self, order: int) -> WorkOrderState:
        """This function will tell where an order stands."""
        return self.row(order).state

    def progress(self, order: int) -> Progress:
        """This function will read how far an order is."""
        session = self.session
        return progress.of_order(session, session.get_one(WorkOrder, order))

    def completeness(self, order: int) -> list[ComponentLine]:
        """This function will ask whether everything is there."""
        found = self.progress(order)
        return completeness.of_orders(self.world.begin(), [found], today=self.world.today)[order]

    def component(self, order: int, item: int) -> int:
        """This function will give the id of the component of that item."""
        return next(c.id for c in self.progress(order).components if c.item_id == item)

    def issue(self, order: int, *taken: tuple[int, int | None], substitute: bool = True, reason: str = "") -> Issued:
        """This function will issue (item, quantity); everything that is open, when nothing is named."""
        if taken:
            wanted = [Issue(component_id=self.component(order, item), quantity=quantity) for item, quantity in taken]
        else:
            wanted = [Issue(component_id=c.id) for c in self.progress(order).components]
        result = issuing.issue(
            self.session,
            order,
            wanted,
            actor=self.floor,
            now=self.world.now,
            today=self.world.today,
            substitute=substitute,
            reason=reason,
        )
        self.world.begin()
        return result

    def give_back(self, order: int, item: int, quantity: int) -> list[Move]:
        """This function will bring a component back to the bin it came from."""
        result = issuing.return_components(
            self.session,
            order,
            [Return(component_id=self.component(order, item), quantity=quantity)],
            reason="too many",
            actor=self.floor,
            now=self.world.now,
            today=self.world.today,
        )
        self.world.begin()
        return result

    def report(self, order: int, good: int, *, scrap: int = 0, step: int = 0, minutes: int = 0) -> int:
        """This function will report at a step of an order, counted from 0."""
        work = self.progress(order).work[step]
        one = Report(
            operation_id=work.operation.id,
            good=good,
            scrap=scrap,
            scrap_reason=ScrapReason.MATERIAL if scrap else None,
            minutes=minutes,
        )
        [report_id] = reporting.report(
            self.session, order, [one], actor=self.floor, now=self.world.now, today=self.world.today
        )
        self.world.begin()
        return report_id

    def correct(self, order: int, report: int) -> int:
        """This function will take a report back."""
        found = reporting.correct(
            self.session,
            order,
            report,
            reason="miscounted",
            actor=self.floor,
            now=self.world.now,
            today=self.world.today,
        )
        self.world.begin()
        return found

    def complete(
        self,
        order: int,
        quantity: int,
        *,
        bin_id: int | None = None,
        lot_code: str = "",
        expiry_date: date | None = None,
        back_flush: bool = False,
    ) -> Completed:
        """This function will complete so much of an order."""
        result = completing.complete(
            self.session,
            order,
            Completion(quantity=quantity, bin_id=bin_id, lot_code=lot_code, expiry_date=expiry_date),
            actor=self.floor,
            now=self.world.now,
            today=self.world.today,
            back_flush=back_flush,
        )
        self.world.begin()
        return result

    def undo(self, order: int, move: int) -> None:
        """This function will take an output back."""
        completing.undo(
            self.session,
            order,
            move,
            reason="miscounted",
            actor=self.floor,
            now=self.world.now,
            today=self.world.today,
        )
        self.world.begin()

    def close(self, order: int, *, reason: str = "") -> None:
        """This function will close an order."""
        orders.close(
            self.session, [order], actor=self.planner, now=self.world.now, today=self.world.today, reason=reason
        )
        self.world.begin()

    def cancel(self, order: int) -> None:
        """This function will cancel an order."""
        orders.cancel(self.session, [order], reason="not wanted", actor=self.planner, now=self.world.now)
        self.world.begin()

    # The books

    def value(self) -> int:
        """This function will value what was posted, and give how many moves that were."""
        return valuation.run(self.session, company_id=self.world.setup.company_id, now=self.world.now)

    def held(self, order: int) -> int:
        """This function will give the work in progress of an order, in pence."""
        return work_in_progress.values(self.session, [(KIND, order)])[KIND, order]

    def worth(self, move: Move) -> int:
        """This function will give the value of one move."""
        return self.session.execute(sa.select(MoveValue.value).where(MoveValue.move_id == move.id)).scalar_one()

    def cost(self, item: int) -> tuple[int, int]:
        """This function will give quantity and value in stock of an item."""
        company_id = self.world.setup.company_id
        found = costs.item_costs(self.session, company_id=company_id, item_ids=[item]).get(item, StockCost())
        return found.quantity, found.value

    def account(self, account: Account) -> int:
        """This function will give what stands on an account, in pence."""
        return journal.balances(self.session, company_id=self.world.setup.company_id)[account]

    def findings(self) -> list[str]:
        """This function will give what disagrees in the books and the orders."""
        report = books.verify(self.session, now=self.world.now)
        return [f"{finding.place}: {finding.expected}, not {finding.found}" for finding in report.findings]

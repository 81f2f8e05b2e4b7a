"""The work order: its tables, its states, and how a verb gets hold of it.

An order keeps a copy of what its bill and routing said when it was written, so a later revision never changes it. What
was issued and completed is never stored here: `scm.production.progress` reads the moves.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import documents, types
from scm.core.db import Base, BigId
from scm.core.errors import NotFound
from scm.master.bom import BomKind

KIND = "work_order"
LONGEST_REASON = 200


class WorkOrderState(enum.Enum):
    """Where an order stands on the floor."""

    PLANNED = "planned"
    RELEASED = "released"
    STARTED = "started"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


S = WorkOrderState
OPEN = frozenset({S.PLANNED, S.RELEASED, S.STARTED})
ON_THE_FLOOR = frozenset({S.RELEASED, S.STARTED})
MACHINE = documents.Machine(
    kind=KIND,
    initial=S.PLANNED,
    transitions={
        (S.PLANNED, "release"): S.RELEASED,
        (S.PLANNED, "reschedule"): S.PLANNED,
        (S.PLANNED, "cancel"): S.CANCELLED,
        (S.RELEASED, "reschedule"): S.RELEASED,
        (S.RELEASED, "issue"): S.STARTED,
        (S.RELEASED, "report"): S.STARTED,
        (S.RELEASED, "cancel"): S.CANCELLED,
        (S.STARTED, "reschedule"): S.STARTED,
        (S.STARTED, "issue"): S.STARTED,
        (S.STARTED, "report"): S.STARTED,
        (S.STARTED, "correct"): S.STARTED,
        (S.STARTED, "complete"): S.STARTED,
        (S.STARTED, "undo"): S.STARTED,
        (S.STARTED, "return"): S.STARTED,
        (S.STARTED, "finish"): S.COMPLETED,
        (S.STARTED, "close"): S.CLOSED,
        (S.COMPLETED, "issue"): S.COMPLETED,
        (S.COMPLETED, "complete"): S.COMPLETED,
        (S.COMPLETED, "undo"): S.STARTED,
        (S.COMPLETED, "return"): S.COMPLETED,
        (S.COMPLETED, "close"): S.CLOSED,
    },
)


class WorkOrder(Base):
    """One order to make a quantity of one item at one site, by ourselves or by a partner.

    `quantity` is what is wanted good, `start_quantity` what must be started for it, as far as the bill knows.
    `origin_kind` and `origin_id` name what asked for it, for instance a proposal: each is answered once.
    """

    __tablename__ = "work_order"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[WorkOrderState] = mapped_column(types.enum_column(WorkOrderState), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    bom_id: Mapped[int] = mapped_column(sa.ForeignKey("bom.id"), index=True)
    kind: Mapped[BomKind] = mapped_column(types.enum_column(BomKind))
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    start_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    start_date: Mapped[date]
    due_date: Mapped[date]
    origin_kind: Mapped[str | None] = mapped_column(sa.String(40))
    origin_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_date: Mapped[date]
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    released_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    released_short: Mapped[str] = mapped_column(sa.String(LONGEST_REASON), default="")  # why it did not wait
    completed_date: Mapped[date | None]
    closed_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(LONGEST_REASON), default="")  # why it was cancelled or closed short

    __table_args__ = (
        sa.UniqueConstraint("origin_kind", "origin_id"),
        sa.Index(None, "site_id", "state", "due_date"),
        sa.CheckConstraint("quantity > 0 AND start_quantity >= quantity", name="makes_something"),
        sa.CheckConstraint("start_date <= due_date", name="starts_before_it_is_due"),
        sa.CheckConstraint("(origin_kind IS NULL) = (origin_id IS NULL)", name="origin_is_whole"),
        sa.CheckConstraint("kind IN ('make', 'subcontract')", name="is_made"),
        sa.CheckConstraint("(kind = 'subcontract') = (partner_id IS NOT NULL)", name="subcontractor_is_named"),
        sa.CheckConstraint(
            "state IN ('planned', 'cancelled') OR released_at IS NOT NULL", name="released_has_its_time"
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_date IS NOT NULL)", name="closed_has_its_date"),
    )


class WorkOrderComponent(Base):
    """What an order needs of one component: `quantity` with the loss that is planned, `net_quantity` without it.

    A substitute is a component of its own that names the one it replaces; `replaced` of that one is not needed then.
    """

    __tablename__ = "work_order_component"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("work_order.id"))
    line_number: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    bom_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bom_line.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    net_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("work_order_component.id"))
    replaced: Mapped[int] = mapped_column(sa.BigInteger, default=0)

    __table_args__ = (
        sa.UniqueConstraint("order_id", "line_number"),
        sa.CheckConstraint("quantity > 0", name="needs_something"),
        sa.CheckConstraint("net_quantity >= 0 AND net_quantity <= quantity", name="net_is_part_of_it"),
        sa.CheckConstraint("replaced >= 0 AND replaced <= quantity", name="replaced_is_part_of_it"),
    )

    @property
    def needed(self) -> int:
        """How much of it the order needs, what others stand in for left out."""
        return self.quantity - self.replaced


class WorkOrderOperation(Base):
    """One step of an order, as its routing said when the order was written. Every order has at least one."""

    __tablename__ = "work_order_operation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("work_order.id"))
    sequence: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(120))
    work_center_id: Mapped[int | None] = mapped_column(sa.ForeignKey("work_center.id"), index=True)
    setup_seconds: Mapped[int] = mapped_column(sa.BigInteger)
    run_seconds: Mapped[int] = mapped_column(sa.BigInteger)
    run_quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.UniqueConstraint("order_id", "sequence"),
        sa.CheckConstraint("setup_seconds >= 0 AND run_seconds >= 0", name="time_not_negative"),
        sa.CheckConstraint("run_quantity > 0", name="runs_for_something"),
    )

    def planned_seconds(self, quantity: int) -> int:
        """This function will give how long the step takes for a quantity: it is set up once, then runs."""
        return self.setup_seconds + -(-quantity * self.run_seconds // self.run_quantity)


class ScrapReason(enum.Enum):
    """Why something was not good."""

    MATERIAL = "material"
    SETUP = "setup"
    MACHINE = "machine"
    HANDLING = "handling"
    OTHER = "other"


class OperationReport(Base):
    """What was done at an operation: so many good, so many scrapped, in so many minutes. It never changes.

    A mistake is corrected by a row that takes all of it back: its figures are the same, below zero.
    """

    __tablename__ = "operation_report"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    operation_id: Mapped[int] = mapped_column(sa.ForeignKey("work_order_operation.id"), index=True)
    good: Mapped[int] = mapped_column(sa.BigInteger)
    scrap: Mapped[int] = mapped_column(sa.BigInteger)
    scrap_reason: Mapped[ScrapReason | None] = mapped_column(types.enum_column(ScrapReason))
    minutes: Mapped[int]
    note: Mapped[str] = mapped_column(sa.String(LONGEST_REASON), default="")
    reported_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    reported_date: Mapped[date]
    reported_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    scrap_move_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"))
    corrects_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operation_report.id"), unique=True)

    __table_args__ = (
        sa.CheckConstraint(
            "(corrects_id IS NULL AND good >= 0 AND scrap >= 0 AND minutes >= 0)"
            " OR (corrects_id IS NOT NULL AND good <= 0 AND scrap <= 0 AND minutes <= 0)",
            name="only_corrections_take_back",
        ),
        sa.CheckConstraint("good <> 0 OR scrap <> 0 OR minutes <> 0", name="reports_something"),
        sa.CheckConstraint("(scrap = 0) = (scrap_reason IS NULL)", name="scrap_has_its_reason"),
        sa.CheckConstraint("(scrap = 0) = (scrap_move_id IS NULL)", name="scrap_has_its_move"),
    )


class WorkOrderUnknown(NotFound):
    """There is no work order, or no part of one, of that id."""


def lock(session: Session, order_ids: Iterable[int]) -> list[WorkOrder]:
    """This function will lock orders in the order of their ids and read them as they now are. Raises
    `WorkOrderUnknown`."""
    wanted = sorted(set(order_ids))
    found = session.scalars(
        sa.select(WorkOrder)
        .where(WorkOrder.id.in_(wanted))
        .order_by(WorkOrder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    absent = set(wanted) - {order.id for order in found}
    if absent:
        raise WorkOrderUnknown(f"there is no work order {min(absent)}")
    return list(found)


def find(session: Session, *, number: str, site_id: int) -> int:
    """This function will give the id of a site's order by its number. Raises `WorkOrderUnknown`."""
    order_id = session.scalar(sa.select(WorkOrder.id).where(WorkOrder.number == number, WorkOrder.site_id == site_id))
    if order_id is None:
        raise WorkOrderUnknown(f"there is no work order {number} at this site")
    return order_id


def components_of(session: Session, order_ids: Sequence[int]) -> dict[int, list[WorkOrderComponent]]:
    """This function will read the components of locked orders, by order and line number."""
    found: dict[int, list[WorkOrderComponent]] = defaultdict(list)
    rows = session.scalars(
        sa.select(WorkOrderComponent)
        .where(WorkOrderComponent.order_id.in_(order_ids))
        .order_by(WorkOrderComponent.order_id, WorkOrderComponent.line_number)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.order_id].append(row)
    return found


def operations_of(session: Session, order_ids: Sequence[int]) -> dict[int, list[WorkOrderOperation]]:
    """This function will read the operations of orders, by order and sequence."""
    found: dict[int, list[WorkOrderOperation]] = defaultdict(list)
    rows = session.scalars(
        sa.select(WorkOrderOperation)
        .where(WorkOrderOperation.order_id.in_(order_ids))
        .order_by(WorkOrderOperation.order_id, WorkOrderOperation.sequence)
    )
    for row in rows:
        found[row.order_id].append(row)
    return found


def component_named(components: Sequence[WorkOrderComponent], component_id: int, *, number: str) -> WorkOrderComponent:
    """This function will pick an order's component by its id. Raises `WorkOrderUnknown`."""
    for component in components:
        if component.id == component_id:
            return component
    raise WorkOrderUnknown(f"{number} has no component {component_id}")

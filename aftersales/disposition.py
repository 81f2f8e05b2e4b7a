"""What becomes of inspected returns: a reasoned proposal, and the one posting that carries it out."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales.inspection import Finding, Grade, Inspection
from aftersales.returns import KIND, ReturnAuthorization, ReturnLine
from scm.core import audit, types
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, reservations
from scm.stock.ledger import MoveRequest

MOVE_KIND = "inspection"  # the document the disposing moves belong to


class Disposition(enum.Enum):
    """The four ways out of the returns cage."""

    RESTOCK = "restock"
    REFURBISH = "refurbish"
    RETURN_TO_SUPPLIER = "return_to_supplier"
    SCRAP = "scrap"


class Disposal(Base):
    """What was done with the units of one inspection, once."""

    __tablename__ = "disposal"

    inspection_id: Mapped[int] = mapped_column(sa.ForeignKey("inspection.id"), primary_key=True)
    disposition: Mapped[Disposition] = mapped_column(types.enum_column(Disposition))
    why: Mapped[str] = mapped_column(sa.String(400))
    disposed_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    disposed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a disposition is decided on. Amounts are minor units a piece, quantities base units."""

    grade: Grade
    finding: Finding
    unit_cost: int
    resale_value: int
    refurbish_cost: int
    weeks_of_cover: int  # how long the stock at hand will last


@dataclass(frozen=True)
class Proposed:
    """A disposition and its reason in one sentence."""

    disposition: Disposition
    why: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person (or a rule) decided for one inspection. A restocked unit needs a bin."""

    inspection_id: int
    disposition: Disposition
    why: str
    bin_id: int | None = None


class BinMissing(InvalidInput):
    """Goods go back to the shelf, but no bin was named."""


class InspectionUnknown(NotFound):
    """There is no inspection of that id."""


class AlreadyDisposed(Conflict):
    """The inspected units were disposed of before."""


# Above a year of cover another sound unit is worth less than the place it takes.
LONGEST_COVER_WEEKS = 52


def decide(facts: Facts) -> Proposed:
    """This function will propose what to do with inspected units.

    >>> decide(Facts(grade=Grade.A, finding=Finding.NO_FAULT, unit_cost=200, resale_value=450, refurbish_cost=100,
    ...              weeks_of_cover=6)).disposition.name
    'RESTOCK'
    >>> decide(Facts(grade=Grade.C, finding=Finding.CUSTOMER_DAMAGE, unit_cost=200, resale_value=450,
    ...              refurbish_cost=300, weeks_of_cover=6)).disposition.name
    'REFURBISH'
    """
    if facts.finding is Finding.SUPPLIER_DEFECT and facts.grade in (Grade.C, Grade.D):
        return Proposed(
            Disposition.RETURN_TO_SUPPLIER,
            f"grade {facts.grade.name} by the supplier's defect: the supplier owes {facts.unit_cost} a piece",
        )
    if facts.grade in (Grade.A, Grade.B):
        if facts.weeks_of_cover > LONGEST_COVER_WEEKS and facts.grade is Grade.B:
            return Proposed(
                Disposition.SCRAP,
                f"grade B and {facts.weeks_of_cover} weeks of stock at hand: it would not be sold within a year",
            )
        return Proposed(Disposition.RESTOCK, f"grade {facts.grade.name}: it sells again for {facts.resale_value}")
    if facts.grade is Grade.C and facts.refurbish_cost < facts.resale_value:
        return Proposed(
            Disposition.REFURBISH,
            f"grade C: mending costs {facts.refurbish_cost}, it then sells for {facts.resale_value}",
        )
    return Proposed(
        Disposition.SCRAP,
        f"grade {facts.grade.name}: mending for {facts.refurbish_cost} is not worth {facts.resale_value}",
    )


def dispose(
    session: Session, decisions: Sequence[Decision], *, actor: Actor, now: datetime, today: date
) -> ledger.PostResult:
    """This function will carry dispositions out: goods move once, and their value follows the goods.

    Restocked units are promised to waiting orders at once. Raises `InspectionUnknown`, `AlreadyDisposed`,
    `BinMissing`.
    """
    actor.require(Role.RETURNS, Role.WAREHOUSE, Role.SYSTEM)
    rows = _lock(session, [decision.inspection_id for decision in decisions])
    requests = [_request(session, decision, rows[decision.inspection_id], today=today) for decision in decisions]
    _insert(session, decisions, actor=actor, now=now)
    company_id = next(iter(rows.values())).company_id
    result = ledger.move_now(session, requests, company_id=company_id, actor=actor, now=now, today=today)
    _fill(session, decisions, rows)
    audit.record(
        session,
        actor=actor,
        verb="return.dispose",
        document_kind=KIND,
        document_ids=sorted({row.return_id for row in rows.values()}),
    )
    return result


def _lock(session: Session, inspection_ids: Sequence[int]) -> Mapping[int, sa.Row[int, int, int, int, int, int, int]]:
    wanted = sorted(set(inspection_ids))
    rows = session.execute(
        sa.select(
            Inspection.id,
            Inspection.quantity,
            Inspection.return_line_id,
            ReturnLine.item_id,
            ReturnLine.return_id,
            ReturnAuthorization.site_id,
            ReturnAuthorization.company_id,
        )
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(Inspection.id.in_(wanted))
        .order_by(Inspection.id)
        .with_for_update(of=table_of(Inspection))
    ).all()
    found = {row.id: row for row in rows}
    unknown = [inspection_id for inspection_id in wanted if inspection_id not in found]
    if unknown:
        raise InspectionUnknown(f"there is no inspection {unknown[0]}")
    done = session.scalar(sa.select(Disposal.inspection_id).where(Disposal.inspection_id.in_(wanted)).limit(1))
    repeated = [i for i in inspection_ids if list(inspection_ids).count(i) > 1]
    if done is not None or repeated:
        raise AlreadyDisposed(f"inspection {done or repeated[0]} is disposed of already: its goods have left the cage")
    return found


def _request(
    session: Session, decision: Decision, row: sa.Row[int, int, int, int, int, int, int], *, today: date
) -> MoveRequest:
    return MoveRequest(
        item_id=row.item_id,
        source_id=locations.of_kind(session, kind=LocationKind.RETURNS, site_id=row.site_id),
        destination_id=_destination(session, decision, site_id=row.site_id),
        quantity=row.quantity,
        due_date=today,
        document_kind=MOVE_KIND,
        document_id=row.id,
        line_id=row.return_line_id,
        reason=decision.disposition.value,
    )


def _destination(session: Session, decision: Decision, *, site_id: int) -> int:
    if decision.disposition is Disposition.RESTOCK:
        if decision.bin_id is None:
            raise BinMissing(f"inspection {decision.inspection_id} goes back to the shelf: name the bin")
        return decision.bin_id
    if decision.disposition is Disposition.REFURBISH:
        return locations.of_kind(session, kind=LocationKind.QUARANTINE, site_id=site_id)
    kind = LocationKind.SUPPLIER if decision.disposition is Disposition.RETURN_TO_SUPPLIER else LocationKind.SCRAP
    return locations.of_kind(session, kind=kind, site_id=None)


def _insert(session: Session, decisions: Sequence[Decision], *, actor: Actor, now: datetime) -> None:
    session.execute(
        sa.insert(table_of(Disposal)),
        [
            {
                "inspection_id": decision.inspection_id,
                "disposition": decision.disposition,
                "why": decision.why,
                "disposed_by": actor.user_id,
                "disposed_at": now,
            }
            for decision in decisions
        ],
    )


def _fill(
    session: Session, decisions: Sequence[Decision], rows: Mapping[int, sa.Row[int, int, int, int, int, int, int]]
) -> None:
    restocked: dict[int, set[int]] = {}
    for decision in decisions:
        if decision.disposition is Disposition.RESTOCK:
            row = rows[decision.inspection_id]
            restocked.setdefault(row.site_id, set()).add(row.item_id)
    for site_id, item_ids in restocked.items():
        reservations.fill_backorders(session, item_ids=item_ids, site_id=site_id)

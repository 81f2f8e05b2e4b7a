"""What becomes of inspected returns: a reasoned proposal, and the one posting that carries it out.

How many units can be sold again is recorded as a fact in the same transaction.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import feedback
from aftersales.documents import KIND, ReturnAuthorization, ReturnLine
from aftersales.feedback import Disposed
from aftersales.inspection import Finding, Grade, Inspection
from scm.core import audit, types
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import money
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, reservations
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move

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
    # A person decided otherwise than was proposed; `why` says what for.
    overridden: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a disposition is decided on. Amounts are minor units a piece, of `currency` where the reason names it."""

    grade: Grade
    finding: Finding
    unit_cost: int
    resale_value: int
    refurbish_cost: int
    weeks_of_cover: int  # how long the stock at hand will last
    currency: str = ""

    def shown(self, amount: int) -> str:
        """An amount as the reason says it."""
        return money.show(amount, self.currency) if self.currency else str(amount)


class Cause(enum.Enum):
    """What a proposal rests on, for whoever tells it in another language than `Proposed.why`."""

    SUPPLIER_OWES = "supplier_owes"
    NOT_SOLD_WITHIN_A_YEAR = "not_sold_within_a_year"
    SELLS_AGAIN = "sells_again"
    MENDING_PAYS = "mending_pays"
    NOT_WORTH_MENDING = "not_worth_mending"


@dataclass(frozen=True)
class Proposed:
    """A disposition and its reason: as a name, and in one sentence."""

    disposition: Disposition
    cause: Cause
    why: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person (or a rule) decided for one inspection. A restocked unit needs a bin."""

    inspection_id: int
    disposition: Disposition
    why: str
    bin_id: int | None = None
    overridden: bool = False


class BinMissing(InvalidInput):
    """Goods go back to the shelf, but no bin of their site was named."""


class BadDecision(InvalidInput):
    """A decision does not say why, or at too great a length."""


class InspectionUnknown(NotFound):
    """There is no inspection of that id."""


class AlreadyDisposed(Conflict):
    """The inspected units were disposed of before."""


# With more than a year of cover another opened unit is worth less than the place it takes.
LONGEST_COVER_WEEKS = 52
LONGEST_WHY = 400


def decide(facts: Facts) -> Proposed:
    """This function will propose what to do with inspected units.

    >>> decide(Facts(grade=Grade.A, finding=Finding.NO_FAULT, unit_cost=200, resale_value=450, refurbish_cost=100,
    ...              weeks_of_cover=6)).disposition.name
    'RESTOCK'
    >>> decide(Facts(grade=Grade.C, finding=Finding.CUSTOMER_DAMAGE, unit_cost=200, resale_value=450,
    ...              refurbish_cost=300, weeks_of_cover=6)).disposition.name
    'REFURBISH'
    """
    cost, price, mend = map(facts.shown, (facts.unit_cost, facts.resale_value, facts.refurbish_cost))
    if facts.finding is Finding.SUPPLIER_DEFECT and facts.grade in (Grade.C, Grade.D):
        return Proposed(
            Disposition.RETURN_TO_SUPPLIER,
            Cause.SUPPLIER_OWES,
            f"grade {facts.grade.name} by the supplier's defect: the supplier owes {cost} a piece",
        )
    if facts.grade in (Grade.A, Grade.B):
        if facts.weeks_of_cover > LONGEST_COVER_WEEKS and facts.grade is Grade.B:
            return Proposed(
                Disposition.SCRAP,
                Cause.NOT_SOLD_WITHIN_A_YEAR,
                f"grade B and {facts.weeks_of_cover} weeks of stock at hand: it would not be sold within a year",
            )
        sells = f"grade {facts.grade.name}: it sells again for {price}"
        return Proposed(Disposition.RESTOCK, Cause.SELLS_AGAIN, sells)
    if facts.grade is Grade.C and facts.refurbish_cost < facts.resale_value:
        return Proposed(
            Disposition.REFURBISH,
            Cause.MENDING_PAYS,
            f"grade C: mending costs {mend}, it then sells for {price}",
        )
    return Proposed(
        Disposition.SCRAP,
        Cause.NOT_WORTH_MENDING,
        f"grade {facts.grade.name}: mending for {mend} is not worth {price}",
    )


def dispose(
    session: Session, decisions: Sequence[Decision], *, actor: Actor, now: datetime, today: date
) -> ledger.PostResult:
    """This function will carry dispositions out: goods move once, and their value follows the goods.

    Restocked units are promised to waiting orders at once. Raises `BadDecision`, `InspectionUnknown`,
    `AlreadyDisposed`, `BinMissing`, and `NotEnoughStock` when the goods have left the cage some other way.
    """
    actor.require(Role.RETURNS, Role.WAREHOUSE, Role.SYSTEM)
    if not decisions:
        return ledger.PostResult((), ())
    for decision in decisions:
        if not 0 < len(decision.why.strip()) <= LONGEST_WHY:
            raise BadDecision(f"inspection {decision.inspection_id}: say why in 1 to {LONGEST_WHY} characters")
    rows = _lock(session, [decision.inspection_id for decision in decisions])
    destinations = _destinations(session, decisions, rows)
    cages = _cages(session, rows)
    requests = [
        _request(decision, rows[decision.inspection_id], cages=cages, destination_id=destination_id, today=today)
        for decision, destination_id in zip(decisions, destinations, strict=True)
    ]
    _insert(session, decisions, actor=actor, now=now)
    company_id = next(iter(rows.values())).company_id
    result = ledger.move_now(session, requests, company_id=company_id, actor=actor, now=now, today=today)
    _fill(session, result.posted)
    feedback.record_disposed(
        session, [_fact(decision, rows[decision.inspection_id]) for decision in decisions], today=today
    )
    audit.record(
        session,
        actor=actor,
        verb="return.dispose",
        document_kind=KIND,
        document_ids=sorted({row.return_id for row in rows.values()}),
    )
    return result


def _lock(session: Session, inspection_ids: Sequence[int]) -> dict[int, Any]:
    wanted = sorted(set(inspection_ids))
    rows = session.execute(
        sa.select(
            Inspection.id,
            Inspection.quantity,
            Inspection.lot_id,
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
        .with_for_update(of=table_of(Inspection), key_share=True)
    ).all()
    found = {row.id: row for row in rows}
    for inspection_id in wanted:
        if inspection_id not in found:
            raise InspectionUnknown(f"there is no inspection {inspection_id}")
    done = list(session.scalars(sa.select(Disposal.inspection_id).where(Disposal.inspection_id.in_(wanted))))
    done += [inspection_id for inspection_id, times in Counter(inspection_ids).items() if times > 1]
    if done:
        raise AlreadyDisposed(f"inspection {min(done)} is disposed of already: its goods have left the cage")
    return found


def _cages(session: Session, rows: Mapping[int, Any]) -> dict[int, int]:
    return {
        site_id: locations.of_kind(session, kind=LocationKind.RETURNS, site_id=site_id)
        for site_id in sorted({row.site_id for row in rows.values()})
    }


def _request(
    decision: Decision, row: Any, *, cages: Mapping[int, int], destination_id: int, today: date
) -> MoveRequest:
    return MoveRequest(
        item_id=row.item_id,
        source_id=cages[row.site_id],
        destination_id=destination_id,
        quantity=row.quantity,
        due_date=today,
        document_kind=MOVE_KIND,
        document_id=row.id,
        line_id=row.return_line_id,
        lot_id=row.lot_id,
        reason=decision.disposition.value,
    )


# Where goods go that are not put back on the shelf, and whether that place belongs to the site or to the company.
OTHER_PLACES: Mapping[Disposition, tuple[LocationKind, bool]] = {
    Disposition.REFURBISH: (LocationKind.QUARANTINE, True),
    Disposition.RETURN_TO_SUPPLIER: (LocationKind.SUPPLIER, False),
    Disposition.SCRAP: (LocationKind.SCRAP, False),
}


def _destinations(session: Session, decisions: Sequence[Decision], rows: Mapping[int, Any]) -> list[int]:
    """Each distinct place is looked up once, however many inspections go there."""
    bins = locations.places(session, {decision.bin_id for decision in decisions if decision.bin_id is not None})
    others: dict[tuple[LocationKind, int | None], int] = {}
    found = []
    for decision in decisions:
        site_id: int = rows[decision.inspection_id].site_id
        if decision.disposition is Disposition.RESTOCK:
            place = None if decision.bin_id is None else bins[decision.bin_id]
            if place is None or not place.promisable or place.is_area or place.site_id != site_id:
                named = "no bin is named" if place is None else f"{place.code} is no bin of its site"
                raise BinMissing(f"inspection {decision.inspection_id} goes back to the shelf, and {named}: name one")
            found.append(place.id)
            continue
        kind, of_site = OTHER_PLACES[decision.disposition]
        key = (kind, site_id if of_site else None)
        if key not in others:
            others[key] = locations.of_kind(session, kind=key[0], site_id=key[1])
        found.append(others[key])
    return found


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
                "overridden": decision.overridden,
            }
            for decision in decisions
        ],
    )


def _fill(session: Session, posted: Sequence[Move]) -> None:
    """Restocked goods are promised to who waits for them; the posting has locked their pools."""
    places = locations.places(session, {move.destination_id for move in posted})
    restocked: dict[int, set[int]] = {}
    for move in posted:
        place = places[move.destination_id]
        if place.promisable:
            assert place.site_id is not None, f"storage {place.code} belongs to no site"
            restocked.setdefault(place.site_id, set()).add(move.item_id)
    for site_id, item_ids in sorted(restocked.items()):
        reservations.fill_backorders(session, item_ids=item_ids, site_id=site_id)


def _fact(decision: Decision, row: Any) -> Disposed:
    return Disposed(
        inspection_id=row.id,
        site_id=row.site_id,
        item_id=row.item_id,
        quantity=row.quantity,
        resellable=decision.disposition is Disposition.RESTOCK,
    )

"""Partners: who supplies us, who buys from us, who carries. One row may be all three."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, bulk
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role

OWN_STOCK = 1  # the owner row meaning: the goods are the company's own


class Partner(Base):
    """A company or person we deal with."""

    __tablename__ = "partner"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(160))
    is_supplier: Mapped[bool] = mapped_column(default=False)
    is_customer: Mapped[bool] = mapped_column(default=False)
    is_carrier: Mapped[bool] = mapped_column(default=False)
    email: Mapped[str | None] = mapped_column(sa.String(200))
    country: Mapped[str | None] = mapped_column(sa.String(60))
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (sa.UniqueConstraint("company_id", "code"),)


class Owner(Base):
    """Whose goods they are. Row 1 is the company's own; others name the partner who consigned them."""

    __tablename__ = "owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))


@dataclass(frozen=True, kw_only=True)
class PartnerRequest:
    """A partner somebody wants to add. It is at least one of supplier, customer and carrier."""

    code: str
    name: str
    is_supplier: bool = False
    is_customer: bool = False
    is_carrier: bool = False
    email: str | None = None
    country: str | None = None


class BadPartner(InvalidInput):
    """A partner cannot be added like this."""


class PartnerExists(Conflict):
    """The code of a partner is taken."""


class PartnerUnknown(NotFound):
    """There is no partner of that id."""


def add(session: Session, requests: Sequence[PartnerRequest], *, company_id: int, actor: Actor) -> list[int]:
    """This function will add partners and return their ids in order. Raises `BadPartner`, `PartnerExists`."""
    actor.require(Role.BUYER, Role.SALES, Role.ADMIN, Role.SYSTEM)
    codes = [request.code for request in requests]
    for request in requests:
        if not request.code.strip() or not request.name.strip():
            raise BadPartner(f"partner {request.code!r}: code and name cannot be empty")
        if not (request.is_supplier or request.is_customer or request.is_carrier):
            raise BadPartner(f"partner {request.code}: say whether it supplies, buys or carries")
    taken = set(ids_by_code(session, codes, company_id=company_id)) | {
        code for code, times in Counter(codes).items() if times > 1
    }
    if taken:
        raise PartnerExists(f"the partner code {min(taken)} is taken: choose another")
    rows = [vars(request) | {"company_id": company_id, "retired": False} for request in requests]
    ids = bulk.insert_rows(session, table_of(Partner), rows)
    audit.record(session, actor=actor, verb="partner.add", document_kind="partner", document_ids=ids)
    return ids


def retire(session: Session, partner_ids: Sequence[int], *, actor: Actor) -> None:
    """This function will retire partners: nothing new is ordered from or sold to them. Raises `PartnerUnknown`."""
    actor.require(Role.BUYER, Role.SALES, Role.ADMIN, Role.SYSTEM)
    wanted = sorted(set(partner_ids))
    known = set(session.scalars(sa.select(Partner.id).where(Partner.id.in_(wanted))))
    for partner_id in wanted:
        if partner_id not in known:
            raise PartnerUnknown(f"there is no partner {partner_id}")
    session.execute(sa.update(Partner).where(Partner.id.in_(wanted)).values(retired=True))
    audit.record(session, actor=actor, verb="partner.retire", document_kind="partner", document_ids=wanted)


def ids_by_code(session: Session, codes: Iterable[str], *, company_id: int) -> dict[str, int]:
    """This function will find partners by their codes; codes nobody has are missing from the answer."""
    rows = session.execute(
        sa.select(Partner.code, Partner.id).where(
            Partner.company_id == company_id, Partner.code.in_(sorted(set(codes)))
        )
    )
    return {row.code: row.id for row in rows}


def recipients(session: Session, partner_ids: Iterable[int]) -> dict[int, str]:
    """This function will give the address messages to partners go to: the e-mail address, or the code without one."""
    rows = session.execute(
        sa.select(Partner.id, sa.func.coalesce(Partner.email, Partner.code).label("address")).where(
            Partner.id.in_(sorted(set(partner_ids)))
        )
    )
    return {row.id: row.address for row in rows}

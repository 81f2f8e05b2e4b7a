"""What was agreed with suppliers: per supplier the terms of an order, per item the terms of a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, dialect_insert, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.master.partners import Partner


class SupplierTerms(Base):
    """Terms of every order to one supplier. Amounts are in minor units of `currency`."""

    __tablename__ = "supplier_terms"

    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    review_period_days: Mapped[int]
    review_weekday: Mapped[int | None]  # 0 Monday … 6 Sunday; none: may be ordered from on any day
    joint_order_cost: Mapped[int] = mapped_column(sa.BigInteger)
    minimum_order_value: Mapped[int] = mapped_column(sa.BigInteger)
    over_receipt_rate: Mapped[Decimal] = mapped_column(types.Rate)
    assumed: Mapped[list[Any]] = mapped_column(types.Json, default=list)

    __table_args__ = (
        sa.CheckConstraint("review_period_days > 0", name="reviews_recur"),
        sa.CheckConstraint("joint_order_cost >= 0 AND minimum_order_value >= 0", name="amounts_not_negative"),
        sa.CheckConstraint("review_weekday IS NULL OR review_weekday BETWEEN 0 AND 6", name="weekday_exists"),
    )


class SupplierAgreement(Base):
    """Terms of one item at one supplier. The lowest `priority` number is the preferred source."""

    __tablename__ = "supplier_agreement"

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    priority: Mapped[int] = mapped_column(default=1)
    lead_time_days: Mapped[int]
    minimum_order_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    order_multiple: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    needs_inspection: Mapped[bool] = mapped_column(default=False)  # what arrives is put away after it was inspected
    retired: Mapped[bool] = mapped_column(default=False)
    assumed: Mapped[list[Any]] = mapped_column(types.Json, default=list)

    __table_args__ = (
        sa.UniqueConstraint("item_id", "partner_id"),
        sa.CheckConstraint("lead_time_days >= 0", name="lead_time_not_negative"),
        sa.CheckConstraint("minimum_order_quantity >= 0 AND order_multiple >= 1", name="lots_are_whole"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )


@dataclass(frozen=True, kw_only=True)
class TermsRequest:
    """Terms of orders to one supplier, as somebody wants them. Amounts are minor units."""

    partner_id: int
    currency: str
    review_period_days: int
    review_weekday: int | None = None
    joint_order_cost: int = 0
    minimum_order_value: int = 0
    over_receipt_rate: Decimal = Decimal(0)
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AgreementRequest:
    """Terms of one item at one supplier, as somebody wants them. Quantities are base units."""

    partner_id: int
    item_id: int
    lead_time_days: int
    unit_price: Decimal
    minimum_order_quantity: int = 1
    order_multiple: int = 1
    priority: int = 1
    needs_inspection: bool = False
    retired: bool = False
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an item is bought: its live agreement with the lowest priority number."""

    agreement_id: int
    item_id: int
    supplier_id: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    unit_price: Decimal
    needs_inspection: bool
    assumed: tuple[str, ...]


class BadAgreement(InvalidInput):
    """A term cannot be agreed on like this."""


def set_terms(session: Session, requests: Sequence[TermsRequest], *, actor: Actor) -> None:
    """This function will write the order terms of suppliers, over what they were. Raises `BadAgreement`."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    for request in requests:
        _refuse_terms(request)
    _upsert(session, SupplierTerms, [_row(request) for request in requests], key=["partner_id"])
    audit.record(
        session,
        actor=actor,
        verb="terms.set",
        document_kind="supplier",
        document_ids=[request.partner_id for request in requests],
    )


def set_agreements(session: Session, requests: Sequence[AgreementRequest], *, actor: Actor) -> None:
    """This function will write what was agreed on items, over what it was. Raises `BadAgreement`."""
    actor.require(Role.BUYER, Role.ADMIN, Role.SYSTEM)
    for request in requests:
        _refuse_agreement(request)
    _upsert(session, SupplierAgreement, [_row(request) for request in requests], key=["item_id", "partner_id"])
    audit.record(
        session,
        actor=actor,
        verb="agreement.set",
        document_kind="item",
        document_ids=[request.item_id for request in requests],
    )


def preferred(session: Session, *, item_ids: Iterable[int] | None = None) -> dict[int, Source]:
    """This function will find the preferred source of items (of all, when none are named) in one query.

    An item that nobody supplies is missing from the answer.
    """
    rank = sa.func.row_number().over(
        partition_by=SupplierAgreement.item_id, order_by=[SupplierAgreement.priority, SupplierAgreement.id]
    )
    live = (
        sa.select(SupplierAgreement, rank.label("rank"))
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(~SupplierAgreement.retired, ~Partner.retired)
    )
    if item_ids is not None:
        live = live.where(SupplierAgreement.item_id.in_(sorted(set(item_ids))))
    ranked = live.subquery()
    rows = session.execute(sa.select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.item_id))
    return {
        row.item_id: Source(
            agreement_id=row.id,
            item_id=row.item_id,
            supplier_id=row.partner_id,
            lead_time_days=row.lead_time_days,
            minimum_order_quantity=row.minimum_order_quantity,
            order_multiple=row.order_multiple,
            unit_price=row.unit_price,
            needs_inspection=row.needs_inspection,
            assumed=tuple(row.assumed),
        )
        for row in rows
    }


def _row(request: TermsRequest | AgreementRequest) -> dict[str, Any]:
    return vars(request) | {"assumed": sorted(request.assumed)}


def _upsert(session: Session, model: type[Base], rows: list[dict[str, Any]], *, key: list[str]) -> None:
    if rows:
        insert = dialect_insert(session, table_of(model))
        changed = {name: insert.excluded[name] for name in rows[0] if name not in key}
        session.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), rows)


def _refuse_terms(request: TermsRequest) -> None:
    supplier = f"supplier {request.partner_id}"
    if request.review_period_days < 1:
        raise BadAgreement(f"{supplier}: review_period_days is {request.review_period_days}: it must be at least 1")
    if request.joint_order_cost < 0 or request.minimum_order_value < 0:
        raise BadAgreement(f"{supplier}: joint order cost and minimum order value cannot be below 0")
    if not 0 <= request.over_receipt_rate <= 1:
        raise BadAgreement(f"{supplier}: over_receipt_rate is {request.over_receipt_rate}: give a share from 0 to 1")


def _refuse_agreement(request: AgreementRequest) -> None:
    line = f"item {request.item_id} at supplier {request.partner_id}"
    if request.lead_time_days < 0:
        raise BadAgreement(f"{line}: lead_time_days is {request.lead_time_days}: it cannot be below 0")
    if request.unit_price < 0:
        raise BadAgreement(f"{line}: unit_price is {request.unit_price}: it cannot be below 0")
    if request.minimum_order_quantity < 0 or request.order_multiple < 1:
        raise BadAgreement(
            f"{line}: minimum_order_quantity {request.minimum_order_quantity} must be 0 or more and "
            f"order_multiple {request.order_multiple} at least 1"
        )

"""The list of VAT rates. Reads only."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from scm.core.listing import Field, Kind, Listing
from scm.finance.vat import VatRate
from scm.master.items import Item, ItemCategory

_RATES = VatRate.__table__.c


class Scope(enum.Enum):
    """What a rate holds for."""

    EVERYTHING = "everything"
    CATEGORY = "category"
    ITEM = "item"


SCOPES = sa.Enum(Scope, values_callable=lambda kind: [one.value for one in kind], native_enum=False, length=24)


def listing(*, company_id: int) -> Listing:
    """This function will describe the VAT rates of a company, those that came last first."""
    scope = sa.case(
        (_RATES.item_id.is_not(None), sa.literal(Scope.ITEM.value)),
        (_RATES.category_id.is_not(None), sa.literal(Scope.CATEGORY.value)),
        else_=sa.literal(Scope.EVERYTHING.value),
    )
    code = sa.func.coalesce(Item.sku, ItemCategory.code, "*")
    return Listing(
        name="vat",
        rows=sa.select(VatRate.id)
        .outerjoin(Item, Item.id == VatRate.item_id)
        .outerjoin(ItemCategory, ItemCategory.id == VatRate.category_id)
        .where(VatRate.company_id == company_id),
        key=_RATES.id,
        fields=(
            Field(name="name", kind=Kind.CODE, value=code + " " + sa.cast(_RATES.valid_from, sa.String)),
            Field(name="scope", kind=Kind.CHOICE, value=sa.type_coerce(scope, SCOPES), choices=Scope),
            Field(name="code", kind=Kind.CODE, value=code),
            Field(name="rate", kind=Kind.RATE, value=_RATES.rate),
            Field(name="valid_from", kind=Kind.DATE, value=_RATES.valid_from),
            Field(name="valid_until", kind=Kind.DATE, value=_RATES.valid_until),
        ),
        search=(Item.sku, ItemCategory.code),
        order=("valid_from", True),
    )

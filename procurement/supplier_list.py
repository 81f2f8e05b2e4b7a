"""The list of suppliers: terms, agreements and open orders, each computed for the rows of the page only. Reads only."""

from __future__ import annotations

import sqlalchemy as sa

from procurement.order_list import owed_of
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from procurement.supply import UNDECIDED
from scm.core.listing import Field, Kind, Listing
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.partners import Partner
from scm.stock.moves import StockMove


def listing(*, company_id: int, site_id: int) -> Listing:
    """This function will describe the suppliers of a company, with what one site has open with them."""
    here = sa.and_(PurchaseOrder.supplier_id == Partner.id, PurchaseOrder.site_id == site_id)
    agreed = sa.select(sa.func.count(SupplierAgreement.id)).where(
        SupplierAgreement.partner_id == Partner.id, ~SupplierAgreement.retired
    )
    undecided = sa.select(sa.func.count(PurchaseOrder.id)).where(
        here, PurchaseOrder.state.in_((*UNDECIDED, PurchaseOrderState.APPROVED))
    )
    owed = sa.select(sa.func.count(PurchaseOrder.id)).where(
        here, PurchaseOrder.state == PurchaseOrderState.SENT, sa.exists(StockMove.id).where(owed_of())
    )
    newest = sa.select(sa.func.max(PurchaseOrder.sent_date)).where(here)
    return Listing(
        name="suppliers",
        rows=(
            sa.select(Partner.id)
            .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
            .where(Partner.company_id == company_id, Partner.is_supplier)
        ),
        key=Partner.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=Partner.code),
            Field(name="name", kind=Kind.TEXT, value=Partner.name),
            Field(name="country", kind=Kind.TEXT, value=Partner.country),
            Field(name="agreements", kind=Kind.NUMBER, value=agreed.scalar_subquery()),
            Field(name="undecided", kind=Kind.NUMBER, value=undecided.scalar_subquery()),
            Field(name="owed", kind=Kind.NUMBER, value=owed.scalar_subquery()),
            Field(name="newest_date", kind=Kind.DATE, value=newest.scalar_subquery()),
            Field(
                name="minimum_order_value",
                kind=Kind.MONEY,
                value=SupplierTerms.minimum_order_value,
                beside="currency",
            ),
            Field(name="currency", kind=Kind.CODE, value=SupplierTerms.currency),
            Field(name="review_period_days", kind=Kind.NUMBER, value=SupplierTerms.review_period_days),
            Field(name="retired", kind=Kind.FLAG, value=Partner.retired),
        ),
        search=(Partner.code, Partner.name),
        order=("name", False),
    )

"""Exchange rates and suppliers' invoices as a browser sees them."""

from __future__ import annotations

import re
from decimal import Decimal

from scm.core.db import Database
from scm.finance import valuation
from scm.sales import orders
from scm.sales.orders import LineRequest, OrderRequest
from tests.web.house import House
from tests.web.visitor import text_of
from tests.world import World


def test_a_buyer_records_a_rate_once(database: Database) -> None:
    house = House(database)
    buyer = house.visitor("buyer")
    assert "No rate is recorded" in text_of(buyer.get("/rates"))
    buyer.post("/rates/record", status=303, currency="USD", rate_date="2026-01-05", rate="0.7512")
    page = text_of(buyer.get("/rates"))
    assert "1 exchange rate" in page
    assert "0.7512" in page
    assert buyer.post("/rates/record", currency="USD", rate_date="2026-01-05", rate="0.8").status_code == 409
    assert buyer.post("/rates/record", currency="GBP", rate_date="2026-01-05", rate="1").status_code == 400
    assert (
        house.visitor("planner").post("/rates/record", currency="USD", rate_date="2026-01-06", rate="1").status_code
        == 403
    )


def test_a_suppliers_invoice_is_recorded_and_paid_on_the_orders_page(database: Database) -> None:
    house = House(database)

    def receive(world: World) -> None:
        world.receive(house.purchase_order)
        valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)

    house.do(receive)
    number = house.number_of("purchase_order")
    buyer = house.visitor("buyer")
    page = text_of(buyer.get(f"/purchase-orders/{number}"))
    assert re.search(r"Came and is not invoiced: \S*\s?48\.00", page)
    address = f"/purchase-orders/{number}/invoices"
    assert buyer.post(address, invoice_number="R-1", amount="48.01", invoice_date="2026-01-05").status_code == 409
    assert buyer.post(address, invoice_number="R-1", amount="0.001", invoice_date="2026-01-05").status_code == 400
    buyer.post(address, status=303, invoice_number="R-1", amount="48", invoice_date="2026-01-05")
    page = buyer.get(f"/purchase-orders/{number}")
    assert "R-1" in text_of(page)
    found = re.search(r"/invoices/(\d+)/pay", page)
    assert found is not None
    buyer.post(f"{address}/{found[1]}/pay", status=303, amount="48.00", paid_date="2026-01-05")
    assert buyer.post(f"{address}/{found[1]}/pay", amount="1", paid_date="2026-01-05").status_code == 409
    assert buyer.post(f"{address}/999/pay", amount="1", paid_date="2026-01-05").status_code == 404
    assert "/pay" not in buyer.get(f"/purchase-orders/{number}")


def test_an_administrator_sets_vat_and_documents_show_totals_both_ways(database: Database) -> None:
    house = House(database)
    admin = house.visitor("admin")
    assert "without VAT" in text_of(admin.get("/vat"))
    admin.post("/vat/set", status=303, per_cent="20", valid_from="2026-01-05")
    admin.post("/vat/set", status=303, per_cent="5", valid_from="2026-01-05", sku="nut")
    assert "2 VAT rates" in text_of(admin.get("/vat"))
    assert admin.post("/vat/set", per_cent="100", valid_from="2026-01-05").status_code == 400
    assert admin.post("/vat/set", per_cent="5", valid_from="2026-01-05", sku="screw").status_code == 404
    assert house.visitor("buyer").post("/vat/set", per_cent="5", valid_from="2026-01-05").status_code == 403
    customer = house.value("SELECT id FROM partner WHERE code = 'customer'")

    def buy(world: World) -> int:
        line = LineRequest(item_id=house.nut, quantity=2, unit_price=Decimal(10))
        request = OrderRequest(
            site_id=world.setup.site_id, customer_id=customer, channel="web", lines=[line], external_id="A"
        )
        sales = world.user("sales")
        [order_id] = orders.place(world.begin(), [request], actor=sales, now=world.now, today=world.today)
        return order_id

    order = house.do(buy)
    number = house.value(f"SELECT number FROM sales_order WHERE id = {order}")
    page = text_of(admin.get(f"/sales-orders/{number}"))
    assert "VAT 1.00" in page
    assert "With VAT 21.00" in page
    assert "Without VAT 20.00" in page
    paper = text_of(house.visitor("buyer").get(f"/purchase-orders/{house.number_of('purchase_order')}/print"))
    assert re.search(r"Total \S*\s?57\.60", paper)  # 48.00 and a fifth

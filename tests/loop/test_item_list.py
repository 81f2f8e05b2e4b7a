"""The list of items agrees with the positions and targets it is made from."""

from __future__ import annotations

from scm.core import listing
from scm.core.listing import Condition, ListQuery
from scm.loop import item_list
from scm.loop.item_list import Standing
from scm.stock import projection
from scm.stock.projection import Position
from tests.loop.company import Company


def test_the_figures_are_those_of_the_positions(company: Company) -> None:
    company.simulate(3)
    wanted = item_list.listing(company_id=company.setup.company_id, site_id=company.setup.site_id)
    with company.reading() as session:
        rows = listing.fetch(session, wanted, ListQuery(size=100)).rows
        positions = projection.positions(session, site_id=company.setup.site_id)
    assert len(rows) == 25
    for row in rows:
        position = positions.get(row["key"], Position())
        seen = (row["on_hand"], row["available"], row["on_order"], row["backordered"])
        assert seen == (position.on_hand, position.available, position.on_order, position.backordered)
    missing = [row["missing"] for row in rows]
    assert missing == sorted(missing, reverse=True)


def test_how_items_stand_is_filtered_as_it_is_shown(company: Company) -> None:
    company.simulate(3)
    wanted = item_list.listing(company_id=company.setup.company_id, site_id=company.setup.site_id)
    with company.reading() as session:
        rows = list(listing.stream(session, wanted, ListQuery()))
        for some in (*((standing,) for standing in Standing), (Standing.FINE, Standing.ORDER)):
            query = ListQuery(conditions=(Condition(field="standing", values=some),))
            assert set(listing.keys(session, wanted, query, most=100)) == {
                row["key"] for row in rows if row["standing"] in some
            }
    assert len({row["standing"] for row in rows}) > 1


def test_an_empty_shelf_is_out_of_stock_and_can_be_filtered(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    wanted = item_list.listing(company_id=company.setup.company_id, site_id=company.setup.site_id)
    out = ListQuery(conditions=(Condition(field="standing", values=(Standing.OUT,)),), size=100)
    with company.reading() as session:
        rows = listing.fetch(session, wanted, out).rows
        by_cover = listing.fetch(session, wanted, ListQuery(order=("cover_days", False), size=100)).rows
    assert rows and {row["standing"] for row in rows} == {Standing.OUT}
    assert all(row["available"] - row["backordered"] <= 0 and row["proposed"] for row in rows)
    covers = [row["cover_days"] for row in by_cover if row["cover_days"] is not None]
    assert covers == sorted(covers)

"""The bulk path writes what the ORM would have written, and fails as the ORM would."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scm.core import bulk
from scm.core.bulk import Coded, Nullable
from scm.core.db import table_of
from scm.loop.importing.tables import LineKind, SalesHistoryLine
from scm.master.partners import Partner
from tests.importing.files import NOW
from tests.world import World

AWKWARD = ["tab\tline\nreturn\rslash\\end", "\\N", "", "é€𝄞", "'; DROP TABLE item; --"]


def columns(count: int) -> dict[str, bulk.Column]:
    places = np.arange(count)
    return {
        "id": places + 1,
        "import_id": np.ones(count, dtype=np.int64),
        "row_number": places,
        "kind": Coded(np.zeros(count, dtype=np.int8), [LineKind.SALE]),
        "invoice": Coded(places, [AWKWARD[place % len(AWKWARD)] for place in range(count)]),
        "item_id": Nullable(places),
        "charge_code": Coded(np.full(count, bulk.NULL), []),
        "customer_id": places,
        "sold_at": Coded(np.zeros(count, dtype=np.int64), [datetime(2011, 1, 2, 3, 4, 5, tzinfo=UTC)]),
        "sold_date": Coded(np.zeros(count, dtype=np.int64), [date(2011, 1, 2)]),
        "quantity": places + 1,
        "unit_price": np.full(count, 2_550_000),
        "matched_sale_id": Nullable(np.full(count, bulk.NULL)),
        "never_demand": Coded(np.zeros(count, dtype=np.int64), [False]),
        "line_key": np.full(count, -(2**63)),
    }


def test_every_type_of_value_comes_back_as_it_went_in(session: Session) -> None:
    assert bulk.insert(session, table_of(SalesHistoryLine), columns(5)) == 5
    lines = session.scalars(sa.select(SalesHistoryLine).order_by(SalesHistoryLine.id)).all()
    assert [line.invoice for line in lines] == AWKWARD
    first = lines[0]
    assert (first.kind, first.item_id, first.charge_code, first.matched_sale_id) == (LineKind.SALE, 0, None, None)
    assert (first.sold_at, first.sold_date) == (datetime(2011, 1, 2, 3, 4, 5, tzinfo=UTC), date(2011, 1, 2))
    assert (first.unit_price, first.never_demand, first.line_key) == (Decimal("2.55"), False, -(2**63))


def test_more_rows_than_a_chunk_are_all_written_and_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 7)
    told: list[int] = []
    assert bulk.insert(session, table_of(SalesHistoryLine), columns(20), advance=told.append) == 20
    assert session.scalar(sa.select(sa.func.count(SalesHistoryLine.id))) == 20
    assert told == [7, 7, 6]


def test_columns_of_different_lengths_are_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="differ in length"):
        bulk.insert(session, table_of(SalesHistoryLine), columns(3) | {"id": np.arange(2)})


def test_a_broken_constraint_is_an_integrity_error_as_everywhere(session: Session) -> None:
    with pytest.raises(IntegrityError), session.begin_nested():
        bulk.insert(session, table_of(SalesHistoryLine), columns(2) | {"quantity": np.zeros(2, dtype=np.int64)})


def test_rows_get_ids_in_order_that_later_rows_do_not_take_again(session: Session) -> None:
    world = World(session)
    rows = [
        {
            "company_id": world.setup.company_id,
            "code": f"C{number}",
            "name": AWKWARD[number % len(AWKWARD)] or "-",
            "is_supplier": False,
            "is_customer": True,
            "is_carrier": False,
            "email": None,
            "country": None,
            "retired": False,
        }
        for number in range(7)
    ]
    ids = bulk.insert_rows(session, table_of(Partner), rows)
    by_id = {row.id: row.code for row in session.execute(sa.select(Partner.id, Partner.code))}
    assert [by_id[partner_id] for partner_id in ids] == [row["code"] for row in rows]
    later = Partner(company_id=world.setup.company_id, code="LATER", name="Later", is_customer=True)
    session.add(later)
    session.flush()
    assert later.id not in ids
    assert bulk.insert_rows(session, table_of(Partner), []) == []


def test_instants_are_instants_in_whatever_zone_the_server_is(session: Session) -> None:
    bulk.insert(
        session,
        table_of(SalesHistoryLine),
        columns(1) | {"sold_at": Coded(np.zeros(1, dtype=np.int64), [NOW.astimezone()])},
    )
    assert session.scalar(sa.select(SalesHistoryLine.sold_at)) == NOW

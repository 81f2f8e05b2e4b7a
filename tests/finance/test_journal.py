"""The postings of an entry sum to zero, or it is not written."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.finance import journal
from scm.finance.journal import Account, EntryRequest, PostingRequest, Unbalanced
from tests.world import World


def entry(world: World, *amounts: int) -> EntryRequest:
    """This function will make an entry of one posting per amount."""
    return EntryRequest(
        entry_date=world.today,
        document_kind="correction",
        document_id=1,
        text="by hand",
        postings=tuple(
            PostingRequest(account=Account.CASH, currency="GBP", amount=amount, company_amount=amount)
            for amount in amounts
        ),
    )


@pytest.mark.parametrize("amounts", [(), (0,), (5, -4), (1, 1)])
def test_an_entry_that_does_not_balance_is_refused(world: World, amounts: tuple[int, ...]) -> None:
    with world.refuses(Unbalanced, match=r"correction 1 \(by hand\)") as session:
        requests = [entry(world, 5, -5), entry(world, *amounts)]
        journal.post(session, requests, company_id=world.setup.company_id, now=world.now)


def test_entries_of_several_postings_are_written_in_order(world: World) -> None:
    requests = [entry(world, 5, -5), entry(world, 5, 5, -10), entry(world, 1, 2, 3, -6)]
    ids = journal.post(world.begin(), requests, company_id=world.setup.company_id, now=world.now)
    assert ids == sorted(ids)
    counts = [
        len(world.begin().scalars(sa.select(journal.Posting.id).where(journal.Posting.entry_id == i)).all())
        for i in ids
    ]
    assert counts == [2, 3, 4]


def test_balances_are_those_of_a_day(world: World) -> None:
    transfer = journal.transfer(debit=Account.CASH, credit=Account.REVENUE, amount=7, currency="GBP")
    for days in (0, 1):
        request = EntryRequest(
            entry_date=world.day(days), document_kind="sale", document_id=1, text="sale", postings=transfer
        )
        journal.post(world.begin(), [request], company_id=world.setup.company_id, now=world.now)
    company_id = world.setup.company_id
    assert journal.balances(world.begin(), company_id=company_id, until=world.today)[Account.CASH] == 7
    assert journal.balances(world.begin(), company_id=company_id)[Account.CASH] == 14

"""Fixtures for tests of the money ledger."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.finance.books import Books


@pytest.fixture
def books(session: Session) -> Books:
    """A warehouse whose goods have a cost, in a session that is rolled back."""
    return Books(session)

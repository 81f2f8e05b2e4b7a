"""The prepared company of each kind of database, and copies of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.databases import Backend
from tests.loop import company as companies
from tests.loop.company import Company


@pytest.fixture(scope="session")
def _prepared_sqlite() -> Iterator[str]:
    with companies.prepared("sqlite") as url:
        yield url


@pytest.fixture(scope="session")
def _prepared_postgresql() -> Iterator[str]:
    with companies.prepared("postgresql") as url:
        yield url


@pytest.fixture
def another_company(request: pytest.FixtureRequest, backend: Backend) -> Iterator[Callable[[], Company]]:
    """A call that gives one more copy of the prepared company."""
    prepared_url: str = request.getfixturevalue(f"_prepared_{backend}")
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(companies.copied(backend, prepared_url))


@pytest.fixture
def company(another_company: Callable[[], Company]) -> Company:
    """A copy of the prepared company, on the morning of its go-live day."""
    return another_company()

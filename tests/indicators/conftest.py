"""The office of the test company."""

from __future__ import annotations

import pytest

from tests.inbox.office import Office
from tests.selling import Shop
from tests.world import World


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)

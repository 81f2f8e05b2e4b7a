"""The workshop that production's tests tell their stories in."""

from __future__ import annotations

import pytest

from tests.production.shop import Shop
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A workshop in the test's own session."""
    return Shop(world)

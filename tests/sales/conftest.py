"""Every story here has a shop."""

from __future__ import annotations

import pytest

from tests.selling import Shop
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop in a world of the test's own."""
    return Shop(world)

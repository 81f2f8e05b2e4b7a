"""Fixtures of the returns desk's tests."""

from __future__ import annotations

import pytest

from tests.aftersales.desk import Desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    """A returns desk in the test's own session."""
    return Desk(world)

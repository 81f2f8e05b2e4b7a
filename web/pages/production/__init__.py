"""Production: work orders at the desk, on the floor, and at partners."""

from __future__ import annotations

from scm.core.users import Role

LOOKS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.WAREHOUSE, Role.PRODUCTION, Role.SALES, Role.ADMIN})
PLANS = frozenset({Role.PLANNER})
HANDLES = frozenset({Role.PRODUCTION, Role.WAREHOUSE})
MAKES = frozenset({Role.PRODUCTION})

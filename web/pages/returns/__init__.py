"""The returns desk: what waits, one return, the scanner's pages, and parcels nobody expects."""

from __future__ import annotations

from scm.core.users import Role
from web.area import Area

area = Area("returns", __name__)

HANDLES = frozenset({Role.RETURNS, Role.WAREHOUSE})
PAYS = frozenset({Role.RETURNS, Role.SALES})
LOOKS = frozenset({Role.RETURNS, Role.WAREHOUSE, Role.SALES, Role.PLANNER, Role.BUYER, Role.APPROVER, Role.ADMIN})

"""Sales orders: the list, and each order's page with what is promised, what waits and what was bought for it."""

from __future__ import annotations

from scm.core.users import Role
from web.area import PEOPLE, Area

area = Area("sales_orders", __name__)

LOOKS = PEOPLE
SELLS = frozenset({Role.SALES})

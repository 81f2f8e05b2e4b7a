"""The words of administration: what each role does."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from scm.core.users import Role
from web.i18n import Text

# By role: its name, and what it may do.
ROLES: Mapping[Role, tuple[Text, Text]] = {
    Role.PLANNER: (_l("Planner"), _l("plans, answers proposals, keeps items")),
    Role.BUYER: (_l("Buyer"), _l("writes and sends orders, keeps suppliers and agreements")),
    Role.APPROVER: (_l("Approver"), _l("approves orders and counts of others")),
    Role.WAREHOUSE: (_l("Warehouse"), _l("receives, picks, packs, ships, counts")),
    Role.PRODUCTION: (_l("Production"), _l("issues, reports and completes work orders")),
    Role.RETURNS: (_l("Returns desk"), _l("authorizes, inspects, disposes, refunds")),
    Role.SALES: (_l("Sales"), _l("takes and cancels customer orders")),
    Role.ADMIN: (_l("Administrator"), _l("keeps people, settings and master data")),
}

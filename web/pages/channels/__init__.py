"""Channels: the list, and each channel's page with its terms, its prices and the stock set aside for it."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from scm.core.users import Role
from scm.sales.channels import ChannelKind
from web.area import PEOPLE, Area
from web.i18n import Text

area = Area("channels", __name__)

LOOKS = PEOPLE
KEEPS = frozenset({Role.SALES, Role.ADMIN})
KINDS: Mapping[ChannelKind, Text] = {
    ChannelKind.MARKETPLACE: _l("Marketplace"),
    ChannelKind.LIVE_STREAM: _l("Live stream"),
    ChannelKind.DISTRIBUTOR: _l("Distributor"),
}

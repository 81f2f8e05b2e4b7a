"""Lists on pages: what a `scm.core.listing.Listing` is called, how it is drawn, filtered, saved, exported, re-imported.

A page declares a `ListPage` and registers it in its area; the routes, the address, the table, the exports and the
saved views are the same for all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from scm.core.listing import Found, Listing, Row
from scm.core.users import Role
from web.desk import Desk
from web.i18n import Text


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. `names` are the words of a choice, `meanings` its hues (risk, watch, good, machine, hand, idle).

    `template` draws the cell instead of the usual way (it gets `row`, `value`, `desk`); `link` leads somewhere.
    """

    field: str
    label: Text
    shown: bool = True
    filtered: bool = False
    sortable: bool = True
    names: Mapping[Any, Text] = dataclasses.field(default_factory=dict)
    meanings: Mapping[Any, str] = dataclasses.field(default_factory=dict)
    link: Callable[[Row], str] | None = None
    template: str | None = None
    hint: Text | None = None
    on_phone: bool = True


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Something done to the picked rows: the endpoint gets the form of the list. `dialog` asks for more first."""

    endpoint: str
    text: Text
    primary: bool = False
    hotkey: str = ""
    dialog: str | None = None  # a template with the fields to ask for


@dataclass(frozen=True, kw_only=True)
class Change:
    """A cell that a re-imported file changes."""

    key: int
    field: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """One list as a page. `identity` is the field whose text names a row in a file.

    `heading` says what is found ("46 proposals to decide"); `why_empty` is said when nothing is there at all.
    `detail` gives the address of what a row opens to; `worth` is the money field the bulk bar adds up.
    `remark` says what a change in bulk will leave a picked row at ("answered already"), and the bar counts each.
    `default` is the query of an address that asks for nothing. `apply` changes cells from a re-imported file, in one
    domain verb; only fields in `editable` are offered to it.
    """

    name: str
    rule: str
    roles: frozenset[Role]
    listing: Callable[[Desk], Listing]
    columns: Sequence[Column]
    identity: str
    heading: Callable[[Found, Desk], Text]
    why_empty: Text = ""
    detail: Callable[[Row], str] | None = None
    worth: str | None = None
    bulk: Sequence[Bulk] = ()
    presets: Sequence[tuple[Text, str]] = ()  # views that are always there: name and query
    aside: str | None = None  # a template above the table
    actions: str | None = None  # a template in the head
    template: str = "listing/page.html"
    remark: Callable[[Row], Text] | None = None
    default: str = ""
    editable: frozenset[str] = frozenset()
    apply: Callable[[Session, Desk, Sequence[Change]], None] | None = None

    def column(self, name: str) -> Column:
        """This function will find a column by its field."""
        return next(one for one in self.columns if one.field == name)

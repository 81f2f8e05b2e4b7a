"""Finds the texts of the pages: what templates and Python in `web` hand to gettext."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from babel.messages.extract import DEFAULT_KEYWORDS, extract

from tests.words.reading import ROOT

WEB = ROOT / "web"
KEYWORDS: dict[str, Any] = DEFAULT_KEYWORDS | {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "_l": None,  # lazy_gettext, where a module declares its words
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# What the application's own environment has; a template that needs more cannot be read here either.
JINJA_OPTIONS = {
    "silent": "false",
    "trimmed": "true",
    "extensions": "jinja2.ext.i18n,jinja2.ext.do,jinja2.ext.loopcontrols",
}


@dataclass(frozen=True)
class Key:
    """What gettext looks a text up by."""

    context: str | None
    msgid: str
    plural: str | None = None


@functools.cache
def used() -> dict[Key, list[str]]:
    """This function will give every text of the pages with the places that use it."""
    found: dict[Key, list[str]] = defaultdict(list)
    for path in sorted(WEB.rglob("*.py")):
        for key, line in _extracted(path, "python", {}):
            found[key].append(f"{path.relative_to(ROOT)}:{line}")
    for path in sorted(path for path in (WEB / "templates").rglob("*") if path.is_file()):
        for key, line in _extracted(path, "jinja2.ext:babel_extract", JINJA_OPTIONS):
            found[key].append(f"{path.relative_to(ROOT)}:{line}")
    return found


def _extracted(path: Path, method: Any, options: dict[str, str]) -> Iterator[tuple[Key, int]]:
    file: IO[bytes]
    with path.open("rb") as file:
        for line, message, _, context in extract(method, file, keywords=KEYWORDS, options=options):
            msgid, plural = message[:2] if isinstance(message, tuple) else (message, None)
            yield Key(context, msgid, plural), line

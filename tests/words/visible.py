"""What a reader of a page sees as words: text, and the attributes that are read out or shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

SILENT = frozenset({"script", "style", "template", "noscript"})
DATA = frozenset({"time", "code", "kbd", "samp", "output"})
"""Elements that hold what people, documents and keys are called, not what the page says."""
SHOWN = frozenset(
    {"placeholder", "title", "aria-label", "aria-description", "alt", "data-hint", "data-confirm", "label"}
)
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass
class Page(HTMLParser):
    """Collects the words and the links of one page."""

    words: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    open: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where we are, and take what the element shows and leads to."""
        given = {name: value or "" for name, value in attrs}
        quiet = self._is_quiet or tag in SILENT | DATA or given.get("translate") == "no"
        quiet = quiet or ("lang" in given and tag != "html")  # another language, named in itself
        if not quiet:
            self.words += [given[name] for name in SHOWN & given.keys()]
            if "data-words" in given:  # what a script of the page says
                self.words += json.loads(given["data-words"]).values()
            if tag == "input" and given.get("type") in ("submit", "button"):
                self.words.append(given.get("value", ""))
        self.links += [given[name] for name in ("href", "hx-get") if tag != "link" and given.get(name)]
        if tag not in VOID:
            self.open.append((tag, quiet))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element, and those in it that were never closed."""
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Take a text."""
        text = " ".join(data.split())
        if text and not self._is_quiet:
            self.words.append(text)

    @property
    def _is_quiet(self) -> bool:
        return bool(self.open) and self.open[-1][1]


def read(html: str) -> Page:
    """This function will read a page."""
    page = Page()
    page.feed(html)
    page.close()
    return page


def outside(text: str, *, opening: str = "⟦", closing: str = "⟧") -> Iterator[str]:
    """This function will give the parts of a text that stand in no brackets.

    >>> list(outside("SKU ⟦of ⟦each⟧ item⟧: late"))
    ['SKU ', ': late']
    """
    depth, part = 0, ""
    for sign in text:
        if sign == opening:
            depth += 1
        elif sign == closing:
            depth -= 1
        if sign in (opening, closing):
            if part:
                yield part
            part = ""
        elif depth == 0:
            part += sign
    if part:
        yield part

"""Which addresses the page benchmark visits: every page along the links, and of each list what a person can ask of it.

Of a list that is its first page and, where it has more, a random one and the last; a search for a word, for the end of
a number and for one letter; each filter with each value it offers, and free ones with a value of the list's first rows;
and each column it can be sorted by, downwards. Of every other kind of page each person opens the first two that the
walk meets, and two that stand at the top of a list so sorted: the dearest orders, the items with most stock.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode

SEED = 1
PAGES = 2  # of one kind that the walk opens
WORDS = ("red", "e")  # one that some rows have, and one that nearly all have
DAYS = 7  # what a filter by date begins with, before today


@dataclass
class Offered(HTMLParser):
    """What the filters and the head of a list offer."""

    values: list[tuple[str, str]] = field(default_factory=list)  # a filter and one of its values
    free: list[tuple[str, str]] = field(default_factory=list)  # a filter and the kind of what is typed into it
    sorts: list[str] = field(default_factory=list)
    deep: int = 0  # forms and folds inside the filters

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field of the filters, or the column that a heading sorts by."""
        given = {name: value or "" for name, value in attrs}
        if tag == "div" and (self.deep or "filters" in given.get("class", "").split()):
            self.deep += 1
        found = re.search(r"[?&]sort=-?([a-z0-9_]+)", given.get("href", "")) if tag == "a" else None
        if found and found[1] not in self.sorts:
            self.sorts.append(found[1])
        kind = given.get("type", "text")
        if tag == "input" and self.deep and kind not in ("hidden", "search") and given.get("name"):
            if kind == "checkbox":
                self.values.append((given["name"], given.get("value", "yes")))
            else:
                self.free.append((given["name"], "number" if given.get("inputmode") else kind))

    def handle_endtag(self, tag: str) -> None:
        """Leave the filters."""
        if tag == "div" and self.deep:
            self.deep -= 1


def of_list(get: Callable[[str], str], address: str, html: str, *, today: date) -> Iterator[str]:
    """This function will give what can be asked of a list besides its own address, whose page is `html`."""
    chance = random.Random(f"{SEED} {address}")
    numbers = [int(number) for number in re.findall(r"[?&;]page=(\d+)", html.partition('class="pages"')[2])]
    if numbers:
        yield f"{address}?page={chance.randint(2, max(numbers))}"
        yield f"{address}?page={max(numbers)}"
    offered = Offered()
    offered.feed(html)
    for word in (*WORDS, f"{chance.randint(0, 999):03d}"):
        yield f"{address}?{urlencode({'q': word})}"
    for name, value in offered.values:
        yield f"{address}?{urlencode({name: value})}"
    for name, kind in offered.free:
        value = _typed(get, address, name, kind, today)
        if value:
            yield f"{address}?{urlencode({name: value})}"
    for name in offered.sorts:
        yield f"{address}?sort=-{name}"


def _typed(get: Callable[[str], str], address: str, name: str, kind: str, today: date) -> str:
    """What somebody would type into a filter; nothing where the list has nothing in that column."""
    if kind == "date":
        return (today - timedelta(days=DAYS)).isoformat()
    if kind == "number":
        return "10"
    shown = get(f"{address}?{urlencode({'columns': name.partition('.')[0]})}")
    cells = re.findall(r"<td[^>]*translate[^>]*>(.*?)</td>", shown, re.DOTALL)
    texts = [re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in cells]
    return next((text[:6] if name.endswith(".has") else text for text in texts if text and text != "–"), "")


def top_rows(html: str) -> Iterator[str]:
    """This function will give the pages that the first row of a list leads to."""
    row = re.search(r"<tr data-row.*?</tr>", html, re.DOTALL)
    for found in re.finditer(r'<a[^>]*href="(/[^"?]+)"', row[0] if row else ""):
        yield found[1]

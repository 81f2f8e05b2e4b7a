"""What the rooms say, in the reader's language: refusals, messages of a plan, errors of a file's rows.

The rooms know one language and no catalogue: they write plain f-strings. A catalogue has an entry for each such text,
with its holes in braces: `{number} is not approved`. A text is recognised by matching it as a whole against the
entries of the class that says it (they stand in the entry's `#.` comment), the one with most words of its own first,
and is said again with what stood in its holes. In a translation `{state:word}` translates what stands in the hole as
a word, `{allowed:words}` as words joined by "or" or commas, and `{error:text}` as a text of its own. A text without
an entry is shown as it is; tests/words finds every text of the source that lacks one.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Message

CATALOGUE = "errors.po"
WORD = "word"  # the context of single words: states, actions, kinds
LETTERS_TO_STAND_ALONE = 8  # what an entry needs of its own to be looked for in a text of unknown origin


@dataclass(frozen=True)
class Entry:
    """One text with holes, who says it, and its translation."""

    msgid: str
    translation: str
    by: frozenset[str]

    @cached_property
    def literals(self) -> list[str]:
        """The parts of the text between its holes."""
        return [literal for literal, *_ in string.Formatter().parse(self.msgid) if literal]

    @cached_property
    def letters(self) -> int:
        """How many letters are the text's own."""
        return sum(sign.isalpha() for literal in self.literals for sign in literal)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The text as a pattern whose groups are its holes."""
        parts = []
        for literal, name, _, _ in string.Formatter().parse(self.msgid):
            parts.append(re.escape(literal))
            if name is not None:
                parts.append(f"(?P<{name}>.*?)")
        return re.compile("".join(parts), re.DOTALL)

    def match(self, text: str) -> dict[str, str] | None:
        """This function will give what stands in the holes, or None when the text is another."""
        if not all(literal in text for literal in self.literals):
            return None
        found = self.pattern.fullmatch(text)
        return None if found is None else found.groupdict()


@dataclass
class Phrasebook:
    """The texts and words of one language."""

    entries: list[Entry] = field(default_factory=list)
    words: Mapping[str, str] = field(default_factory=dict)
    joints: tuple[str, str] = (" or ", ", ")
    """What stands between alternatives, and between the members of a list."""

    @cached_property
    def _by_class(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._all:
            for name in entry.by:
                found[name].append(entry)
        return found

    @cached_property
    def _all(self) -> list[Entry]:
        return sorted(self.entries, key=lambda entry: (-entry.letters, -len("".join(entry.literals)), entry.msgid))

    @cached_property
    def _distinct(self) -> list[Entry]:
        return [entry for entry in self._all if entry.letters >= LETTERS_TO_STAND_ALONE or not entry.pattern.groups]

    def refusal(self, error: Exception) -> str:
        """This function will say a refusal, by the entries of its class and those above."""
        return self._said(str(error), [entry for kind in type(error).__mro__ for entry in self._of(kind.__name__)])

    def text(self, text: str) -> str:
        """This function will say a text of unknown origin, one that was stored for instance."""
        return self._said(text, self._distinct)

    def word(self, word: str) -> str:
        """This function will say a single word of the code: a state, an action, a kind."""
        return self.words.get(word, word)

    def _listed(self, words: list[str], *, either: bool) -> str:
        last, comma = self.joints
        if either and len(words) > 1:
            words = [*words[:-2], words[-2] + last + words[-1]]
        return comma.join(words)

    def _of(self, name: str) -> list[Entry]:
        return self._by_class.get(name, [])

    def _said(self, text: str, entries: Iterable[Entry]) -> str:
        for entry in entries:
            holes = entry.match(text)
            if holes is not None:
                return self._filled(entry.translation, holes)
        return text

    def _filled(self, translation: str, holes: Mapping[str, str]) -> str:
        parts = []
        for literal, name, how, _ in string.Formatter().parse(translation):
            parts.append(literal)
            if name is not None:
                parts.append(self._inside(holes[name], how or ""))
        return "".join(parts)

    def _inside(self, value: str, how: str) -> str:
        if how == "word":
            return self.word(value)
        if how == "words":
            return self._listed([self.word(word) for word in re.split(", | or ", value)], either=" or " in value)
        if how == "text":
            return self._said(value, self._all)
        return value


def phrasebook(folder: Path) -> Phrasebook:
    """This function will read the phrasebook of a language's folder; a folder without one says texts as they are."""
    path = folder / CATALOGUE
    if not path.exists():
        return Phrasebook()
    with path.open("rb") as file:
        messages = [message for message in pofile.read_po(file) if message.id and message.string]
    words = {str(message.id): str(message.string) for message in messages if message.context == WORD}
    joints = (words.get("or", " or "), words.get(",", ", "))
    return Phrasebook([_entry(message) for message in messages if message.context is None], words, joints)


def _entry(message: Message) -> Entry:
    by = frozenset(name for comment in message.auto_comments for name in comment.split())
    return Entry(str(message.id), str(message.string), by)

"""Brings the catalogue of what the rooms say in step with their source: `python -m tests.words.catalogue`.

It adds an entry for each new text, to be translated, takes out those that nothing says any more, and renews who says
each. Words (states, actions, kinds) are written by hand and stay.
"""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog, Message

from tests.words import reading, said, vocabulary
from web.i18n.refusals import CATALOGUE, WORD

FOLDER = reading.ROOT / "web" / "translations"
WIDTH = 116


def read(path: Path) -> Catalog:
    """This function will read a catalogue."""
    with path.open("rb") as file:
        return pofile.read_po(file, locale=path.parent.name, abort_invalid=True)


def spoken() -> dict[str, set[str]]:
    """This function will give the templates of all texts, each with those who say it."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in said.everything():
        found[one.template].add(one.by)
    return found


def renewed(old: Catalog) -> Catalog:
    """This function will give the catalogue that belongs to the source, with the translations of the old one."""
    new = Catalog(locale=old.locale, header_comment=old.header_comment, fuzzy=False, charset="utf-8")
    for message in old:
        if message.id and message.context is not None:
            new[message.id] = Message(message.id, message.string, context=message.context)
    for template, by in sorted(spoken().items(), key=lambda item: (min(item[1]), item[0])):
        known = old.get(template)
        new[template] = Message(template, known.string if known else "", auto_comments=[" ".join(sorted(by))])
    return new


def written(catalogue: Catalog) -> str:
    """This function will write a catalogue as text, without what changes from day to day."""
    out = io.BytesIO()
    pofile.write_po(out, catalogue, width=WIDTH, omit_header=True)
    return HEADER + out.getvalue().decode("utf-8")


HEADER = """# What the rooms say (refusals, messages, errors of rows) and the words in it; `#.` names who says a text.
# `python -m tests.words.catalogue` adds what is new. How holes are filled: web/i18n/refusals.py.
msgid ""
msgstr ""
"Language: zh_CN\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

if __name__ == "__main__":
    target = FOLDER / "zh_CN" / CATALOGUE
    catalogue = renewed(read(target))
    target.write_text(written(catalogue), encoding="utf-8")
    for message in catalogue:
        if message.id and not message.string:
            print(" ".join(message.auto_comments), "|", message.id)
    for word in sorted(vocabulary.words() - {message.id for message in catalogue if message.context == WORD}):
        print(WORD, "|", word)

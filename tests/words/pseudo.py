"""A language for tests: every text that is looked up comes back in brackets, so that what was not stands out."""

from __future__ import annotations

from typing import Any

import pytest
from babel.support import Translations

from tests.words import catalogue
from web import i18n
from web.i18n.refusals import CATALOGUE, WORD, Entry, Phrasebook

WORN_BY = "zh_CN"  # figures and days are written as in this language, which has no Latin letters


class Bracketed(Translations):
    """Answers every text with itself in brackets. What is filled in afterwards stands inside them."""

    def gettext(self, message: str) -> str:
        """The text."""
        return f"⟦{message}⟧"

    ugettext = gettext

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The plural: as in Chinese, there is one form."""
        return f"⟦{msgid2}⟧"

    ungettext = ngettext

    def pgettext(self, context: str, message: str) -> str:
        """The text."""
        return f"⟦{message}⟧"

    upgettext = pgettext

    def npgettext(self, context: str, singular: str, plural: str, num: int) -> str:
        """The plural."""
        return f"⟦{plural}⟧"

    unpgettext = npgettext


def bracketed_phrases() -> Phrasebook:
    """This function will give a phrasebook that says what the rooms say in brackets."""
    messages = [one for one in catalogue.read(catalogue.FOLDER / WORN_BY / CATALOGUE) if one.id]
    entries = [
        Entry(str(one.id), f"⟦{one.id}⟧", frozenset(" ".join(one.auto_comments).split()))
        for one in messages
        if one.context is None
    ]
    return Phrasebook(entries, {str(one.id): f"⟦{one.id}⟧" for one in messages if one.context == WORD})


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """This function will let the pages speak this language to everybody who would read `WORN_BY`."""
    translations, phrases = Bracketed(), bracketed_phrases()

    def answered(self: Any) -> Translations:
        return translations

    monkeypatch.setattr(i18n.Catalogues, "get_translations", answered)
    monkeypatch.setattr(i18n, "phrases", lambda locale: phrases)

"""Languages: which one a request is in, and the catalogues, one .po file an area, read at start-up.

English is the language of the source. There is no compiled catalogue that could be older than its source.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from babel.messages import mofile, pofile
from babel.support import Translations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain

from scm.core.errors import ScmError
from scm.core.preferences import LOCALES
from web.i18n import refusals

FOLDER = Path(__file__).parent.parent / "translations"
DEFAULT = "en"
WEB_TAGS = {"en": "en", "zh_CN": "zh-CN"}
NAMES = {"en": "English", "zh_CN": "简体中文"}
Text: TypeAlias = Any  # a str, or a text of lazy_gettext, whose library has no types
LOCALE_KEY = "locale"  # of somebody who has not signed in yet


class Catalogues(Domain):  # type: ignore[misc]
    """The catalogues of all areas, merged per language."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__()
        self._folder = folder
        self._merged: dict[str, Translations] = {}

    def get_translations(self) -> Translations:
        """The texts of the running request's language."""
        name = current_locale()
        if name not in self._merged:
            self._merged[name] = merged(self._folder / name)
        return self._merged[name]


def merged(folder: Path) -> Translations:
    """This function will read every .po file of a language; a language without any gives the source texts."""
    found = Translations()
    for path in sorted(folder.glob("*.po")):
        if path.name == refusals.CATALOGUE:
            continue  # texts of the rooms, which are recognised and not looked up
        with path.open("rb") as file:
            catalogue = pofile.read_po(file)
        compiled = io.BytesIO()
        mofile.write_mo(compiled, catalogue)
        compiled.seek(0)
        one = Translations(compiled)
        found.merge(one)
        found.plural = one.plural  # merging leaves it behind
    return found


def init(app: Flask) -> None:
    """This function will teach an application its languages."""
    babel = Babel(app, default_locale=DEFAULT, locale_selector=current_locale, timezone_selector=_zone)
    babel.domain_instance = Catalogues()
    app.jinja_env.filters |= {"said": said, "word": word, "unit": unit}


def current_locale() -> str:
    """This function will give the language of the running request: the person's, the visitor's, the browser's."""
    if not has_request_context():
        return DEFAULT
    desk = g.get("desk")
    known: tuple[Any, str] | None = g.get("locale")
    if known is not None and known[0] is desk:  # a page asks some hundred times
        return known[1]
    found = _chosen(session.get(LOCALE_KEY) if desk is None else desk.preferences.locale or desk.company.default_locale)
    g.locale = (desk, found)  # until there is a desk, the person's wish is not known
    return found


def _chosen(chosen: str | None) -> str:
    if chosen in LOCALES:
        return str(chosen)
    best = request.accept_languages.best_match([*WEB_TAGS.values(), "zh"]) or "en"
    return "zh_CN" if best.startswith("zh") else "en"


def web_tag() -> str:
    """This function will give the language as HTML names it."""
    return WEB_TAGS.get(current_locale(), "en")


def refusal(error: ScmError) -> str:
    """This function will say a refusal in the reader's language."""
    locale = current_locale()
    return str(error) if locale == DEFAULT else phrases(locale).refusal(error)


def said(text: str) -> str:
    """This function will say a stored text of the rooms in the reader's language: a plan's message, a row's error."""
    locale = current_locale()
    return text if locale == DEFAULT else phrases(locale).text(text)


def word(code: str) -> str:
    """This function will say a word of the code (a state, an action, a kind) in the reader's language."""
    locale = current_locale()
    return code.replace("_", " ") if locale == DEFAULT else phrases(locale).word(code)


def unit(code: str) -> str:
    """This function will say a unit of quantities in the reader's language; one nobody named stays its code."""
    locale = current_locale()
    return code if locale == DEFAULT else phrases(locale).word(code)


@cache
def phrases(locale: str) -> refusals.Phrasebook:
    """This function will give what the rooms say in a language, read once."""
    return refusals.phrasebook(FOLDER / locale)


def _zone() -> str | None:
    desk = g.get("desk") if has_request_context() else None
    return desk.zone if desk is not None else None

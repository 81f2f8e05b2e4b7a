"""The Chinese README says what the English one says: the same commands, links and figures, in the same order."""

from __future__ import annotations

import calendar
import re

import pytest

from tests.words.reading import ROOT

ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
MONTHS = list(calendar.month_name)[1:]
DAY = re.compile(rf"(\d+)(?:–(\d+))? ({'|'.join(MONTHS)})")


def commands(text: str) -> list[str]:
    """The blocks and the snippets of code; snippets in the order of the alphabet, because languages order words."""
    blocks = re.findall(r"^```.*?^```", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return blocks + sorted(re.findall(r"`([^`\n]+)`", rest))


def links(text: str) -> list[str]:
    """The addresses and pictures a text leads to; a picture of a page may be in either language."""
    found = re.findall(r"\]\(([^)]+)\)|<(https?://[^>]+)>|src=\"([^\"]+)\"", text)
    addresses = ["".join(one) for one in found]
    return [re.sub(r"\.(?:en|zh)\.", ".", one) for one in addresses if not one.startswith("README")]


def figures(text: str) -> list[str]:
    """The numbers of a text in the order of size; a month's name counts as its number."""
    plain = re.sub(r"^```.*?^```|`[^`\n]+`|\]\([^)]+\)|<https?://[^>]+>|<img[^>]+>", "", text, flags=re.M | re.S)
    plain = DAY.sub(lambda day: f"{MONTHS.index(day[3]) + 1} {day[1]} {day[2] or ''}", plain)
    return sorted(re.findall(r"\d[\d,.]*\d|\d", plain))


@pytest.mark.parametrize("told", [commands, links, figures])
def test_both_readmes_tell_the_same(told: object) -> None:
    assert callable(told)
    assert told(CHINESE) == told(ENGLISH)


def test_both_readmes_have_the_same_shape() -> None:
    def shape(text: str) -> list[str]:
        found = re.findall(r"^(#+ |\||```|!\[)", text, re.M)
        return [str(mark) for mark in found]

    assert shape(CHINESE) == shape(ENGLISH)


def test_every_picture_of_the_readmes_is_there() -> None:
    shown = re.findall(r"docs/tour/[\w.-]+", ENGLISH + CHINESE)
    assert [one for one in shown if not (ROOT / one).exists()] == []


def test_each_readme_leads_to_the_other() -> None:
    assert "README.zh-CN.md" in ENGLISH
    assert "README.md" in CHINESE

"""Templates leave the writing of numbers, money and dates to the filters, which know the reader's language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.words.web_texts import WEB

TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
OWN_WRITING = re.compile(
    r"\.strftime\(|\.isoformat\(|\.format\(|\|\s*(?:format|round|filesizeformat)\b|\"\{:[^}]*\}\"|%[.,0-9]*[df]\b"
)
# An address or a machine's attribute is written for no language.
FOR_MACHINES = re.compile(r"(?:datetime|value|href|action|data-[a-z-]+|hx-[a-z]+|max|min)=\"[^\"]*\"")


def written_by_hand(source: str) -> list[str]:
    """The lines of a template that write a number or a date themselves."""
    return [line.strip() for line in source.splitlines() if OWN_WRITING.search(FOR_MACHINES.sub("", line))]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_writes_no_number_or_date_by_hand(path: Path) -> None:
    assert written_by_hand(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "{{ day.strftime('%d.%m.%Y') }}",
        '{{ "{:,}".format(units) }}',
        "{{ rate | round(1) }} %",
        "{{ '%.2f' | format(price) }}",
    ],
)
def test_the_search_for_writing_by_hand_finds_it(line: str) -> None:
    assert written_by_hand(line) == [line]


def test_what_machines_read_is_no_text() -> None:
    assert written_by_hand('<time datetime="{{ at.isoformat() }}">{{ at | instant }}</time>') == []

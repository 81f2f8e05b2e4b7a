"""Why a line, or a whole file, is not taken: every reason with the mend a person needs."""

from __future__ import annotations

from dataclasses import dataclass

from scm.core.errors import Conflict, InvalidInput

LONGEST_SHOWN = 60  # characters of a bad value that a report repeats


class UnusableFile(InvalidInput):
    """The file as a whole cannot be read; nothing was changed."""


class WrongHeader(UnusableFile):
    """The first row does not name the columns that the format needs."""


class AlreadyImported(Conflict):
    """A file of the same content was imported before."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line that was not taken: where it stands, what is wrong with it, and how to mend it."""

    row: int  # line of the file as an editor shows it; the header is row 1
    reason: str
    field: str
    value: str
    mend: str


class BadCell(Exception):
    """A cell that cannot be understood. It never leaves the reading of a file: it becomes a `Rejection`."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


def shown(value: str) -> str:
    """This function will shorten a value for a report and make control characters visible.

    >>> shown("a" * 100 + chr(0))
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… (101 characters)'
    """
    visible = value[:LONGEST_SHOWN].encode("unicode_escape").decode() if not value.isprintable() else value
    if len(value) <= LONGEST_SHOWN:
        return visible
    return f"{visible[:LONGEST_SHOWN]}… ({len(value)} characters)"

"""Backups: one file with all of a database, its schema's revision, its counts and its checksums.

A backup is taken while others work, of one state of the whole. It holds everything that is secret in the database, so
its file is readable by its owner only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scm.core.errors import Conflict, InvalidInput, Unavailable

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file inside a backup."""

    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself. `rows` are the counts of every table, `sequences` the last number of each."""

    backend: str
    revision: str
    taken_at: str
    rows: Mapping[str, int]
    parts: Mapping[str, Part]
    sequences: Mapping[str, int | None]

    def as_json(self) -> dict[str, Any]:
        """This function will give the manifest as it is written."""
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_json(cls, found: Any) -> Manifest:
        """This function will read a manifest. Raises `BadBackup`."""
        try:
            if found["format"] != FORMAT:
                raise BadBackup(f"the backup has format {found['format']!r}: this program reads format {FORMAT}")
            return cls(
                backend=str(found["backend"]),
                revision=str(found["revision"]),
                taken_at=str(found["taken_at"]),
                rows={str(name): int(count) for name, count in found["rows"].items()},
                parts={str(name): Part(**part) for name, part in found["parts"].items()},
                sequences=dict(found["sequences"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadBackup(f"the manifest of the backup cannot be read ({type(error).__name__})") from error


class BadBackup(InvalidInput):
    """The file is no backup, or not the one that was written."""


class FileExists(Conflict):
    """A backup never overwrites a file."""


class NotEmpty(Conflict):
    """A database that holds something is only replaced when that was asked for."""


class OtherBackend(Conflict):
    """A backup of one kind of database cannot be put into the other kind."""


class RestoreFailed(Conflict):
    """What was restored is not what was backed up: nothing was changed."""


class DiskFailed(Unavailable):
    """The file of the backup could not be written or read."""

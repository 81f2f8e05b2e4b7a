"""The finished copy of a demo, beside its database: so that a demo somebody has played with is fresh again in seconds.

A copy is named by a stamp of the code and the seed it was made with; another release makes its own.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from scm.core import clock
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.core.progress import Progress
from web.backup import taking

ROOT = Path(__file__).parents[2]
PACKAGES = ("scm", "forecasting", "procurement", "warehouse", "aftersales", "web")
MARK = ".finished-"
STAMP_LENGTH = 12


class NoFinishedCopy(Conflict):
    """There is no finished copy of this demo, and its database cannot simply be made anew."""


def stamp(*, code: str, seed: int, data: Path | None) -> str:
    """This function will name what a demo comes out as: the product's code, the company, the seed, and its own data."""
    digest = hashlib.sha256(repr((code, seed)).encode())
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    if data is not None:
        digest.update(data.read_bytes())
    return digest.hexdigest()[:STAMP_LENGTH]


def save(database: Database, *, stamp: str, progress: Progress) -> None:
    """This function will keep a copy of a demo that has just been finished, instead of those of other releases."""
    file = _file(database, stamp)
    for old in file.parent.glob(f"{_stem(database)}{MARK}*"):
        old.unlink()
    taking.take(database, file, now=clock.wall_now(), progress=progress)


def reset(database: Database, *, stamp: str, progress: Progress) -> bool:
    """This function will put the finished copy in the place of the database, and tell whether there was one.

    Without a copy a file is removed, so that the demo is made anew. Raises `NoFinishedCopy` for a server's database.
    """
    file = _file(database, stamp)
    if file.exists():
        taking.restore(database, file, replace=True, now=clock.wall_now(), progress=progress)
        return True
    if not database.is_sqlite:
        raise NoFinishedCopy(
            f"{file.name} is not there: this release has not finished the demo in {database.url.database} yet; "
            "make an empty database and run scm demo on it"
        )
    database.dispose()
    for ending in ("", "-wal", "-shm"):
        Path(f"{database.url.database}{ending}").unlink(missing_ok=True)
    return False


def _file(database: Database, stamp: str) -> Path:
    folder = Path(database.url.database or "").parent if database.is_sqlite else Path()
    return folder / f"{_stem(database)}{MARK}{stamp}"


def _stem(database: Database) -> str:
    name = database.url.database or ""
    return Path(name).stem if database.is_sqlite else name

"""The demo company for browsers: made by `scm demo --small` once a run, with a workshop and passwords that tests know.

The whole company takes a minute; only the tests of what is planted in it make it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from scm.core.db import Database
from scm.core.users import User
from scm.master import companies
from tests import databases
from tests.browser import workshop
from tests.web.visitor import give_passwords
from tests.web.walking import walked
from web.app import create_app

NO_PAGES = ("/health", "/metrics", "/find")


def made_once(*, whole: bool = False) -> Path:
    """This function will make the company's SQLite file, or wait for the worker that makes it."""
    folder, name = Path(os.environ[databases.RUN_DIRECTORY]), "whole" if whole else "demo"
    ready, draft = folder / f"{name}.db", folder / f"{name}-draft.db"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _make(draft, () if whole else ("--small",))
            draft.rename(ready)
    return ready


def pages_once(people: Sequence[str]) -> dict[str, list[str]]:
    """This function will give one address of every page, under the first person who may open it; found once a run."""
    file, folder = made_once(), Path(os.environ[databases.RUN_DIRECTORY])
    known = folder / "pages.json"
    with (folder / "pages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            shutil.copyfile(file, folder / "walked.db")
            known.write_text(json.dumps(_walk(f"sqlite:///{folder / 'walked.db'}", people)))
    found: dict[str, list[str]] = json.loads(known.read_text())
    return found


def _walk(url: str, people: Sequence[str]) -> dict[str, list[str]]:
    database = Database(url)
    app, seen = create_app(database), set[str]()
    found: dict[str, list[str]] = {}
    for username in people:
        found[username] = []
        for endpoint, address, html in walked(app, username):
            own = f"{endpoint} {username}" if endpoint == "home.show" else endpoint
            if "<html" in html and own not in seen and not address.startswith(NO_PAGES):
                seen.add(own)
                found[username].append(address)
    database.dispose()
    return found


def _make(file: Path, options: Sequence[str]) -> None:
    file.unlink(missing_ok=True)
    environment = os.environ | {"SCM_DATABASE_URL": f"sqlite:///{file}"}
    command = [sys.executable, "-m", "web.cli", "demo", "--no-serve", *options]
    done = subprocess.run(command, cwd=databases.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    database = Database(environment["SCM_DATABASE_URL"])
    with database.unit_of_work(write=True) as session:
        company = companies.only(session)
        assert company.business_date is not None
        if options:  # the whole company is left as it was made
            workshop.furnish(session, today=company.business_date)
        names = list(session.scalars(sa.select(User.username)))
    give_passwords(database, *names)
    database.dispose()  # the last connection brings the file's companions into it

"""What came of a change in bulk: done rows are counted, refused ones stand there with their reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.desk import back


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that was not changed. `name` is how people know it, `why` what to do about it."""

    name: str
    why: str


def answer(area: str, *, said: str, refused: Sequence[Refused], undo: str | None = None) -> ResponseReturnValue:
    """This function will lead back to the list when every row was changed, else show the rows that were not.

    `said` tells what was done; `undo` is the address of an action that takes it back, if there is one.
    """
    where = back(url_for(f"{area}.index"))
    if not refused and undo is None:
        flash(said, "done")
        return redirect(where, code=303)
    return render_template("listing/results.html", said=said, refused=refused, where=where, undo=undo)

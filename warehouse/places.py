"""From the code on a label to the place: what a site has of bins, docks and cages."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import NotFound
from scm.master.locations import Location


class PlaceUnknown(NotFound):
    """This site has no place of that code."""


def find(session: Session, codes: Iterable[str], *, site_id: int) -> dict[str, int]:
    """This function will give the ids of a site's places by their codes, as they were written. Raises
    `PlaceUnknown`."""
    wanted = {code: code.strip().upper() for code in codes}
    rows = session.execute(
        sa.select(sa.func.upper(Location.code).label("code"), Location.id).where(
            Location.site_id == site_id,
            ~Location.retired,
            sa.func.upper(Location.code).in_(sorted(set(wanted.values()))),
        )
    )
    found = {row.code: row.id for row in rows}
    for code, plain in wanted.items():
        if plain not in found:
            raise PlaceUnknown(f"this site has no place {code[:40]}: scan its label again")
    return {code: found[plain] for code, plain in wanted.items()}

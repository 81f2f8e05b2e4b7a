"""All product structures of a company on a day, as columns for planning, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.types import RATE_PLACES
from scm.master import bom_explosion
from scm.master.bom import Bom, BomLine, BomSubstitute
from scm.master.bom_validity import ValidBom, of_day, valid_on

WHOLE_RATE = 10**RATE_PLACES

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Structure:
    """L lines of the revisions of a day, by site, parent and line number. Rates are in billionths, as they are stored.

    One good unit of the parent needs numerator ÷ denominator units of the component, losses and yield included, in
    lowest terms. Phantoms and kits stand in it as they are: `boms` tells what each parent is.
    """

    boms: tuple[ValidBom, ...]  # every valid revision, by id
    site: Integers
    parent: Integers
    component: Integers
    bom: Integers  # (L) ids of `boms`
    line: Integers  # (L) ids of lines
    quantity: Integers
    output_quantity: Integers
    scrap_rate: Integers
    yield_rate: Integers
    numerator: Integers
    denominator: Integers
    low_level_code: Integers  # (L) of the component
    item: Integers  # (I) every item that stands in a line, ascending
    item_low_level_code: Integers  # (I) 0 where nothing needs the item; substitutes count, too


def structure(session: Session, *, company_id: int, on: date, site_id: int | None = None) -> Structure:
    """This function will read the structures of all sites (or one) that are valid on a day, in three queries.

    Low-level codes are over all sites together, because goods move between them. Raises `ValueError` for a circle,
    which approval keeps out.
    """
    boms = sorted(valid_on(session, on=on, company_id=company_id).values(), key=lambda bom: bom.id)
    valid = sa.and_(Bom.company_id == company_id, *of_day(on))
    rows = session.execute(
        sa.select(
            Bom.site_id,
            Bom.item_id,
            BomLine.item_id.label("component_id"),
            Bom.id.label("bom_id"),
            BomLine.id.label("line_id"),
            BomLine.quantity,
            Bom.output_quantity,
            sa.type_coerce(BomLine.scrap_rate, sa.BigInteger),
            sa.type_coerce(Bom.yield_rate, sa.BigInteger),
        )
        .join(BomLine, BomLine.bom_id == Bom.id)
        .where(valid)
        .order_by(Bom.site_id, Bom.item_id, BomLine.line_number)
    ).all()
    others = session.execute(
        sa.select(Bom.item_id, BomSubstitute.item_id)
        .join(BomLine, BomLine.bom_id == Bom.id)
        .join(BomSubstitute, BomSubstitute.bom_line_id == BomLine.id)
        .where(valid)
    ).all()
    level = bom_explosion.levels([(row[1], row[2]) for row in rows] + [(row[0], row[1]) for row in others])
    kept = [row for row in rows if site_id is None or row.site_id == site_id]
    table = np.array([tuple(row) for row in kept], dtype=np.int64).reshape(len(kept), 9)
    # Both stay below 2⁶³, because a bill's quantities are at most 10⁹.
    above, under = table[:, 5] * (WHOLE_RATE + table[:, 7]), table[:, 6] * table[:, 8]
    common = np.gcd(above, under)
    items = sorted(level)
    return Structure(
        boms=tuple(bom for bom in boms if site_id is None or bom.site_id == site_id),
        site=table[:, 0],
        parent=table[:, 1],
        component=table[:, 2],
        bom=table[:, 3],
        line=table[:, 4],
        quantity=table[:, 5],
        output_quantity=table[:, 6],
        scrap_rate=table[:, 7],
        yield_rate=table[:, 8],
        numerator=above // common,
        denominator=under // common,
        low_level_code=np.array([level[component] for component in table[:, 2].tolist()], dtype=np.int64),
        item=np.array(items, dtype=np.int64),
        item_low_level_code=np.array([level[item] for item in items], dtype=np.int64),
    )

"""Drafts of bills as files change them: found by site, SKU and revision, and rewritten from rows that were checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import ScmError
from scm.master import bom_checking, bom_content, bom_writing
from scm.master.bom import Bom, BomState, number
from scm.master.bom_checking import Facts, Subject
from scm.master.bom_content import BomContent
from scm.master.items import Item
from scm.master.locations import Site
from scm.master.sheets import Row, RowError

Values = Mapping[str, Any]
BomKey = tuple[str, str, int]  # site, SKU, revision
Apply = Callable[[BomContent, Sequence[Values]], BomContent]
KEY = ("site", "sku", "revision")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A revision as a file finds it; it is a draft indeed while its state says so."""

    id: int
    site_id: int
    item_id: int
    state: BomState


def key_of(values: Values) -> BomKey:
    """This function will give the revision a row speaks of."""
    return values["site"], values["sku"], values["revision"]


def find(session: Session, keys: Iterable[BomKey], *, company_id: int) -> dict[BomKey, Draft]:
    """This function will find revisions by what rows call them, in one query."""
    wanted = set(keys)
    rows = session.execute(
        sa.select(Site.code, Item.sku, Bom.revision, Bom.id, Bom.site_id, Bom.item_id, Bom.state)
        .join(Site, Site.id == Bom.site_id)
        .join(Item, Item.id == Bom.item_id)
        .where(Bom.company_id == company_id, Item.sku.in_({sku for _, sku, _ in wanted}))
    )
    found = {
        (row.code, row.sku, row.revision): Draft(id=row.id, site_id=row.site_id, item_id=row.item_id, state=row.state)
        for row in rows
    }
    return {key: draft for key, draft in found.items() if key in wanted}


def lock(session: Session, keys: Iterable[BomKey], *, company_id: int) -> dict[BomKey, int]:
    """This function will lock revisions in the order of their ids, and give the ids."""
    found = find(session, keys, company_id=company_id)
    ids = sorted(draft.id for draft in found.values())
    statement = sa.select(Bom.id).where(Bom.id.in_(ids)).order_by(Bom.id)
    session.execute(statement.with_for_update(of=table_of(Bom)))
    return {key: draft.id for key, draft in found.items()}


def check(
    session: Session, rows: Sequence[Row], known: Mapping[Any, Values], *, company_id: int, apply: Apply, part: str
) -> list[RowError]:
    """This function will refuse rows of revisions that do not exist, are no drafts, or would not make sense as a whole.

    `part` names the column by which rows of one revision are told apart. What is as it was is never refused.
    """
    changed = [row for row in rows if row.values != known.get((*key_of(row.values), row.values[part]))]
    found = find(session, [key_of(row.values) for row in changed], company_id=company_id)
    errors = []
    by_bom: dict[BomKey, list[Row]] = {}
    for row in changed:
        key = key_of(row.values)
        draft = found.get(key)
        if draft is None:
            reason, mend = "there is no such revision", "import the revision first"
            errors.append(RowError(row=row.number, column="revision", value=str(key[2]), reason=reason, mend=mend))
        elif draft.state is not BomState.DRAFT:
            reason = f"the revision is {draft.state.value}"
            mend = "write the next revision and change that; withdraw one that was only submitted"
            errors.append(RowError(row=row.number, column="revision", value=str(key[2]), reason=reason, mend=mend))
        else:
            by_bom.setdefault(key, []).append(row)
    contents = bom_content.read(session, [found[key].id for key in by_bom])
    subjects = {
        key: Subject(
            number=number(key[1], key[0], key[2]),
            site_id=found[key].site_id,
            item_id=found[key].item_id,
            content=apply(contents[found[key].id], [row.values for row in of_bom]),
        )
        for key, of_bom in by_bom.items()
    }
    facts = bom_checking.facts(session, subjects.values(), company_id=company_id)
    for key, of_bom in by_bom.items():
        errors += refused(session, subjects[key], facts, of_bom[0], part=part)
    return errors


def refused(session: Session, subject: Subject, facts: Facts, row: Row, *, part: str) -> list[RowError]:
    """This function will say in one of its rows what is wrong with a revision as a whole."""
    try:
        bom_checking.check(session, subject, facts)
    except ScmError as error:
        mend = "mend the rows of this revision"
        return [RowError(row=row.number, column=part, value=str(row.values[part]), reason=str(error), mend=mend)]
    return []


def rewrite(session: Session, rows: Sequence[Values], *, company_id: int, apply: Apply) -> None:
    """This function will write checked rows into their drafts."""
    by_bom: dict[BomKey, list[Values]] = {}
    for values in rows:
        by_bom.setdefault(key_of(values), []).append(values)
    ids = lock(session, by_bom, company_id=company_id)
    contents = bom_content.read(session, ids.values())
    for key, of_bom in by_bom.items():
        bom_writing.rewrite(session, bom_id=ids[key], content=apply(contents[ids[key]], of_bom))

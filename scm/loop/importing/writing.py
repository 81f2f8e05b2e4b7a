"""Writes what was decided about a file, in the order in which each thing needs the one before. One transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from scm.core.progress import Progress
from scm.core.users import Actor
from scm.loop.importing import archive, assumptions, figures, masters, opening
from scm.loop.importing.archive import Facts
from scm.loop.importing.assumptions import Assumed
from scm.loop.importing.deciding import Decided
from scm.loop.importing.figures import Figures
from scm.loop.importing.lines import Codes, Flags, Int64
from scm.loop.importing.opening import Opened
from scm.loop.importing.tables import LineKind
from scm.master import setup
from scm.master.setup import Setup


@dataclass(frozen=True)
class Written:
    """What writing did."""

    items_created: int
    customers_created: int
    facts: Facts
    assumed: Assumed
    opened: Opened


NOTHING = Written(0, 0, Facts(0, 0), Assumed(0, 0), Opened(0, 0, 0))


def write(
    session: Session,
    decided: Decided,
    *,
    import_id: int,
    go_live: date,
    seed: int,
    assume: bool,
    actor: Actor,
    progress: Progress,
) -> Written:
    """This function will write what was decided: items, customers, lines, facts, and what is assumed beside them."""
    places = setup.load(session)
    measured = _figures(decided, go_live)
    progress.stage("items and customers")
    items = _items(session, decided, measured, places=places, seed=seed, actor=actor)
    customers = _customers(session, decided, places=places, actor=actor)
    archive.write_lines(
        session,
        decided,
        import_id=import_id,
        item_ids=items.ids,
        customer_ids=customers.ids,
        progress=progress,
    )
    facts = archive.write_facts(
        session,
        decided,
        import_id=import_id,
        site_id=places.site_id,
        item_ids=items.ids,
        go_live=go_live,
        progress=progress,
    )
    assumed, opened = NOTHING.assumed, NOTHING.opened
    if assume:
        progress.stage("assuming what the file lacks")
        assumed, opened = _assume(
            session,
            decided,
            measured,
            items.ids,
            places=places,
            import_id=import_id,
            go_live=go_live,
            seed=seed,
            actor=actor,
        )
    return Written(items.created, customers.created, facts, assumed, opened)


def _items(
    session: Session, decided: Decided, measured: Figures, *, places: Setup, seed: int, actor: Actor
) -> masters.Found:
    lines = decided.lines
    goods = ~decided.are(LineKind.CHARGE)
    names = masters.names_of_items(lines, is_sale=decided.are(LineKind.SALE))
    return masters.items(
        session,
        skus=lines.sku_values,
        used=used_codes(lines.sku[goods], len(lines.sku_values)),
        new=lambda missing: assumptions.item_requests(
            session,
            places=missing,
            skus=lines.sku_values,
            names=names,
            figures=measured,
            company_id=places.company_id,
            base_unit_id=places.base_unit_id,
            seed=seed,
        ),
        company_id=places.company_id,
        actor=actor,
    )


def _customers(session: Session, decided: Decided, *, places: Setup, actor: Actor) -> masters.Found:
    lines = decided.lines
    count, every_line = len(lines.customer_values), np.ones(len(lines), dtype=np.bool_)
    return masters.customers(
        session,
        codes=lines.customer_values,
        countries=masters.usual(count, lines.customer, lines.country, every_line, lines.country_values),
        used=used_codes(lines.customer, count),
        company_id=places.company_id,
        actor=actor,
    )


def _figures(decided: Decided, go_live: date) -> Figures:
    lines = decided.lines
    return figures.of_items(
        count=len(lines.sku_values),
        is_sale=decided.are(LineKind.SALE),
        is_demand=archive.is_demand(decided, go_live=go_live),
        item=lines.sku.astype(np.int64),
        quantity=lines.quantities,
        price=lines.prices,
        day=lines.days,
        go_live=go_live.toordinal(),
    )


def used_codes(codes: Codes, count: int) -> Flags:
    """This function will mark which of `count` codes occur."""
    found: Flags = np.zeros(count, dtype=np.bool_)
    found[codes] = True
    return found


def _assume(
    session: Session,
    decided: Decided,
    measured: Figures,
    item_ids: Int64,
    *,
    places: Setup,
    import_id: int,
    go_live: date,
    seed: int,
    actor: Actor,
) -> tuple[Assumed, Opened]:
    """Suppliers for items that have none; stock only for a company that never had any."""
    skus = decided.lines.sku_values
    assumed = assumptions.suppliers(
        session,
        skus=skus,
        item_ids=item_ids,
        figures=measured,
        company_id=places.company_id,
        currency=places.currency,
        seed=seed,
        actor=actor,
    )
    if opening.is_open(session):
        return assumed, NOTHING.opened
    opened = opening.open_stock(
        session,
        skus=skus,
        item_ids=item_ids,
        figures=measured,
        import_id=import_id,
        places=places,
        go_live=go_live,
        seed=seed,
        actor=actor,
    )
    return assumed, opened

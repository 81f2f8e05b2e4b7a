"""Small files of sales, written in full, and the two ways to put one through the import."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from scm.core.db import Database
from scm.core.progress import SILENT
from scm.core.users import Actor
from scm.loop.importing import deciding, formats, reading, sales
from scm.loop.importing.deciding import Decided
from scm.loop.importing.formats import KINDS
from scm.loop.importing.refusals import Rejection
from scm.loop.importing.report import ImportReport, Tally
from scm.master import setup
from scm.master.setup import Setup
from scm.sales import channels

RETAIL_HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
STANDARD_HEADER = "invoice,sku,description,quantity,sold_at,unit_price,customer,country,kind"
GO_LIVE = date(2011, 8, 21)
NOW = datetime(2011, 8, 21, 8, tzinfo=UTC)


def retail(
    invoice: str = "489434",
    sku: str = "85048",
    description: str = "GLASS BALL",
    quantity: object = 12,
    at: str = "2010-12-01 07:45:00",
    price: object = "6.95",
    customer: str = "13085.0",
    country: str = "United Kingdom",
) -> str:
    """One good line of the retailer's format; name what is different about it."""
    return f"{invoice},{sku},{description},{quantity},{at},{price},{customer},{country}"


def write(directory: Path, *lines: str | bytes, header: str = RETAIL_HEADER, name: str = "sales.csv") -> Path:
    """A file of these lines below a header; packed when its name says so."""
    content = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in (header, *lines))
    path = directory / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@dataclass
class Looked:
    """What became of the lines of a file, without a database."""

    decided: Decided
    lines: int
    rejected: dict[str, int]
    examples: list[Rejection]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the accepted lines, in the order of the file."""
        return [KINDS[kind].value for kind in self.decided.kind.tolist()]

    @property
    def skus(self) -> list[str]:
        """The item codes of the accepted lines, in the order of the file."""
        return [self.decided.lines.sku_values[code] for code in self.decided.lines.sku.tolist()]

    @property
    def only(self) -> Rejection:
        """The one rejected line."""
        [rejection] = self.examples
        return rejection


def look(path: Path, *, format: str = "online-retail", zone: str = "Europe/London") -> Looked:
    """Reads and decides as the import does, and stops before it writes."""
    tally = Tally()
    chosen = formats.of(format)
    read = reading.read(path, format=chosen, zone=zone, tally=tally, progress=SILENT)
    decided = deciding.decide(read.lines, format=chosen, known=np.empty(0, dtype=np.int64), tally=tally)
    return Looked(decided, read.line_count, dict(tally.rejected), tally.examples)


def found(database: Database) -> Setup:
    """A company without a past, in whose books the files go."""
    with database.unit_of_work(write=True) as session:
        made = setup.create_company(
            session,
            code="SHOP",
            name="Gift shop",
            currency="GBP",
            zone="Europe/London",
            simulated=True,
            actor_now=NOW,
            bin_count=3,
        )
        channels.open_own_shop(session, company_id=made.company_id, site_id=made.site_id, actor=made.users["system"])
        return made


def bring_in(
    database: Database,
    company: Setup,
    path: Path,
    *,
    format: str = "online-retail",
    dry_run: bool = False,
    go_live_date: date | None = GO_LIVE,
    seed: int = 1,
    assume: bool = True,
    actor: Actor | None = None,
) -> ImportReport:
    """Imports a file as the system user, with everything a test does not care about filled in."""
    return sales.run(
        database,
        path,
        format=format,
        dry_run=dry_run,
        go_live_date=go_live_date,
        seed=seed,
        actor=actor or company.users["system"],
        now=NOW,
        progress=SILENT,
        assume=assume,
    )

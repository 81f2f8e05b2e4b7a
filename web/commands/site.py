"""`scm site add`: one more site of the company, with its places, working week and carriers' services."""

from __future__ import annotations

import argparse

from scm.master import setup, sites
from scm.master.sites import SiteRequest
from web.commands import Context


def add(context: Context, options: argparse.Namespace) -> int:
    """This function will open a site. Raises `BadSite`, `SiteExists`, `CompanyMissing`."""
    with context.database.unit_of_work(write=True) as session:
        found = setup.load(session)
        request = SiteRequest(
            code=options.code,
            name=options.name or options.code.capitalize(),
            zone=options.zone or found.zone,
            bin_count=options.bins,
        )
        sites.add(session, request, company_id=found.company_id, actor=found.users["system"])
    print(f"{options.code.upper()} is open with {options.bins} bins: give it lanes, and its people their site")
    return 0

"""`scm init`: the schema, and the company with its site, places and users."""

from __future__ import annotations

import argparse

from scm.core import clock
from scm.master import setup
from scm.sales import channels
from web import migrations
from web.commands import Context


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will create the schema if it is missing, and the company. Raises `CompanyExists`."""
    migrations.upgrade(context.settings.database_url)
    now = clock.wall_now()
    with context.database.unit_of_work(write=True) as session:
        created = setup.create_company(
            session,
            code=options.code,
            name=options.name,
            currency=options.currency,
            zone=options.zone,
            simulated=options.simulated,
            go_live_date=options.go_live,
            bin_count=options.bins,
            actor_now=now,
        )
        channels.open_own_shop(
            session, company_id=created.company_id, site_id=created.site_id, actor=created.users["system"]
        )
    people = ", ".join(created.users)
    print(f"{options.name} is ready: 1 site with {len(created.bin_ids)} bins; users {people}")
    return 0

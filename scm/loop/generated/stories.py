"""What was planted in the made-up company, so that everybody can look for it, and tests can see that it is found.

Only causes stand here: a supplier's habit, a factory that takes no orders, the last day of an item. What follows from
them (empty shelves, sales that never were, exceptions, figures of a scorecard) comes about by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True, kw_only=True)
class Stories:
    """The causes, by SKU and supplier; days are those of the company's calendar, all before its business date."""

    bestseller: str = "KT-001"  # sold out in June: its factory took no orders for it in the weeks before 618
    refused_from: date
    refused_until: date
    launched: str = "KT-014"  # new on the market, as popular as its sister in another colour
    launched_like: str = "KT-013"
    launch_date: date
    phased_out: str = "KT-033"  # bought for a year, and then its season was over
    phased_out_times: float = 0.35
    phase_out_date: date
    expiring: str = "CR-004"  # bought by the year although it keeps for nine months
    late_supplier: str = "S07"  # agreed 20 days; drifting since spring
    drift_from: date
    drift_factor: float = 1.56
    weekly: Mapping[str, float] = field(
        default_factory=lambda: {"KT-001": 30.0, "KT-013": 11.0, "KT-014": 11.0, "KT-033": 9.0, "CR-004": 2.0}
    )
    """How well the items of these stories sell in an average week, whatever chance says of the others."""
    bulk_date: date
    """When far too much was ordered of the one that is phased out, and of the one that expires."""


def before(business_date: date) -> Stories:
    """This function will date the stories of a company by the day it has reached."""
    year = business_date.year
    return Stories(
        refused_from=date(year, 5, 9),
        refused_until=date(year, 6, 13),
        launch_date=business_date - timedelta(days=46),
        phase_out_date=business_date - timedelta(days=70),
        drift_from=business_date - timedelta(days=150),
        bulk_date=business_date - timedelta(days=210),
    )

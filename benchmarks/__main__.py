"""`make bench`: prints what things cost, beside a yardstick of the same run and beside the frozen baseline.

CPU seconds of all processes, the database's included; databases commit to disk. Linux only.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks import imports, orders, pages, production, reporting, supplygraph

FILE = "online_retail/online_retail_2009-12_to_2011-09-04.csv.gz"
NAMES = ["import", "orders", "pages", "production", "supplygraph"]


def main() -> int:
    """This function will run the benchmarks that are asked for and print their figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*NAMES, []], help="which of them; all without a name")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SCM_DATA_DIR", "../shared/data")))
    parser.add_argument("--quick", action="store_true", help="few orders, to see that it runs")
    parser.add_argument("--freeze", action="store_true", help="make these figures the baseline of later runs")
    options = parser.parse_args()
    wanted = options.only or NAMES
    measured = []
    if "import" in wanted:
        path = options.data / FILE
        if path.exists():
            figures = imports.measure(path)
            reporting.print_figures(f"Online Retail II, {path.name}, seed {imports.SEED}", figures)
            measured += figures
        else:
            print(f"\nSKIPPED: {path} is not there, so import and cycle are not measured (--data DIR, SCM_DATA_DIR)")
    if "orders" in wanted:
        figures = orders.measure(quick=options.quick)
        reporting.print_figures(f"Three-line orders on PostgreSQL, generated, seed {orders.SEED}", figures)
        measured += figures
    if "pages" in wanted:
        path = options.data / FILE
        found = None if options.quick or not path.exists() else path
        figures = pages.measure(found, quick=options.quick)
        company = f"Online Retail II, {path.name}" if found else "the generated company"
        reporting.print_figures(f"Pages of {company}, seed {pages.SEED}", figures)
        measured += figures
    if "production" in wanted:
        figures = production.measure(quick=options.quick)
        reporting.print_figures(f"Planning of a generated maker, seed {production.SEED}", figures)
        measured += figures
    if "supplygraph" in wanted:
        folder = options.data / supplygraph.FOLDER
        if folder.exists():
            figures = supplygraph.measure(folder)
            reporting.print_figures("SupplyGraph, a maker's production from day 29 on", figures)
            measured += figures
        else:
            print(
                f"\nSKIPPED: {folder} is not there, so nothing is compared with SupplyGraph (--data DIR, SCM_DATA_DIR)"
            )
    if options.freeze:
        reporting.freeze(measured)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The pages: each reads its input, makes one call of a read model or verb, and renders."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from web.area import Area


def areas() -> Iterator[Area]:
    """This function will give every area of every module in this package, in the order of their names."""
    found: dict[str, Area] = {}
    for module in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Area):
                found[value.name] = value
    for name in sorted(found):
        yield found[name]

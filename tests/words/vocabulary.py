"""The words the rooms put into what they say: states, actions, kinds of documents and the members of all enums."""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import aftersales
import forecasting
import procurement
import scm
import warehouse
from scm.core.documents import Machine

NEVER_SAID = {("scm.core.listing", "Kind"), ("procurement.overview", "Order")}
"""Enums whose values are no words for people: types of columns, and an order that an address names."""


def words() -> set[str]:
    """This function will give all of them."""
    found: set[str] = set()
    for module in _modules():
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, enum.Enum) and value.__module__ == module.__name__:
                members = [] if (module.__name__, value.__name__) in NEVER_SAID else [member.value for member in value]
                found |= {member for member in members if isinstance(member, str)}
            elif isinstance(value, Machine):
                machine: Machine[Any] = value
                found |= {machine.kind, *machine.actions}
    return found


def _modules() -> Iterator[ModuleType]:
    for room in (scm, forecasting, procurement, warehouse, aftersales):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            yield importlib.import_module(found.name)

"""Everything the rooms say to people: the texts of refusals and of the other places that word something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.words import reading
from tests.words.reading import Module, Scope, Text


@dataclass(frozen=True)
class Said:
    """One text, the class of refusal (or the call) that says it, and where."""

    by: str
    text: Text
    where: str

    @property
    def template(self) -> str:
        """The text with its holes in braces."""
        return reading.template(self.text)


CALLS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "BadCell": ("scm/loop/importing/", (1, "mend")),
    "Refusal": ("scm/loop/importing/", (2, "mend")),
    "Rejection": ("scm/loop/importing/", (4, "mend")),
    "WrongCell": ("", (0, 1, "reason", "mend")),
    "RowError": ("", ("reason", "mend")),
    "_file_error": ("scm/master/sheets.py", (0, 1)),
    "_header_error": ("scm/master/sheets.py", (1, 2)),
    "Finding": ("scm/finance/", (0, 1, 2)),
    "Violation": ("scm/planning/", (1,)),
    "InvalidPlanningInput": ("scm/planning/", (3,)),
    "refuse_where": ("scm/planning/", (3,)),
    "append": ("scm/planning/replenishment.py", (0,)),
    "Proposed": ("aftersales/", (2, "why")),
    "stage": ("", (0,)),
}
"""Calls that hand over texts which are no refusals: in which files, and which of their arguments are texts."""

RETURNING = {
    "scm/loop/messages.py": (
        "_budget_short",
        "_budget_overrun",
        "_minimum_not_reached",
        "_minimum_not_worth_it",
        "_blocked",
    ),
    "scm/loop/cycle.py": ("_in_our_words",),
}
"""Functions that return texts, beside every property `label`: what errors call a thing."""


Refusals = dict[str, dict[str, Scope | None]]
"""Exception classes by name and by the file that defines them, with `__init__` where they have one."""


def everything() -> list[Said]:
    """This function will read all rooms."""
    parsed = list(reading.modules())
    refusals = _exceptions(parsed)
    found = [said for module in parsed for said in _said_in(module, refusals)]
    return [one for one in found if _says_something(one.text)]


def _says_something(text: Text) -> bool:
    """Whether a text has a letter of its own: one that is nothing but holes passes on what was said before."""
    return any(isinstance(part, str) and any(sign.isalpha() for sign in part) for part in text)


def _exceptions(parsed: list[Module]) -> Refusals:
    """All exception classes the rooms define, whose text may reach a person."""
    bases: dict[str, set[str]] = {}
    makers: Refusals = {}
    for module in parsed:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(reading.last_name(base) for base in node.bases)
                inits = (one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
                maker = next((Scope(module, one, method=True) for one in inits), None)
                makers.setdefault(node.name, {})[module.path] = maker
    built_in = {"Exception", "ValueError", "RuntimeError"}
    known = set(built_in)
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return {name: makers[name] for name in known - built_in}


def _said_in(module: Module, refusals: Refusals) -> Iterator[Said]:
    imported = _imported(module)
    for name, calls in list(module.calls.items()):
        room, places = CALLS.get(name, ("", ()))
        if not module.path.startswith(room):
            places = ()
        if name in refusals and _maker(name, module, imported, refusals) is None:
            places = (*places, 0)
        for call, scope in calls:
            for place in places:
                value = _argument(call, place)
                if value is not None:
                    yield from _texts(name, value, scope, module, call.lineno)
    for name, definitions in refusals.items():
        maker = definitions.get(module.path)
        for call, scope in module.calls.get("__init__", []) if maker else []:
            if maker and scope.function is maker.function and call.args:
                yield from _texts(name, call.args[0], scope, module, call.lineno)
    for name, function in module.functions.items():
        if name == "label" or name in RETURNING.get(module.path, ()):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from _texts(name.strip("_"), node.value, Scope(module, function), module, node.lineno)


def _imported(module: Module) -> dict[str, str]:
    """Where the names that a file imports are defined."""
    return {
        alias.asname or alias.name: f"{node.module.replace('.', '/')}.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _maker(name: str, module: Module, imported: dict[str, str], refusals: Refusals) -> Scope | None:
    """The `__init__` of the class that a name means in a file: several rooms may have a class of that name."""
    definitions = refusals[name]
    path = module.path if module.path in definitions else imported.get(name, "")
    return definitions[path] if path in definitions else next(iter(definitions.values()))


def _texts(by: str, value: ast.expr, scope: Scope, module: Module, line: int) -> Iterator[Said]:
    for text in reading.wordings(value, scope):
        yield Said(by, text, f"{module.path}:{line}")


def _argument(call: ast.Call, place: int | str) -> ast.expr | None:
    if isinstance(place, int):
        return call.args[place] if place < len(call.args) else None
    return next((keyword.value for keyword in call.keywords if keyword.arg == place), None)

"""Reads the rooms' source for the texts they say, without running it.

A text is a string literal, an f-string, a sum of such, a name given one of them, or a call of a function of the same
module that returns one. Where the code decides between wordings, each becomes a text of its own; what is not known
before the program runs becomes a hole: `f"{move.label}: {quantity} …"` reads as `{label}: {quantity} …`.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("scm", "forecasting", "procurement", "warehouse", "aftersales", "web")
MOST_WORDINGS = 24  # of one text; beyond that its undecided part stays a hole
DEEPEST = 6  # names and calls followed from one text
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Hole:
    """A part of a text that only the running program knows."""

    name: str


Text = tuple[str | Hole, ...]


@dataclass
class Module:
    """One source file, and what is looked up in it."""

    path: str
    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    calls: dict[str, list[tuple[ast.Call, Scope]]] = field(default_factory=lambda: defaultdict(list))
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)


@dataclass
class Scope:
    """The function a text stands in (None: the module itself)."""

    module: Module
    function: Function | None
    method: bool = False


def modules(rooms: Sequence[str] = ROOMS) -> Iterator[Module]:
    """This function will parse every source file of the rooms."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "versions" not in path.parts:
                yield parsed(path.read_text(encoding="utf-8"), path=str(path.relative_to(ROOT)))


def parsed(source: str, *, path: str) -> Module:
    """This function will parse one file and note its functions, constants and calls."""
    module = Module(path=path, tree=ast.parse(source))
    for node in ast.walk(module.tree):
        for child in ast.iter_child_nodes(node):
            module.parents[child] = node
        if isinstance(node, Function):
            module.functions.setdefault(node.name, node)
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            module.constants[statement.targets[0].id] = statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            module.constants[statement.target.id] = statement.value
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            module.calls[last_name(node.func)].append((node, scope_of(module, node)))
    return module


def scope_of(module: Module, node: ast.AST) -> Scope:
    """This function will find the function around a node."""
    inner: ast.AST | None = node
    while inner is not None and not isinstance(inner, Function):
        inner = module.parents.get(inner)
    if inner is None:
        return Scope(module, None)
    return Scope(module, inner, method=isinstance(module.parents.get(inner), ast.ClassDef))


def last_name(node: ast.expr) -> str:
    """This function will give the last name of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def wordings(node: ast.expr, scope: Scope) -> list[Text]:
    """This function will give every text an expression can be."""
    found = _read(node, scope, depth=0, seen=frozenset())
    return list(dict.fromkeys(_tidy(text) for text in found))


def template(text: Text) -> str:
    """This function will write a text with its holes in braces, each under a name of its own."""
    used: dict[str, int] = {}
    written = []
    for part in text:
        if isinstance(part, Hole):
            used[part.name] = used.get(part.name, 0) + 1
            number = used[part.name]
            written.append("{" + part.name + (f"_{number}" if number > 1 else "") + "}")
        else:
            written.append(part.replace("{", "{{").replace("}", "}}"))
    return "".join(written)


def _tidy(text: Text) -> Text:
    tidy: list[str | Hole] = []
    for part in text:
        if isinstance(part, str) and tidy and isinstance(tidy[-1], str):
            tidy[-1] += part
        elif part != "":
            tidy.append(part)
    return tuple(tidy)


def _read(node: ast.expr, scope: Scope, *, depth: int, seen: frozenset[str]) -> list[Text]:
    if isinstance(node, ast.Constant):
        return [(str(node.value),)] if isinstance(node.value, str | int) and node.value is not None else [()]
    if isinstance(node, ast.JoinedStr):
        return _product([_part(part, scope, depth, seen) for part in node.values], node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _product([_read(side, scope, depth=depth, seen=seen) for side in (node.left, node.right)], node)
    if isinstance(node, ast.IfExp):
        return _read(node.body, scope, depth=depth, seen=seen) + _read(node.orelse, scope, depth=depth, seen=seen)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return [text for value in node.values for text in _read(value, scope, depth=depth, seen=seen)]
    if depth < DEEPEST:
        if isinstance(node, ast.Name) and node.id not in seen:
            return _named(node, scope, depth=depth + 1, seen=seen | {node.id})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in scope.module.functions:
            return _returned(node, scope, depth=depth + 1, seen=seen)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name | ast.Dict):
            chosen = scope.module.constants.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
            if isinstance(chosen, ast.Dict):
                texts = [text for value in chosen.values for text in _read(value, scope, depth=depth + 1, seen=seen)]
                if all(_has_words(text) for text in texts):
                    return texts
    return [(Hole(_hole_name(node)),)]


def _part(part: ast.expr, scope: Scope, depth: int, seen: frozenset[str]) -> list[Text]:
    if isinstance(part, ast.FormattedValue):
        if part.format_spec is not None or part.conversion == ord("r"):
            return [(Hole(_hole_name(part.value)),)]
        found = _read(part.value, scope, depth=depth, seen=seen)
        # A value that is a figure or a name stays a hole, whatever its origin: only wordings are told apart.
        if any(_has_words(text) for text in found) or all(text == () or _is_mark(text) for text in found):
            return found
        return [(Hole(_hole_name(part.value)),)]
    return _read(part, scope, depth=depth, seen=seen)


def _has_words(text: Text) -> bool:
    return any(isinstance(part, str) and re.search(r"[a-z]{2}", part) for part in text)


def _is_mark(text: Text) -> bool:
    return all(isinstance(part, str) and not part.strip().isdigit() for part in text)


def _named(node: ast.Name, scope: Scope, *, depth: int, seen: frozenset[str]) -> list[Text]:
    """A local name: whatever it was given in its function; a parameter: whatever it is called with."""
    name, function = node.id, scope.function
    given: list[tuple[ast.expr, Scope]] = []
    if function is not None:
        given = [(value, scope) for value in _assigned(function, name)]
        if not given:
            parameters = [one.arg for one in function.args.args]
            keywords = [one.arg for one in function.args.kwonlyargs]
            if name in parameters or name in keywords:
                given = list(_arguments(name, parameters, scope))
    if not given and name in scope.module.constants:
        given = [(scope.module.constants[name], Scope(scope.module, None))]
    texts = [text for value, where in given for text in _read(value, where, depth=depth, seen=seen)]
    if texts and any(_has_words(text) for text in texts):
        return [text if _has_words(text) or not any(text) else (Hole(name),) for text in texts]
    return [(Hole(name.lower()),)]


def _assigned(function: Function, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for one, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(one, ast.Name) and one.id == name:
                            yield value
        elif (
            isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
            and isinstance(node.target, ast.Name)
            and node.target.id == name
            and node.value is not None
        ):
            yield node.value


def _arguments(name: str, parameters: list[str], scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    assert scope.function is not None
    if scope.function.name == "__init__":
        return  # called by the name of its class, which other files do
    defaults = scope.function.args
    for keyword, default in zip(defaults.kwonlyargs, defaults.kw_defaults, strict=True):
        if keyword.arg == name and default is not None:
            yield default, scope
    for call, where in scope.module.calls.get(scope.function.name, []):
        for keyword_argument in call.keywords:
            if keyword_argument.arg == name:
                yield keyword_argument.value, where
        if name in parameters:
            place = parameters.index(name) - (1 if scope.method else 0)
            if place < len(call.args):
                yield call.args[place], where


def _returned(call: ast.Call, scope: Scope, *, depth: int, seen: frozenset[str]) -> list[Text]:
    assert isinstance(call.func, ast.Name)
    function = scope.module.functions[call.func.id]
    if function.name in seen:
        return [(Hole(_hole_name(call)),)]
    within = Scope(scope.module, function)
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    texts = [text for value in values for text in _read(value, within, depth=depth, seen=seen | {function.name})]
    if texts and all(_has_words(text) for text in texts):
        return texts
    return [(Hole(_hole_name(call)),)]


def _product(parts: list[list[Text]], node: ast.expr) -> list[Text]:
    count = 1
    for choices in parts:
        count *= max(1, len(choices))
    if count > MOST_WORDINGS:
        raise TooManyWordings(f"{count} wordings of one text: {ast.unparse(node)}")
    return [tuple(itertools.chain.from_iterable(chosen)) for chosen in itertools.product(*parts)]


class TooManyWordings(Exception):
    """A text is composed of so many alternatives that nobody could translate it as sentences."""


def _hole_name(node: ast.expr) -> str:
    """The name a reader would give the value: the last name in its expression that says something."""
    if isinstance(node, ast.Attribute):
        return _hole_name(node.value) if node.attr in ("value", "name") and not _bare(node.value) else _plain(node.attr)
    if isinstance(node, ast.Name):
        return _plain(node.id)
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name in ("len", "sum", "sorted", "min", "max", "abs", "repr", "str", "next", "set", "list", "_joined"):
            return ("count_of_" if name == "len" else "") + _hole_name(node.args[0]) if node.args else _plain(name)
        if name in ("join", "show", "isoformat", "strip", "get", "render_as_string", "partition", "shown"):
            if node.args and name in ("join", "show"):
                return _hole_name(node.args[0])
            return _hole_name(node.func.value) if isinstance(node.func, ast.Attribute) else _plain(name)
        return _plain(name)
    if isinstance(node, ast.Subscript):
        return _hole_name(node.value)
    if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
        return _hole_name(node.generators[0].iter)
    if isinstance(node, ast.BinOp):
        return _hole_name(node.left)
    if isinstance(node, ast.BoolOp):
        return _hole_name(node.values[0])
    if isinstance(node, ast.UnaryOp | ast.Starred):
        return _hole_name(node.operand if isinstance(node, ast.UnaryOp) else node.value)
    if isinstance(node, ast.IfExp):
        return _hole_name(node.body)
    return "value"


def _bare(node: ast.expr) -> bool:
    return not isinstance(node, ast.Attribute | ast.Name)


def _plain(name: str) -> str:
    return name.strip("_").lower()

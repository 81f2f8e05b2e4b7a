"""The rules of the tree that no other tool checks: file sizes, exact ledgers, arrows between tables, honest docs."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from scm.core.config import Settings
from scm.core.db import Base

ROOT = Path(__file__).parent.parent
PACKAGES = ("scm", "forecasting", "procurement", "warehouse", "aftersales", "web")
LONGEST_FILE = 400
LEDGERS = ("scm/stock", "scm/finance")
INEXACT_NAMES = frozenset({"float", "float32", "float64", "Float", "Double", "REAL", "Numeric"})
INEXACT_TYPES = (sa.Float, sa.Numeric)
FILE_SUFFIXES = (".py", ".md", ".toml", ".lock", ".sh", ".ini")

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
REVISIONS = ROOT / "web" / "migrations" / "versions"  # as long as the tables they make, and never edited again
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_no_file_has_grown_into_two_activities() -> None:
    written = [path for path in SOURCES if path.parent != REVISIONS]
    lengths = {path: len(path.read_text().splitlines()) for path in written}
    assert {shown(path): length for path, length in lengths.items() if length >= LONGEST_FILE} == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [shown(path) for path in SOURCES if path.stem in drawers] == []


def test_the_ledgers_compute_without_floats() -> None:
    found = [
        f"{shown(path)}:{line}"
        for path in SOURCES
        if shown(path).startswith(LEDGERS)
        for line in lines_with_floats(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("source", ["share = 0.5", "total = float(text)", "rate: float", "column = sa.Float()"])
def test_the_search_for_floats_finds_one(source: str) -> None:
    assert list(lines_with_floats(source)) == [1]


def test_no_table_outside_forecasting_holds_floats() -> None:
    inexact = [
        str(column)
        for table, room in tables().items()
        if room != "forecasting"
        for column in table.columns
        if isinstance(getattr(column.type, "impl_instance", column.type), INEXACT_TYPES)
    ]
    assert inexact == []


def test_foreign_keys_point_down_the_rooms() -> None:
    rooms_of = tables()
    upward = [
        f"{key.parent} in {room} refers to {key.column} in {rooms_of[key.column.table]}"
        for table, room in rooms_of.items()
        for key in table.foreign_keys
        if not may_refer(room, rooms_of[key.column.table])
    ]
    assert upward == []


def test_the_arrows_are_those_of_the_page_of_rooms() -> None:
    assert may_refer("procurement", "scm.stock")
    assert may_refer("scm.stock", "scm.stock")
    assert not may_refer("scm.stock", "procurement")
    assert not may_refer("warehouse", "forecasting")  # two rooms on one level know nothing of each other


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: shown(path))
def test_documents_name_only_what_exists(document: Path) -> None:
    wrong = [code for code in codes_in(document.read_text()) for _ in problems_with(code)]
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: shown(path))
def test_documents_link_only_to_what_exists(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s#]+)|(?:src|href)=\"([^\"#]+)", document.read_text())
    local = [first or second for first, second in targets if "://" not in (first or second)]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("code", ["scm/nowhere.py", "make nothing", "scm.core.nowhere", "X=1 scm nothing --days 3"])
def test_the_search_for_what_does_not_exist_finds_it(code: str) -> None:
    assert len(list(problems_with(code))) == 1


def test_every_target_of_make_is_listed_by_its_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert declared is not None
    assert make_targets() == set(declared.group(1).split())


def test_every_setting_is_described() -> None:
    source = (ROOT / "scm" / "core" / "config.py").read_text()
    names = set(re.findall(r"\bSCM_[A-Z_]+[A-Z]\b", source))
    described = (ROOT / "docs" / "operations.md").read_text()
    assert names, f"{Settings.__module__} reads no settings any more"
    assert {name for name in names if f"`{name}`" not in described} == set()


def test_the_lock_names_the_public_index_only() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    sources = {tuple(package["source"].items()) for package in lock["package"]}
    assert sources == {(("registry", "https://pypi.org/simple"),), (("editable", "."),)}
    files = [file for package in lock["package"] for file in [*package.get("wheels", []), package.get("sdist")]]
    addresses = {file["url"].split("/packages/")[0] for file in files if file}
    assert addresses == {"https://files.pythonhosted.org"}


# ---- floats


def lines_with_floats(source: str) -> Iterator[int]:
    """This function will give the line of every float number and every name of an inexact type."""
    for node in ast.walk(ast.parse(source)):
        is_number = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_name = isinstance(node, ast.Name) and node.id in INEXACT_NAMES
        is_attribute = isinstance(node, ast.Attribute) and node.attr in INEXACT_NAMES
        if is_number or is_name or is_attribute:
            assert isinstance(node, ast.expr)
            yield node.lineno


# ---- rooms and tables


@functools.cache
def levels() -> list[set[str]]:
    """This function will give the page of rooms, top first, as import-linter reads it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    page = next(contract for contract in contracts if contract["name"] == "rooms import downwards only")
    return [{room.strip(" ()") for room in layer.split("|")} for layer in page["layers"]]


def level_of(room: str) -> int:
    return next(number for number, rooms in enumerate(levels()) if room in rooms)


def may_refer(room: str, other: str) -> bool:
    return room == other or level_of(room) < level_of(other)


def room_of(module: str) -> str:
    """This function will give the room a module belongs to, for instance `scm.stock` for `scm.stock.moves`."""
    rooms = {room for level in levels() for room in level}
    return next(room for room in rooms if module == room or module.startswith(f"{room}."))


@functools.cache
def tables() -> dict[sa.Table, str]:
    """This function will give every table with its room: that of its class, or else `info["room"]`."""
    from web import migrations  # it loads every room, which most of these tests do not need

    metadata = migrations.metadata()
    by_class = {mapper.local_table: mapper.class_.__module__ for mapper in Base.registry.mappers}
    found = {table: room_of(by_class.get(table) or table.info["room"]) for table in metadata.tables.values()}
    assert found, "there are no tables, so nothing was checked"
    return found


# ---- documents


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def codes_in(text: str) -> Iterator[str]:
    """This function will give what stands between backticks, and every line of a fenced block."""
    fence = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
    for block in fence.findall(text):
        yield from block.splitlines()[1:-1]
    yield from re.findall(r"`([^`\n]+)`", fence.sub("", text))


def problems_with(code: str) -> Iterator[str]:
    """This function will give each make target, command, file and module that the code names and that is missing."""
    for target in re.findall(r"(?:^|\s)make ([a-z]+)", code):
        if target not in make_targets():
            yield target
    for command in re.findall(r"(?:^|[\s/])scm ([a-z][a-z-]*)", code):
        if not is_command(command):
            yield command
    for word in code.split():
        if looks_like_a_path(word) and not (ROOT / word).exists():
            yield word
        if re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", word) and not is_in_a_module(word):
            yield word


@functools.cache
def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


@functools.cache
def is_command(name: str) -> bool:
    from web import cli  # it loads every room, which most of these tests do not need

    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    return left.value.code == 0


def looks_like_a_path(word: str) -> bool:
    if not re.fullmatch(r"\.?\w[\w.-]*(/[\w.-]+)*/?", word):
        return False
    inside = "/" in word and (ROOT / word.split("/")[0]).exists()
    return inside or word.endswith(FILE_SUFFIXES)


def is_in_a_module(dotted: str) -> bool:
    """This function will tell whether a dotted name is a module, a name in one, or a database file like scm.db."""
    if dotted == "scm.db":
        return True
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module = path.parent.with_suffix(".py")
    return module.exists() and re.search(rf"\b{path.name}\b", module.read_text()) is not None

"""Product structures: which item needs which components, low-level codes, and exact explosion of orders.

A line says how many units of a component go into one of its parent, as a ratio of two whole numbers. What an order
needs of a component is rounded up once, over the whole order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scm.planning import checks, ratios
from scm.planning.checks import Flags, Integers

ALWAYS = 2**31
"""A last bucket beyond every horizon: the line is valid for good."""


class CyclicStructure(ValueError):
    """An item is, through its components, a component of itself. `path` begins and ends with the same item."""

    def __init__(self, path: tuple[int, ...]) -> None:
        self.path = path
        shown = " → ".join(str(item) for item in path)
        super().__init__(f"items {shown} contain each other: take one of these lines out")


@dataclass(frozen=True, kw_only=True)
class Structure:
    """L lines between I items; an order for q of `parent` needs ceil(q × numerator / denominator) of `component`.

    A line is used by orders released in the buckets from `valid_from` up to and without `valid_until`; both may be
    left out. Raises InvalidPlanningInput, and CyclicStructure where an item contains itself, dates disregarded.
    """

    items: int
    parent: Integers
    """(L)"""
    component: Integers
    """(L)"""
    numerator: Integers
    """(L) at least 1"""
    denominator: Integers
    """(L) at least 1"""
    valid_from: Integers | None = None
    """(L)"""
    valid_until: Integers | None = None
    """(L)"""
    levels: Integers = field(init=False)
    """(I) low-level codes: 0 where nothing contains the item, else one more than the deepest item that does."""

    def __post_init__(self) -> None:
        shape = np.shape(self.parent)
        for name, minimum in (("parent", 0), ("component", 0), ("numerator", 1), ("denominator", 1)):
            self._set(name, checks.integers(name, getattr(self, name), shape=shape, minimum=minimum))
        for name in ("parent", "component"):
            values = getattr(self, name)
            checks.refuse_where(name, values, values >= self.items, f"there are only {self.items} items")
        first = np.zeros(shape, dtype=np.int64) if self.valid_from is None else self.valid_from
        last = np.full(shape, ALWAYS) if self.valid_until is None else self.valid_until
        self._set("valid_from", checks.integers("valid_from", first, shape=shape))
        self._set("valid_until", checks.integers("valid_until", last, shape=shape))
        self._set("levels", levels_of(self.items, parent=self.parent, component=self.component))

    def _set(self, name: str, value: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, value)

    @cached_property
    def by_parent(self) -> tuple[Integers, Integers]:
        """Lines in the order of their parents (L), and where those of each item begin (I + 1)."""
        return _grouped(self.parent, self.items)


@dataclass(frozen=True, kw_only=True)
class Components:
    """What N orders need: one row a component of an order, in the order of the orders, then of the lines."""

    order: Integers
    """position of the order"""
    line: Integers
    """position of the structure's line"""
    item: Integers
    quantity: Integers


def components(
    structure: Structure, *, item: npt.ArrayLike, quantity: npt.ArrayLike, bucket: npt.ArrayLike = 0
) -> Components:
    """Return what orders for `quantity` of `item`, released in `bucket`, need one level below; all are (N) arrays.

    Worked example: 7 chairs need 4 legs each, and a third of a can of paint each: 28 legs and ceil(7/3) = 3 cans.

    >>> chair = Structure(items=3, parent=np.array([0, 0]), component=np.array([1, 2]),
    ...                   numerator=np.array([4, 1]), denominator=np.array([1, 3]))
    >>> components(chair, item=[0], quantity=[7]).quantity.tolist()
    [28, 3]
    """
    items = np.asarray(item, dtype=np.int64)
    counts, begin = np.broadcast_to(np.asarray(quantity, dtype=np.int64), items.shape), structure.by_parent[1]
    buckets = np.broadcast_to(np.asarray(bucket, dtype=np.int64), items.shape)
    order = np.repeat(np.arange(len(items)), begin[items + 1] - begin[items])
    line = structure.by_parent[0][_positions(items, begin)]
    assert structure.valid_from is not None and structure.valid_until is not None
    used = (structure.valid_from[line] <= buckets[order]) & (buckets[order] < structure.valid_until[line])
    order, line = order[used], line[used]
    needed = ratios.ceil_of(counts[order], numerator=structure.numerator[line], denominator=structure.denominator[line])
    return Components(order=order, line=line, item=structure.component[line], quantity=needed)


def explode(structure: Structure, *, quantity: npt.ArrayLike) -> Integers:
    """Return how many of every item are needed for `quantity` (I) of them as end items, those included.

    Level by level: an item's total is one order, and its components are rounded up over that total once.
    """
    totals = checks.integers("quantity", quantity, shape=(structure.items,)).copy()
    for level in range(int(structure.levels.max(initial=0)) + 1):
        ordered = np.flatnonzero((structure.levels == level) & (totals > 0))
        found = components(structure, item=ordered, quantity=totals[ordered])
        np.add.at(totals, found.item, found.quantity)
    return totals


def without_phantoms(structure: Structure, *, phantom: npt.ArrayLike) -> Structure:
    """Return the structure in which the components of a phantom (I flags) stand in its place, ratios multiplied.

    A phantom is never ordered, so nothing is rounded at it; of two dates the narrower counts.
    """
    ghost: Flags = checks.flags("phantom", phantom, shape=(structure.items,))
    order, begin = structure.by_parent
    assert structure.valid_from is not None and structure.valid_until is not None
    rows: list[tuple[int, int, int, int, int, int]] = []
    for line in range(len(structure.parent)):
        if ghost[structure.parent[line]]:
            continue
        open_lines = [(line, Fraction(1), 0, ALWAYS)]
        while open_lines:
            at, before, first, last = open_lines.pop()
            component = int(structure.component[at])
            ratio = before * Fraction(int(structure.numerator[at]), int(structure.denominator[at]))
            first = max(first, int(structure.valid_from[at]))
            last = min(last, int(structure.valid_until[at]))
            if first >= last:
                continue
            if ghost[component]:
                below = order[begin[component] : begin[component + 1]]
                open_lines += [(int(next_line), ratio, first, last) for next_line in below[::-1]]
            else:
                parts = ratios.parts_of("numerator", ratio)
                rows.append((int(structure.parent[line]), component, *parts, first, last))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    names = ("parent", "component", "numerator", "denominator", "valid_from", "valid_until")
    return Structure(items=structure.items, **dict(zip(names, columns, strict=True)))


def levels_of(items: int, *, parent: Integers, component: Integers) -> Integers:
    """Return the length of the longest way from the top to each of so many items (I), along lines (L).

    Again and again the items that nothing left contains are taken away. Raises CyclicStructure where some are left.
    """
    order, begin = _grouped(parent, items)
    levels = np.zeros(items, dtype=np.int64)
    left = np.bincount(component, minlength=items)
    done = np.zeros(items, dtype=np.bool_)
    free = np.flatnonzero(left == 0)
    level = 0
    while len(free):
        levels[free], done[free] = level, True
        lines = order[_positions(free, begin)]
        left = left - np.bincount(component[lines], minlength=items)
        free = np.unique(component[lines][left[component[lines]] == 0])
        level += 1
    if not done.all():
        raise CyclicStructure(_cycle(done, parent, component))
    levels.setflags(write=False)
    return levels


def _grouped(keys: Integers, items: int) -> tuple[Integers, Integers]:
    begin = np.zeros(items + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=items), out=begin[1:])
    return np.argsort(keys, kind="stable"), begin


def _positions(groups: Integers, begin: Integers) -> Integers:
    """Positions of the members of some groups, group by group, where group g holds begin[g] up to begin[g + 1]."""
    sizes = begin[groups + 1] - begin[groups]
    first = begin[groups] - np.cumsum(sizes) + sizes
    return np.asarray(np.arange(int(sizes.sum())) + np.repeat(first, sizes), dtype=np.int64)


def _cycle(done: Flags, parent: Integers, component: Integers) -> tuple[int, ...]:
    """Walk upwards among the items that are left, each of which some other of them contains, until one comes again."""
    above: dict[int, int] = {}
    for up, down in zip(parent.tolist(), component.tolist(), strict=True):
        if not done[up] and not done[down]:
            above.setdefault(down, up)
    walked: list[int] = []
    item = int(np.flatnonzero(~done)[0])
    while item not in walked:
        walked.append(item)
        item = above[item]
    circle = [item, *reversed(walked[walked.index(item) :])]
    return tuple(circle)

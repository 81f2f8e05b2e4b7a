"""Product structures: levels, cycles, exact explosion, phantoms and dates, against plain walks down the tree."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import explosion, ratios
from scm.planning.checks import InvalidPlanningInput
from scm.planning.explosion import CyclicStructure, Structure
from tests.planning import making


@given(making.lines(items=6, whole=True), st.integers(0, 5), st.integers(1, 50))
def test_an_explosion_is_the_walk_down_the_tree(lines: list[tuple[int, int, int, int]], item: int, count: int) -> None:
    structure = making.structure_of(6, lines)
    ordered = np.zeros(6, dtype=np.int64)
    ordered[item] = count
    walked = making.walked(lines, item=item, quantity=count)
    assert explosion.explode(structure, quantity=ordered).tolist() == [walked.get(other, 0) for other in range(6)]


@given(making.lines(items=6), st.integers(0, 5), st.integers(1, 50))
def test_pooling_components_never_needs_more_than_rounding_up_at_every_place(
    lines: list[tuple[int, int, int, int]], item: int, count: int
) -> None:
    structure = making.structure_of(6, lines)
    ordered = np.zeros(6, dtype=np.int64)
    ordered[item] = count
    walked = making.walked(lines, item=item, quantity=count)
    needed = explosion.explode(structure, quantity=ordered).tolist()
    assert all(needed[other] <= walked.get(other, 0) for other in range(6))


@given(making.lines(items=6))
def test_every_item_is_one_level_below_the_deepest_that_contains_it(lines: list[tuple[int, int, int, int]]) -> None:
    levels = making.structure_of(6, lines).levels
    for item in range(6):
        above = [int(levels[up]) for up, down, _, _ in lines if down == item]
        assert levels[item] == max((level + 1 for level in above), default=0)


@given(making.lines(items=6), st.data())
def test_a_line_back_to_the_top_is_refused_with_the_whole_circle(
    lines: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    if not lines:
        lines = [(0, 1, 1, 1)]
    first, last = data.draw(st.sampled_from([line[:2] for line in lines]))
    circle = [*lines, (last, first, 1, 1)]
    with pytest.raises(CyclicStructure) as refused:
        making.structure_of(6, circle)
    path = refused.value.path
    assert path[0] == path[-1]
    assert len(path) >= 3
    pairs = {(up, down) for up, down, _, _ in circle}
    assert all(pair in pairs for pair in itertools.pairwise(path))


def test_an_item_in_itself_is_refused() -> None:
    with pytest.raises(CyclicStructure, match="items 2 → 2"):
        making.structure_of(3, [(0, 1, 1, 1), (2, 2, 1, 1)])


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.integers(1, 10**15), st.integers(1, 10**15))
def test_ratios_are_exact_whatever_their_size(counts: list[int], numerator: int, denominator: int) -> None:
    exact = [Fraction(count * numerator, denominator) for count in counts]
    if max(exact) > 10**12:
        with pytest.raises(InvalidPlanningInput, match="must not exceed"):
            ratios.ceil_of(counts, numerator=numerator, denominator=denominator)
        return
    up = ratios.ceil_of(counts, numerator=numerator, denominator=denominator).tolist()
    down = ratios.floor_of(counts, numerator=numerator, denominator=denominator).tolist()
    assert up == [ceil(value) for value in exact]
    assert down == [value.numerator // value.denominator for value in exact]


@given(making.lines(items=6), st.lists(st.booleans(), min_size=6, max_size=6), st.integers(1, 30))
def test_a_phantom_passes_its_components_through_without_rounding(
    lines: list[tuple[int, int, int, int]], ghosts: list[bool], count: int
) -> None:
    plain = explosion.without_phantoms(making.structure_of(6, lines), phantom=np.array(ghosts))
    item = ghosts.index(False) if False in ghosts else None
    if item is None:
        assert len(plain.parent) == 0
        return
    needed = explosion.components(plain, item=[item], quantity=[count])
    by_way = sorted((down, ceil(count * ratio)) for down, ratio in _ways(lines, ghosts, item, Fraction(1)))
    assert sorted(zip(needed.item.tolist(), needed.quantity.tolist(), strict=True)) == by_way


def _ways(
    lines: list[tuple[int, int, int, int]], ghosts: list[bool], item: int, ratio: Fraction
) -> list[tuple[int, Fraction]]:
    found = []
    for up, down, numerator, denominator in lines:
        if up == item:
            here = ratio * Fraction(numerator, denominator)
            found += _ways(lines, ghosts, down, here) if ghosts[down] else [(down, here)]
    return found


def test_a_line_is_used_only_while_it_is_valid() -> None:
    structure = Structure(
        items=3,
        parent=np.array([0, 0]),
        component=np.array([1, 2]),
        numerator=np.array([1, 1]),
        denominator=np.array([1, 1]),
        valid_from=np.array([0, 5]),
        valid_until=np.array([5, 99]),
    )
    needed = explosion.components(structure, item=[0, 0], quantity=[7, 8], bucket=[4, 5])
    assert list(zip(needed.order.tolist(), needed.item.tolist(), needed.quantity.tolist(), strict=True)) == [
        (0, 1, 7),
        (1, 2, 8),
    ]

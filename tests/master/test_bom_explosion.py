"""Explosions are exact: they equal a walk that multiplies fractions down every path, whatever the bill."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.master import bom_explosion
from scm.master.bom_explosion import NothingOrdered, Recipe, RecipeLine, SubstituteLine

Recipes = dict[int, Recipe]


@st.composite
def bills(draw: st.DrawFn, *, exact: bool = False) -> Recipes:
    """Items 0 … n−1 in layers: each may be made of some with a higher number, so there are shared parts, no circles."""
    count = draw(st.integers(2, 9))
    found: Recipes = {}
    for item in range(count - 1):
        components = draw(st.lists(st.integers(item + 1, count - 1), unique=True, max_size=4))
        if not components and item:
            continue
        lines = tuple(
            RecipeLine(
                bom_line_id=100 * item + place,
                item_id=component,
                quantity=draw(st.integers(1, 12)),
                scrap_rate=Decimal(0) if exact else Decimal(draw(st.integers(0, 30))) / 100,
            )
            for place, component in enumerate(components or [item + 1])
        )
        found[item] = Recipe(
            bom_id=item + 1,
            item_id=item,
            lines=lines,
            output_quantity=1 if exact else draw(st.integers(1, 7)),
            yield_rate=Decimal(1) if exact else Decimal(draw(st.integers(50, 100))) / 100,
            through=item > 0 and draw(st.booleans()),
        )
    return found


def per_unit(recipe: Recipe, line: RecipeLine) -> Fraction:
    started = Fraction(1) / Fraction(recipe.yield_rate)
    return started * Fraction(line.quantity, recipe.output_quantity) * (1 + Fraction(line.scrap_rate))


def walk(recipes: Recipes, item: int, quantity: Fraction, totals: dict[int, Fraction]) -> None:
    """Every path on its own, multiplied down to where nothing is below, and no rounding."""
    for line in recipes[item].lines if item in recipes else ():
        totals[line.item_id] = totals.get(line.item_id, Fraction(0)) + quantity * per_unit(recipes[item], line)
        walk(recipes, line.item_id, quantity * per_unit(recipes[item], line), totals)


def walk_order(recipes: Recipes, item: int, quantity: Fraction, totals: dict[int, Fraction]) -> None:
    """The same, but no further than what is ordered by itself."""
    for line in recipes[item].lines:
        needed = quantity * per_unit(recipes[item], line)
        if line.item_id in recipes and recipes[line.item_id].through:
            walk_order(recipes, line.item_id, needed, totals)
        else:
            totals[line.item_id] = totals.get(line.item_id, Fraction(0)) + needed


def rounded(recipes: Recipes, item: int, top: int, quantity: int) -> int:
    """What is needed of an item, asked from below: of every order above it, rounded up once each."""
    if item == top:
        return quantity
    total = 0
    for parent, recipe in recipes.items():
        if parent < item and (parent == top or not recipe.through):  # parents have the lower numbers
            ordered = rounded(recipes, parent, top, quantity)
            totals: dict[int, Fraction] = {}
            if ordered:
                walk_order(recipes, parent, Fraction(ordered), totals)
            total += math.ceil(totals.get(item, Fraction(0)))
    return total


def through(recipes: Recipes) -> Recipes:
    return {item: recipe for item, recipe in recipes.items() if recipe.through}


@given(bills(), st.integers(1, 10_000))
def test_one_order_equals_a_walk_down_every_path(recipes: Recipes, quantity: int) -> None:
    expected: dict[int, Fraction] = {}
    walk_order(recipes, 0, Fraction(quantity), expected)
    exact: dict[int, Fraction] = {}
    whole: dict[int, int] = {}
    for component in bom_explosion.components(recipes[0], quantity, through=through(recipes)):
        exact[component.item_id] = exact.get(component.item_id, Fraction(0)) + component.exact
        whole[component.item_id] = whole.get(component.item_id, 0) + component.quantity
        assert component.quantity >= 0
    assert exact == expected
    assert whole == {item: math.ceil(needed) for item, needed in expected.items()}


@given(bills(exact=True), st.integers(1, 1000))
def test_whole_ratios_at_all_levels_equal_the_walk_itself(recipes: Recipes, quantity: int) -> None:
    expected: dict[int, Fraction] = {0: Fraction(quantity)}
    walk(recipes, 0, Fraction(quantity), expected)
    found = {need.item_id: need.quantity for need in bom_explosion.explode(0, quantity, recipes=recipes)}
    assert found == {item: needed for item, needed in expected.items() if item not in through(recipes)}


@given(bills(), st.integers(1, 1000))
def test_all_levels_round_up_once_an_order(recipes: Recipes, quantity: int) -> None:
    found = bom_explosion.explode(0, quantity, recipes=recipes)
    assert {need.item_id: need.quantity for need in found} == {
        need.item_id: rounded(recipes, need.item_id, 0, quantity) for need in found
    }
    exact: dict[int, Fraction] = {}
    walk(recipes, 0, Fraction(quantity), exact)
    assert {need.item_id for need in found} == {0} | exact.keys() - through(recipes).keys()
    assert all(need.quantity >= exact.get(need.item_id, 0) for need in found)
    assert [need.level for need in found] == sorted(need.level for need in found)


@given(st.integers(1, 10_000), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_parts_of_an_order_add_up_and_always_suffice(total: int, parts: list[int]) -> None:
    ordered, before, taken = sum(parts), 0, 0
    for now in parts:
        taken += bom_explosion.part_of(total, before=before, now=now, of=ordered)
        before += now
        assert total * before <= taken * ordered < total * before + ordered
    assert taken == total


def test_a_substitute_is_asked_for_as_much_as_the_order_needs() -> None:
    other = (SubstituteLine(item_id=3, priority=1, quantity=5), SubstituteLine(item_id=4, priority=2, quantity=1))
    line = RecipeLine(bom_line_id=1, item_id=2, quantity=2, scrap_rate=Decimal("0.1"), substitutes=other)
    recipe = Recipe(bom_id=1, item_id=1, lines=(line,), output_quantity=4)
    [component] = bom_explosion.components(recipe, 7, through={})
    assert (component.exact, component.quantity) == (Fraction(77, 20), 4)  # 7 × 2/4 × 1.1
    assert [(one.item_id, one.quantity) for one in component.substitutes] == [(3, 10), (4, 2)]  # 9.625 and 1.925


def test_lines_of_one_item_are_rounded_up_together() -> None:
    third = Recipe(
        bom_id=2, item_id=2, output_quantity=3, through=True, lines=(RecipeLine(bom_line_id=9, item_id=7, quantity=1),)
    )
    lines = (RecipeLine(bom_line_id=1, item_id=2, quantity=1), RecipeLine(bom_line_id=2, item_id=7, quantity=1))
    top = Recipe(bom_id=1, item_id=1, output_quantity=3, lines=lines)
    found = bom_explosion.components(top, 3, through={2: third})
    assert [(one.bom_line_id, one.exact, one.quantity) for one in found] == [(9, Fraction(1, 3), 1), (2, 1, 1)]
    assert sum(one.quantity for one in found) == 2  # ceil(4/3), where two roundings would have taken 1 + 1 as well
    found = bom_explosion.components(top, 2, through={2: third})
    assert [one.quantity for one in found] == [1, 0]  # 2/9 + 2/3 are less than one


def test_nothing_is_exploded_for_nothing() -> None:
    recipe = Recipe(bom_id=1, item_id=1, lines=())
    with pytest.raises(NothingOrdered, match="an order for 0"):
        bom_explosion.components(recipe, 0, through={})


def test_a_circle_has_no_levels() -> None:
    with pytest.raises(ValueError, match="above each other"):
        bom_explosion.levels([(1, 2), (2, 3), (3, 2)])
    with pytest.raises(ValueError, match="no parts"):
        bom_explosion.part_of(10, before=3, now=1, of=3)

"""What orders need of components, exactly: pure functions on bills that are already read.

One good unit of a parent needs, of a component, quantity ÷ output_quantity × (1 + scrap_rate) ÷ yield_rate. Ratios stay
fractions through phantoms and are rounded up once, where an order takes whole base units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scm.core.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class SubstituteLine:
    """What may be taken instead, and how much of it for `output_quantity` of the parent."""

    item_id: int
    priority: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class RecipeLine:
    """A component of a recipe. `substitutes` stand by priority."""

    bom_line_id: int
    item_id: int
    quantity: int
    scrap_rate: Decimal = Decimal(0)
    substitutes: tuple[SubstituteLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One revision as an explosion sees it. What is `through` is never ordered: its components stand in its place."""

    bom_id: int
    item_id: int
    lines: tuple[RecipeLine, ...]
    output_quantity: int = 1
    yield_rate: Decimal = Decimal(1)
    through: bool = False


@dataclass(frozen=True, kw_only=True)
class Substitute:
    """What may be taken instead of a component, and how much of it the whole order would need."""

    item_id: int
    priority: int
    exact: Fraction
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Component:
    """What one order needs of one component: exactly, and in whole base units."""

    bom_line_id: int
    item_id: int
    exact: Fraction
    quantity: int
    substitutes: tuple[Substitute, ...]


@dataclass(frozen=True, kw_only=True)
class Need:
    """What an order and all orders below it need of an item. `level` is how deep it stands at most, the parent is 0."""

    item_id: int
    level: int
    quantity: int
    bom_id: int | None  # what makes it; none: it is bought or moved here


class NothingOrdered(InvalidInput):
    """Only a whole number of units above zero can be exploded."""


def ratio(*, quantity: int, output_quantity: int, scrap_rate: Decimal, yield_rate: Decimal) -> Fraction:
    """This function will give how many units of a component one good unit of its parent needs.

    Of 100 started 80 are good, so 1 good one takes 1.25 started; each of them takes 2, and a tenth more is lost:

    >>> ratio(quantity=2, output_quantity=1, scrap_rate=Decimal("0.1"), yield_rate=Decimal("0.8"))
    Fraction(11, 4)
    """
    return Fraction(quantity, output_quantity) * (1 + Fraction(scrap_rate)) / Fraction(yield_rate)


def components(recipe: Recipe, quantity: int, *, through: Mapping[int, Recipe]) -> list[Component]:
    """This function will give what one order for `quantity` good units takes, phantoms (`through`) exploded.

    A line that is reached on several ways is one component. The lines of one item together are rounded up once: each
    takes the step of their running sum. Raises `NothingOrdered`.
    """
    if quantity < 1:
        raise NothingOrdered(f"an order for {quantity} needs nothing: give a whole number above 0")
    exact: dict[int, Fraction] = {}
    lines: dict[int, RecipeLine] = {}
    shares: dict[int, Fraction] = {}  # of a line: what one unit of its own quantity is worth in this order
    _collect(recipe, Fraction(quantity), through, exact, lines, shares)
    running: dict[int, Fraction] = {}
    found = []
    for line_id, needed in exact.items():
        line = lines[line_id]
        before = running.get(line.item_id, Fraction(0))
        running[line.item_id] = before + needed
        found.append(
            Component(
                bom_line_id=line_id,
                item_id=line.item_id,
                exact=needed,
                quantity=-(-(before + needed) // 1) + (-before // 1),
                substitutes=tuple(
                    Substitute(
                        item_id=other.item_id,
                        priority=other.priority,
                        exact=shares[line_id] * other.quantity,
                        quantity=-(-shares[line_id] * other.quantity // 1),
                    )
                    for other in line.substitutes
                ),
            )
        )
    return found


def explode(item_id: int, quantity: int, *, recipes: Mapping[int, Recipe]) -> list[Need]:
    """This function will give what `quantity` of an item need at all levels, as if nothing were in stock.

    All that is needed of an item is one order, and each order rounds up what it needs once. The item itself comes
    first, then by level; an item that stands at several levels is counted at its deepest. Raises `NothingOrdered`,
    `ValueError` for a circle.
    """
    depth = levels((recipe.item_id, line.item_id) for recipe in _below(item_id, recipes) for line in recipe.lines)
    needed = {item_id: quantity}
    through = {key: recipe for key, recipe in recipes.items() if recipe.through and key != item_id}
    found = []
    for one in sorted(depth.keys() | {item_id}, key=lambda key: (depth.get(key, 0), key)):
        if one in needed:
            recipe = recipes.get(one)
            bom_id = None if recipe is None else recipe.bom_id
            found.append(Need(item_id=one, level=depth.get(one, 0), quantity=needed[one], bom_id=bom_id))
            for component in [] if recipe is None else components(recipe, needed[one], through=through):
                needed[component.item_id] = needed.get(component.item_id, 0) + component.quantity
    return found


def levels(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """This function will give the low-level code of items from (parent, component) pairs: 0 where nothing is above.

    Raises `ValueError` when the pairs run in a circle.

    >>> levels([(1, 2), (2, 3), (1, 3)])
    {1: 0, 2: 1, 3: 2}
    """
    below: dict[int, set[int]] = {}
    above: dict[int, int] = {}
    for parent, component in edges:
        if component not in below.setdefault(parent, set()):
            below[parent].add(component)
            above[component] = above.get(component, 0) + 1
    level = {item: 0 for item in below if item not in above}
    ready = list(level)
    for item in ready:  # grows while it is walked
        for component in below.get(item, ()):
            level[component] = max(level.get(component, 0), level[item] + 1)
            above[component] -= 1
            if not above[component]:
                ready.append(component)
    if any(above.values()):
        raise ValueError(f"items {sorted(item for item, count in above.items() if count)} are above each other")
    return level


def part_of(total: int, *, before: int, now: int, of: int) -> int:
    """This function will give the share of `total` units that is due when `now` more of `of` units are worked on.

    Shares are rounded up on the running sum, so that in whatever parts an order is worked on they add up to `total`,
    and what was taken always suffices for what was made. Raises `ValueError` outside 0 ≤ before ≤ before + now ≤ of.

    >>> [part_of(10, before=done, now=1, of=3) for done in range(3)]
    [4, 3, 3]
    """
    if not 0 <= before <= before + now <= of:
        raise ValueError(f"{before} and {now} are no parts of {of}")
    return -(-total * (before + now) // of) + (-total * before // of)


def _collect(
    recipe: Recipe,
    wanted: Fraction,
    through: Mapping[int, Recipe],
    exact: dict[int, Fraction],
    lines: dict[int, RecipeLine],
    shares: dict[int, Fraction],
) -> None:
    for line in recipe.lines:
        share = wanted * ratio(
            quantity=1,
            output_quantity=recipe.output_quantity,
            scrap_rate=line.scrap_rate,
            yield_rate=recipe.yield_rate,
        )
        if line.item_id in through:
            _collect(through[line.item_id], share * line.quantity, through, exact, lines, shares)
        else:
            lines[line.bom_line_id] = line
            exact[line.bom_line_id] = exact.get(line.bom_line_id, Fraction(0)) + share * line.quantity
            shares[line.bom_line_id] = shares.get(line.bom_line_id, Fraction(0)) + share


def _below(item_id: int, recipes: Mapping[int, Recipe]) -> list[Recipe]:
    found: dict[int, Recipe] = {}
    open_items = [item_id]
    while open_items:
        one = open_items.pop()
        recipe = recipes.get(one)
        if recipe is not None and one not in found:
            found[one] = recipe
            open_items += [line.item_id for line in recipe.lines]
    return list(found.values())

"""The made-up brand: the same for the same seed, its goods never appear or vanish, and its year is China's."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement import scorecard
from scm.loop.generated import catalogue, history, sales_file, year
from scm.loop.generated.history import History
from scm.loop.generated.year import CHANNELS, DISTRIBUTORS, LIVE, MARKETPLACE

LAST_DAY = date(2026, 9, 24)


@pytest.fixture(scope="module")
def brand() -> History:
    """The whole brand, as `scm demo` makes it."""
    return history.make(last_day=LAST_DAY, seed=1)


def small(seed: int, *, days: int = 90) -> History:
    return history.make(
        last_day=LAST_DAY,
        seed=seed,
        range_=catalogue.LEAST,
        history_days=days,
        future_days=7,
        volume=3,
        with_stories=False,
    )


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    def written(seed: int, name: str) -> bytes:
        lines = sales_file.write(tmp_path / name, small(seed))
        content = (tmp_path / name).read_bytes()
        assert content.count(b"\r\n") == lines + 1
        return content

    assert written(1, "a") == written(1, "b")
    assert written(1, "c") != written(2, "d")


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_goods_never_appear_or_vanish_and_what_is_not_there_is_not_sold(seed: int) -> None:
    made_up = small(seed)
    kept, closed = made_up.shelves, made_up.shelves.closed_days
    sold = kept.sold[:closed].sum(axis=2)
    there = np.vstack([kept.opening, kept.on_hand[: closed - 1]]) + kept.received[:closed]
    assert (sold <= there).all()
    assert (kept.on_hand[:closed] == there - sold - kept.written_off[:closed]).all()
    assert (kept.on_hand >= 0).all() and (kept.sold <= made_up.wanted).all()
    came = Counter((order.item, order.arrives) for order in kept.orders for _ in range(order.quantity))
    arrived = {(item, day): units for (item, day), units in came.items() if day < closed}
    assert arrived == {(item, day): int(kept.received[day, item]) for day, item in np.argwhere(kept.received).tolist()}
    for order in kept.orders:
        factory, agreed = made_up.sources[order.item]
        assert factory is order.factory and made_up.days[order.ordered].weekday() == factory.weekday
        assert order.quantity % agreed.order_multiple == 0 and order.quantity >= agreed.minimum_order_quantity


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_file_says_what_the_history_knows(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    made_up = small(seed, days=40)
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    sales_file.write(path, made_up)
    told: dict[str, Counter[tuple[str, str]]] = {"sale": Counter(), "return": Counter(), "adjustment": Counter()}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            told[row["kind"]][row["sold_at"][:10], row["sku"]] += int(row["quantity"])
    assert told["sale"] == known(made_up, made_up.shelves.sold.sum(axis=2))
    assert {key: -units for key, units in told["adjustment"].items()} == known(made_up, made_up.shelves.written_off)
    assert -sum(told["return"].values()) < sum(told["sale"].values()) / 10
    assert all(units < 0 for units in told["return"].values())


def test_the_catalogue_is_the_brands(brand: History) -> None:
    assert len(brand.items) == 400
    for names in ([item.sku for item in brand.items], [item.name for item in brand.items]):
        assert len(set(names)) == 400
    assert all(not item.name.isascii() and item.english_name.isascii() for item in brand.items)
    assert len({factory.code for factory, _ in brand.sources}) == 12
    assert all(0 < agreed.unit_price < item.price for item, (_, agreed) in zip(brand.items, brand.sources, strict=True))


def test_the_year_is_chinas(brand: History) -> None:
    usual = daily(brand, (MARKETPLACE, LIVE), date(2025, 8, 1), date(2025, 9, 20))
    for first, last, least in (
        (date(2025, 6, 16), date(2025, 6, 18), 2.0),  # 618
        (date(2025, 11, 10), date(2025, 11, 11), 3.0),  # Double 11
        (date(2025, 12, 10), date(2025, 12, 12), 1.5),  # Double 12
    ):
        assert daily(brand, (MARKETPLACE, LIVE), first, last) > least * usual, first
    assert daily(brand, (MARKETPLACE, LIVE), date(2026, 2, 15), date(2026, 2, 21)) < usual / 2
    assert daily(brand, (DISTRIBUTORS,), date(2026, 2, 10), date(2026, 2, 24)) == 0
    festive = [place for place, item in enumerate(brand.items) if item.family.code == "FESTIVE"]
    before = [place for place, day in enumerate(brand.days) if date(2026, 1, 15) <= day < date(2026, 2, 12)]
    summer = [place for place, day in enumerate(brand.days) if date(2026, 7, 1) <= day < date(2026, 7, 29)]
    assert brand.wanted[np.ix_(before, festive)].sum() > 5 * brand.wanted[np.ix_(summer, festive)].sum()


@pytest.mark.parametrize("festival", sorted(year.SPRING_FESTIVALS.values())[1:])
def test_days_around_the_spring_festival_are_counted_from_it(festival: date) -> None:
    for days in range(-60, 61):
        assert year.days_to_spring_festival(festival - timedelta(days=days)) == days


def test_the_bestseller_was_really_out_of_stock_in_june_while_people_wanted_it(brand: History) -> None:
    assert brand.stories is not None
    item = brand.place(brand.stories.bestseller)
    june = [place for place, day in enumerate(brand.days) if (day.year, day.month) == (2026, 6)]
    empty = [place for place in june if brand.shelves.on_hand[place, item] == 0]
    assert len(empty) >= 20
    assert brand.wanted[empty, item].sum() >= 60
    assert brand.shelves.sold[june, item].sum() < brand.wanted[june, item].sum() / 4
    july = [place for place, day in enumerate(brand.days) if (day.year, day.month) == (2026, 7)]
    assert brand.shelves.sold[july, item].sum() > 0.9 * brand.wanted[july, item].sum()


def test_the_launch_sells_from_its_day_on_and_the_doomed_one_lasts_half_a_year(brand: History) -> None:
    planted = brand.stories
    assert planted is not None
    new, launch = brand.place(planted.launched), brand.days.index(planted.launch_date)
    assert brand.wanted[:launch, new].sum() == 0 and brand.wanted[launch:, new].sum() > 10
    assert brand.shelves.on_hand[launch - 1, new] > 0
    closed = brand.shelves.closed_days
    doomed = brand.place(planted.phased_out)
    a_day = brand.shelves.sold[closed - 70 : closed, doomed].sum() / 70
    assert brand.shelves.on_hand[closed - 1, doomed] > 180 * a_day > 0


def test_the_late_supplier_drifts_from_twenty_days_to_thirty_three(brand: History) -> None:
    planted = brand.stories
    assert planted is not None
    closed, turned = brand.shelves.closed_days, brand.days.index(planted.drift_from)
    took = {
        order.ordered: order.arrives - order.ordered
        for order in brand.shelves.orders
        if order.factory.code == planted.late_supplier and order.arrives < closed
    }
    before = [days for ordered, days in took.items() if ordered < turned]
    lately = [days for ordered, days in took.items() if ordered >= turned]
    assert np.mean(before) == pytest.approx(20, abs=1)
    assert 30 <= scorecard.percentile(lately, percent=90) <= 34


def test_channels_differ_in_size_and_in_what_comes_back(brand: History, tmp_path: Path) -> None:
    sales_file.write(tmp_path / "sales.csv", brand)
    sold: Counter[str] = Counter()
    back: Counter[str] = Counter()
    with (tmp_path / "sales.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] != "adjustment":
                (sold if row["kind"] == "sale" else back)[row["customer"][0]] += abs(int(row["quantity"]))
    letter = {channel.code: channel.customer_code(1)[0] for channel in CHANNELS}
    rates = {code: back[first] / sold[first] for code, first in letter.items()}
    assert rates[LIVE] > 2 * rates[MARKETPLACE] > 4 * rates[DISTRIBUTORS] > 0
    shares = {code: sold[first] / sold.total() for code, first in letter.items()}
    assert shares[MARKETPLACE] > shares[DISTRIBUTORS] > shares[LIVE] > 0.1


def known(made_up: History, units: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Counter[tuple[str, str]]:
    """Units by day and SKU, as the file names them."""
    return Counter(
        {
            (made_up.days[day].isoformat(), made_up.items[item].sku): int(units[day, item])
            for day, item in np.argwhere(units).tolist()
        }
    )


def daily(brand: History, channels: tuple[str, ...], first: date, last: date) -> float:
    """Units wanted a day of a period, both ends included, but for what people decorate with."""
    turns = [turn for turn, channel in enumerate(CHANNELS) if channel.code in channels]
    items = [place for place, item in enumerate(brand.items) if item.family.code != "FESTIVE"]
    days = [place for place, day in enumerate(brand.days) if first <= day <= last]
    return float(brand.wanted[np.ix_(days, items, turns)].sum()) / len(days)

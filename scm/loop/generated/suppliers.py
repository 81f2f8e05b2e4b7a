"""Who supplies the brand: twelve invented factories and traders, their terms, and what they agreed to deliver. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from scm.loop.generated.catalogue import CatalogueItem

CENT = Decimal("0.01")
PACKS = (1, 2, 6, 12, 24)
EXAMPLE_DOMAIN = "example"  # kept free of mail by RFC 2606


@dataclass(frozen=True, kw_only=True)
class Factory:
    """One supplier. `weekday` (0 Monday) and `period_days` say when orders are reviewed; amounts are whole units.

    `spread` is the standard deviation of the log of actual over agreed lead time.
    """

    code: str
    name: str
    prefixes: Sequence[str]
    lead_time_days: int
    weekday: int
    period_days: int
    minimum_order_value: int
    joint_order_cost: int
    spread: float = 0.1

    @property
    def email(self) -> str:
        """Where orders go."""
        return f"orders@{self.code.lower()}.{EXAMPLE_DOMAIN}"


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """What was agreed on one item: price a unit, and lots."""

    unit_price: Decimal
    minimum_order_quantity: int
    order_multiple: int


FACTORIES = (
    Factory(
        code="S01",
        name="永康恒锅五金 Yongkang Hengguo Hardware",
        prefixes=("KT",),
        lead_time_days=14,
        weekday=0,
        period_days=7,
        minimum_order_value=3000,
        joint_order_cost=120,
    ),
    Factory(
        code="S02",
        name="绍兴织云家纺 Shaoxing Zhiyun Textiles",
        prefixes=("LV",),
        lead_time_days=12,
        weekday=1,
        period_days=7,
        minimum_order_value=2000,
        joint_order_cost=90,
    ),
    Factory(
        code="S03",
        name="宜兴土语陶业 Yixing Tuyu Pottery",
        prefixes=("GD",),
        lead_time_days=18,
        weekday=2,
        period_days=14,
        minimum_order_value=1500,
        joint_order_cost=150,
    ),
    Factory(
        code="S04",
        name="义乌年味工艺 Yiwu Nianwei Crafts",
        prefixes=("XM",),
        lead_time_days=9,
        weekday=3,
        period_days=14,
        minimum_order_value=800,
        joint_order_cost=60,
    ),
    Factory(
        code="S05",
        name="高阳棉语毛巾 Gaoyang Mianyu Towels",
        prefixes=("BT",),
        lead_time_days=10,
        weekday=1,
        period_days=7,
        minimum_order_value=1500,
        joint_order_cost=80,
    ),
    Factory(
        code="S06",
        name="景德镇青白瓷坊 Jingdezhen Qingbai Porcelain",
        prefixes=("TW",),
        lead_time_days=16,
        weekday=2,
        period_days=7,
        minimum_order_value=2500,
        joint_order_cost=130,
        spread=0.14,
    ),
    Factory(
        code="S07",
        name="南通梦棠家纺 Nantong Mengtang Home Textiles",
        prefixes=("BD",),
        lead_time_days=20,
        weekday=0,
        period_days=7,
        minimum_order_value=4000,
        joint_order_cost=160,
    ),
    Factory(
        code="S08",
        name="台州方格塑业 Taizhou Fangge Plastics",
        prefixes=("ST",),
        lead_time_days=11,
        weekday=3,
        period_days=7,
        minimum_order_value=1200,
        joint_order_cost=70,
    ),
    Factory(
        code="S09",
        name="中山暖光灯饰 Zhongshan Nuanguang Lighting",
        prefixes=("LT",),
        lead_time_days=21,
        weekday=4,
        period_days=14,
        minimum_order_value=3000,
        joint_order_cost=140,
        spread=0.16,
    ),
    Factory(
        code="S10",
        name="广州素馨日化 Guangzhou Suxin Care",
        prefixes=("CR",),
        lead_time_days=8,
        weekday=4,
        period_days=7,
        minimum_order_value=1000,
        joint_order_cost=60,
    ),
    Factory(
        code="S11",
        name="阳江利刃刀具 Yangjiang Liren Cutlery",
        prefixes=("KT-009", "KT-010", "KT-011", "KT-012"),
        lead_time_days=15,
        weekday=2,
        period_days=14,
        minimum_order_value=1000,
        joint_order_cost=80,
    ),
    Factory(
        code="S12",
        name="安吉竹里家居 Anji Zhuli Bamboo",
        prefixes=("TW-037", "TW-038", "TW-039", "TW-040", "LV-009", "LV-010", "LV-011", "LV-012"),
        lead_time_days=13,
        weekday=3,
        period_days=14,
        minimum_order_value=800,
        joint_order_cost=60,
    ),
)


def of(item: CatalogueItem) -> Factory:
    """This function will name who supplies an item: whoever names it most closely."""
    fitting = [(len(prefix), one) for one in FACTORIES for prefix in one.prefixes if item.sku.startswith(prefix)]
    return max(fitting, key=lambda pair: pair[0])[1]


def agreements(draw: np.random.Generator, items: Sequence[CatalogueItem]) -> list[Agreed]:
    """This function will make up what was agreed on each item: 34 to 52% of its usual price, in packs.

    A thing's variants cost the same share. The pack is the largest that holds no more than a week and a half of demand.
    """
    found, shares = [], dict[tuple[str, int], Decimal]()
    for item in items:
        drawn = Decimal(int(draw.integers(34, 53))) / 100
        share = shares.setdefault((item.family.code, item.thing), drawn)
        pack = max((size for size in PACKS if size <= 1.5 * item.weekly), default=1)
        minimum = pack * (2 if draw.random() < 0.25 else 1)
        found.append(
            Agreed(unit_price=(item.price * share).quantize(CENT), minimum_order_quantity=minimum, order_multiple=pack)
        )
    return found

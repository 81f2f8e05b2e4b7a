"""What the brand sells: families of things, each in some variants, with names in Chinese and English.

Pure: the words below and a seed in, items out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COLOURS = (("米白", "oat"), ("苔绿", "moss"), ("墨蓝", "ink blue"), ("陶土", "clay"))
WOODS = (("榉木", "beech"), ("胡桃木", "walnut"), ("橡木", "oak"), ("竹", "bamboo"))
SIZES = (("小号", "small"), ("中号", "medium"), ("大号", "large"), ("特大号", "extra large"))
BEDS = (("1.2米", "120 cm"), ("1.5米", "150 cm"), ("1.8米", "180 cm"), ("2.0米", "200 cm"))
SCENTS = (("桂花", "osmanthus"), ("柚子", "pomelo"), ("雪松", "cedar"), ("白茶", "white tea"))
PATTERNS = (("团花", "medallion"), ("祥云", "cloud"), ("锦鲤", "koi"), ("喜鹊", "magpie"))

Words = tuple[str, str]
Thing = tuple[str, str, int]  # name, English name, usual price in whole units of the currency


@dataclass(frozen=True, kw_only=True)
class Family:
    """Things that share a season: `swing` is how much of their demand comes and goes, highest in `peak_week`."""

    prefix: str
    code: str
    name: Words
    variants: Sequence[Words]
    swing: float
    peak_week: int
    popularity: float
    things: Sequence[Thing]
    price_steps: Sequence[float] = (1.0, 1.0, 1.0, 1.0)  # what each variant costs of the usual price
    shelf_life_days: int | None = None  # of its first thing, whose lots are tracked

    @property
    def title(self) -> str:
        """The family's name in both languages."""
        return " ".join(self.name)


@dataclass(frozen=True, kw_only=True)
class CatalogueItem:
    """One item. `weekly` is its mean demand a week in an average week of the second year; prices are whole units.

    `sparse` is the share of days on which anybody buys it at all; `thing` is its place in the family.
    """

    sku: str
    name: str
    english_name: str
    family: Family
    thing: int
    price: int
    weekly: float
    sparse: float
    shelf_life_days: int | None


@dataclass(frozen=True, kw_only=True)
class Range:
    """How much of the catalogue a company carries: the first so many families, things of each, and variants of each."""

    families: int
    things: int
    variants: int


WHOLE = Range(families=10, things=10, variants=4)
FEW = Range(families=5, things=5, variants=4)
LEAST = Range(families=5, things=5, variants=1)

FAMILIES = (
    Family(
        prefix="KT",
        code="KITCHEN",
        name=("厨具", "Kitchen"),
        variants=COLOURS,
        swing=0.12,
        peak_week=50,
        popularity=1.5,
        things=(
            ("不粘炒锅", "Non-stick wok", 199),
            ("珐琅汤锅", "Enamel stock pot", 329),
            ("陶瓷刀", "Ceramic knife", 89),
            ("密封储物罐", "Sealed storage jar", 39),
            ("棉麻茶巾", "Linen tea towel", 19),
            ("平底煎锅", "Frying pan", 159),
            ("硅胶铲勺套装", "Silicone utensil set", 69),
            ("调味瓶", "Spice bottle", 25),
            ("电热水壶", "Electric kettle", 149),
            ("手冲咖啡壶", "Pour-over coffee pot", 119),
        ),
    ),
    Family(
        prefix="LV",
        code="LIVING",
        name=("客厅", "Living room"),
        variants=COLOURS,
        swing=0.25,
        peak_week=47,
        popularity=1.0,
        things=(
            ("羊毛盖毯", "Wool throw", 259),
            ("抱枕套", "Cushion cover", 49),
            ("藤编收纳篮", "Rattan basket", 79),
            ("静音挂钟", "Silent wall clock", 129),
            ("短绒地毯", "Short-pile rug", 299),
            ("陶瓷花瓶", "Ceramic vase", 89),
            ("相框", "Picture frame", 45),
            ("落地衣架", "Coat stand", 189),
            ("懒人沙发", "Bean bag", 359),
            ("茶几托盘", "Coffee table tray", 69),
        ),
    ),
    Family(
        prefix="GD",
        code="GARDEN",
        name=("园艺", "Garden"),
        variants=SIZES,
        price_steps=(0.8, 1.0, 1.25, 1.5),
        swing=0.6,
        peak_week=16,
        popularity=0.7,
        things=(
            ("红陶花盆", "Terracotta pot", 29),
            ("铁艺花架", "Iron plant stand", 139),
            ("长嘴浇水壶", "Long-spout watering can", 59),
            ("喂鸟器", "Bird feeder", 49),
            ("庭院灯笼", "Garden lantern", 99),
            ("园艺剪", "Garden shears", 45),
            ("吊兰挂篮", "Hanging basket", 39),
            ("户外坐垫", "Outdoor cushion", 79),
            ("种植袋", "Grow bag", 19),
            ("防水桌布", "Waterproof table cover", 89),
        ),
    ),
    Family(
        prefix="XM",
        code="FESTIVE",
        name=("节庆", "Festive"),
        variants=PATTERNS,
        swing=0.9,
        peak_week=3,
        popularity=0.8,
        things=(
            ("窗花", "Paper window flowers", 15),
            ("红灯笼", "Red lantern", 59),
            ("香薰蜡烛环", "Candle ring", 69),
            ("福字挂饰", "Fortune hanging", 25),
            ("丝带卷", "Ribbon reel", 12),
            ("春联礼盒", "Couplet gift box", 49),
            ("干果礼盘", "Dried fruit platter", 119),
            ("红包封套", "Red envelopes", 18),
            ("生肖摆件", "Zodiac figurine", 89),
            ("喜庆桌旗", "Festive table runner", 79),
        ),
    ),
    Family(
        prefix="BT",
        code="BATH",
        name=("卫浴", "Bath"),
        variants=COLOURS,
        swing=0.08,
        peak_week=24,
        popularity=1.1,
        things=(
            ("纯棉毛巾", "Cotton towel", 29),
            ("皂碟", "Soap dish", 25),
            ("硅藻土脚垫", "Diatomite bath mat", 69),
            ("浴室刷套装", "Bath brush set", 45),
            ("漱口杯", "Tooth mug", 19),
            ("浴袍", "Bathrobe", 229),
            ("浴帘", "Shower curtain", 79),
            ("牙刷架", "Toothbrush stand", 35),
            ("浴室收纳架", "Bathroom shelf", 109),
            ("按压皂液瓶", "Soap dispenser", 39),
        ),
    ),
    Family(
        prefix="TW",
        code="TABLEWARE",
        name=("餐具", "Tableware"),
        variants=COLOURS,
        swing=0.15,
        peak_week=38,
        popularity=1.2,
        things=(
            ("粗陶马克杯", "Stoneware mug", 45),
            ("骨瓷饭碗", "Bone china rice bowl", 29),
            ("餐盘", "Dinner plate", 39),
            ("筷子礼盒", "Chopsticks gift box", 79),
            ("玻璃茶具", "Glass tea set", 189),
            ("汤匙", "Soup spoon", 15),
            ("焗饭烤盘", "Gratin dish", 69),
            ("酒杯", "Wine glass", 49),
            ("儿童餐盘", "Child's plate", 59),
            ("竹编餐垫", "Woven place mat", 25),
        ),
    ),
    Family(
        prefix="BD",
        code="BEDDING",
        name=("床品", "Bedding"),
        variants=BEDS,
        price_steps=(0.85, 1.0, 1.15, 1.3),
        swing=0.45,
        peak_week=46,
        popularity=0.8,
        things=(
            ("长绒棉四件套", "Long-staple bed set", 459),
            ("蚕丝被", "Silk quilt", 899),
            ("羽绒被", "Down quilt", 799),
            ("床笠", "Fitted sheet", 129),
            ("凉席", "Summer mat", 199),
            ("乳胶枕", "Latex pillow", 219),
            ("法兰绒毯", "Flannel blanket", 149),
            ("蚊帐", "Mosquito net", 169),
            ("床垫保护罩", "Mattress protector", 139),
            ("午睡毯", "Nap blanket", 89),
        ),
    ),
    Family(
        prefix="ST",
        code="STORAGE",
        name=("收纳", "Storage"),
        variants=SIZES,
        price_steps=(0.8, 1.0, 1.25, 1.5),
        swing=0.2,
        peak_week=9,
        popularity=1.2,
        things=(
            ("布艺收纳箱", "Fabric storage box", 59),
            ("真空压缩袋", "Vacuum bag", 29),
            ("抽屉分隔盒", "Drawer divider", 19),
            ("鞋盒", "Shoe box", 25),
            ("衣架十只装", "Hangers, set of ten", 39),
            ("桌面收纳盒", "Desk organiser", 49),
            ("冰箱保鲜盒", "Refrigerator box", 35),
            ("书立", "Book ends", 45),
            ("脏衣篮", "Laundry basket", 79),
            ("床底收纳箱", "Under-bed box", 99),
        ),
    ),
    Family(
        prefix="LT",
        code="LIGHTING",
        name=("灯饰", "Lighting"),
        variants=WOODS,
        swing=0.2,
        peak_week=48,
        popularity=0.6,
        things=(
            ("床头台灯", "Bedside lamp", 159),
            ("护眼阅读灯", "Reading lamp", 269),
            ("感应夜灯", "Motion night light", 49),
            ("落地灯", "Floor lamp", 399),
            ("餐厅吊灯", "Dining pendant", 459),
            ("串灯", "String lights", 39),
            ("灯泡", "Light bulb", 19),
            ("露营灯", "Camping lantern", 99),
            ("镜前灯", "Mirror light", 189),
            ("壁灯", "Wall light", 179),
        ),
    ),
    Family(
        prefix="CR",
        code="CARE",
        name=("洗护香氛", "Care and scent"),
        variants=SCENTS,
        swing=0.1,
        peak_week=22,
        popularity=1.4,
        shelf_life_days=270,
        things=(
            ("洗手液", "Hand wash", 29),
            ("无火香薰", "Reed diffuser", 99),
            ("香薰蜡烛", "Scented candle", 79),
            ("洗洁精", "Dish soap", 19),
            ("衣物香氛喷雾", "Linen spray", 49),
            ("香包", "Scent sachet", 15),
            ("护手霜", "Hand cream", 39),
            ("浴盐", "Bath salt", 45),
            ("除味盒", "Odour remover", 25),
            ("扩香石", "Aroma stone", 35),
        ),
    ),
)


def items(draw: np.random.Generator, range_: Range = WHOLE, *, volume: float = 1.0) -> list[CatalogueItem]:
    """This function will make the items up: their names are those above, how well each sells is drawn.

    Of a thing's variants the first sells best. `volume` multiplies every item's demand.

    >>> [item.sku for item in items(np.random.default_rng(1), Range(families=1, things=2, variants=1))]
    ['KT-001', 'KT-002']
    """
    found = []
    for family in FAMILIES[: range_.families]:
        number = 0
        for place, (name, english_name, price) in enumerate(family.things[: range_.things]):
            liked = family.popularity * float(np.exp(draw.normal(1.4, 0.75)))
            for turn, (variant, english_variant) in enumerate(family.variants[: range_.variants]):
                costs = round(price * family.price_steps[turn])
                number += 1
                share = float(np.exp(draw.normal(0.0, 0.35))) / (1 + 0.6 * turn)
                found.append(
                    CatalogueItem(
                        sku=f"{family.prefix}-{number:03d}",
                        name=f"{name} {variant}",
                        english_name=f"{english_name}, {english_variant}",
                        family=family,
                        thing=place,
                        price=costs,
                        weekly=volume * liked * share * min(1.8, (90 / costs) ** 0.35),
                        sparse=float(draw.choice([1.0, 1.0, 0.5, 0.2])),
                        shelf_life_days=family.shelf_life_days if place == 0 else None,
                    )
                )
    return found

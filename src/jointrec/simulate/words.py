"""The words of the shop, in English and Chinese: names, titles, and ways to ask for things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CATEGORIES = (
    ("bags", "箱包"), ("beauty", "美妆"), ("clothing", "服装"), ("electronics", "数码"),
    ("home", "家居"), ("kitchen", "厨具"), ("shoes", "鞋靴"), ("sports", "户外"),
)  # fmt: skip
"""The categories in the order of their names: also the classes of the intent task."""

TYPES = (
    ("backpack", "背包"), ("handbag", "手提包"), ("wallet", "钱包"), ("suitcase", "行李箱"),
    ("lipstick", "口红"), ("face cream", "面霜"), ("brush", "刷子"), ("perfume", "香水"),
    ("dress", "连衣裙"), ("jacket", "夹克"), ("gloves", "手套"), ("t-shirt", "短袖"),
    ("headphones", "耳机"), ("keyboard", "键盘"), ("charger", "充电器"), ("lamp", "台灯"),
    ("lamp", "台灯"), ("pillow", "枕头"), ("curtain", "窗帘"), ("blanket", "毛毯"),
    ("knife", "菜刀"), ("frying pan", "煎锅"), ("bottle", "水杯"), ("brush", "刷子"),
    ("running shoes", "跑鞋"), ("boots", "靴子"), ("sandals", "凉鞋"), ("sneakers", "板鞋"),
    ("backpack", "背包"), ("bottle", "水杯"), ("gloves", "手套"), ("tent", "帐篷"),
)  # fmt: skip
"""Four types of goods a category. Some words name a type in two categories: they are ambiguous."""
TYPES_A_CATEGORY = 4

COLOURS = (
    ("red", "红色"), ("blue", "蓝色"), ("green", "绿色"), ("black", "黑色"), ("white", "白色"),
    ("pink", "粉色"), ("grey", "灰色"), ("yellow", "黄色"),
)  # fmt: skip

STYLES = (
    ("vintage", "复古"), ("light", "轻便"), ("waterproof", "防水"), ("organic", "有机"),
    ("minimal", "简约"), ("kids", "儿童"), ("luxury", "奢华"), ("handmade", "手工"),
)  # fmt: skip

BRANDS = (
    ("Nordwind", "北风"), ("Lumio", "流明"), ("Tianhe", "天河"), ("Kestrel", "红隼"),
    ("Aurora", "极光"), ("Baihua", "百花"), ("Cobalt", "钴蓝"), ("Delphin", "海豚"),
    ("Everpine", "长松"), ("Fenghua", "风华"), ("Granito", "花岗"), ("Harbour", "海港"),
    ("Indigo", "靛青"), ("Jinshan", "金山"), ("Kumo", "云朵"), ("Larkspur", "飞燕"),
    ("Mingyue", "明月"), ("Nimbus", "雨云"), ("Opal", "蛋白石"), ("Pinghe", "平和"),
    ("Quartz", "石英"), ("Ruyi", "如意"), ("Solara", "日光"), ("Tundra", "苔原"),
)  # fmt: skip

LANGUAGES = ("en", "zh", "mixed")


@dataclass(frozen=True)
class Wording:
    """One way to ask for something.

    :param words: What is typed.
    :param language: The place of its language in :data:`LANGUAGES`.
    :param chance: How likely it is among all ways to ask for the same thing. In [0, 1].
    """

    words: str
    language: int
    chance: float


def title(type_: int, brand: int, colour: int, styles: Sequence[int]) -> str:
    """The title of an item, in both languages.

    >>> title(24, 0, 0, [1])
    'Nordwind light red running shoes 北风轻便红色跑鞋'
    """
    parts = [BRANDS[brand], *(STYLES[style] for style in styles), COLOURS[colour], TYPES[type_]]
    return " ".join(english for english, _ in parts) + " " + "".join(zh for _, zh in parts)


def wordings(type_: int, brand: int, colour: int) -> list[Wording]:
    """Every way to ask for a type of goods. The chances sum to 1.

    :param brand: The brand that is wanted; −1 where any will do.
    :param colour: The colour that is wanted; −1 where any will do.

    >>> [(w.words, round(w.chance, 2)) for w in wordings(24, -1, -1) if w.language == 1]
    [('跑鞋', 0.34), ('鞋靴', 0.11)]
    """
    noun, category = TYPES[type_], CATEGORIES[type_ // TYPES_A_CATEGORY]
    patterns = [(0.30, [noun]), (0.10, [category])]
    if colour >= 0:
        patterns += [(0.25, [COLOURS[colour], noun]), (0.05, [COLOURS[colour]])]
    if brand >= 0:
        patterns += [(0.25, [BRANDS[brand], noun]), (0.08, [BRANDS[brand]])]
    if colour >= 0 and brand >= 0:
        patterns += [(0.15, [BRANDS[brand], COLOURS[colour], noun])]
    total = sum(weight for weight, _ in patterns)
    found = []
    for weight, parts in patterns:
        english = " ".join(word.lower() for word, _ in parts)
        chinese = "".join(word for _, word in parts)
        mixed = f"{parts[0][1]} {' '.join(word.lower() for word, _ in parts[1:] or parts)}"
        for language, (share, words) in enumerate(((0.45, english), (0.45, chinese), (0.1, mixed))):
            found.append(Wording(words, language, share * weight / total))
    return found

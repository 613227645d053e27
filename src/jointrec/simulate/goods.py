"""The goods of the shop: what the tables tell of them, and what only the counters tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from .clock import DAYS_A_WEEK
from .words import BRANDS, CATEGORIES, COLOURS, STYLES, TYPES, TYPES_A_CATEGORY

_BRANDS_A_CATEGORY = 7
_NEW = 0.2
_UNRATED = 0.1
_CATEGORY_SHARES = np.array([0.11, 0.12, 0.18, 0.13, 0.12, 0.11, 0.13, 0.10])


@dataclass(frozen=True, eq=False)
class Label:
    """What is written on each item. Codes are places in the tuples of the words."""

    type: Int64[np.ndarray, "items"]
    brand: Int64[np.ndarray, "items"]
    colour: Int64[np.ndarray, "items"]
    styles: Bool[np.ndarray, "items styles"]

    @property
    def category(self) -> Int64[np.ndarray, "items"]:
        """The category of each item."""
        return self.type // TYPES_A_CATEGORY


@dataclass(frozen=True, eq=False)
class Goods:
    """All items."""

    label: Label
    price: Float64[np.ndarray, "items"]
    """In money, to the cent, before any discount."""
    dear: Float64[np.ndarray, "items"]
    """Log of the price over the usual price of the type."""
    quality: Float64[np.ndarray, "items"]
    """Latent, in logits. Seen only through what people do, and dimly through the rating."""
    rating: Float64[np.ndarray, "items"]
    """1 to 5; nan where there is none."""
    listed: Int64[np.ndarray, "items"]
    """The day on which the item is first sold; below 0 for those sold before the opening."""
    weight: Float64[np.ndarray, "items"]
    """How eagerly the shop shows it."""

    def __len__(self) -> int:
        return len(self.price)


def make_goods(num: int, days: int, rng: np.random.Generator) -> Goods:
    """Draws the items of a shop that is open for a number of days."""
    label = _labels(num, rng)
    usual = rng.normal(3.4, 0.7, len(TYPES))
    premium = rng.normal(0, 0.3, len(BRANDS))
    dear = premium[label.brand] + rng.normal(0, 0.3, num)
    price = np.maximum(np.round(np.exp(usual[label.type] + dear), 2), 0.01)
    quality = rng.normal(0, 0.8, num)
    rating = np.clip(np.round(3.8 + 0.5 * quality + rng.normal(0, 0.35, num), 1), 1, 5)
    return Goods(
        label=label,
        price=price,
        dear=np.log(price) - usual[label.type],
        quality=quality,
        rating=np.where(rng.random(num) < _UNRATED, np.nan, rating),
        listed=_listed(num, days, rng),
        weight=np.exp(rng.normal(0, 0.9, num) + 0.3 * quality),
    )


def category_brands(rng: np.random.Generator) -> Int64[np.ndarray, "categories brands_a_category"]:
    """The brands that each category sells. Most brands are in more than one category."""
    return np.stack(
        [rng.choice(len(BRANDS), _BRANDS_A_CATEGORY, replace=False) for _ in CATEGORIES]
    )


def _labels(num: int, rng: np.random.Generator) -> Label:
    category = rng.choice(len(CATEGORIES), num, p=_CATEGORY_SHARES)
    within = rng.integers(0, TYPES_A_CATEGORY, num)
    sold = category_brands(rng)
    brand = sold[category, rng.integers(0, sold.shape[1], num)]
    styles = rng.random((num, len(STYLES))) < 0.2
    styles[np.arange(num), rng.integers(0, len(STYLES), num)] = True
    return Label(
        type=category * TYPES_A_CATEGORY + within,
        brand=brand,
        colour=rng.integers(0, len(COLOURS), num),
        styles=styles,
    )


def _listed(num: int, days: int, rng: np.random.Generator) -> Int64[np.ndarray, "items"]:
    old = -rng.integers(1, 700, num)
    new = rng.integers(0, days, num) // DAYS_A_WEEK * DAYS_A_WEEK
    return np.where(rng.random(num) < _NEW, new, old)

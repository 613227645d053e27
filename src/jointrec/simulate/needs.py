"""What people look for: needs, the queries that ask for them, and the items shown in answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from .goods import Goods
from .words import CATEGORIES, COLOURS, TYPES_A_CATEGORY, wordings

PLACES = 10
"""How many places a list of results has."""
CHOICES = 4
"""Among how many items each place chooses."""
QUERIES_A_NEED = 6
CUTS = np.array([0.25, 0.55, 0.85])
"""The relevance from which on a judge is likelier than not to give a grade of 1, 2 or 3."""
_DOUBT = 0.08
_OWN_CATEGORY = 28


@dataclass(frozen=True, eq=False)
class Queries:
    """What is typed. Each query stands for one need; several share a need, some share words."""

    need: Int64[np.ndarray, "queries"]
    words: tuple[str, ...]
    language: Int64[np.ndarray, "queries"]
    share: Float64[np.ndarray, "queries"]
    """How often it is typed, relative to others of its need."""
    classes: Float64[np.ndarray, "queries categories"]
    """The chance of each category, given the words alone."""


@dataclass(frozen=True, eq=False)
class Needs:
    """All needs."""

    type: Int64[np.ndarray, "needs"]
    brand: Int64[np.ndarray, "needs"]
    """The brand that is wanted; −1 where any will do."""
    colour: Int64[np.ndarray, "needs"]
    """The colour that is wanted; −1 where any will do."""
    common: Float64[np.ndarray, "needs"]
    """Log of how common the need is."""
    relevance: Float64[np.ndarray, "needs items"]
    """How well each item answers it: 0 not at all, 1 in all that was asked."""
    pool: Int64[np.ndarray, "needs places choices"]
    """The item that each place may show; −1 where there is no further one. No item stands twice."""
    queries: Queries

    def __len__(self) -> int:
        return len(self.type)

    @property
    def category(self) -> Int64[np.ndarray, "needs"]:
        """The category of each need."""
        return self.type // TYPES_A_CATEGORY


def make_needs(goods: Goods, rng: np.random.Generator) -> Needs:
    """Draws as many needs as fit the number of items, the same number for every category."""
    num = len(CATEGORIES) * max(2, len(goods) // 32)
    category = np.arange(num) % len(CATEGORIES)
    type_ = category * TYPES_A_CATEGORY + rng.integers(0, TYPES_A_CATEGORY, num)
    colour = np.where(rng.random(num) < 0.4, rng.integers(0, len(COLOURS), num), -1)
    brand = np.where(rng.random(num) < 0.35, _brands_on_sale(type_, goods, rng), -1)
    relevance = _relevance(type_, brand, colour, goods) + rng.normal(0, 0.05, (num, len(goods)))
    return Needs(
        type=type_,
        brand=brand,
        colour=colour,
        common=rng.normal(0, 0.7, num),
        relevance=relevance,
        pool=_pools(category, relevance, goods, rng),
        queries=_queries(type_, brand, colour, rng),
    )


def grade_chances(relevance: Float64[np.ndarray, "rows"]) -> Float64[np.ndarray, "rows grades"]:
    """The chance of each grade 0..3 that a judge gives: an ordered logit.

    >>> grade_chances(np.array([0.55])).round(2).tolist()
    [[0.02, 0.48, 0.48, 0.02]]
    """
    above = 1 / (1 + np.exp(-(relevance[:, None] - CUTS) / _DOUBT))
    ends = np.ones((len(relevance), 1))
    return np.asarray(-np.diff(np.concatenate([ends, above, 0 * ends], axis=1), axis=1))


def _brands_on_sale(
    type_: Int64[np.ndarray, "needs"], goods: Goods, rng: np.random.Generator
) -> Int64[np.ndarray, "needs"]:
    """For each need the brand of a random item of its category, so that it can be met."""
    fits = goods.label.category == type_[:, None] // TYPES_A_CATEGORY
    chosen = np.argmax(rng.random(fits.shape) * (fits + 1e-9), axis=1)
    return np.asarray(goods.label.brand[chosen])


def _relevance(
    type_: Int64[np.ndarray, "needs"],
    brand: Int64[np.ndarray, "needs"],
    colour: Int64[np.ndarray, "needs"],
    goods: Goods,
) -> Float64[np.ndarray, "needs items"]:
    """The category counts .15, the type .45, the brand and the colour .2 each where they are met
    or where any will do.
    """
    label = goods.label
    category = label.category == type_[:, None] // TYPES_A_CATEGORY
    branded = (brand[:, None] < 0) | (label.brand == brand[:, None])
    coloured = (colour[:, None] < 0) | (label.colour == colour[:, None])
    same = label.type == type_[:, None]
    return np.asarray(category * (0.15 + 0.45 * same + 0.2 * branded + 0.2 * coloured), np.float64)


def _pools(
    category: Int64[np.ndarray, "needs"],
    relevance: Float64[np.ndarray, "needs items"],
    goods: Goods,
    rng: np.random.Generator,
) -> Int64[np.ndarray, "needs places choices"]:
    """The better answers stand in the upper places; what remains is filled from the whole shop.

    Every item is in some pool, so that everything can be sold.
    """
    size = min(PLACES * CHOICES, len(goods))
    own = goods.label.category == category[:, None]
    wish = relevance + 0.25 * rng.gumbel(size=relevance.shape)
    wish[~own] -= 10.0
    best = np.argsort(-wish, axis=1, kind="stable")
    rank = np.argsort(best, axis=1, kind="stable")
    chosen = (rank < min(_OWN_CATEGORY, size)) & own
    forgotten = np.flatnonzero(~chosen.any(axis=0))
    filler = rng.random(relevance.shape)
    filler[rng.permutation(len(category))[np.arange(len(forgotten)) % len(category)], forgotten] = 2
    filler[chosen] = 3
    members = np.argsort(-filler, axis=1, kind="stable")[:, :size]
    order = np.argsort(-np.take_along_axis(wish, members, axis=1), axis=1, kind="stable")
    pool = np.full((len(category), PLACES * CHOICES), -1)
    pool[:, :size] = np.take_along_axis(members, order, axis=1)
    if size < PLACES * CHOICES:  # a tiny shop: deal the items out, so that every place has one
        return pool.reshape(-1, CHOICES, PLACES).transpose(0, 2, 1).copy()
    return pool.reshape(-1, PLACES, CHOICES)


def _queries(
    type_: Int64[np.ndarray, "needs"],
    brand: Int64[np.ndarray, "needs"],
    colour: Int64[np.ndarray, "needs"],
    rng: np.random.Generator,
) -> Queries:
    needs = zip(type_.tolist(), brand.tolist(), colour.tolist(), strict=True)
    ways = [wordings(*need) for need in needs]
    by_words: dict[str, np.ndarray] = {}
    for need, found in enumerate(ways):
        for way in found:
            chances = by_words.setdefault(way.words, np.zeros(len(CATEGORIES)))
            chances[type_[need] // TYPES_A_CATEGORY] += way.chance
    asked = [
        (need, found[pick])
        for need, found in enumerate(ways)
        for pick in rng.choice(len(found), QUERIES_A_NEED, p=[way.chance for way in found])
    ]
    classes = np.stack([by_words[way.words] for _, way in asked])
    return Queries(
        need=np.array([need for need, _ in asked]),
        words=tuple(way.words for _, way in asked),
        language=np.array([way.language for _, way in asked]),
        share=np.exp(rng.normal(0, 0.7, len(asked))),
        classes=classes / classes.sum(axis=1, keepdims=True),
    )

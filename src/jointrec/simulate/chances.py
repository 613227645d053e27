"""The chances of everything that can happen to an item that is shown to a user.

    P(click)            = seen(place, page, device) · σ(liking + 2.6 · relevance)
    P(favourite | click), P(cart | click), P(buy | cart), P(return | buy) = σ(…)
    quantity            = 1 + Poisson(extra)

What is not seen is not clicked: a position-based model. Everything after the click depends on user,
item and week only, which is what makes the oracle's sums short. Indices broadcast against each
other: rows of impressions are written ``(rows,)``, all pairs ``(users, 1)`` and ``(items,)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from .needs import PLACES
from .world import World

PAGES = ("search", "category")
PAGE_SHARES = np.array([0.75, 0.25])
MAIN_DEVICE = 0.8
"""The chance that a session is held on the user's main device; the others share the rest."""

RELEVANCE = 2.6
_PAGES_SEEN = np.array([1.0, 0.85])
_DEVICES_SEEN = np.array([0.9, 1.0, 0.8])
_POSITIONS_SEEN = 1 / (1 + 0.12 * np.arange(PLACES))
_LIKING, _CART, _BUY, _FAVOURITE = -3.9, -1.65, -1.2, -2.4
_RETURNS = np.array([-1.7, -2.1, -0.3, -1.1, -1.5, -2.0, -0.4, -1.3])
_EXTRA = np.array([0.05, 0.35, 0.25, 0.1, 0.2, 0.25, 0.08, 0.15])


def position_of(
    place: Int64[np.ndarray, "*rows"], page: Int64[np.ndarray, "*rows"]
) -> Int64[np.ndarray, "*rows"]:
    """The position, from 0, at which a place of the pool is shown.

    The category page turns the list by half, so that position and relevance can be told apart.
    """
    return np.asarray((place + page * (PLACES // 2)) % PLACES)


def seen(
    position: Int64[np.ndarray, "*rows"],
    page: Int64[np.ndarray, "*rows"],
    device: Int64[np.ndarray, "*rows"],
) -> Float64[np.ndarray, "*rows"]:
    """The chance that a position is looked at."""
    return np.asarray(_POSITIONS_SEEN[position] * _PAGES_SEEN[page] * _DEVICES_SEEN[device])


@dataclass(frozen=True, eq=False)
class Chances:
    """The chances that depend on user, item and week, in one shape."""

    liking: Float64[np.ndarray, "*rows"]
    """The logit of a click on an item that is seen and of no relevance."""
    favourite: Float64[np.ndarray, "*rows"]
    """Given a click."""
    cart: Float64[np.ndarray, "*rows"]
    """Given a click."""
    buy: Float64[np.ndarray, "*rows"]
    """Given a cart."""
    returned: Float64[np.ndarray, "*rows"]
    """Given a purchase."""
    extra: Float64[np.ndarray, "*rows"]
    """The expected number of pieces beyond the first, given a purchase."""
    price: Float64[np.ndarray, "#*rows"]
    """What a piece costs in that week, in money. The same for all users."""


def chances_of(
    world: World,
    users: Int64[np.ndarray, "*users"],
    items: Int64[np.ndarray, "*items"],
    weeks: Int64[np.ndarray, "*weeks"],
) -> Chances:
    """The chances of users and items in weeks, which broadcast against each other."""
    taste, goods, label = world.people.taste, world.goods, world.goods.label
    discount = world.calendar.discount[weeks, items]
    quality, dear, category = goods.quality[items], goods.dear[items], label.category[items]
    kind, brand = taste.type[users, label.type[items]], taste.brand[users, label.brand[items]]
    style = _style(world, users, items)
    over = dear - taste.budget[users]
    saved = taste.thrift[users] * discount
    keen = taste.keen[users]
    liking = (
        _LIKING + 0.7 * kind + 0.8 * brand + 0.6 * style + 0.9 * quality - 0.8 * over**2 + saved
    )
    return Chances(
        liking=liking,
        favourite=sigmoid(_FAVOURITE + 0.8 * brand + 0.8 * style + 0.5 * kind),
        cart=sigmoid(_CART + keen + 0.7 * quality - 0.6 * over + 0.5 * saved + 0.3 * brand),
        buy=sigmoid(_BUY + 0.8 * keen + 0.5 * quality - 0.8 * over + 0.6 * saved),
        returned=sigmoid(_RETURNS[category] - 0.9 * quality + 0.5 * over - 0.3 * brand),
        extra=_EXTRA[category] * taste.bulk[users],
        price=np.round(goods.price[items] * (1 - discount), 2),
    )


def _style(
    world: World, users: Int64[np.ndarray, "*users"], items: Int64[np.ndarray, "*items"]
) -> Float64[np.ndarray, "*rows"]:
    """How much users like the styles of items: the mean over the tags of each item."""
    tags = world.goods.label.styles
    share = tags / tags.sum(axis=1, keepdims=True)
    liked = world.people.taste.style
    total = liked[users, 0] * share[items, 0]
    for tag in range(1, tags.shape[1]):
        total = total + liked[users, tag] * share[items, tag]
    return np.asarray(total)


def sigmoid(logits: Float64[np.ndarray, "*rows"]) -> Float64[np.ndarray, "*rows"]:
    """1 / (1 + e^−x)."""
    return np.asarray(1 / (1 + np.exp(-logits)))

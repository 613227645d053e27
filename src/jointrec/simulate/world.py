"""The latent truth of a shop: its people, goods and needs, and its schedules of days and weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from .clock import DAYS_A_WEEK
from .goods import Goods, make_goods
from .needs import Needs, make_needs
from .people import People, make_people
from .words import CATEGORIES

AHEAD = 60
"""For how many days after the last one the schedules are known, so that one can look forward."""

_WEEKDAYS = np.array([0.9, 0.88, 0.9, 0.95, 1.05, 1.2, 1.12])
_YEAR = 364.0
_DISCOUNTS = np.array([0.1, 0.2, 0.3])
_WEEKS_A_PROMOTION = 2


@dataclass(frozen=True, eq=False)
class Calendar:
    """What the shop has planned: fixed from the start, and known to the oracle."""

    busy: Float64[np.ndarray, "days"]
    """How many sessions a day has compared with a usual day. Around 1."""
    season: Float64[np.ndarray, "days categories"]
    """How much more each category is looked for, in logits."""
    discount: Float64[np.ndarray, "weeks items"]
    """The share of the price that is taken off: 0 to 0.3."""
    on_sale: Bool[np.ndarray, "weeks items"]
    """Whether the item is listed by then and in stock."""


@dataclass(frozen=True, eq=False)
class World:
    """All that is true of a shop before anybody acts, known to nobody but the oracle.

    :param days: For how many days the shop is watched.
    """

    people: People
    goods: Goods
    needs: Needs
    calendar: Calendar
    days: int


def make_world(users: int, items: int, days: int, seed: int) -> World:
    """Draws a world. The same arguments give the same world."""
    rng = np.random.default_rng([seed, 0])
    goods = make_goods(items, days, rng)
    needs = make_needs(goods, rng)
    calendar = _calendar(goods, days + AHEAD, rng)
    return World(make_people(users, days, rng), goods, needs, calendar, days)


def place_chances(
    world: World, first: int, last: int
) -> Float64[np.ndarray, "weeks needs places choices"]:
    """The chance that a place shows each of its items, for the weeks from `first` up to `last`.

    The chances of a place sum to 1, or to 0 where none of its items is on sale: it stays empty.
    """
    pool = world.needs.pool
    weights = world.calendar.on_sale[first:last] * world.goods.weight
    shown = weights[:, pool] * (pool >= 0)
    total = shown.sum(axis=-1, keepdims=True)
    return np.asarray(shown / np.where(total > 0, total, 1.0))


def interest(
    world: World, users: Int64[np.ndarray, "rows"], days: Int64[np.ndarray, "rows"]
) -> Float64[np.ndarray, "rows needs"]:
    """The chance of each need to be what a session of a user on a day is about."""
    needs, taste = world.needs, world.people.taste
    logits = 0.9 * taste.category[users] + world.calendar.season[days]
    logits = logits[:, needs.category] + 0.5 * taste.type[users][:, needs.type] + needs.common
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _calendar(goods: Goods, num_days: int, rng: np.random.Generator) -> Calendar:
    days, num_items = np.arange(num_days), len(goods)
    phase = rng.random(len(CATEGORIES))
    weeks = -(-num_days // DAYS_A_WEEK)
    runs = -(-weeks // _WEEKS_A_PROMOTION)
    promoted = rng.random((runs, num_items)) < 0.15
    promoted[4::6] |= rng.random(promoted[4::6].shape) < 0.45  # the great sales of the shop
    discount = promoted * rng.choice(_DISCOUNTS, promoted.shape)
    listed = goods.listed <= DAYS_A_WEEK * np.arange(weeks)[:, None]
    return Calendar(
        busy=_WEEKDAYS[days % DAYS_A_WEEK] * (1 + 0.1 * np.sin(2 * np.pi * days / _YEAR)),
        season=0.9 * np.sin(2 * np.pi * (days[:, None] / _YEAR + phase)),
        discount=np.repeat(discount, _WEEKS_A_PROMOTION, axis=0)[:weeks],
        on_sale=listed & (rng.random((weeks, num_items)) > 0.06),
    )

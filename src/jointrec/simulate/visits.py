"""What a visit brings in expectation, in closed form, from the latent truth.

A visit is about need n with probability π_n. Place j of its list shows item i with probability
w_nji; it is seen with probability e_j, which depends on page and device; what is seen is bought
with probability b_nui. Given need, page and device, places are independent, so a visit brings

    nothing    with probability  Σ_n π_n  E[ Π_j (1 − e_j Σ_i w_nji b_nui) ]  over page and device
    purchases  in expectation    Σ_n π_n  Σ_j E[e_j] Σ_i w_nji b_nui
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from .chances import (
    MAIN_DEVICE,
    PAGE_SHARES,
    PAGES,
    RELEVANCE,
    Chances,
    chances_of,
    position_of,
    seen,
)
from .clock import DAYS_A_WEEK
from .needs import PLACES
from .people import DEVICES
from .world import World, interest, place_chances

USERS_AT_ONCE = 256
"""For so many users the chances of all places are held in memory at once."""


@dataclass(frozen=True, eq=False)
class Buys:
    """What the places of all needs bring in one week, for some users, if they are seen."""

    place: Float64[np.ndarray, "users needs places choices"]
    """The chance that the place shows the item and that it is bought."""
    pieces: Float64[np.ndarray, "users items"]
    """Expected pieces of an item, given that it is bought."""
    price: Float64[np.ndarray, "items"]
    """Of a piece, in money."""


@dataclass(frozen=True, eq=False)
class Visits:
    """What one visit of each user on each day brings. A week is worked out when first asked for."""

    world: World
    _weeks: set[int] = field(default_factory=set)

    def nothing(
        self, users: Int64[np.ndarray, "rows"], days: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """The chance of no purchase."""
        return self._look_up(0, users, days)

    def purchases(
        self, users: Int64[np.ndarray, "rows"], days: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """Expected lines bought."""
        return self._look_up(1, users, days)

    def spend(
        self, users: Int64[np.ndarray, "rows"], days: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        """Expected money."""
        return self._look_up(2, users, days)

    @cached_property
    def pool(self) -> Int64[np.ndarray, "needs places choices"]:
        """The item of each choice of a place; any item where there is none, for its chance is 0."""
        return np.asarray(np.maximum(self.world.needs.pool, 0))

    def buys(self, users: Int64[np.ndarray, "users"], week: int) -> Buys:
        """What the places of all needs bring in a week."""
        chances = self._chances(users, week)
        place = np.take(np.exp(chances.liking), self.pool, axis=1)
        place *= self._relevant
        place /= 1 + place
        place *= np.take(chances.cart * chances.buy, self.pool, axis=1)
        place *= place_chances(self.world, week, week + 1)[0]
        return Buys(place, 1 + chances.extra, chances.price)

    def mean_seen(self, users: Int64[np.ndarray, "users"]) -> Float64[np.ndarray, "users places"]:
        """The chance that a place is seen, over pages and devices."""
        total = np.zeros((len(users), PLACES))
        for chance, looked in self._circumstances(users):
            total += chance[:, None] * looked
        return total

    @cached_property
    def _relevant(self) -> Float64[np.ndarray, "needs places choices"]:
        """By how much relevance multiplies the odds of a click on what is seen."""
        needs = np.arange(len(self.pool))[:, None, None]
        return np.asarray(np.exp(RELEVANCE * self.world.needs.relevance[needs, self.pool]))

    @cached_property
    def _tables(self) -> Float64[np.ndarray, "3 users days"]:
        return np.full((3, len(self.world.people), len(self.world.calendar.busy)), np.nan)

    def _chances(self, users: Int64[np.ndarray, "users"], week: int) -> Chances:
        items = np.arange(len(self.world.goods))
        return chances_of(self.world, users[:, None], items, np.array(week))

    def _look_up(
        self, table: int, users: Int64[np.ndarray, "rows"], days: Int64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows"]:
        for week in np.unique(days // DAYS_A_WEEK).tolist():
            if week not in self._weeks:
                self._work_out(week)
                self._weeks.add(week)
        return np.asarray(self._tables[table, users, days])

    def _work_out(self, week: int) -> None:
        last = min((week + 1) * DAYS_A_WEEK, self._tables.shape[-1])
        days = np.arange(week * DAYS_A_WEEK, last)
        for users in chunks(np.arange(len(self.world.people))):
            brings = self._by_need(users, week)
            cells = np.repeat(users, len(days)), np.tile(days, len(users))
            wanted = interest(self.world, *cells).reshape(len(users), len(days), -1)
            self._tables[:, users[:, None], days] = np.einsum("udn,kun->kud", wanted, brings)

    def _by_need(
        self, users: Int64[np.ndarray, "users"], week: int
    ) -> Float64[np.ndarray, "3 users needs"]:
        """What a visit about a need brings: the chance of nothing, lines bought, money."""
        buys, looked = self.buys(users, week), self.mean_seen(users)
        place = np.einsum("unjc->jun", buys.place)
        nothing = np.zeros(place.shape[1:])
        for chance, seen_there in self._circumstances(users):
            none = np.repeat(chance[:, None], nothing.shape[1], axis=1)
            for looked_at, bought in zip(seen_there.tolist(), place, strict=True):
                none *= 1 - looked_at * bought
            nothing += none
        buys.place[...] *= np.take(buys.pieces * buys.price, self.pool, axis=1)
        spend = np.einsum("unjc->jun", buys.place)
        expected = [np.einsum("jun,uj->un", brings, looked) for brings in (place, spend)]
        return np.stack([nothing, *expected])

    def _circumstances(
        self, users: Int64[np.ndarray, "users"]
    ) -> Iterator[tuple[Float64[np.ndarray, "users"], Float64[np.ndarray, "places"]]]:
        """Each page and device: its chance for each user, and the chance that a place is seen."""
        places, other = np.arange(PLACES), (1 - MAIN_DEVICE) / (len(DEVICES) - 1)
        for page in range(len(PAGES)):
            position = position_of(places, np.full(PLACES, page))
            for device in range(len(DEVICES)):
                own = self.world.people.person.device[users] == device
                looked = seen(position, np.full(PLACES, page), np.full(PLACES, device))
                yield PAGE_SHARES[page] * np.where(own, MAIN_DEVICE, other), looked


def chunks(rows: Int64[np.ndarray, "rows"]) -> list[Int64[np.ndarray, "_"]]:
    """Rows in parts that are small enough to hold all their places."""
    return np.array_split(rows, -(-len(rows) // USERS_AT_ONCE)) if len(rows) else []

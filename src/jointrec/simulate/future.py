"""What is to be expected of users and items after a moment, in closed form, from the latent truth.

A user who is there visits as a Poisson process whose speed is constant within a shop day, and
leaves for good at a constant hazard. What matters for a window is the integral of what visits bring
over the time that the user is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from .clock import DAYS_A_WEEK
from .visits import Visits, chunks
from .world import World, interest

Piece = tuple[Int64[np.ndarray, "rows"], Float64[np.ndarray, "rows"], Float64[np.ndarray, "rows"]]
"""A part of a window that lies within one day: the day, its start and its length in shop days."""

Brings = Callable[
    [Int64[np.ndarray, "rows"], Int64[np.ndarray, "rows"]], Float64[np.ndarray, "rows"]
]
"""What one visit of a user on a day brings."""


@dataclass(frozen=True, eq=False)
class Future:
    """Expectations of what comes after a moment."""

    world: World

    @cached_property
    def visits(self) -> Visits:
        """What visits bring."""
        return Visits(self.world)

    def no_purchase(
        self, users: Int64[np.ndarray, "rows"], moments: Float64[np.ndarray, "rows"], days: int
    ) -> Float64[np.ndarray, "rows"]:
        """The chance that a user buys nothing in the days from a moment on.

        Within a piece of a day, buying (at rate b) and leaving (at rate μ) compete: of those who
        have done neither, a share of e^−(b+μ)δ goes on, and μ/(b+μ) of the others has left.
        """
        habit, busy = self.world.people.habit, self.world.calendar.busy
        hazard = habit.hazard[users]
        undecided, left = np.ones(len(users)), np.zeros(len(users))
        since, until = self._there(users, moments, days)
        for day, _, length in _pieces(since, until, moments, days):
            buying = habit.rate[users] * busy[day] * (1 - self.visits.nothing(users, day))
            decided = undecided * -np.expm1(-(buying + hazard) * length)
            left += decided * hazard / (buying + hazard)
            undecided = undecided - decided
        return left + undecided

    def total(
        self,
        users: Int64[np.ndarray, "rows"],
        moments: Float64[np.ndarray, "rows"],
        days: int,
        brings: Brings,
    ) -> Float64[np.ndarray, "rows"]:
        """The expected sum of what visits bring in the days from a moment on."""
        total = np.zeros(len(users))
        since, until = self._there(users, moments, days)
        for day, start, length in _pieces(since, until, moments, days):
            total += self._num_visits(users, day, start - since, length) * brings(users, day)
        return total

    def pieces_sold(self, moment: float, days: int) -> Float64[np.ndarray, "items"]:
        """The expected pieces of each item sold in the days from a moment on, to all users.

        Who will arrive, and when, is taken as known.
        """
        sold = np.zeros(len(self.world.goods))
        first, last = int(moment) // DAYS_A_WEEK, int(moment + days) // DAYS_A_WEEK
        for users in chunks(np.arange(len(self.world.people))):
            demand = self._demand(users, moment, days)
            for week in range(first, last + 1):
                if not demand[week - first].any():
                    continue
                buys, looked = self.visits.buys(users, week), self.visits.mean_seen(users)
                buys.place[...] *= np.take(buys.pieces, self.visits.pool, axis=1)
                brings = np.einsum("un,uj,unjc->njc", demand[week - first], looked, buys.place)
                sold += np.bincount(self.visits.pool.ravel(), brings.ravel(), len(sold))
        return sold

    def next_item(
        self, users: Int64[np.ndarray, "rows"], moments: Float64[np.ndarray, "rows"]
    ) -> Float64[np.ndarray, "rows items"]:
        """The chance of each item to be what a user buys, given that they buy at a moment."""
        chances = np.zeros((len(users), len(self.world.goods)))
        day, pool = moments.astype(np.int64), self.visits.pool.ravel()
        order = np.argsort(pool, kind="stable")
        in_pool, starts = np.unique(pool[order], return_index=True)
        for week in np.unique(day // DAYS_A_WEEK).tolist():
            for rows in chunks(np.flatnonzero(day // DAYS_A_WEEK == week)):
                bought = self.visits.buys(users[rows], week).place
                bought *= interest(self.world, users[rows], day[rows])[:, :, None, None]
                bought *= self.visits.mean_seen(users[rows])[:, None, :, None]
                sorted_by_item = bought.reshape(len(rows), -1)[:, order]
                chances[rows[:, None], in_pool] = np.add.reduceat(sorted_by_item, starts, axis=1)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def _demand(
        self, users: Int64[np.ndarray, "users"], moment: float, days: int
    ) -> Float64[np.ndarray, "weeks users needs"]:
        """Expected visits about each need in each week that the window touches."""
        moments = np.full(len(users), moment)
        first, last = int(moment) // DAYS_A_WEEK, int(moment + days) // DAYS_A_WEEK
        demand = np.zeros((last - first + 1, len(users), len(self.world.needs)))
        since, until = self._there(users, moments, days)
        for day, start, length in _pieces(since, until, moments, days):
            visits = self._num_visits(users, day, start - since, length)
            week = int(day[0]) // DAYS_A_WEEK
            demand[week - first] += visits[:, None] * interest(self.world, users, day)
        return demand

    def _there(
        self, users: Int64[np.ndarray, "rows"], moments: Float64[np.ndarray, "rows"], days: int
    ) -> tuple[Float64[np.ndarray, "rows"], Float64[np.ndarray, "rows"]]:
        """From when on a user may visit within the window, and until when if they do not leave."""
        since = np.maximum(moments, self.world.people.person.arrival[users])
        gone = self.world.people.habit.leaving[users] <= moments
        return since, np.maximum(np.where(gone, since, moments + days), since)

    def _num_visits(
        self,
        users: Int64[np.ndarray, "rows"],
        day: Int64[np.ndarray, "rows"],
        waited: Float64[np.ndarray, "rows"],
        length: Float64[np.ndarray, "rows"],
    ) -> Float64[np.ndarray, "rows"]:
        """Expected visits in a piece of a day, so long after the user was known to be there."""
        habit = self.world.people.habit
        hazard = habit.hazard[users]
        there = np.exp(-hazard * waited) * -np.expm1(-hazard * length) / hazard
        return np.asarray(habit.rate[users] * self.world.calendar.busy[day] * there)


def _pieces(
    since: Float64[np.ndarray, "rows"],
    until: Float64[np.ndarray, "rows"],
    moments: Float64[np.ndarray, "rows"],
    days: int,
) -> Iterator[Piece]:
    """Cuts each window at midnight. The length is 0 where the user is not there on that day."""
    for step in range(days + 1):
        day = np.floor(moments) + step
        start = np.maximum(since, day)
        yield day.astype(np.int64), start, np.maximum(np.minimum(until, day + 1) - start, 0.0)

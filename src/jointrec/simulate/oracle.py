"""The best answer anyone could give: the truth behind each label, from the latent state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from jointrec.errors import DataError, unknown_name

from .clock import shop_days
from .future import Future
from .needs import grade_chances
from .sessions import Course, Outcomes, outcomes_of
from .world import World

USER_DAYS = 14
"""How far churn, spend and orders look forward."""
ITEM_DAYS = 7
"""How far sales look forward."""

Answer = Callable[["Oracle", pl.DataFrame], np.ndarray]


@dataclass(frozen=True, eq=False)
class Oracle:
    """Answers every task of a shop from its latent truth.

    :param codes: For each key column the place of each key.
    """

    world: World
    course: Course
    codes: Mapping[str, pl.DataFrame]

    def answer(self, task: str, rows: pl.DataFrame) -> np.ndarray:
        """One answer per row: see :meth:`jointrec.simulate.Shop.oracle`."""
        if task not in ANSWERS:
            raise DataError(unknown_name("task", task, ANSWERS, at="oracle"))
        return ANSWERS[task](self, rows)

    @cached_property
    def outcomes(self) -> Outcomes:
        """The chances of what follows each impression."""
        return outcomes_of(self.world, self.course.sessions, self.course.shown)

    @cached_property
    def future(self) -> Future:
        """Expectations of what comes after a moment."""
        return Future(self.world)

    def impressions(self, rows: pl.DataFrame) -> Int64[np.ndarray, "rows"]:
        """The places of the impressions that rows name."""
        return self.places(rows, "impression_id")

    def places(self, rows: pl.DataFrame, key: str) -> Int64[np.ndarray, "rows"]:
        """The place of each key.

        :raises DataError: where there is no such column, or no such key in this shop.
        """
        if key not in rows.columns:
            raise DataError(unknown_name("column", key, rows.columns, at="oracle"))
        asked = rows.select(pl.col(key).cast(pl.String).alias("key"))
        found = asked.join(self.codes[key], on="key", how="left", maintain_order="left")
        unknown = found.filter(pl.col("code").is_null())["key"]
        if len(unknown):
            few = ", ".join(f"`{name}`" for name in unknown.head(3).to_list())
            raise DataError(
                f"oracle: {len(unknown)} rows have a `{key}` that is not of this shop, such as "
                f"{few}. Ask about rows of tables that the same Shop made."
            )
        return found["code"].to_numpy().astype(np.int64)

    def moments(self, rows: pl.DataFrame, ahead: int) -> Float64[np.ndarray, "rows"]:
        """The moments of rows in shop days.

        :raises DataError: where a moment is null, before the opening, or so late that what comes
            within the window is not planned.
        """
        if "moment" not in rows.columns:
            raise DataError(unknown_name("column", "moment", rows.columns, at="oracle"))
        moment = rows["moment"]
        if isinstance(moment.dtype, pl.Datetime):
            moment = moment.dt.epoch("us")
        if not moment.dtype.is_integer():
            raise DataError(
                "oracle: the column `moment` should be a Datetime (UTC) or whole µs since 1970 "
                f"UTC. Found: {moment.dtype}."
            )
        days = shop_days(moment.fill_null(0).to_numpy().astype(np.int64))
        last = len(self.world.calendar.busy) - ahead
        bad = (days < 0) | (days >= last)
        if bad.any():
            raise DataError(
                f"oracle: {int(bad.sum())} rows have a moment that is missing or outside the "
                f"{last} days after the opening in which this shop knows what it plans. "
                "Ask about moments within the data."
            )
        return days


def _outcome(name: str) -> Answer:
    return lambda oracle, rows: getattr(oracle.outcomes, name)[oracle.impressions(rows)]


def _revenue(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows"]:
    chances = oracle.outcomes
    expected = chances.buy * (1 + chances.extra) * chances.price
    return np.asarray(expected[oracle.impressions(rows)])


def _relevance(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows grades"]:
    query, item = oracle.places(rows, "query_id"), oracle.places(rows, "item_id")
    needs = oracle.world.needs
    return grade_chances(needs.relevance[needs.queries.need[query], item])


def _intent(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows categories"]:
    return np.asarray(oracle.world.needs.queries.classes[oracle.places(rows, "query_id")])


def _churn(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows"]:
    users, moments = oracle.places(rows, "user_id"), oracle.moments(rows, USER_DAYS)
    return oracle.future.no_purchase(users, moments, USER_DAYS)


def _spend(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows"]:
    users, moments = oracle.places(rows, "user_id"), oracle.moments(rows, USER_DAYS)
    return oracle.future.total(users, moments, USER_DAYS, oracle.future.visits.spend)


def _orders(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows"]:
    users, moments = oracle.places(rows, "user_id"), oracle.moments(rows, USER_DAYS)
    return oracle.future.total(users, moments, USER_DAYS, oracle.future.visits.purchases)


def _next_item(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows items"]:
    return oracle.future.next_item(oracle.places(rows, "user_id"), oracle.moments(rows, 0))


def _sales(oracle: Oracle, rows: pl.DataFrame) -> Float64[np.ndarray, "rows"]:
    items, moments = oracle.places(rows, "item_id"), oracle.moments(rows, ITEM_DAYS)
    different, which = np.unique(moments, return_inverse=True)
    sold = [oracle.future.pieces_sold(moment, ITEM_DAYS) for moment in different.tolist()]
    return np.asarray(np.array(sold).reshape(len(different), -1)[which, items])


ANSWERS: Mapping[str, Answer] = {
    "click": _outcome("click"),
    "favourite": _outcome("favourite"),
    "cart": _outcome("cart"),
    "buy": _outcome("buy"),
    "revenue": _revenue,
    "returned": _outcome("returned"),
    "relevance": _relevance,
    "intent": _intent,
    "churn": _churn,
    "spend": _spend,
    "orders": _orders,
    "next_item": _next_item,
    "sales": _sales,
}
"""How each task is answered, by its name."""

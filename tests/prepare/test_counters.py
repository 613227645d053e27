"""Counters against plain Python, the maturity of outcomes, and the past against the future."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import (
    BRANDS,
    CATEGORIES,
    DAY,
    HOUR,
    NUM_ITEMS,
    NUM_QUERIES,
    NUM_USERS,
    frame,
    random_rows,
    shop,
    tables,
)

from jointrec.plan import plan
from jointrec.prepare import timeline
from jointrec.prepare.counters import Counters, base_rates

Row = Mapping[str, Any]
Shown = Mapping[str, Sequence[Row]]
SIZES = {"user": NUM_USERS, "query": NUM_QUERIES, "item": NUM_ITEMS}
WINDOWS = {"1h": HOUR, "1d": DAY, "7d": 7 * DAY, "ever": 10**18}
FEW = {"7d": 7 * DAY, "ever": 10**18}
EVER = {"ever": 10**18}
OUTCOMES = {"impression": ("bought", "carted", "clicked"), "purchase": ()}
EVENTS = {"impression": ("user", "query", "item"), "purchase": ("user", "item")}
SUMMED = {"purchase": ("value",)}
RATES = {
    ("impression", "clicked"): 0.2,
    ("impression", "carted"): 0.1,
    ("impression", "bought"): 0.05,
}
LAST = 30 * DAY


def counters(rows: Shown) -> Counters:
    project = shop()
    return Counters.build(project, plan(project), tables(**rows), RATES)


def slow(
    event: str,
    rows: Sequence[Row],
    moment: int,
    windows: Mapping[str, int],
    rate_windows: Mapping[str, int],
    *,
    habits: bool = False,
    sums: bool = True,
) -> dict[str, float]:
    """What is counted of some rows of an event before a moment, row by row."""
    past = [row for row in rows if row["time"] < moment]
    found = {
        f"{event} {name}": math.log1p(sum(row["time"] >= moment - length for row in past))
        for name, length in windows.items()
    }
    seconds = [(moment - row["time"]) / 1_000_000 for row in past]
    found[f"since {event}"] = math.log1p(min(seconds, default=315_360_000))
    if habits:
        found[f"since first {event}"] = math.log1p(max(seconds, default=0))
        for name, length in windows.items():
            # A day counts where its first row is within the window.
            days = {row["time"] // DAY: row["time"] for row in sorted(past, key=_newest)}
            found[f"days with {event} {name}"] = math.log1p(
                sum(first >= moment - length for first in days.values())
            )
    for column in SUMMED.get(event, ()) if sums else ():
        for name, length in windows.items():
            total = sum(row[column] or 0 for row in past if row["time"] >= moment - length)
            found[f"{event}.{column} sum {name}"] = math.copysign(math.log1p(abs(total)), total)
    for column in OUTCOMES[event]:
        base = RATES[event, column]
        for name, length in rate_windows.items():
            settled = [
                row[column]
                for row in rows
                if moment - length <= row["time"] + DAY < moment and row[column] is not None
            ]
            found[f"{event}.{column} rate {name}"] = math.log(
                (sum(settled) + 10 * base) / ((len(settled) + 10) * base)
            )
    return found


def _newest(row: Row) -> int:
    return -int(row["time"])


def slow_entity(rows: Shown, entity: str, code: int, moment: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for event, names in EVENTS.items():
        if entity in names:
            about = [row for row in rows[event] if code and row[entity] == code]
            found |= slow(event, about, moment, WINDOWS, FEW, habits=entity == "user")
    return found


def slow_pair(
    rows: Shown, pair: tuple[str, str], codes: tuple[int, int], moment: int
) -> dict[str, float]:
    """The pairs that the shop sees: their own past, and a user's with the values of an item."""
    found: dict[str, float] = {}
    for event, names in EVENTS.items():
        if set(pair) <= set(names):
            about = [
                row for row in rows[event] if all(codes) and (row[pair[0]], row[pair[1]]) == codes
            ]
            numbers = slow(event, about, moment, WINDOWS, FEW)
            found |= {f"{pair[0]} × {pair[1]}: {name}": value for name, value in numbers.items()}
    if pair != ("user", "item"):
        return found
    for column, values in (("brand", BRANDS), ("category", CATEGORIES)):
        value = values[codes[1] - 1] if codes[1] else None
        for event in EVENTS:
            about = [
                row
                for row in rows[event]
                if codes[0] and row["user"] == codes[0] and row["item"]
                and value is not None and values[row["item"] - 1] == value
            ]  # fmt: skip
            numbers = slow(event, about, moment, FEW, EVER, sums=False)
            found |= {f"user × item.{column}: {name}": got for name, got in numbers.items()}
    return found


def agree(names: Sequence[str], numbers: np.ndarray, expected: dict[str, float]) -> None:
    assert list(names) == list(expected)
    np.testing.assert_allclose(numbers, list(expected.values()), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("entity", SIZES)
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_an_entity_is_counted_as_row_by_row(entity: str, seed: int) -> None:
    rows, generator = random_rows(seed, 25, LAST), np.random.default_rng(seed)
    codes = generator.integers(0, SIZES[entity] + 1, 12)
    # Whole hours, so that moments fall on events and on the ends of windows.
    moments = generator.integers(0, LAST // HOUR + 48, 12) * HOUR
    found = counters(rows)
    numbers = found.of(entity, codes, moments)
    for row, (code, moment) in enumerate(zip(codes.tolist(), moments.tolist(), strict=True)):
        agree(found.names(entity), numbers[row], slow_entity(rows, entity, code, moment))


@pytest.mark.parametrize("pair", [("user", "query"), ("user", "item"), ("query", "item")])
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_a_pair_is_counted_as_row_by_row(pair: tuple[str, str], seed: int) -> None:
    rows, generator = random_rows(seed, 60, 10 * DAY), np.random.default_rng(seed)
    first = generator.integers(0, SIZES[pair[0]] + 1, 12)
    second = generator.integers(0, SIZES[pair[1]] + 1, 12)
    moments = generator.integers(0, 12 * 24, 12) * HOUR
    found = counters(rows)
    numbers = found.of_pair(pair, first, second, moments)
    for row, moment in enumerate(moments.tolist()):
        codes = (int(first[row]), int(second[row]))
        agree(found.pair_names(pair), numbers[row], slow_pair(rows, pair, codes, moment))


def test_nothing_is_counted_where_nothing_is_asked_for() -> None:
    project = replace(shop(), counters=())
    found = Counters.build(project, plan(project), tables(**random_rows(0, 5, LAST)), RATES)
    assert found.names("user") == ()
    assert found.of("user", np.array([1, 2]), np.array([LAST, LAST])).shape == (2, 0)
    assert found.of_pair(("user", "item"), *np.ones((3, 4), dtype=np.int64)).shape == (4, 0)


class TestMaturity:
    """A click may be seen at once, but whether there was none is known only a day later."""

    @staticmethod
    def rate(moment: int) -> float:
        shown = {"user": 1, "item": 1, "query": 1, "time": HOUR, "clicked": 1.0}
        found = counters({"impression": [shown]})
        row = found.of("item", np.array([1]), np.array([moment]))[0]
        return float(row[found.names("item").index("impression.clicked rate ever")])

    def test_an_outcome_enters_a_rate_once_it_is_settled(self) -> None:
        assert self.rate(2 * HOUR) == 0.0
        assert self.rate(HOUR + DAY) == 0.0
        assert self.rate(HOUR + DAY + 1) == pytest.approx(math.log(3.0 / (11 * 0.2)), rel=1e-6)

    def test_the_event_itself_is_counted_at_once(self) -> None:
        found = counters({"impression": [{"user": 1, "item": 1, "time": HOUR}]})
        at = found.names("item").index("impression ever")
        numbers = found.of("item", np.array([1, 1]), np.array([HOUR, HOUR + 1]))[:, at]
        assert numbers.tolist() == [0.0, pytest.approx(math.log(2), rel=1e-6)]


class TestBaseRates:
    def test_only_rows_settled_before_the_cut_count(self) -> None:
        project = shop()
        shown = [
            {"user": 1, "item": 1, "time": time, "clicked": clicked, "carted": None, "bought": 0.0}
            for time, clicked in ((0, 1.0), (HOUR, None), (2 * HOUR, 0.0), (9 * DAY, 1.0))
        ]
        found = base_rates(project, plan(project), tables(impression=shown), 2 * HOUR + DAY + 1)
        assert found == {
            ("impression", "clicked"): 1.5 / 3,
            ("impression", "carted"): 0.5,
            ("impression", "bought"): 0.5 / 4,
        }
        at_the_cut = base_rates(project, plan(project), tables(impression=shown), 2 * HOUR + DAY)
        assert at_the_cut["impression", "clicked"] == 1.5 / 2
        whole = base_rates(project, plan(project), tables(impression=shown), None)
        assert whole["impression", "clicked"] == 2.5 / 4


class TestNothingOfTheFutureIsSeen:
    """10,000 random moments; whatever happens at or after each may change as it likes."""

    @staticmethod
    def data(num_rows: int = 1_500) -> dict[str, pl.DataFrame]:
        rows = random_rows(3, num_rows, 20 * DAY)
        return {name: frame(name, rows[name]) for name in rows}

    @staticmethod
    def index(frames: Mapping[str, pl.DataFrame]) -> Counters:
        project = shop()
        data = replace(tables(), events={**tables().events, **frames})
        return Counters.build(project, plan(project), data, RATES)

    @staticmethod
    def numbers(found: Counters, asked: Sequence[np.ndarray]) -> np.ndarray:
        users, items, moments = asked
        return np.concatenate(
            [
                found.of("user", users, moments),
                found.of("item", items, moments),
                found.of_pair(("user", "item"), users, items, moments),
            ],
            axis=1,
        )

    def leaks(self, num_moments: int) -> int:
        """How many numbers of 200 questions a moment depend on anything that is not past."""
        generator, leaks, frames = np.random.default_rng(11), 0, self.data()
        seen = self.index(frames)
        for hour in generator.integers(0, 20 * 24, num_moments):
            moment = int(hour) * HOUR
            asked = (
                generator.integers(0, NUM_USERS + 1, 200),
                generator.integers(0, NUM_ITEMS + 1, 200),
                np.full(200, moment),
            )
            other = {name: rewritten(table, moment, generator) for name, table in frames.items()}
            differs = self.numbers(seen, asked) != self.numbers(self.index(other), asked)
            leaks += int(differs.sum())
        return leaks

    def test_nothing_leaks(self) -> None:
        assert self.leaks(50) == 0

    def test_a_timeline_that_sees_the_moment_itself_is_caught(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = timeline._first_at_or_after
        monkeypatch.setattr(
            timeline,
            "_first_at_or_after",
            lambda times, moments, start, stop: right(times, moments + 1, start, stop),
        )
        assert self.leaks(5) > 1_000

    def test_outcomes_that_are_not_settled_may_change(self) -> None:
        frames, moment = self.data(), 10 * DAY
        asked = (np.arange(1, 5), np.arange(1, 5), np.full(4, moment))
        settled = pl.col("@time") + DAY < moment
        other = frames["impression"].with_columns(
            pl.when(settled).then(pl.col(column)).otherwise(1.0).alias(column)
            for column in ("clicked", "carted", "bought")
        )
        seen = self.numbers(self.index(frames), asked)
        unsettled = self.index({**frames, "impression": other})
        np.testing.assert_array_equal(self.numbers(unsettled, asked), seen)
        all_clicked = other.with_columns(pl.lit(1.0).alias("clicked"))
        known = self.index({**frames, "impression": all_clicked})
        assert (self.numbers(known, asked) != seen).any()


def rewritten(table: pl.DataFrame, moment: int, generator: np.random.Generator) -> pl.DataFrame:
    """The same past, and another present and future, in another order of rows."""
    past = table.filter(pl.col("@time") < moment)
    future = table.filter(pl.col("@time") >= moment).select(
        pl.all().shuffle(seed=int(generator.integers(0, 2**31)))
    )
    added = table.sample(500, seed=int(generator.integers(0, 2**31))).with_columns(
        pl.Series("@time", moment + generator.integers(0, 3, 500) * HOUR)
    )
    return pl.concat([past, future, added]).sample(
        fraction=1.0, shuffle=True, seed=int(generator.integers(0, 2**31))
    )

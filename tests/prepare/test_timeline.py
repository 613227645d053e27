"""The timeline against plain Python, its sums against exact ones, past against future."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointrec.prepare import timeline as module
from jointrec.prepare.timeline import NEVER, Span, Sums, Timeline

Event = tuple[int, int, float]
events = st.lists(
    st.tuples(
        st.integers(-1, 4),
        st.integers(0, 20),
        st.one_of(st.just(math.nan), st.floats(0.01, 2e9)),
    ),
    max_size=30,
)
questions = st.lists(st.tuples(st.integers(-2, 6), st.integers(-3, 25)), min_size=1, max_size=8)
windows = st.one_of(st.none(), st.integers(1, 30))


def built(rows: list[Event]) -> Timeline:
    keys = np.array([row[0] for row in rows], dtype=np.int64)
    times = np.array([row[1] for row in rows], dtype=np.int64)
    return Timeline.build(keys, times, {"value": np.array([row[2] for row in rows], dtype=float)})


def asked(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def check(line: Timeline, span: Span, expected: list[list[int]], rows: list[Event]) -> None:
    """A span holds just the expected rows of the input, in order of time."""
    for number, there in enumerate(expected):
        there = sorted(there, key=lambda row: rows[row][1])
        run = slice(span.start[number], span.stop[number])
        assert line.order[run].tolist() == there
        assert line.times[run].tolist() == [rows[row][1] for row in there]
        assert line.count(span)[number] == len(there)
        exact = math.fsum(rows[row][2] for row in there if not math.isnan(rows[row][2]))
        assert line.sum(span, "value")[number] == pytest.approx(exact, rel=1e-9, abs=0)
        newest = max((rows[row][1] for row in there), default=NEVER)
        assert line.last_time(span)[number] == newest


@given(events, questions, windows)
def test_before_holds_what_was_strictly_before(
    rows: list[Event], ask: list[tuple[int, int]], window: int | None
) -> None:
    line, (keys, moments) = built(rows), asked(ask)
    expected = [
        [
            row
            for row, (of, time, _) in enumerate(rows)
            if of == key and time < moment and (window is None or time >= moment - window)
        ]
        for key, moment in ask
    ]
    check(line, line.before(keys, moments, window), expected, rows)


@given(events, questions, windows)
def test_after_holds_what_is_at_the_moment_or_later(
    rows: list[Event], ask: list[tuple[int, int]], window: int | None
) -> None:
    line, (keys, moments) = built(rows), asked(ask)
    expected = [
        [
            row
            for row, (of, time, _) in enumerate(rows)
            if of == key and time >= moment and (window is None or time < moment + window)
        ]
        for key, moment in ask
    ]
    check(line, line.after(keys, moments, window), expected, rows)


@given(events, questions, st.lists(st.integers(1, 30), max_size=4))
def test_several_windows_at_once_are_each_as_alone(
    rows: list[Event], ask: list[tuple[int, int]], lengths: list[int]
) -> None:
    line, (keys, moments) = built(rows), asked(ask)
    some = [*sorted(lengths), None]
    for span, window in zip(line.past(keys, moments, some), some, strict=True):
        alone = line.before(keys, moments, window)
        # Empty spans may stand anywhere.
        there = alone.start < alone.stop
        np.testing.assert_array_equal(span.start < span.stop, there)
        np.testing.assert_array_equal(span.start[there], alone.start[there])
        np.testing.assert_array_equal(span.stop[there], alone.stop[there])


@given(events, events)
def test_more_events_are_as_if_built_from_all(rows: list[Event], more: list[Event]) -> None:
    one = built(rows)
    grown = one.append(
        np.array([row[0] for row in more], dtype=np.int64),
        np.array([row[1] for row in more], dtype=np.int64),
        {"value": np.array([row[2] for row in more], dtype=float)},
    )
    whole = built([*rows, *more])
    for name in ("keys", "offsets", "times", "order"):
        np.testing.assert_array_equal(getattr(grown, name), getattr(whole, name))
        assert getattr(grown, name).dtype == getattr(whole, name).dtype
    for part in ("high", "low", "parts"):
        ours, theirs = getattr(grown.sums["value"], part), getattr(whole.sums["value"], part)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs)


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Event], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = built(rows), built(shuffled)
    for name in ("keys", "offsets", "times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_an_empty_timeline_answers() -> None:
    line = built([])
    span = line.before(np.array([1, 2]), np.array([5, 5]), 3)
    assert line.count(span).tolist() == [0, 0]
    assert line.sum(span, "value").tolist() == [0.0, 0.0]
    assert line.last_time(span).tolist() == [NEVER, NEVER]


class TestSums:
    """A million orders, a few of them absurd: a running sum must not forget the cents."""

    @staticmethod
    def orders() -> tuple[np.ndarray, Span]:
        generator = np.random.default_rng(0)
        values = np.round(generator.lognormal(0, 1, 1_000_000), 2)
        values[generator.integers(0, 500_000, 20)] = 2e15
        start = generator.integers(0, 999_000, 500)
        return values, Span(start, start + generator.integers(0, 500, 500))

    def test_they_are_exact_to_a_billionth(self) -> None:
        values, span = self.orders()
        exact = [math.fsum(values[a:b]) for a, b in zip(span.start, span.stop, strict=True)]
        np.testing.assert_allclose(Sums.of(values).over(span), exact, rtol=1e-9, atol=0)

    def test_a_plain_running_sum_is_not(self) -> None:
        values, span = self.orders()
        exact = np.array(
            [math.fsum(values[a:b]) for a, b in zip(span.start, span.stop, strict=True)]
        )
        plain = Sums(Sums.of(values).high, None, None).over(span)
        assert (np.abs(plain - exact) > 1e-2 * exact).any()

    def test_counts_need_no_second_sum(self) -> None:
        sums = Sums.of(np.array([1.0, 0.0, 1.0]))
        assert sums.low is None
        assert sums.values.tolist() == [1.0, 0.0, 1.0]


class TestNothingOfTheFutureIsSeen:
    """10,000 random moments; whatever happens at or after each may change as it likes."""

    @staticmethod
    def leaks() -> int:
        """At how many of the moments something seen depends on what is not past."""
        generator = np.random.default_rng(7)
        keys = generator.integers(0, 40, 4_000)
        times = generator.integers(0, 2_000, 4_000)
        values = generator.normal(size=4_000)
        seen, leaks = Timeline.build(keys, times, {"value": values}), 0
        for moment in np.unique(times)[generator.integers(0, 1_700, 250)]:
            past = times < moment
            changed = np.where(past, values, generator.normal(size=4_000))
            strangers = np.where(past, keys, generator.permutation(keys))
            later = np.where(past, times, moment + generator.integers(0, 500, 4_000))
            other = Timeline.build(
                np.concatenate([strangers, keys]),
                np.concatenate([later, np.full(4_000, moment)]),
                {"value": np.concatenate([changed, values])},
            )
            asked = generator.integers(0, 40, 40)
            moments = np.full(40, moment)
            for window in (None, 100):
                one, two = (line.before(asked, moments, window) for line in (seen, other))
                differs = seen.count(one) != other.count(two)
                differs |= seen.last_time(one) != other.last_time(two)
                differs |= ~np.isclose(
                    seen.sum(one, "value"), other.sum(two, "value"), rtol=1e-12, atol=1e-12
                )
                leaks += int(differs.sum())
        return leaks

    def test_nothing_leaks(self) -> None:
        assert self.leaks() == 0

    def test_a_timeline_that_sees_the_moment_itself_is_caught(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = module._first_at_or_after
        monkeypatch.setattr(
            module,
            "_first_at_or_after",
            lambda times, moments, start, stop: right(times, moments + 1, start, stop),
        )
        assert self.leaks() > 1_000

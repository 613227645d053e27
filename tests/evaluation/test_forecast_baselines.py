"""Seasonal naive and exponential smoothing, row by row from the table of order lines."""

from __future__ import annotations

from dataclasses import replace

import baseline_shop as shop
import numpy as np
import pytest

from jointrec.evaluation.baselines import ETS, SeasonalNaive, ets, seasonal_naive
from jointrec.evaluation.baselines.settled import Settled, asked_of
from jointrec.labels import DAY

WINDOWS = {"sold": 7 * DAY, "month": 28 * DAY}


def series(question) -> dict[tuple[str, int], float]:
    """What was asked of each item at each moment, counted from the table itself."""
    lines, keys = shop.shop()[0].event["line"].source, question.prepared.things["item"].keys
    sold = list(zip(lines["item"], lines["at"].cast(int).to_list(), lines["pieces"], strict=True))
    found = {}
    known = np.flatnonzero(~np.isnan(question.labels))
    for code, when in zip(*(part.tolist() for part in asked_of(question, known)), strict=True):
        item, end = keys[code], when + WINDOWS[question.task]
        found[item, when] = sum(n for one, at, n in sold if one == item and when <= at < end)
    return found


def rows_of(question, rows) -> list[tuple[str, int]]:
    keys = question.prepared.things["item"].keys
    codes, times = asked_of(question, rows)
    return [(keys[code], when) for code, when in zip(codes.tolist(), times.tolist(), strict=True)]


def slow_naive(question, lag: int, rows) -> list[float]:
    was, labels = series(question), question.labels[question.train]
    before = [was.get((item, when - lag)) for item, when in rows_of(question, question.train)]
    found = []
    for item, when in rows_of(question, rows):
        said = was.get((item, when - lag))
        if not said:
            alike = [y for y, one in zip(labels, before, strict=True) if one == said]
            said = (sum(alike) + labels.mean()) / (len(alike) + 1)
        found.append(said)
    return found


def slow_level(question, share: float, rows) -> list[float]:
    was, found = series(question), []
    for item, when in rows_of(question, rows):
        level = question.labels[question.train].mean()
        for (one, at), label in sorted(was.items(), key=lambda pair: pair[0][1]):
            if one == item and at + WINDOWS[question.task] <= when:
                level = share * label + (1 - share) * level
        found.append(level)
    return found


@pytest.mark.parametrize(
    ("way", "slow", "settings"),
    [
        (SeasonalNaive, slow_naive, {"sold": [7 * DAY, 364 * DAY], "month": [28 * DAY, 364 * DAY]}),
        (ETS, slow_level, dict.fromkeys(WINDOWS, ets.SHARES)),
    ],
)
@pytest.mark.parametrize("task", ["sold", "month"])
def test_it_is_its_formula_and_validation_chooses(way, slow, settings, task):
    asked = shop.question(task)
    deciding = next(iter(asked.project.tasks[task].metrics.values()))
    sign = -1 if deciding.better == "lower" else 1
    good = [
        sign * deciding.measure(asked.labels[asked.valid], np.array(slow(asked, one, asked.valid)))
        for one in settings[task]
    ]
    best = settings[task][good.index(max(good))]
    answers = way().answer(asked, seed=0)
    assert np.allclose(answers, slow(asked, best, asked.test))
    nothing = replace(asked, valid=asked.valid[:0])
    first = slow(asked, settings[task][0], asked.test)
    assert np.allclose(way().answer(nothing, seed=0), first)


def test_what_was_never_asked_before_has_the_mean():
    asked = shop.question("sold")
    settled = Settled.of(asked)
    nobody, now = np.array([10_000, 0]), np.array([settled.moments[-1]] * 2)
    assert settled.smoothed(nobody, now, 2.5, 0.5).tolist() == [2.5, 2.5]
    assert np.isnan(settled.exactly(nobody, now, 7 * DAY)).all()
    first = np.array([settled.moments[0]])
    assert settled.smoothed(settled.things[:1], first, 2.5, 0.5).tolist() == [2.5]


def test_a_lag_that_is_not_over_is_refused():
    settled = Settled.of(shop.question("sold"))
    with pytest.raises(AssertionError, match="not settled"):
        settled.exactly(settled.things, settled.times, 6 * DAY)


@pytest.mark.parametrize("way", [SeasonalNaive, ETS])
def test_it_applies_to_amounts_asked_every_so_often(way):
    assert [task for task in shop.TASKS if way().applies(shop.question(task))] == ["sold", "month"]
    asked = shop.question("sold")
    assert not way().applies(replace(asked, train=asked.train[:0]))


def test_a_season_is_over_and_was_asked():
    for window in range(1, 40):
        for every in range(1, 15):
            for lag in seasonal_naive.lags(window * DAY, every * DAY):
                assert lag >= window * DAY
                assert lag % (every * DAY) == 0

"""Drift: what is planted is flagged, and what is not there hardly ever is."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from jointrec.page import drift_of

DRAW = np.random.default_rng(4)


def words(p: list[float], rows: int, draw: np.random.Generator = DRAW) -> pl.Series:
    return pl.Series([f"n{k}" for k in draw.choice(len(p), rows, p=p)])


PLANTED: dict[str, tuple[Any, Any]] = {
    "a higher price": (DRAW.lognormal(3, 1, 3000), DRAW.lognormal(3.6, 1, 500)),
    "a wider spread": (DRAW.normal(0, 1, 3000), DRAW.normal(0, 2, 500)),
    "cents instead of euros": (DRAW.lognormal(3, 1, 3000), DRAW.lognormal(3, 1, 500) * 100),
    "a number that went missing": (
        DRAW.normal(0, 1, 3000), np.where(DRAW.random(500) < 0.3, np.nan, DRAW.normal(0, 1, 500)),
    ),
    "more of one name": (words([0.5, 0.3, 0.2], 3000), words([0.35, 0.3, 0.35], 500)),
    "a new name": (words([0.5, 0.5], 3000), words([0.4, 0.4, 0.2], 500)),
    "more yes": ((DRAW.random(3000) < 0.1) * 1.0, (DRAW.random(500) < 0.3) * 1.0),
}  # fmt: skip


def series(values: Any) -> pl.Series:
    return values if isinstance(values, pl.Series) else pl.Series(values, nan_to_null=True)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_drift_is_flagged(name: str):
    train, test = map(series, PLANTED[name])
    drift = drift_of(train, test)
    assert drift is not None and drift.flagged, drift


def test_what_is_drawn_alike_is_hardly_ever_flagged():
    draw = np.random.default_rng(8)
    flagged = 0
    for n in range(300):
        sizes = [int(size) for size in draw.integers(60, 2000, 2)]
        p = draw.dirichlet(np.ones(int(draw.integers(2, 60))))
        columns: list[list[pl.Series]] = [
            [pl.Series(draw.lognormal(0, 1 + n % 3, size)) for size in sizes],
            [pl.Series(draw.poisson(0.3 + n % 4, size).astype(float)) for size in sizes],
            [words(p.tolist(), size, draw) for size in sizes],
        ]
        flagged += sum(bool((d := drift_of(*pair)) and d.flagged) for pair in columns)
    assert flagged <= 2  # of 900


def test_the_measures_are_those_of_the_books():
    train = pl.Series(["a"] * 60 + ["b"] * 40)
    test = pl.Series(["a"] * 30 + ["b"] * 70)
    drift = drift_of(train, test)
    assert drift is not None and (drift.measure, round(drift.size, 6)) == ("TV", 0.3)
    numbers = pl.Series(np.repeat([0.0, 1.0], [600, 400]))
    others = pl.Series(np.repeat([0.0, 1.0], [300, 700]))
    expected = (0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4)
    drift = drift_of(numbers, others)
    assert drift is not None and drift.measure == "PSI"
    assert drift.size == pytest.approx(expected, abs=0.01)


def test_too_few_say_nothing():
    few, many = pl.Series([1.0] * 49), pl.Series([2.0] * 500)
    assert drift_of(few, many) is None
    assert drift_of(many, few) is None
    assert drift_of(many, many) is not None

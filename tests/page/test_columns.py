"""Columns in numbers: what is missing, usual, and how it is spread."""

from __future__ import annotations

import polars as pl

from jointrec.page import Column, describe
from jointrec.page.drawing import histogram, sparkline

HALF = pl.Series([True] * 100 + [False] * 100)


def described(values: list, kind: str, dtype: pl.DataType | None = None) -> Column:
    series = pl.Series("c", values, dtype=dtype)
    return describe(series, kind, "feature", HALF, ~HALF)


def test_numbers():
    column = described([float(n % 5) for n in range(199)] + [None], "number")
    assert (column.missing, column.distinct) == (0.005, 5)
    assert column.usual == "0 · 2 · 4"
    assert column.train == (0.2,) * 5
    assert len(column.test) == 5 and abs(sum(column.test) - 1) < 1e-9
    assert column.drift is not None and not column.drift.flagged


def test_one_absurd_number_does_not_squeeze_the_others():
    column = described([1.0, 2.0, 3.0, 4.0] * 49 + [1.0, 2.0, 3.0, 1e9], "number")
    assert column.usual == "1 · 2.5 · 1,000,000,000"
    assert len(column.train) > 2 and column.train[0] > 0.1


def test_names():
    column = described(["红", "blue", "blue", None] * 50, "id", pl.String())
    assert (column.missing, column.distinct) == (0.25, 2)
    assert column.usual == "blue 67%, 红 33%"
    assert column.bars == ("blue", "红")
    assert [round(share, 2) for share in column.train] == [0.67, 0.33]


def test_keys_that_all_differ_have_nothing_to_draw():
    column = described([f"u{n}" for n in range(200)], "id")
    assert column.usual == "such as u0, u1, u10"
    assert column.train == column.test == ()


def test_lists_are_taken_apart():
    column = described([["a", "b"], ["a"], [], None] * 50, "list", pl.List(pl.String))
    assert (column.missing, column.distinct) == (0.25, 2)
    assert column.usual == "a 67%, b 33%"


def test_flags_and_times():
    assert described([0.0, 1.0, 1.0, None] * 50, "flag").usual == "yes 66.67%"
    day = 86_400_000_000
    times = described([day * n for n in range(200)], "time")
    assert times.usual == "1970-01-01 · 1970-04-10 · 1970-07-19"
    assert times.drift is None


def test_a_column_of_nothing():
    column = described([None] * 200, "number", pl.Float64())
    assert (column.missing, column.distinct, column.usual, column.train) == (1.0, 0, "–", ())
    assert histogram(column.train, column.test, column.bars, name="c") == (
        '<span class="none">–</span>'
    )


def test_lines_break_where_nothing_is_known():
    nan = float("nan")
    drawn = sparkline([0.0, 1.0, nan, 1.0], [0.5, -1.0], name="rate", width=30)
    assert 'class="rate" d="M0.0 41.0L10.0 3.0M30.0 3.0"' in drawn
    assert 'class="bridge" d="M0.0 41.0L10.0 3.0L30.0 3.0"' in drawn
    assert drawn.count("<circle") == 1
    assert drawn.count('class="mark"') == 1
    assert sparkline([nan], [], name="rate") == '<span class="none">–</span>'

"""What a person wants to know of a column: how much is missing, what is usual, how it is spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import polars as pl

from .drift import Drift, drift_of

BARS = 24
"""How many bars a histogram has."""
TOP = 8
"""How many names are drawn."""
SHOWN = 3
"""How many names are written."""


@dataclass(frozen=True)
class Column:
    """A column in numbers.

    :param name: Its name.
    :param role: What the project makes of it: key, time, feature, label …
    :param kind: How it is read: ``id``, ``text``, ``number``, ``time``, ``flag`` or ``list``.
    :param missing: The share of unknown values, of all rows.
    :param distinct: How many different values there are.
    :param usual: Least, median and greatest of numbers and times, the most frequent names of
        others.
    :param train, test: The heights of the bars of its histogram, for training rows and for test
        rows, each as shares; empty where there is nothing to draw.
    :param bars: What each bar stands for.
    :param drift: How far test rows are from training rows; None for too few.
    """

    name: str
    role: str
    kind: str
    missing: float
    distinct: int
    usual: str
    train: tuple[float, ...]
    test: tuple[float, ...]
    bars: tuple[str, ...]
    drift: Drift | None


def describe(values: pl.Series, kind: str, role: str, train: pl.Series, test: pl.Series) -> Column:
    """A column in numbers.

    :param train, test: Which rows are training rows, and which test rows.
    """
    rows = len(values)
    missing = values.null_count() / rows if rows else 0.0
    if values.dtype == pl.List:
        frame = pl.DataFrame([values, train.alias("@train"), test.alias("@test")])
        frame = frame.explode(values.name)
        values, train, test = frame[values.name], frame["@train"], frame["@test"]
    before, after = values.filter(train), values.filter(test)
    shown = before if before.count() else values
    numeric = kind in ("number", "time", "flag")
    edges = _edges(values, kind) if numeric else None
    if edges is not None:
        counts = [_heights(part, edges) for part in (shown, after)]
        bars = tuple(
            f"{_written(low, kind)} to {_written(high, kind)}" for low, high in pairwise(edges)
        )
    else:
        names = _most_frequent(values, TOP)
        if _all_differ(values, names):
            names = []
        counts = [_shares(part, names) for part in (shown, after)]
        bars = tuple(names)
    # A drift of times, and of keys that are new by their nature, says nothing.
    drift = drift_of(before, after) if role not in ("key", "time") and kind != "time" else None
    return Column(
        values.name, role, kind, missing, values.n_unique() - int(values.has_nulls()),
        _usual(values, kind), counts[0], counts[1] if after.count() else (), bars, drift,
    )  # fmt: skip


def _edges(values: pl.Series, kind: str) -> list[float] | None:
    """The edges of the bars, from the 1 % to the 99 % quantile; those beyond are in the last."""
    known = values.drop_nulls()
    if not len(known):
        return None
    if kind == "flag":
        return [-0.5, 0.5, 1.5]
    low, high = known.quantile(0.01), known.quantile(0.99)
    if kind == "time":
        low, high = known.min(), known.max()  # type: ignore[assignment]
    assert low is not None and high is not None
    if low == high:
        low, high = float(known.min()), float(known.max())  # type: ignore[arg-type]
    if low == high:
        return [low - 0.5, high + 0.5]
    whole = kind == "number" and high - low < BARS and bool((known == known.round()).all())
    if whole:
        return [float(edge) - 0.5 for edge in range(int(low), int(high) + 2)]
    return [float(edge) for edge in np.linspace(low, high, BARS + 1)]


def _heights(values: pl.Series, edges: Sequence[float]) -> tuple[float, ...]:
    numbers = values.drop_nulls().cast(pl.Float64).to_numpy()
    if not len(numbers):
        return ()
    counts, _ = np.histogram(np.clip(numbers, edges[0], edges[-1]), bins=np.array(edges))
    return tuple((counts / counts.sum()).tolist())


def _most_frequent(values: pl.Series, count: int) -> list[str]:
    found = values.drop_nulls().value_counts(name="@n")
    return found.sort("@n", values.name, descending=[True, False])[values.name][:count].to_list()


def _shares(values: pl.Series, names: Sequence[str]) -> tuple[float, ...]:
    known = values.drop_nulls()
    if not len(known) or not names:
        return ()
    counts = dict(known.filter(known.is_in(list(names))).value_counts(name="@n").iter_rows())
    return tuple(counts.get(name, 0) / len(known) for name in names)


def _all_differ(values: pl.Series, names: Sequence[str]) -> bool:
    """Whether no name is there twice, given the most frequent ones: then none is usual."""
    return bool(names) and int((values == names[0]).sum()) == 1


def _usual(values: pl.Series, kind: str) -> str:
    known = values.drop_nulls()
    if not len(known):
        return "–"
    if kind == "flag":
        return f"yes {float(known.mean()):.2%}"  # type: ignore[arg-type]
    if kind in ("number", "time"):
        three = (known.min(), known.median(), known.max())
        return " · ".join(_written(float(value), kind) for value in three)  # type: ignore[arg-type]
    names = _most_frequent(known, SHOWN)
    shares = _shares(known, names)
    if _all_differ(known, names):
        return f"such as {', '.join(names)}"
    return ", ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True))


def _written(value: float, kind: str) -> str:
    """A number or a moment as people write it."""
    if kind == "time":
        return datetime.fromtimestamp(value / 1e6, tz=UTC).strftime("%Y-%m-%d")
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.4g}"

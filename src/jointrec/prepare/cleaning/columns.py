"""Columns that tell nothing, and columns that hold two kinds of things."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from jointrec.plan import features_of

from .base import LEAST, Detector, Limits, Odd, View

NUMBER = r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)$"
DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
MOST = 0.98
"""From which share on, of values and of different ones, a column is one of numbers or of dates."""


class ConstantColumn(Detector):
    """Features that are the same in all training rows, or empty in all of them."""

    code = "constant_column"

    def learn(self, view: View) -> dict[str, float]:
        """The columns that training saw only one value of, each with 1, or 0 if it saw none."""
        found: dict[str, float] = {}
        for name, frame in view.frames.items():
            for column in features_of(view.project, name):
                known = frame[column].filter(view.seen[name])
                if len(known) >= LEAST:
                    values = _flat(known.drop_nulls())
                    if len(values) == 0 or (values.len() == len(known) and _is_one(values)):
                        found[f"{name}.{column}"] = float(len(values) > 0)
        return found

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """These columns, with all their rows."""
        for place, held in limits.items():
            name, _, column = place.partition(".")
            text = "the same in all training rows." if held else "empty in all training rows."
            yield Odd(name, column, pl.repeat(True, len(view.frames[name]), eager=True), text)


def _flat(values: pl.Series) -> pl.Series:
    return values.list.join("|") if values.dtype == pl.List else values


def _is_one(values: pl.Series) -> bool:
    return bool((values == values[0]).all())


class MixedTypes(Detector):
    """Words in a column of names nearly all of whose values are numbers, or dates.

    The other way round it is no mistake: a brand may be called ``4711``.
    """

    code = "mixed_types"

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """The values that are of another kind than nearly all others of their column."""
        for name, frame in view.frames.items():
            for column, feature in features_of(view.project, name).items():
                if feature.cell == "id":
                    yield from _mixed(name, frame[column])


def _mixed(name: str, values: pl.Series) -> Iterator[Odd]:
    counts = values.drop_nulls().value_counts(name="@count")
    total = int(counts["@count"].sum())
    if total < LEAST:
        return
    for what, pattern in (("numbers", NUMBER), ("dates", DATE)):
        fits = counts[values.name].str.contains(pattern)
        rows = int(counts["@count"].filter(fits).sum())
        if fits.all() or not fits.any() or rows < MOST * total:
            continue
        others = counts[values.name].filter(~fits)
        if len(others) <= max(1, (1 - MOST) * len(counts)):
            odd = values.is_in(others.implode()).fill_null(False)
            yield Odd(name, values.name, odd, f"values that are none of the {what} around them.")

"""Columns that tell nothing, and columns that hold two kinds of things."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from jointrec.features.vocabulary import counted
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
        for name in view.frames:
            if int(view.seen[name].sum()) < LEAST:
                continue
            for column in features_of(view.project, name):
                held = _constant(view, name, column)
                if held is not None:
                    found[f"{name}.{column}"] = float(held)
        return found

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """These columns, with all their rows."""
        for place, held in limits.items():
            name, _, column = place.partition(".")
            text = "the same in all training rows." if held else "empty in all training rows."
            yield Odd(name, column, pl.repeat(True, len(view.frames[name]), eager=True), text)


def _flat(values: pl.Series) -> pl.Series:
    return values.list.join("|") if values.dtype == pl.List else values


def _constant(view: View, name: str, column: str) -> bool | None:
    """Whether training saw one value in all rows of a column (yes), or none (no); else None."""
    held, first = 0, None
    for known in view.learned(name, column):
        values = _flat(known)
        held += len(values)
        if len(values):
            first = values[0] if first is None else first
            if not (values == first).all():
                return None
    return None if 0 < held < int(view.seen[name].sum()) else held > 0


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
    counts = counted(values)
    total = int(counts["len"].sum())
    if total < LEAST:
        return
    for what, pattern in (("numbers", NUMBER), ("dates", DATE)):
        fits = counts["value"].str.contains(pattern)
        rows = int(counts["len"].filter(fits).sum())
        if fits.all() or not fits.any() or rows < MOST * total:
            continue
        others = counts["value"].filter(~fits)
        if len(others) <= max(1, (1 - MOST) * len(counts)):
            odd = values.is_in(others.implode()).fill_null(False)
            yield Odd(name, values.name, odd, f"values that are none of the {what} around them.")

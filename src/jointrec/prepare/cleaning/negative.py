"""Negative numbers where there should be none, and what was bought and given back."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from .base import LEAST, Detector, Limits, Odd, View
from .numbers import NumberDetector

RARE = 0.05
"""The share of negative numbers up to which a column is taken to mean none."""


class Return(Detector):
    """Negative numbers of an event whose entities had a row with a positive one before.

    The rule knows no shop: a row that takes back 3 of an item from a customer, who had a row that
    bought some of it at an earlier time, is a return. Only earlier rows are looked at.
    """

    code = "return"

    def learn(self, view: View) -> dict[str, float]:
        """The columns of numbers in which negative ones are rare, with their share."""
        return _mostly_positive(view)

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Negative numbers of what was bought before."""
        for place in limits:
            name, _, column = place.partition(".")
            rows = given_back(view, name, column)
            if rows is not None and rows.any():
                text = f"negative `{column}` of what the same {_pair(view, name)} had before."
                yield Odd(name, column, rows, text)


class NegativeNumber(NumberDetector):
    """Negative numbers in a column in which at most one in twenty is, and which are no returns."""

    code = "negative_number"

    def learn(self, view: View) -> dict[str, float]:
        """The columns of numbers in which negative ones are rare, with their share."""
        return _mostly_positive(view)

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Negative numbers in these columns."""
        for place, share in limits.items():
            name, _, column = place.partition(".")
            rows = self.meant(view.frames[name][column], share)
            if rows.any():
                back = given_back(view, name, column)
                rows = rows if back is None else rows & ~back
                yield Odd(name, column, rows, "negative numbers where they are rare.", 0.0)

    def meant(self, values: pl.Series, limit: float) -> pl.Series:
        """Whether each number is negative; no where it is unknown."""
        return (values < 0).fill_null(False)

    def cap(self, limit: float) -> float:
        """What a negative number is cut down to, whatever their share is."""
        return 0.0


def _mostly_positive(view: View) -> dict[str, float]:
    """The share of negative numbers in each column where it is at most one in twenty."""
    found: dict[str, float] = {}
    for name in view.frames:
        for column in view.columns(name, "number"):
            counts = [(len(some), int((some < 0).sum())) for some in view.learned(name, column)]
            known, below = (sum(numbers) for numbers in zip(*counts, strict=True))
            if known >= LEAST and below / known <= RARE:
                found[f"{name}.{column}"] = below / known
    return found


def given_back(view: View, name: str, column: str) -> pl.Series | None:
    """Which rows of an event give back what they had before; None where that means nothing."""
    event = view.project.event.get(name)
    frame = view.tables.events.get(name)
    if event is None or frame is None or len(event.entities) < 2 or event.time is None:
        return None
    if not (frame[column] < 0).any():
        return pl.repeat(False, len(frame), eager=True)
    keys = [f"@{entity}" for entity in event.entities]
    known = pl.all_horizontal([pl.col(key) > 0 for key in keys])
    rows = frame.lazy().select(*keys, "@time", pl.col(column).alias("@value"))
    negative = rows.with_row_index("@place").filter((pl.col("@value") < 0) & known)
    bought = (
        rows.filter((pl.col("@value") > 0) & known)
        .join(negative.select(keys).unique(), on=keys, how="semi")
        .group_by(keys)
        .agg(pl.col("@time").min().alias("@first"))
    )
    back = negative.join(bought, on=keys).filter(pl.col("@first") < pl.col("@time"))
    places = back.select("@place").collect()["@place"]
    mask = pl.repeat(False, len(frame), eager=True)
    return mask.scatter(places, True) if len(places) else mask


def _pair(view: View, name: str) -> str:
    return " and ".join(view.project.event[name].entities)

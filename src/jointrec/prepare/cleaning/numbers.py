"""Numbers of a size that is a mistake, or would outweigh all others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import polars as pl

from jointrec.durable import collected

from .base import LEAST, Detector, Limits, Odd, View

FEW = 20
"""From how many numbers on a limit of their size is learned."""


class NumberDetector(Detector):
    """A kind of finding that looks at each number by itself, so that it holds for questions too."""

    @abstractmethod
    def meant(self, values: pl.Series, limit: float) -> pl.Series:
        """Whether each number is odd, by the limit of its column; no where it is unknown."""

    def cap(self, limit: float) -> float:
        """To what size a number is cut down, by what was learned of its column."""
        return limit


class AbsurdNumber(NumberDetector):
    """Numbers more than 1,000 times as large as 99 % of those of their column that are not 0.

    Prices and baskets differ by less, while a quantity of two thousand million is a mistake that
    would drown every sum. A column with fewer than 20 such numbers gets no limit; of fewer than 100
    the 90 % quantile is taken, as one mistake among them would be the 99 % quantile itself.
    """

    code = "absurd_number"
    times = 1_000

    def learn(self, view: View) -> dict[str, float]:
        """For each column of numbers the largest size that is not odd."""
        return {place: self.times * size for place, size in _usual_sizes(view).items()}

    def find(self, view: View, limits: Limits) -> Iterator[Odd]:
        """Numbers beyond the limit of their column."""
        for place, limit in limits.items():
            name, _, column = place.partition(".")
            text = f"numbers beyond {limit:g}, {self.times:,} times as large as almost all others."
            yield Odd(name, column, self.meant(view.frames[name][column], limit), text, limit)

    def meant(self, values: pl.Series, limit: float) -> pl.Series:
        """Whether each number is beyond the limit; no where it is unknown."""
        return ((values > limit) | (values < -limit)).fill_null(False)


class LargeNumber(AbsurdNumber):
    """Numbers more than 100 and up to 1,000 times as large as 99 % of those of their column."""

    code = "large_number"
    times = 100

    def meant(self, values: pl.Series, limit: float) -> pl.Series:
        """Whether each number is beyond the limit and not absurd; no where it is unknown."""
        absurd = limit * (AbsurdNumber.times / LargeNumber.times)
        large = ((values > limit) & (values < absurd)) | ((values < -limit) & (values > -absurd))
        return large.fill_null(False)


def _usual_sizes(view: View) -> dict[str, float]:
    """The size that 99 % of the numbers of a column do not pass, of those that are not 0."""
    found: dict[str, float] = {}
    for name, frame in view.frames.items():
        for column in view.columns(name, "number"):
            with view.workspace.scratch() as room:
                known = (some.abs().to_numpy() for some in view.learned(name, column))
                sizes = collected(
                    (some[some > 0] for some in known), room.empty((len(frame),), np.float64)
                )
                if len(sizes) >= FEW:
                    share = 0.99 if len(sizes) >= LEAST else 0.9
                    # In place: else all would be in memory once more.
                    quantile = np.quantile(sizes, share, method="lower", overwrite_input=True)
                    found[f"{name}.{column}"] = float(quantile)
    return found
